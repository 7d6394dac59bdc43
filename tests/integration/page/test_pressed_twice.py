"""A key that is pressed twice by accident: what comes next was not looked at yet."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page

from icf.annotate.people.people import Role
from icf.codes import Choice
from tests.annotate.pairs.asked import ask_about
from tests.annotate.place import Place
from tests.annotate.review.expert import vote
from tests.integration.page.server import PageServer, answers_of
from tests.integration.page.test_grid import choices
from tests.integration.page.test_grid import shown as shows_grid
from tests.integration.page.test_pairs import shown
from tests.integration.page.test_review_page import followed, opened
from tests.integration.page.waits import loaded, sent

#: Press a key once more as soon as something else is shown, before it is painted.
_AGAIN = """([where, key]) => {
  const again = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
  const watcher = new MutationObserver(() => {
    watcher.disconnect();
    document.body.dispatchEvent(again);
  });
  watcher.observe(document.querySelector(where), { childList: true });
}"""


def press_twice(page: Page, key: str, where: str = "#candidate") -> None:
    page.evaluate(_AGAIN, [where, key])
    page.keyboard.press(key)


def test_one_pair_is_answered(place: Place, sign_in: Callable[..., Page]) -> None:
    ids = ask_about(place, 3)
    with PageServer(place, "pairs") as server:
        page = sign_in(server, "/pairs")
        shown(page, 1)
        loaded(page, 2)
        press_twice(page, "f")
        shown(page, 2)
        page.keyboard.press("j")
        shown(page, 3)
        sent(page, 2)
        assert answers_of(place) == [(ids[0], "Ann", "true"), (ids[1], "Ann", "false")]


def test_one_grid_is_answered(place: Place, sign_in: Callable[..., Page]) -> None:
    ask_about(place, 32, probability=0.95)
    with PageServer(place, "grid") as server:
        page = sign_in(server, "/grid")
        shows_grid(page, 1)
        page.wait_for_load_state("networkidle")
        press_twice(page, "Enter", "#tiles")
        shows_grid(page, 2)
        sent(page, 1)
        assert choices(place) == {"true": 16}


def test_one_conflict_is_settled(place: Place, sign_in: Callable[..., Page]) -> None:
    ids = ask_about(place, 3)
    for each in ids:
        vote(place, each, Choice.TRUE, Choice.FALSE)
    with PageServer(place, "review") as server:
        page = sign_in(server, "/review", "Eve", Role.REVIEWER)
        opened(page, 1)
        page.wait_for_load_state("networkidle")
        press_twice(page, "f")
        opened(page, 2)
        assert not page.locator("#trouble").is_visible()
        page.keyboard.press("j")
        opened(page, 3)
        assert followed(place, page) == {
            ids[0]: "same",
            ids[1]: "different",
            ids[2]: "open",
        }

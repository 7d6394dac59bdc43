"""A key that is pressed twice by accident: what comes next was not looked at yet."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from playwright.sync_api import Page

from icf.annotate.people.people import Role
from icf.catalogue.annotation.schema import attribute_answer, box_answer
from icf.catalogue.schema import question
from icf.codes import Choice, Label
from tests.annotate.boxes.pictures import A, Pictures
from tests.annotate.pairs.asked import ask_about
from tests.annotate.place import Place
from tests.annotate.review.expert import vote
from tests.integration.page.server import PageServer, answers_of
from tests.integration.page.test_grid import choices
from tests.integration.page.test_review_page import followed
from tests.integration.page.waits import loaded, sent, shown

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


def test_one_pair_is_left_unsure(place: Place, sign_in: Callable[..., Page]) -> None:
    ids = ask_about(place, 3)
    with PageServer(place, "pairs") as server:
        page = sign_in(server, "/pairs")
        shown(page, 1)
        loaded(page, 2)
        for number, (key, choice) in enumerate(
            (("u", "unsure"), ("r", "wrong_reference"))
        ):
            press_twice(page, key)
            shown(page, number + 2)
            sent(page, number + 1)
            assert answers_of(place)[number:] == [(ids[number], "Ann", choice)]


def test_one_face_is_left_undescribed(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    ask_about(place, 2)
    with place.workspace.catalogue.write() as connection:
        connection.execute(sa.update(question).values(label=Label.SAME.value))
    with PageServer(place, "attributes") as server:
        page = sign_in(server, "/attributes")
        shown(page, 1)
        press_twice(page, "u", ".seen")
        shown(page, 2)
        sent(page, 1)
        with place.workspace.catalogue.read() as connection:
            said = connection.execute(sa.select(attribute_answer.c.yaw)).scalars()
            assert list(said) == [None]


def test_one_picture_is_not_boxed(place: Place, sign_in: Callable[..., Page]) -> None:
    pictures = Pictures(place)
    pictures.add(A)
    pictures.add(A)
    with PageServer(place, "boxes") as server:
        page = sign_in(server, "/boxes")
        shown(page, 1)
        loaded(page, 1)
        press_twice(page, "u", "#picture")
        shown(page, 2)
        sent(page, 1)
        with place.workspace.catalogue.read() as connection:
            assert len(list(connection.execute(sa.select(box_answer.c.id)))) == 1


def test_one_grid_is_answered(place: Place, sign_in: Callable[..., Page]) -> None:
    ask_about(place, 32, probability=0.95)
    with PageServer(place, "grid") as server:
        page = sign_in(server, "/grid")
        shown(page, 1)
        page.wait_for_load_state("networkidle")
        press_twice(page, "Enter", "#tiles")
        shown(page, 2)
        sent(page, 1)
        assert choices(place) == {"true": 16}


def test_one_conflict_is_settled(place: Place, sign_in: Callable[..., Page]) -> None:
    ids = ask_about(place, 3)
    for each in ids:
        vote(place, each, Choice.TRUE, Choice.FALSE)
    with PageServer(place, "review") as server:
        page = sign_in(server, "/review", "Eve", Role.REVIEWER)
        shown(page, 1)
        page.wait_for_load_state("networkidle")
        press_twice(page, "f")
        shown(page, 2)
        assert not page.locator("#trouble").is_visible()
        page.keyboard.press("j")
        shown(page, 3)
        assert followed(place, page) == {
            ids[0]: "same",
            ids[1]: "different",
            ids[2]: "open",
        }

"""Grids in a real browser."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import sqlalchemy as sa
from playwright.sync_api import Page, Request, Route, expect

from icf.catalogue.annotation.schema import lease
from tests.annotate.pairs.asked import ask_about
from tests.annotate.place import Place
from tests.integration.page.clicks import be_away, first_click, second_click
from tests.integration.page.conftest import PHONE
from tests.integration.page.server import PageServer, answers_of
from tests.integration.page.waits import seen, sent, shown


def choices(place: Place) -> Counter[str]:
    return Counter(choice for _, _, choice in answers_of(place))


def question_of(place: Place, handle: str | None) -> int:
    """What a tile is about."""
    query = sa.select(lease.c.subject_id).where(lease.c.handle == handle)
    with place.workspace.catalogue.read() as connection:
        return int(connection.execute(query).scalar_one())


def test_one_key_answers_a_grid(place: Place, sign_in: Callable[..., Page]) -> None:
    ids = ask_about(place, 16, probability=0.95)
    with PageServer(place, "grid") as server:
        page = sign_in(server, "/grid")
        shown(page, 1)
        tiles = page.locator(".tile")
        expect(tiles).to_have_count(16)
        expect(page.get_by_role("button", name="All 16 are Ann")).to_be_visible()
        for key in ("ArrowRight", "Space", "ArrowDown", "u"):
            page.keyboard.press(key)
        wrong = question_of(place, tiles.nth(1).get_attribute("data-handle"))
        unsure = question_of(place, tiles.nth(5).get_attribute("data-handle"))
        expect(page.get_by_role("button", name="The other 14 are")).to_be_visible()
        page.keyboard.press("Enter")
        sent(page, 1)
        expected = dict.fromkeys(ids, "true") | {wrong: "false", unsure: "unsure"}
        assert answers_of(place) == [(key, "Ann", expected[key]) for key in ids]
        expect(page.get_by_text("No grid for now").first).to_be_visible()


def test_thumbs_answer_a_grid_and_take_it_back(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    ask_about(place, 20, probability=0.95)
    with PageServer(place, "grid") as server:
        page = sign_in(server, "/grid", viewport=PHONE, has_touch=True, is_mobile=True)
        shown(page, 1)
        for number in (0, 3, 3, 7):  # the second tap on a tile takes it back
            page.locator(".tile").nth(number).tap()
        page.get_by_role("button", name="The other 14 are").tap()
        shown(page, 2)
        sent(page, 1)
        assert choices(place) == {"true": 14, "false": 2}
        page.get_by_role("button", name="Undo").tap()
        shown(page, 3)
        expect(page.locator('.tile[aria-pressed="true"]')).to_have_count(2)
        page.locator(".tile").nth(0).tap()
        page.get_by_role("button", name="The other 15 are").tap()
        shown(page, 4)
        sent(page, 2)
        assert choices(place) == {"true": 15, "false": 1}
        # What was before the undo comes again.
        expect(page.locator(".tile")).to_have_count(4)
        for tile in page.locator(".tile").all():
            box = tile.bounding_box()
            assert box is not None
            assert min(box["width"], box["height"]) >= 44


def test_a_held_enter_key_answers_one_grid(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    ask_about(place, 40, probability=0.95)
    with PageServer(place, "grid") as server:
        page = sign_in(server, "/grid")
        shown(page, 1)
        for _ in range(4):
            page.keyboard.down("Enter")
        page.keyboard.up("Enter")
        shown(page, 2)
        sent(page, 1)
        assert choices(place) == {"true": 16}


def test_no_grid_is_answered_before_its_pictures_are_there(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    ask_about(place, 16, probability=0.95)
    with PageServer(place, "grid") as server:
        page = sign_in(server, "/")
        held: list[Route] = []
        page.route("**/candidate.jpg", lambda route: held.append(route))
        page.goto(f"{server.url}/grid")
        expect(page.locator(".tile")).to_have_count(16)
        page.keyboard.press("Enter")
        expect(page.get_by_text("The pictures are not there yet.")).to_have_count(1)
        assert not page.locator("#work").get_attribute("data-shown")
        for each in held:
            each.continue_()
        shown(page, 1)
        page.keyboard.press("Enter")
        sent(page, 1)
        assert choices(place) == {"true": 16}


def test_a_grid_is_answered_without_a_picture_that_never_comes(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    ask_about(place, 4, probability=0.95)
    with PageServer(place, "grid") as server:
        page = sign_in(server, "/")
        held: list[Route] = []
        page.route("**/candidate.jpg", lambda route: held.append(route))
        with page.expect_request("**/candidate.jpg") as asked:
            page.goto(f"{server.url}/grid")
        expect(page.locator(".tile")).to_have_count(4)
        lost, *others = held
        assert lost.request == asked.value
        # It is tried again, and the others come meanwhile.
        with page.expect_request(lost.request.url):
            lost.abort()
        for each in others:
            each.continue_()
        seen(page, ".tile:not(:first-child) img")
        held[-1].abort()
        shown(page, 1)
        page.keyboard.press("Enter")
        sent(page, 1)
        assert choices(place) == {"true": 3, "unsure": 1}


def test_nobody_is_said_to_be_whom_no_picture_shows(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    ask_about(place, 20, probability=0.95)
    with PageServer(place, "grid") as server:
        page = sign_in(server, "/")
        asked: list[str] = []

        def lose(route: Route) -> None:
            """The second grid's: they fail, and then take for ever."""
            is_new = route.request.url not in asked
            asked.append(route.request.url)
            if is_new and len(set(asked)) > 16:
                route.abort()
            elif is_new:
                route.continue_()

        lost: set[str] = set()

        def are_lost(request: Request) -> bool:
            lost.add(request.url)
            return len(lost) == 4

        page.route("**/candidate.jpg", lose)
        with page.expect_event("requestfailed", are_lost):
            page.goto(f"{server.url}/grid")
        shown(page, 1)
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="The other 0 are")).to_be_visible()
        shown(page, 2)
        page.keyboard.press("Enter")
        sent(page, 2)
        assert choices(place) == {"true": 16, "unsure": 4}


def test_a_double_click_answers_one_grid(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    ask_about(place, 40, probability=0.95)
    with PageServer(place, "grid") as server:
        page = sign_in(server, "/grid")
        shown(page, 1)
        rest = page.locator("#rest")
        first_click(rest)
        shown(page, 2)
        second_click(rest)
        # A grid that is changed when somebody comes back after long is left as it was.
        page.keyboard.press("z")
        shown(page, 3)
        be_away(page)
        shown(page, 4)
        sent(page, 1)
        assert choices(place) == {"true": 16}


def test_what_was_marked_last_is_said_in_words_and_shown_in_its_picture(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    ask_about(place, 16, probability=0.95)
    with PageServer(place, "grid") as server:
        page = sign_in(server, "/grid", viewport=PHONE, has_touch=True, is_mobile=True)
        shown(page, 1)
        # As in Safari, which gives the focus to no button that is pressed.
        page.evaluate("addEventListener('mousedown', (each) => each.preventDefault())")
        tile = page.get_by_role("button", name="face 6")
        tile.tap()
        page.get_by_role("button", name="Picture").tap()
        whole = page.get_by_role("dialog").get_by_role("img")
        context = tile.get_attribute("data-context")
        assert context is not None
        expect(whole).to_have_attribute("src", context)
        page.keyboard.press("Escape")
        tile.focus()
        page.keyboard.press("u")
        expect(page.get_by_role("button", name="face 6, unsure")).to_have_count(1)
        page.keyboard.press("c")
        expect(whole).to_have_attribute("src", context)
        # What it covers is out of reach, but its face can be marked.
        page.keyboard.press("Tab")
        assert (
            page.evaluate("document.activeElement.closest('.tools, .choices')") is None
        )
        page.keyboard.press("n")
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="face 6, no face")).to_be_focused()

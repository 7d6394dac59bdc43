"""A session of pairs in a real browser."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, Route, expect

from icf.catalogue.schema import answer, face, image, question
from tests.annotate.pairs.asked import ask_about, ask_all
from tests.annotate.place import Place
from tests.integration.page.clicks import be_away, first_click, second_click
from tests.integration.page.conftest import PHONE, join
from tests.integration.page.server import PageServer, answers_of
from tests.integration.page.waits import sent, shown


def test_a_session_by_keyboard(place: Place, sign_in: Callable[..., Page]) -> None:
    ids = ask_about(place, 6)
    with PageServer(place, "pairs") as server:
        page = sign_in(server, "/pairs", reduced_motion="no-preference")
        for number, key in enumerate("fjunr", 1):
            shown(page, number)
            page.keyboard.press(key)
        shown(page, 6)
        sent(page, 5)
        choices = ("true", "false", "unsure", "not_a_face", "wrong_reference")
        assert answers_of(place) == [
            (key, "Ann", choice) for key, choice in zip(ids, choices, strict=False)
        ]


def test_a_key_that_is_held_down_answers_once(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    ids = ask_about(place, 3)
    with PageServer(place, "pairs") as server:
        page = sign_in(server, "/pairs")
        shown(page, 1)
        for _ in range(5):
            # The same key again without a release is what a held key sends.
            page.keyboard.down("f")
        page.keyboard.up("f")
        shown(page, 2)
        sent(page, 1)
        assert answers_of(place) == [(ids[0], "Ann", "true")]


def test_a_double_click_answers_once(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    ids = ask_about(place, 3)
    with PageServer(place, "pairs") as server:
        page = sign_in(server, "/pairs")
        shown(page, 1)
        same = page.locator("#choices").get_by_role("button", name="Same")
        first_click(same)
        shown(page, 2)
        second_click(same)
        page.keyboard.press("j")
        shown(page, 3)
        sent(page, 2)
        assert answers_of(place) == [(ids[0], "Ann", "true"), (ids[1], "Ann", "false")]


def test_a_long_absence_while_an_answer_is_changed_leaves_it_and_goes_on(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    ids = ask_about(place, 2)
    with PageServer(place, "pairs") as server:
        page = sign_in(server, "/pairs")
        shown(page, 1)
        page.keyboard.press("f")
        shown(page, 2)
        page.keyboard.press("z")
        shown(page, 3)
        be_away(page)
        shown(page, 4)
        expect(page.locator("#work")).to_have_attribute("data-state", "asking")
        page.keyboard.press("j")
        sent(page, 2)
        assert answers_of(place) == [(ids[0], "Ann", "true"), (ids[1], "Ann", "false")]


def test_the_last_answers_can_be_changed(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    ids = ask_about(place, 4)
    with PageServer(place, "pairs") as server:
        page = sign_in(server, "/pairs")
        for number in (1, 2, 3):
            shown(page, number)
            page.keyboard.press("f")
        shown(page, 4)
        page.keyboard.press("z")
        shown(page, 5)
        expect(page.locator("#work")).to_have_attribute("data-state", "changing")
        page.keyboard.press("Backspace")
        shown(page, 6)
        page.keyboard.press("j")
        # After that it goes on with what was before.
        shown(page, 7)
        expect(page.locator("#work")).to_have_attribute("data-state", "asking")
        page.locator("#strip button").first.click()
        shown(page, 8)
        page.keyboard.press("Escape")
        shown(page, 9)
        page.reload()
        expect(page.locator("#strip li")).to_have_count(3)
        page.locator("#strip button").first.click()
        page.keyboard.press("u")
        sent(page, 1)
        assert answers_of(place) == [
            (ids[0], "Ann", "unsure"),
            (ids[1], "Ann", "false"),
            (ids[2], "Ann", "true"),
        ]


def test_a_session_on_a_phone(place: Place, sign_in: Callable[..., Page]) -> None:
    ids = ask_about(place, 5)
    with PageServer(place, "pairs") as server:
        page = sign_in(server, "/pairs", viewport=PHONE, has_touch=True, is_mobile=True)
        swipe = Swipes(page)
        for number, (right, down) in enumerate(((150, 5), (-150, 5), (5, -150)), 1):
            shown(page, number)
            swipe.by(right, down)
        shown(page, 4)
        sent(page, 3)  # the strip of the last answers stands still then
        swipe.by(30, 0)  # too short to mean something
        page.get_by_role("button", name="No face").tap()
        shown(page, 5)
        sent(page, 4)
        choices = ("true", "false", "unsure", "not_a_face")
        assert answers_of(place) == [
            (key, "Ann", choice) for key, choice in zip(ids, choices, strict=False)
        ]
        for button in page.locator("button:visible").all():
            box = button.bounding_box()
            assert box is not None
            assert min(box["width"], box["height"]) >= 44
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide == PHONE["width"]


def test_faces_are_as_big_as_buttons_allow_on_a_phone_on_its_side(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    ask_about(place, 2)
    lying = {"width": 667, "height": 375}
    with PageServer(place, "pairs") as server:
        page = sign_in(server, "/pairs", viewport=lying, has_touch=True, is_mobile=True)
        shown(page, 1)
        for place_of in ("#reference", "#candidate"):
            box = page.locator(place_of).bounding_box()
            assert box is not None
            assert min(box["width"], box["height"]) > 150
        for button in page.locator("button:visible").all():
            expect(button).to_be_in_viewport(ratio=1)


class Swipes:
    """Moves a thumb over the faces."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._line = page.context.new_cdp_session(page)

    def by(self, right: float, down: float) -> None:
        """Swipe from the middle of the candidate."""
        box = self._page.locator("#candidate").bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self._touch("touchStart", [{"x": x, "y": y}])
        for share in (0.5, 1.0):
            moved = {"x": x + right * share, "y": y + down * share}
            self._touch("touchMove", [moved])
        self._touch("touchEnd", [])

    def _touch(self, kind: str, points: list[dict[str, float]]) -> None:
        params = {"type": kind, "touchPoints": points}
        self._line.send("Input.dispatchTouchEvent", params)


def test_the_whole_picture_is_shown_on_demand(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    ids = ask_about(place, 2)
    with PageServer(place, "pairs") as server:
        page = sign_in(server, "/pairs")
        shown(page, 1)
        whole = page.get_by_role("dialog")
        for by_key in (True, False):
            if by_key:
                page.keyboard.press("c")
            else:
                page.locator("#candidate").click()
            expect(whole.get_by_role("img")).to_be_visible()
            page.keyboard.press("Escape")
            expect(whole).to_be_hidden()
        page.keyboard.press("c")
        page.keyboard.press("f")
        shown(page, 2)
        expect(whole).to_be_hidden()
        sent(page, 1)
        assert answers_of(place) == [(ids[0], "Ann", "true")]


def test_a_picture_that_cannot_be_shown_says_what_to_answer(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    one, two = ask_about(place, 2)
    query = (
        sa.select(image.c.sha256)
        .join(face, face.c.image_id == image.c.id)
        .join(question, question.c.face_id == face.c.id)
        .where(question.c.id == one)
    )
    with place.workspace.catalogue.read() as connection:
        place.workspace.blobs.remove(connection.execute(query).scalar_one())
    with PageServer(place, "pairs") as server:
        page = sign_in(server, "/pairs")
        sorry = page.get_by_text("This picture cannot be shown").locator("visible=true")
        expect(sorry).to_have_count(1)
        # What was not seen is not called the same.
        page.keyboard.press("f")
        page.keyboard.press("u")
        shown(page, 2)
        expect(sorry).to_have_count(0)
        page.keyboard.press("f")
        sent(page, 2)
        assert answers_of(place) == [(one, "Ann", "unsure"), (two, "Ann", "true")]


def test_nothing_is_compared_with_a_reference_that_is_not_there(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    ids = ask_about(place, 2)
    with PageServer(place, "pairs") as server:
        page = sign_in(server, "/")
        page.route("**/reference.jpg", lambda route: route.abort())
        page.goto(f"{server.url}/pairs")
        page.wait_for_function(
            "() => document.querySelector('#candidate img')?.naturalWidth > 0"
        )
        expect(page.get_by_text("This picture cannot be shown").first).to_be_visible()
        for key in "fjn":
            page.keyboard.press(key)
        expect(page.locator("#work")).to_have_attribute("data-stored", "1")
        expect(page.locator("#work")).to_have_attribute("data-open", "2")
        page.keyboard.press("u")
        sent(page, 2)
        choices = ("not_a_face", "unsure")
        assert answers_of(place) == [
            (key, "Ann", choice) for key, choice in zip(ids, choices, strict=True)
        ]


def test_a_pause_gives_everything_back_and_another_device_goes_on(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    ids = ask_about(place, 3)
    with PageServer(place, "pairs") as server:
        laptop = sign_in(server, "/pairs")
        shown(laptop, 1)
        laptop.keyboard.press("f")
        shown(laptop, 2)
        with laptop.expect_response("**/api/release"):
            laptop.keyboard.press("p")
        expect(laptop.get_by_role("heading", name="Paused")).to_be_visible()
        laptop.keyboard.press("f")
        phone = sign_in(server, "/pairs", viewport=PHONE, has_touch=True)
        shown(phone, 1)
        phone.keyboard.press("j")
        sent(phone, 1)
        phone.goto("about:blank")
        laptop.get_by_role("button", name="Go on").click()
        shown(laptop, 3)
        laptop.keyboard.press("u")
        sent(laptop, 2)
        choices = ("true", "false", "unsure")
        assert answers_of(place) == [
            (key, "Ann", choice) for key, choice in zip(ids, choices, strict=True)
        ]


def test_what_comes_soon_after_a_key_is_called_shown_when_it_can_be_answered(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    ids = ask_about(place, 2)
    with PageServer(place, "pairs") as server:
        page = sign_in(server, "/pairs")
        shown(page, 1)
        page.clock.install()
        page.clock.pause_at(time.time() + 60)
        with page.expect_response("**/api/release"):
            page.keyboard.press("p")
        page.clock.run_for(950)
        held: list[Route] = []
        page.route("**/candidate.jpg", lambda route: held.append(route))
        # What it shows is open 150 ms from here; its picture comes after 100.
        with page.expect_response("**/reference.jpg"):
            page.get_by_role("button", name="Go on").click()
        page.clock.run_for(100)
        with page.expect_response("**/candidate.jpg"):
            held.pop(0).continue_()
        picture = page.locator("#candidate img")
        expect(picture).to_have_js_property("complete", True)
        page.evaluate("fetch('/static/icon.svg').then(() => true)")
        assert page.locator("#work").get_attribute("data-shown") == "1"
        page.clock.run_for(100)
        shown(page, 2)
        page.keyboard.press("f")
        sent(page, 1)
        assert answers_of(place) == [(ids[0], "Ann", "true")]


def test_what_was_on_its_way_as_a_person_paused_is_given_back_too(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    ask_about(place, 3)
    with PageServer(place, "pairs") as server:
        laptop = sign_in(server, "/pairs")
        shown(laptop, 1)
        held: list[Route] = []
        laptop.route("**/api/pairs/next", lambda route: held.append(route))
        with laptop.expect_request("**/api/pairs/next"):
            laptop.keyboard.press("f")
        shown(laptop, 2)
        with laptop.expect_response("**/api/release"):
            laptop.keyboard.press("p")
        with laptop.expect_response("**/api/release"):
            held[0].continue_()
        phone = sign_in(server, "/pairs", viewport=PHONE, has_touch=True)
        shown(phone, 1)


def test_questions_that_are_asked_later_appear_by_themselves(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    with PageServer(place, "pairs") as server:
        page = sign_in(server, "/pairs")
        expect(page.get_by_text("Nothing left for now")).to_be_visible()
        ask_about(place, 1)
        shown(page, 1)
        expect(page.locator("#asked")).to_have_text("Is this Ann?")


def test_a_reference_is_asked_about_alone(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    ann = place.add_character("Ann")
    place.set_reference(ann, place.reference(ann), by="typical")
    [one] = ask_all(place)
    with PageServer(place, "pairs") as server:
        page = sign_in(server, "/pairs")
        shown(page, 1)
        expect(page.locator("#asked")).to_have_text("Is this a good picture of Ann?")
        expect(page.locator("#reference")).to_be_hidden()
        expect(page.get_by_role("button", name="Reference wrong")).to_be_hidden()
        page.keyboard.press("r")
        page.keyboard.press("f")
        sent(page, 1)
        assert answers_of(place) == [(one, "Ann", "true")]


def test_names_that_are_written_from_the_right_stay_in_their_places(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    place.add_face(place.add_character("דנה", "סיפורים"), 0.5)
    ask_all(place)
    with PageServer(place, "pairs") as server:
        page = sign_in(server, "/pairs")
        shown(page, 1)
        asked = page.locator("#asked").bounding_box()
        album = page.locator("#album").bounding_box()
        assert asked is not None
        assert album is not None
        assert asked["x"] + asked["width"] <= album["x"]


def test_who_logs_in_next_does_not_see_what_was_answered_before(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    ask_about(place, 3)
    with PageServer(place, "pairs") as server:
        page = sign_in(server, "/pairs", "Ann")
        shown(page, 1)
        page.keyboard.press("f")
        sent(page, 1)
        expect(page.locator("#strip li")).to_have_count(1)
        join(page, server.invite("Bob"))
        page.goto(f"{server.url}/pairs")
        shown(page, 1)
        expect(page.locator("#strip li")).to_have_count(0)
        expect(page.locator("#progress")).to_be_empty()
        join(page, server.invite("Ann"))
        page.goto(f"{server.url}/pairs")
        expect(page.locator("#strip li")).to_have_count(1)


def test_chosen_keys_answer_and_the_others_do_not(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    ids = ask_about(place, 2)
    with PageServer(place, "pairs") as server:
        page = sign_in(server, "/pairs")
        shown(page, 1)
        chosen = {"keys": {"same": "d", "different": "k"}}
        script = """(chosen) => import('/static/page.js')
          .then((page) => page.post('/api/preferences', chosen))"""
        page.evaluate(script, chosen)
        page.reload()
        shown(page, 1)
        for key in "fjk":
            page.keyboard.press(key)
        shown(page, 2)
        sent(page, 1)
        assert answers_of(place) == [(ids[0], "Ann", "false")]


def test_two_people_at_once_are_not_asked_the_same(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    ids = ask_about(place, 20)
    with PageServer(place, "pairs") as server:
        pages = [sign_in(server, "/pairs", name=name) for name in ("Ann", "Bob")]
        for number in range(1, 9):
            for page in pages:
                shown(page, number)
                page.keyboard.press("f")
        for page in pages:
            sent(page, 8)
        given = answers_of(place)
        assert len(given) == 16
        assert len({key for key, _, _ in given}) == 16
        assert {name for _, name, _ in given} == {"Ann", "Bob"}
        assert {key for key, _, _ in given} <= set(ids)


def test_seconds_are_those_of_looking(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    ask_about(place, 1)
    with PageServer(place, "pairs") as server:
        page = sign_in(server, "/")
        page.clock.install()
        page.goto(f"{server.url}/pairs")
        shown(page, 1)
        # From here its time passes only when it is told to.
        page.clock.pause_at(page.evaluate("Date.now()") / 1000 + 60)
        page.clock.run_for(1500)
        with page.expect_response("**/api/release"):
            page.keyboard.press("p")
        page.clock.run_for(60_000)
        held: list[Route] = []
        page.route("**/api/pairs/next", lambda route: held.append(route), times=1)
        with page.expect_request("**/api/pairs/next"):
            page.keyboard.press("p")
        # There is nothing to look at yet.
        page.clock.run_for(5_000)
        held[0].continue_()
        shown(page, 2)
        page.clock.run_for(2_000)
        page.keyboard.press("f")
        page.clock.run_for(2_000)
        sent(page, 1)
        with place.workspace.catalogue.read() as connection:
            seconds = connection.execute(sa.select(answer.c.seconds)).scalar_one()
        assert seconds == pytest.approx(2.0, abs=0.05)

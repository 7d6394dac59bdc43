"""Pictures to box in a real browser: mouse, keys, fingers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
import sqlalchemy as sa
from playwright.sync_api import FloatRect, Page, TimeoutError, expect

from icf.annotate.boxes.opinion import stored_opinion
from icf.annotate.people.people import Role
from icf.catalogue.annotation.schema import box_answer
from tests.annotate.boxes.pictures import SIDE, A, B, Pictures, boxed
from tests.annotate.place import Place
from tests.integration.page.clicks import be_away, first_click, second_click
from tests.integration.page.conftest import PHONE, join
from tests.integration.page.server import PageServer
from tests.integration.page.waits import everything_is_sent, seen

Point = tuple[float, float]
Corners = tuple[float, float, float, float]

NAMES = ("Zenobia", "Quentin", "Xaver")
#: Whether the boxes are these, within so many pixels.
HAS = """([wanted, within]) => {
  const boxes = JSON.parse(document.getElementById("work").dataset.boxes);
  return boxes.length === wanted.length && boxes.every((box, place) =>
    box.every((edge, each) => Math.abs(edge - wanted[place][each]) <= within));
}"""
#: Whether the picture is wider than so many pixels.
WIDER = """(least) =>
  document.querySelector(".picture").getBoundingClientRect().width > least"""

TOUCH = {"viewport": PHONE, "has_touch": True, "is_mobile": True}


@pytest.fixture
def pictures(place: Place) -> Pictures:
    return Pictures(place)


@pytest.fixture
def server(pictures: Pictures) -> Iterator[PageServer]:
    """A server that hides no proposals."""
    settings = ("annotate.box_hidden=0",)
    with PageServer(pictures.place, "boxes", "review", settings=settings) as running:
        yield running


class Boxes:
    """The page, as somebody uses it; points are in pixels of the picture."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.shows(1)

    def shows(self, number: int) -> None:
        """Wait until so many pictures were shown."""
        expect(self.page.locator("#work")).to_have_attribute("data-shown", str(number))

    def now(self) -> list[list[float]]:
        """The boxes that the page has now."""
        found = self.page.locator("#work").get_attribute("data-boxes")
        boxes: list[list[float]] = json.loads(found or "[]")
        return boxes

    def has(self, *boxes: Corners, within: float = 0.6) -> None:
        """Wait for these boxes, as exact as pixels of the screen allow."""
        with suppress(TimeoutError):
            self.page.wait_for_function(HAS, arg=[list(map(list, boxes)), within])
        found = self.now()
        assert len(found) == len(boxes)
        for one, other in zip(found, boxes, strict=True):
            assert one == pytest.approx(list(other), abs=within)

    def zooms_to(self, times: float, of: FloatRect | None) -> None:
        """Wait until the picture is more than so many times as wide as it was."""
        assert of is not None
        self.page.wait_for_function(WIDER, arg=times * of["width"])

    def at(self, x: float, y: float) -> Point:
        """Where a point of the picture is in the window."""
        box = self.page.locator(".picture").bounding_box()
        assert box is not None
        return box["x"] + x * box["width"] / SIDE, box["y"] + y * box["height"] / SIDE

    def click(self, *points: Point) -> None:
        """Click some points, one after the other."""
        for point in points:
            self.page.mouse.click(*self.at(*point))

    def tap(self, *points: Point) -> None:
        """Tap them."""
        for point in points:
            self.page.touchscreen.tap(*self.at(*point))

    def drag(self, start: Point, end: Point) -> None:
        """Drag with the mouse."""
        self.page.mouse.move(*self.at(*start))
        self.page.mouse.down()
        self.page.mouse.move(*self.at(*end), steps=4)
        self.page.mouse.up()

    def press(self, *keys: str) -> None:
        """Press keys, one after the other, each when the picture is there."""
        for key in keys:
            seen(self.page, "#picture img")
            self.page.keyboard.press(key)

    def is_sent(self, answers: int = 1) -> None:
        """Wait until the server has so many answers."""
        progress = self.page.locator("#progress")
        expect(progress).to_have_attribute("data-answers", str(answers))
        everything_is_sent(self.page)


Open = Callable[..., Boxes]


@pytest.fixture
def open_boxes(server: PageServer, sign_in: Callable[..., Page]) -> Open:
    """Opens the page of boxes."""

    def make(name: str = "Ann", **options: object) -> Boxes:
        return Boxes(sign_in(server, "/boxes", name, **options))

    return make


def stored(pictures: Pictures) -> list[tuple[str, list[list[float]] | None]]:
    """Who says what, in the order of the answers."""
    query = sa.select(box_answer).where(box_answer.c.replaced_at.is_(None))
    with pictures.catalogue.read() as connection:
        rows = connection.execute(query.order_by(box_answer.c.id)).all()
    found = [(row.annotator, stored_opinion(row.verdict, row.boxes)) for row in rows]
    return [
        (name, None if said.boxes is None else said.boxes.tolist())
        for name, said in found
    ]


@pytest.mark.parametrize("key", ["f", "Enter"])
def test_one_key_accepts_all_boxes(
    pictures: Pictures, open_boxes: Open, key: str
) -> None:
    pictures.add(A, B)
    pictures.add(B)
    boxes = open_boxes()
    boxes.has(A, B)
    boxes.press(key)
    boxes.shows(2)
    boxes.press(key)
    expect(boxes.page.get_by_text("Nothing left for now")).to_be_visible()
    boxes.is_sent(2)
    assert stored(pictures) == [("Ann", [list(A), list(B)]), ("Ann", [list(B)])]


def test_two_people_verify_a_picture(pictures: Pictures, open_boxes: Open) -> None:
    key = pictures.add(A)
    for name in ("Ann", "Bob"):
        boxes = open_boxes(name)
        boxes.press("f")
        boxes.is_sent()
    assert pictures.status(key) == "verified"


def test_a_missing_face_is_drawn_by_two_clicks(
    pictures: Pictures, open_boxes: Open
) -> None:
    pictures.add(A)
    boxes = open_boxes()
    boxes.click((130, 90), (80, 20))
    boxes.has(A, B)
    # Inside another box a click chooses it, unless one is drawing.
    boxes.press("d")
    boxes.click((20, 20), (50, 50))
    boxes.has(A, B, (20, 20, 50, 50))


def test_a_missing_face_is_drawn_by_its_four_outermost_points(
    pictures: Pictures, open_boxes: Open
) -> None:
    pictures.add(A)
    boxes = open_boxes()
    boxes.page.get_by_role("button", name="4 edge points").click()
    left, top, right, bottom = (80, 50), (100, 20), (130, 70), (110, 90)
    boxes.click(bottom, left, top)
    expect(boxes.page.locator("#hint")).to_contain_text("1 to go")
    boxes.has(A)
    boxes.click(right)
    boxes.has(A, B)
    # The way of drawing is remembered.
    boxes.page.reload()
    boxes.shows(1)
    chosen = boxes.page.get_by_role("button", name="4 edge points")
    expect(chosen).to_have_attribute("aria-pressed", "true")


def test_a_box_is_drawn_by_dragging(pictures: Pictures, open_boxes: Open) -> None:
    pictures.add(A)
    boxes = open_boxes()
    boxes.drag((80, 20), (130, 90))
    boxes.has(A, B)


def test_points_of_a_box_stay_when_the_window_changes(
    pictures: Pictures, open_boxes: Open
) -> None:
    pictures.add()
    boxes = open_boxes()
    boxes.click((80, 20))
    picture = boxes.page.locator(".picture")
    height = picture.evaluate("(shown) => getComputedStyle(shown).height")
    boxes.page.set_viewport_size({"width": 900, "height": 500})
    # It is drawn anew after the window has its size.
    expect(picture).not_to_have_css("height", height)
    boxes.click((130, 90))
    boxes.has(B)


def test_edges_corners_and_boxes_are_dragged(
    pictures: Pictures, open_boxes: Open
) -> None:
    pictures.add(A)
    boxes = open_boxes()
    boxes.drag((60, 35), (90, 35))
    boxes.has((10, 10, 90, 60))
    boxes.drag((10, 10), (20, 25))
    boxes.has((20, 25, 90, 60))
    boxes.drag((55, 42), (75, 62))
    boxes.has((40, 45, 110, 80))
    # No edge leaves the picture, and none passes the other one.
    boxes.drag((110, 62), (400, 62))
    boxes.has((40, 45, SIDE, 80))
    boxes.drag((100, 80), (100, 10))
    boxes.has((40, 45, SIDE, 47))


def test_a_box_is_deleted_by_key_by_its_sign_and_in_the_list(
    pictures: Pictures, open_boxes: Open
) -> None:
    pictures.add(A, B, (20.0, 100.0, 60.0, 150.0))
    boxes = open_boxes()
    boxes.click((30, 30))
    boxes.press("Delete")
    boxes.has(B, (20, 100, 60, 150))
    boxes.click((100, 50))
    sign = boxes.page.locator(".cross").bounding_box()
    assert sign is not None
    middle = sign["x"] + sign["width"] / 2, sign["y"] + sign["height"] / 2
    boxes.page.mouse.click(*middle)
    boxes.has((20, 100, 60, 150))
    boxes.page.get_by_role("button", name="Delete face 1").click()
    boxes.has()
    boxes.press("f")
    boxes.is_sent()
    assert stored(pictures) == [("Ann", [])]


def test_everything_is_taken_back_step_by_step(
    pictures: Pictures, open_boxes: Open
) -> None:
    pictures.add(A)
    boxes = open_boxes()
    boxes.drag((60, 35), (90, 35))
    boxes.click((100, 100), (150, 150))
    boxes.press("Delete", "z")
    boxes.has((10, 10, 90, 60), (100, 100, 150, 150))
    boxes.press("z", "z")
    boxes.has(A)
    boxes.click((100, 100))
    expect(boxes.page.locator(".dot")).to_have_count(1)
    boxes.press("z")
    expect(boxes.page.locator(".dot")).to_have_count(0)
    boxes.has(A)


def test_the_last_answer_is_opened_again_and_changed(
    pictures: Pictures, open_boxes: Open
) -> None:
    pictures.add(A)
    pictures.add(B)
    boxes = open_boxes()
    boxes.click((30, 30))
    boxes.press("Delete", "f")
    boxes.shows(2)
    boxes.press("z")
    boxes.shows(3)
    boxes.has()
    boxes.click((10, 10), (60, 60))
    boxes.press("f")
    boxes.shows(4)
    boxes.has(B)
    boxes.is_sent()
    ((name, said),) = stored(pictures)
    assert name == "Ann"
    assert said is not None
    assert said[0] == pytest.approx(list(A), abs=0.6)


def test_somebody_cannot_tell(pictures: Pictures, open_boxes: Open) -> None:
    pictures.add(A)
    boxes = open_boxes()
    boxes.press("u")
    boxes.is_sent()
    assert stored(pictures) == [("Ann", None)]


def test_by_keys_alone(pictures: Pictures, open_boxes: Open) -> None:
    pictures.add(A, B)
    boxes = open_boxes()
    boxes.press("Tab", "ArrowRight", "Shift+ArrowDown")
    moved = (11, 20, 61, 70)
    boxes.has(moved, B)
    boxes.press("Tab", "Backspace")
    boxes.has(moved)
    boxes.press("a")
    assert len(boxes.now()) == 2
    x1, y1, x2, y2 = boxes.now()[1]
    boxes.press("c", "Shift+ArrowLeft", "c", "ArrowUp")
    boxes.has(moved, (x1 - 10, y1, x2, y2 - 1), within=0.11)
    # What was moved in one go is taken back in one go.
    boxes.press("z")
    boxes.has(moved, (x1 - 10, y1, x2, y2), within=0.11)
    boxes.press("Enter")
    boxes.is_sent()
    ((_, said),) = stored(pictures)
    assert said is not None
    assert said[0] == list(moved)


def test_tab_leads_through_the_boxes_and_out_again(
    pictures: Pictures, open_boxes: Open
) -> None:
    pictures.add(A, B)
    boxes = open_boxes()
    label = "document.activeElement.getAttribute('aria-label')"
    heard = []
    for _ in range(3):
        boxes.press("Tab")
        heard.append(boxes.page.evaluate(label))
    assert heard == [
        "Face 1: 50 by 50 pixels at 10, 10, of 2",
        "Face 2: 50 by 70 pixels at 80, 20, of 2",
        "Smaller",
    ]


def test_a_picture_is_zoomed_and_boxes_are_exact_there(
    pictures: Pictures, open_boxes: Open
) -> None:
    pictures.add(A)
    boxes = open_boxes()
    before = boxes.page.locator(".picture").bounding_box()
    boxes.page.mouse.move(*boxes.at(100, 50))
    boxes.page.mouse.wheel(0, -500)
    boxes.zooms_to(2, before)
    boxes.click((90.2, 40.4), (110.7, 60.1))
    boxes.has(A, (90.2, 40.4, 110.7, 60.1), within=0.15)
    boxes.press("0")
    assert boxes.page.locator(".picture").bounding_box() == before


def test_a_box_that_is_not_finished_keeps_one_from_answering(
    pictures: Pictures, open_boxes: Open
) -> None:
    pictures.add(A)
    boxes = open_boxes()
    boxes.click((100, 100))
    boxes.press("f")
    expect(boxes.page.locator("#hint")).to_contain_text("A box is not finished")
    boxes.press("Escape", "f")
    boxes.is_sent()
    assert stored(pictures) == [("Ann", [list(A)])]


def test_on_a_phone(pictures: Pictures, open_boxes: Open) -> None:
    pictures.add(A)
    boxes = open_boxes(**TOUCH)
    boxes.tap((80, 20), (130, 90))
    boxes.has(A, B, within=1)
    boxes.tap((35, 35))
    boxes.page.get_by_role("button", name="Delete", exact=True).tap()
    boxes.has(B, within=1)
    boxes.page.get_by_role("button", name="Undo").tap()
    boxes.has(A, B, within=1)
    for button in boxes.page.locator("button:visible").all():
        box = button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44
    assert boxes.page.evaluate("document.documentElement.scrollWidth") == 390
    boxes.page.get_by_role("button", name="All boxed").tap()
    boxes.is_sent()
    ((_, said),) = stored(pictures)
    assert said is not None
    assert len(said) == 2


def test_fingers_drag_an_edge_and_pinch_and_then_tap(
    pictures: Pictures, open_boxes: Open
) -> None:
    pictures.add(A)
    boxes = open_boxes(**TOUCH)
    hand = Hand(boxes)
    boxes.tap((35, 35))
    hand.moves([((60, 35), (90, 35))])
    boxes.has((10, 10, 90, 60), within=1)
    # The sign that deletes it is beside this corner, which is nearer.
    hand.moves([((93, 10), (113, 20))])
    boxes.has((10, 20, 110, 60), within=1)
    hand.moves([((110, 20), (90, 10))])
    before = boxes.page.locator(".picture").bounding_box()
    hand.moves([((100, 100), (60, 60)), ((120, 120), (150, 150))])
    boxes.zooms_to(2, before)
    boxes.has((10, 10, 90, 60), within=1)
    boxes.page.get_by_role("button", name="All boxed").tap()
    boxes.is_sent()


class Hand:
    """Fingers on the screen."""

    def __init__(self, boxes: Boxes) -> None:
        self._boxes = boxes
        self._line = boxes.page.context.new_cdp_session(boxes.page)

    def moves(self, ways: list[tuple[Point, Point]]) -> None:
        """Move one finger or several, each from a point to another."""
        windows = [[self._boxes.at(*each) for each in way] for way in ways]
        self._send("touchStart", [start for start, _ in windows])
        for step in range(1, 6):
            part = step / 5
            points = [
                (x + (ex - x) * part, y + (ey - y) * part)
                for (x, y), (ex, ey) in windows
            ]
            self._send("touchMove", points)
        self._send("touchEnd", [])

    def _send(self, kind: str, points: list[Point]) -> None:
        touches = [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(points)]
        self._line.send(
            "Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches}
        )


def test_a_reviewer_settles_what_people_differ_about(
    pictures: Pictures, server: PageServer, contexts: Callable[..., object]
) -> None:
    key = pictures.add(A)
    for name, value in zip(NAMES, (boxed(A), boxed(A, B), boxed()), strict=True):
        someone = pictures.person(name)
        (task,) = pictures.task().take(someone, 1)
        pictures.answer(someone, task, value)
    page = contexts().new_page()  # type: ignore[attr-defined]
    join(page, server.invite("Rita", Role.REVIEWER))
    page.goto(f"{server.url}/box-review")
    boxes = Boxes(page)
    boxes.has(A)
    expect(page.locator(".other")).to_have_count(3)
    assert not any(name in page.content() for name in NAMES)
    boxes.press("3")
    boxes.has(A, B)
    boxes.press("f")
    boxes.is_sent()
    assert pictures.status(key) == "verified"
    assert [box for box, _ in pictures.verified(key)] == [A, B]


def test_a_double_click_accepts_one_picture(
    pictures: Pictures, open_boxes: Open
) -> None:
    pictures.add(A)
    pictures.add(B)
    boxes = open_boxes()
    boxed = boxes.page.get_by_role("button", name="All boxed")
    first_click(boxed)
    boxes.shows(2)
    second_click(boxed)
    boxes.press("u")
    boxes.is_sent(2)
    assert stored(pictures) == [("Ann", [list(A)]), ("Ann", None)]


def test_what_is_drawn_stays_over_a_long_absence_and_is_not_left_unasked(
    pictures: Pictures, open_boxes: Open
) -> None:
    pictures.add()
    pictures.add(B)
    boxes = open_boxes()
    boxes.click((10, 10), (50, 60))
    boxes.has((10, 10, 50, 60))
    with boxes.page.expect_event("dialog") as told:
        boxes.page.evaluate("void setTimeout(() => location.reload())")
    assert told.value.type == "beforeunload"
    told.value.dismiss()
    with boxes.page.expect_response("**/api/release"):
        be_away(boxes.page)
    boxes.has((10, 10, 50, 60))
    boxes.press("f")
    boxes.shows(2)
    boxes.has(B)
    boxes.press("f")
    boxes.is_sent(2)
    expect(boxes.page.get_by_text("Nothing left for now")).to_be_visible()
    (_, drawn), (_, accepted) = stored(pictures)
    assert (len(drawn or []), accepted) == (1, [list(B)])


def test_the_picture_is_seen_on_a_phone_on_its_side(
    pictures: Pictures, open_boxes: Open
) -> None:
    pictures.add(A)
    lying = {"width": 667, "height": 375}
    page = open_boxes(viewport=lying, has_touch=True, is_mobile=True).page
    stage = page.locator("#stage").bounding_box()
    assert stage is not None
    assert min(stage["width"], stage["height"]) > 200
    for name in ("All boxed", "Cannot tell", "Draw", "Undo"):
        expect(page.get_by_role("button", name=name)).to_be_in_viewport(ratio=1)


def test_a_picture_that_is_not_there_is_not_accepted(
    pictures: Pictures, server: PageServer, sign_in: Callable[..., Page]
) -> None:
    pictures.add(A)
    page = sign_in(server, "/")
    page.route("**/picture/**", lambda route: route.abort())
    page.goto(f"{server.url}/boxes")
    page.get_by_role("button", name="All boxed").click()
    expect(page.locator("#hint")).to_contain_text("not there yet")
    page.keyboard.press("u")
    expect(page.get_by_text("Nothing left for now")).to_be_visible()
    everything_is_sent(page)
    assert stored(pictures) == [("Ann", None)]

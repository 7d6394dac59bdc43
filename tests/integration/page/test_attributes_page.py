"""Faces are described in a real browser, and the head shown looks as it should."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from icf.catalogue.annotation.schema import attribute_answer
from icf.catalogue.schema import character, question
from icf.codes import Gender, Label
from tests.annotate.pairs.asked import ask_about
from tests.annotate.place import Place
from tests.integration.page.clicks import first_click, second_click
from tests.integration.page.conftest import PHONE
from tests.integration.page.server import PageServer
from tests.integration.page.waits import everything_is_sent, shown

#: Where a part of the head is, as fractions of the whole drawing: x from the left, y
#: from the top.
WHERE = """(name) => {
  const whole = document.getElementById("head").getBoundingClientRect();
  const part = document.querySelector(`#head [data-part="${name}"]`);
  if (!part) return null;
  const box = part.getBoundingClientRect();
  const side = Math.min(whole.width, whole.height);
  return [(box.x + box.width / 2 - whole.x - whole.width / 2) / side,
          (box.y + box.height / 2 - whole.y - whole.height / 2) / side];
}"""


#: Points that the page's own code turns by yaw, pitch and roll.
TURNED = """async (cases) => {
  const { turned } = await import("/static/head.js");
  return cases.map(([point, [yaw, pitch, roll]]) =>
    turned(point, { yaw, pitch, roll }));
}"""


@pytest.fixture
def faces(place: Place) -> int:
    """Three confirmed faces, with the reference; the wiki knows the gender."""
    ask_about(place, 2)
    with place.workspace.catalogue.write() as connection:
        connection.execute(sa.update(question).values(label=Label.SAME.value))
        connection.execute(sa.update(character).values(gender=Gender.FEMALE.value))
    return 3


def said(place: Place) -> list[Any]:
    """What counts, in the order in which it was said."""
    query = sa.select(attribute_answer).where(attribute_answer.c.replaced_at.is_(None))
    with place.workspace.catalogue.read() as connection:
        return list(connection.execute(query.order_by(attribute_answer.c.id)))


def where(page: Page, part: str) -> tuple[float, float]:
    x, y = page.evaluate(WHERE, part)
    return x, y


def test_a_session_by_keyboard(
    place: Place, faces: int, sign_in: Callable[..., Page]
) -> None:
    with PageServer(place, "attributes") as server:
        page = sign_in(server, "/attributes")
        shown(page, 1)
        for key in ("g", "ArrowUp", "ArrowUp", "Shift+ArrowRight", "q", "2", "m"):
            page.keyboard.press(key)
        page.keyboard.press("Enter")
        shown(page, 2)
        # Each face begins from the front, with what the wiki says.
        page.keyboard.press("Enter")
        shown(page, 3)
        page.keyboard.press("u")
        expect(page.get_by_text("Nothing to describe")).to_be_visible()
        everything_is_sent(page)
        first, second, third = said(place)
        pose = (first.yaw, first.pitch, first.roll)
        assert (pose, first.occlusion, first.gender) == ((46, 10, -5), "part", "male")
        pose = (second.yaw, second.pitch, second.roll)
        assert (pose, second.occlusion, second.gender) == ((0, 0, 0), "none", "female")
        assert (third.yaw, third.occlusion, third.gender) == (None, None, None)
        assert len({row.face_id for row in (first, second, third)}) == faces
        assert all(0 < row.seconds < 60 for row in (first, second, third))


def test_a_double_click_stores_one_answer(
    place: Place, faces: int, sign_in: Callable[..., Page]
) -> None:
    with PageServer(place, "attributes") as server:
        page = sign_in(server, "/attributes")
        shown(page, 1)
        expect(page.get_by_role("heading", level=1)).to_have_text("Describe this face")
        store = page.get_by_role("button", name="Store")
        first_click(store)
        shown(page, 2)
        second_click(store)
        page.keyboard.press("u")
        shown(page, 3)
        everything_is_sent(page)
        assert [row.yaw for row in said(place)] == [0, None]


def test_without_a_network_it_is_not_said_that_nothing_is_left(
    place: Place, faces: int, sign_in: Callable[..., Page]
) -> None:
    with PageServer(place, "attributes") as server:
        page = sign_in(server, "/attributes")
        shown(page, 1)
        page.context.set_offline(True)
        for number in range(1, faces + 1):
            shown(page, number)
            page.keyboard.press("u")
        expect(page.get_by_role("heading", name="No connection")).to_be_visible()
        page.context.set_offline(False)
        expect(page.get_by_role("heading", name="Nothing to describe")).to_be_visible()
        everything_is_sent(page)
        assert len(said(place)) == faces


def test_a_face_that_is_not_there_is_not_described(
    place: Place, faces: int, sign_in: Callable[..., Page]
) -> None:
    with PageServer(place, "attributes") as server:
        page = sign_in(server, "/")
        page.route("**/picture/**", lambda route: route.abort())
        page.goto(f"{server.url}/attributes")
        page.get_by_role("button", name="Store").click()
        expect(page.locator("#trouble")).to_contain_text("not there yet")
        page.keyboard.press("u")
        expect(page.locator("#trouble")).to_be_empty()
        everything_is_sent(page)
        assert [row.yaw for row in said(place)] == [None]


def test_a_face_is_described_after_a_look_at_the_whole_picture(
    place: Place, faces: int, sign_in: Callable[..., Page]
) -> None:
    with PageServer(place, "attributes") as server:
        page = sign_in(server, "/attributes")
        shown(page, 1)
        page.keyboard.press("c")
        expect(page.get_by_alt_text("The whole picture")).to_be_visible()
        page.keyboard.press("c")
        page.keyboard.press("Enter")
        shown(page, 2)
        everything_is_sent(page)
        assert [row.yaw for row in said(place)] == [0]


def test_going_back_changes_an_answer(
    place: Place, faces: int, sign_in: Callable[..., Page]
) -> None:
    with PageServer(place, "attributes") as server:
        page = sign_in(server, "/attributes")
        shown(page, 1)
        expect(page.locator("#back")).to_be_disabled()
        for key in ("a", "3", "Enter"):
            page.keyboard.press(key)
        shown(page, 2)
        page.keyboard.press("z")
        shown(page, 3)
        # What was said is there again.
        expect(page.locator("#yaw")).to_have_value("-90")
        expect(page.get_by_label("Most")).to_be_checked()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        shown(page, 4)
        expect(page.locator("#yaw")).to_have_value("0")
        everything_is_sent(page)
        [row] = said(place)
        assert (row.yaw, row.occlusion) == (-85, "most")


def test_the_head_looks_as_the_angles_say(
    place: Place, faces: int, sign_in: Callable[..., Page]
) -> None:
    """Yaw to its left, pitch up, roll to its left shoulder: the viewer's right."""
    with PageServer(place, "attributes") as server:
        page = sign_in(server, "/attributes")
        shown(page, 1)
        front = {
            part: where(page, part)
            for part in ("nose", "mouth", "left-eye", "right-eye")
        }
        assert abs(front["nose"][0]) < 0.01
        # As on any drawing from the front, its left eye is on the right.
        assert front["right-eye"][0] < 0 < front["left-eye"][0]
        assert front["left-eye"][1] < front["nose"][1] < front["mouth"][1]

        page.locator("#yaw").fill("30")
        assert where(page, "nose")[0] > front["nose"][0] + 0.1
        assert where(page, "left-eye")[0] > front["left-eye"][0] - 0.01
        page.locator("#yaw").fill("90")
        # In profile to the right its right side is seen.
        assert page.evaluate(WHERE, "left-eye") is None
        page.locator("#yaw").fill("0")

        page.locator("#pitch").fill("30")
        assert where(page, "nose")[1] < front["nose"][1] - 0.1
        page.locator("#pitch").fill("0")

        page.locator("#roll").fill("30")
        # Tilted to its left shoulder: its left eye is the lower one.
        assert where(page, "left-eye")[1] > where(page, "right-eye")[1] + 0.05
        assert where(page, "mouth")[0] < front["mouth"][0] - 0.05
        assert where(page, "nose")[1] == pytest.approx(front["nose"][1], abs=0.05)


def test_points_of_the_head_turn_by_the_three_rotations(
    place: Place, faces: int, sign_in: Callable[..., Page]
) -> None:
    """Against matrices: roll about z, then pitch about x, then yaw about y."""
    with PageServer(place, "attributes") as server:
        page = sign_in(server, "/attributes")
        shown(page, 1)
        random = np.random.default_rng(7)
        cases = [
            (random.normal(size=3).tolist(), random.integers(-180, 181, 3).tolist())
            for _ in range(20)
        ]
        turned = page.evaluate(TURNED, cases)
    for (point, (yaw, pitch, roll)), found in zip(cases, turned, strict=True):
        a, b, c = np.radians([yaw, pitch, roll])
        about_z = [[np.cos(c), np.sin(c), 0], [-np.sin(c), np.cos(c), 0], [0, 0, 1]]
        about_x = [[1, 0, 0], [0, np.cos(b), np.sin(b)], [0, -np.sin(b), np.cos(b)]]
        about_y = [[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]]
        expected = np.array(about_y) @ np.array(about_x) @ np.array(about_z) @ point
        assert found == pytest.approx(expected.tolist(), abs=1e-9)


def test_the_head_is_dragged(
    place: Place, faces: int, sign_in: Callable[..., Page]
) -> None:
    with PageServer(place, "attributes") as server:
        page = sign_in(server, "/attributes")
        shown(page, 1)
        box = page.locator("#head").bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 80, y - 40, steps=4)
        page.mouse.up()
        page.mouse.move(x, y)
        expect(page.locator("#yaw")).to_have_value("40")
        expect(page.locator("#pitch")).to_have_value("20")
        expect(page.locator("#yaw-shown")).to_have_text("40°")
        # Keys go on from there, also when a choice was clicked before.
        page.get_by_label("A part").click()
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("Enter")
        shown(page, 2)
        everything_is_sent(page)
        [row] = said(place)
        assert (row.yaw, row.pitch, row.occlusion) == (35, 20, "part")


def test_angles_stay_in_their_ranges(
    place: Place, faces: int, sign_in: Callable[..., Page]
) -> None:
    with PageServer(place, "attributes") as server:
        page = sign_in(server, "/attributes")
        shown(page, 1)
        page.keyboard.press("h")
        for _ in range(19):
            page.keyboard.press("ArrowRight")
            page.keyboard.press("ArrowUp")
        # Beyond the back it comes round; nobody looks up more than up.
        expect(page.locator("#yaw")).to_have_value("-175")
        expect(page.locator("#pitch")).to_have_value("90")
        page.keyboard.press("Enter")
        shown(page, 2)
        everything_is_sent(page)
        [row] = said(place)
        assert (row.yaw, row.pitch) == (-175, 90)


def test_a_face_is_described_by_touch_on_a_phone(
    place: Place, faces: int, sign_in: Callable[..., Page]
) -> None:
    with PageServer(place, "attributes") as server:
        page = sign_in(
            server, "/attributes", viewport=PHONE, has_touch=True, is_mobile=True
        )
        shown(page, 1)
        box = page.locator("#head").bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        touch = page.context.new_cdp_session(page)

        def finger(kind: str, *points: tuple[float, float]) -> None:
            listed = [{"x": px, "y": py} for px, py in points]
            touch.send(
                "Input.dispatchTouchEvent", {"type": kind, "touchPoints": listed}
            )

        finger("touchStart", (x, y))
        for step in range(1, 5):
            finger("touchMove", (x - 10 * step, y + 5 * step))
        finger("touchEnd")
        expect(page.locator("#yaw")).to_have_value("-20")
        expect(page.locator("#pitch")).to_have_value("-10")
        page.locator("label", has_text="Most").tap()
        page.locator("label", has_text="Other").tap()
        page.get_by_role("button", name="Store").tap()
        shown(page, 2)
        everything_is_sent(page)
        [row] = said(place)
        assert (row.yaw, row.pitch) == (-20, -10)
        assert (row.occlusion, row.gender) == ("most", "other")
        # Nothing is wider than the phone, nor than a small one.
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        page.set_viewport_size({"width": 320, "height": 568})
        assert page.evaluate("document.documentElement.scrollWidth") == 320


@pytest.mark.parametrize("viewport", [PHONE, {"width": 1280, "height": 800}])
def test_a_name_of_hundreds_of_letters_does_not_widen_the_page(
    place: Place, faces: int, sign_in: Callable[..., Page], viewport: dict[str, int]
) -> None:
    with place.workspace.catalogue.write() as connection:
        connection.execute(sa.update(character).values(name="W" * 495))
    with PageServer(place, "attributes") as server:
        page = sign_in(server, "/attributes", viewport=viewport)
        shown(page, 1)
        assert (
            page.evaluate("document.documentElement.scrollWidth") == (viewport["width"])
        )

"""Reviewers settle conflicts and suspicions in a real browser."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from icf.annotate.people.people import Role
from icf.annotate.waiting import apply_waiting
from icf.codes import Choice
from tests.annotate.pairs.asked import ask_about
from tests.annotate.place import Place
from tests.annotate.review.expert import (
    merge,
    outlier,
    status_of,
    suspect,
    twin,
    vote,
)
from tests.integration.page.clicks import first_click, second_click
from tests.integration.page.conftest import PHONE
from tests.integration.page.server import PageServer
from tests.integration.page.waits import everything_is_sent, shown

T, F = Choice.TRUE, Choice.FALSE


def followed(place: Place, page: Page) -> dict[int, str]:
    """The labels, when they follow from everything that the page sent."""
    everything_is_sent(page)
    apply_waiting(place.workspace)
    return place.labels()


def test_a_conflict_is_settled_after_a_look_at_what_others_said(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    one, two = ask_about(place, 2)
    vote(place, one, T, T, F)
    vote(place, two, T, F)
    with PageServer(place, "review") as server:
        page = sign_in(server, "/review", "Eve", Role.REVIEWER)
        shown(page, 1)
        expect(page.locator("#why")).to_contain_text("contradict")
        expect(page.locator("#votes")).to_be_empty()
        page.keyboard.press("v")
        expect(page.locator("#votes")).to_have_text("2 say “same”, 1 says “different”")
        page.keyboard.press("j")
        shown(page, 2)
        # The next one is looked at without them again.
        expect(page.locator("#votes")).to_be_empty()
        page.keyboard.press("f")
        expect(page.get_by_text("Nothing to settle")).to_be_visible()
        assert followed(place, page) == {one: "different", two: "same"}


def test_the_last_answers_are_undone(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    ids = ask_about(place, 3)
    for each in ids:
        vote(place, each, T, F)
    with PageServer(place, "review") as server:
        page = sign_in(server, "/review", "Eve", Role.REVIEWER)
        for number in (1, 2):
            shown(page, number)
            page.keyboard.press("f")
        shown(page, 3)
        page.keyboard.press("Backspace")
        shown(page, 4)
        expect(page.locator("#work")).to_have_attribute("data-state", "changing")
        expect(page.locator("#choices .was")).to_have_text("SameF")
        page.keyboard.press("z")
        shown(page, 5)
        page.keyboard.press("j")
        # It goes on with the one that was left.
        shown(page, 6)
        page.locator("#strip button").nth(1).click()
        shown(page, 7)
        page.keyboard.press("u")
        shown(page, 8)
        page.keyboard.press("n")
        expect(page.get_by_text("Nothing to settle")).to_be_visible()
        labels = followed(place, page)
        assert list(labels.values()) == ["different", "unsure", "not_a_face"]


def test_a_merge_is_answered_from_its_own_tab(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    ann, bea = place.add_character("Ann"), place.add_character("Bea")
    first = suspect(place, outlier(place, ann))
    wanted = suspect(place, merge(place, ann, bea))
    suspect(place, twin(place, ann, bea))
    with PageServer(place, "review") as server:
        page = sign_in(server, "/review", "Eve", Role.REVIEWER)
        shown(page, 1)
        parts = page.locator("#parts button")
        expect(parts).to_have_text(
            [
                "All 3",
                "Audit 0",
                "Conflicts 0",
                "Merges 1",
                "Twins 1",
                "Splits 0",
                "Outliers 1",
            ]
        )
        page.get_by_role("button", name="Outliers").click()
        expect(page.locator("#work")).to_have_attribute("data-kind", "outlier")
        page.get_by_role("button", name="Merges").click()
        expect(page.locator("#work")).to_have_attribute("data-kind", "merge")
        shown(page, 3)
        expect(page.locator("#asked")).to_have_text("Is this Ann?")
        expect(page.locator("#why")).to_contain_text("icf-filter review --apply")
        expect(page.locator("#own-of")).to_contain_text("Now: Bea")
        page.keyboard.press("v")
        expect(page.locator("#votes")).to_contain_text("a score of 0.80")
        page.keyboard.press("f")
        expect(page.get_by_text("Nothing to settle")).to_be_visible()
        everything_is_sent(page)
        apply_waiting(place.workspace)
        assert status_of(place, wanted) == "same"
        # What was shown in the other tab was given back, and nobody settled it.
        assert status_of(place, first) in ("open", "asked")


def test_a_twin_is_settled_by_touch_on_a_phone(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    ann, bea = place.add_character("Ann"), place.add_character("Bea")
    key = suspect(place, twin(place, ann, bea))
    with PageServer(place, "review") as server:
        page = sign_in(
            server,
            "/review",
            "Eve",
            Role.REVIEWER,
            viewport=PHONE,
            has_touch=True,
            is_mobile=True,
        )
        shown(page, 1)
        expect(page.locator("#own img")).to_have_count(1)
        seen = "(each) => each.every((one) => one.complete && one.naturalWidth > 0)"
        pictures = page.locator(".faces img")
        page.wait_for_function(
            f"() => ({seen})([...document.querySelectorAll('.faces img')])"
        )
        expect(pictures).to_have_count(3)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        assert page.evaluate("document.documentElement.scrollHeight") <= PHONE["height"]
        page.locator('[data-action="context"]').tap()
        expect(page.locator("#context img")).to_be_visible()
        page.locator("#context").tap()
        page.get_by_role("button", name="Different").tap()
        expect(page.get_by_text("Nothing to settle")).to_be_visible()
        everything_is_sent(page)
        apply_waiting(place.workspace)
        assert status_of(place, key) == "different"


def test_the_page_is_for_reviewers(place: Place, sign_in: Callable[..., Page]) -> None:
    [one] = ask_about(place, 1)
    vote(place, one, T, F)
    with PageServer(place, "pairs", "review") as server:
        page = sign_in(server, "/")
        expect(page.get_by_role("link", name="Review")).to_have_count(0)
        assert page.request.get(f"{server.url}/review").status == 403
        assert page.request.get(f"{server.url}/api/review/parts").status == 403


def test_a_double_click_settles_one_conflict(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    one, two = ask_about(place, 2)
    vote(place, one, T, F)
    vote(place, two, T, F)
    lying = {"width": 667, "height": 375}
    with PageServer(place, "review") as server:
        page = sign_in(server, "/review", "Eve", Role.REVIEWER, viewport=lying)
        shown(page, 1)
        # Its faces can be seen on a phone on its side.
        box = page.locator("#candidate").bounding_box()
        assert box is not None
        assert box["height"] > 100
        same = page.locator("#choices").get_by_role("button", name="Same")
        first_click(same)
        shown(page, 2)
        second_click(same)
        page.keyboard.press("j")
        expect(page.get_by_text("Nothing to settle")).to_be_visible()
        assert followed(place, page) == {one: "same", two: "different"}


def test_nothing_is_settled_by_a_face_that_is_not_there(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    (one,) = ask_about(place, 1)
    vote(place, one, T, F)
    with PageServer(place, "review") as server:
        page = sign_in(server, "/", "Eve", Role.REVIEWER)
        page.route("**/candidate.jpg", lambda route: route.abort())
        page.goto(f"{server.url}/review")
        expect(page.locator("#work")).to_have_attribute("data-state", "asking")
        page.keyboard.press("f")
        expect(page.get_by_role("alert")).to_contain_text("not there yet")
        page.keyboard.press("u")
        expect(page.get_by_text("Nothing to settle")).to_be_visible()
        expect(page.get_by_role("alert")).to_have_count(0)
        assert followed(place, page) == {one: "unsure"}

"""An audit in a real browser: checked among pairs, decided in review, certified."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from icf.annotate.audit.audits import find
from icf.annotate.audit.checks import Item, Verdict
from icf.annotate.audit.result import conclude
from icf.annotate.audit.sample import Goal
from icf.annotate.people.people import Role
from tests.annotate.audit.audited import MAKER, add_labels, items, planned
from tests.annotate.place import Place
from tests.integration.page.server import PageServer
from tests.integration.page.waits import everything_is_sent, sent, shown

#: Three labels of each kind are enough for it.
GOAL = Goal(0.5, 0.8)
KEYS = {"same": "f", "different": "j"}


def by_people(item: Item) -> bool:
    return item.face_id != item.reference_face_id


def test_people_check_labels_and_a_reviewer_decides(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    add_labels(place, same=5, different=5)
    audit = planned(place, GOAL)
    sample = items(place, audit)
    assert len(sample) == 6
    odd = next(each for each in sample if by_people(each))
    with PageServer(place, "pairs", "review") as server:
        checker = sign_in(server, "/pairs", "Bob")
        for number, each in enumerate(sample, 1):
            shown(checker, number)
            checker.keyboard.press("u" if each.id == odd.id else KEYS[each.label])
        sent(checker, len(sample))
        verdicts = {each.id: each.verdict for each in items(place, audit)}
        assert verdicts.pop(odd.id) is Verdict.TO_DECIDE
        assert set(verdicts.values()) == {Verdict.RIGHT}

        reviewer = sign_in(server, "/review", "Eve", Role.REVIEWER)
        expect(reviewer.locator("#work")).to_have_attribute("data-kind", "audit")
        expect(reviewer.locator("#why")).to_contain_text("Yours decides")
        shown(reviewer, 1)
        reviewer.keyboard.press(KEYS[odd.label])
        expect(reviewer.get_by_text("Nothing to settle")).to_be_visible()
        everything_is_sent(reviewer)
        with place.workspace.catalogue.write() as connection:
            assert conclude(connection, audit).certified
        with place.workspace.catalogue.read() as connection:
            ended = find(connection, audit.id)
    assert ended is not None
    assert ended.certificate is not None
    assert ended.certificate["checkers"] == 1


def test_who_made_the_labels_has_nothing_to_check(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    add_labels(place, same=5, different=5)
    audit = planned(place, GOAL)
    alone = [each for each in items(place, audit) if not by_people(each)]
    with PageServer(place, "pairs") as server:
        page = sign_in(server, "/pairs", MAKER)
        # But for the reference, which nobody answered a question about.
        for number, _ in enumerate(alone, 1):
            shown(page, number)
            page.keyboard.press("f")
        expect(page.get_by_text("Nothing left for now")).to_be_visible()

"""Suspicions that no longer hold, and answers that are no evidence for a merge."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from icf.catalogue import reviews
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import character, face
from icf.catalogue.stale_reviews import close_stale
from icf.codes import Label, Suspicion
from tests.core.catalogue.test_reviews import ALONE, Desk

EVERY = (*ALONE, Suspicion.MERGE, Suspicion.TWIN)


@pytest.fixture
def desk(catalogue: Catalogue) -> Desk:
    made = Desk(catalogue)
    made.replace(made.outlier(), made.merge(), made.twin(), kinds=EVERY)
    return made


def close(desk: Desk) -> None:
    with desk.catalogue.write() as connection:
        close_stale(connection)


def set_reference(desk: Desk, who: int, face_id: int, by: str) -> None:
    with desk.catalogue.write() as connection:
        connection.execute(
            sa.update(character)
            .where(character.c.id == who)
            .values(reference_face_id=face_id, reference_by=by)
        )


def set_face(desk: Desk, face_id: int, **columns: object) -> None:
    with desk.catalogue.write() as connection:
        connection.execute(sa.update(face).where(face.c.id == face_id).values(columns))


def closed(desk: Desk) -> set[str]:
    return {kind for kind, status in desk.statuses() if status == "closed"}


def test_what_holds_stays_open(desk: Desk) -> None:
    close(desk)
    assert closed(desk) == set()
    # A face that waits for the filter is not judged yet.
    set_face(desk, desk.toms, awaits="identity", verdict="pending")
    close(desk)
    assert closed(desk) == set()


def test_another_reference_closes_what_was_suspected_against_the_old_one(
    desk: Desk,
) -> None:
    set_reference(desk, desk.tom, desk.face(desk.tom), "hand")
    close(desk)
    assert closed(desk) == {"outlier", "merge"}


@pytest.mark.parametrize("change", ["dropped", "moved"])
def test_a_face_that_was_dropped_or_moved_closes_what_is_about_it(
    desk: Desk, change: str
) -> None:
    moved = {"character_id": desk.jerry}
    dropped = {"verdict": "dropped", "reason": "too_small"}
    set_face(desk, desk.toms, **(moved if change == "moved" else dropped))
    close(desk)
    assert closed(desk) == {"outlier", "twin"}


def test_an_answer_to_a_closed_suspicion_settles_nothing(desk: Desk) -> None:
    key = desk.ask(desk.jerry_ref, desk.tom)
    set_reference(desk, desk.jerry, desk.face(desk.jerry), "hand")
    close(desk)
    desk.answer(key, Label.SAME)
    assert dict(desk.statuses())["merge"] == "closed"


def test_a_merge_is_asked_about_and_settled_only_by_confirmed_references(
    desk: Desk,
) -> None:
    set_reference(desk, desk.jerry, desk.jerry_ref, "medoid")

    def asked() -> set[str]:
        with desk.catalogue.read() as connection:
            rows = connection.execute(reviews.askable(confirmed=False))
            return {row.kind for row in rows}

    assert "merge" not in asked()
    key = desk.ask(desk.jerry_ref, desk.tom, Label.SAME)
    assert dict(desk.statuses())["merge"] == "asked"
    # People say that the reference is right, and the answer counts.
    desk.ask(desk.jerry_ref, desk.jerry, Label.SAME)
    assert dict(desk.statuses())["merge"] == "same"
    assert key


def test_a_face_that_was_refused_for_its_own_character_is_no_witness(
    desk: Desk,
) -> None:
    desk.ask(desk.jerry_ref, desk.jerry, Label.DIFFERENT)
    desk.ask(desk.jerry_ref, desk.tom, Label.SAME)
    assert dict(desk.statuses())["merge"] == "asked"

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from icf import workspace
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.merges import survivor_of
from icf.catalogue.schema import (
    batch,
    candidate,
    character,
    decision,
    face,
    question,
    review,
)
from icf.errors import WrongUse
from icf.filter.review import merges as review_merges
from icf.workspace import Workspace
from tests.filter.rows import add_album, add_face, add_image, face_row

KEPT = {"awaits": None, "verdict": "kept", "probability": 0.9, "similarity": 0.8}


class People:
    """Characters of one album, and what people said of them."""

    def __init__(self, made: Workspace, *confirmed: int) -> None:
        self.made = made
        self.catalogue = made.catalogue
        self.ids = add_album(self.catalogue, *(f"P{n}" for n in range(len(confirmed))))
        with self.catalogue.write() as connection:
            connection.execute(
                sa.insert(batch).values(
                    id="b", format="csv", path="b", questions=0, created_at=0.0
                )
            )
        self.faces = {
            who: [self.face(who) for _ in range(1 + number)]
            for who, number in zip(self.ids, confirmed, strict=True)
        }
        for who, faces in self.faces.items():
            self._say(who, faces)

    def face(self, who: int) -> int:
        image_id = add_image(self.catalogue, who, awaits=None)
        return add_face(self.catalogue, image_id, who, **KEPT)

    def _say(self, who: int, faces: Sequence[int]) -> None:
        with self.catalogue.write() as connection:
            connection.execute(
                sa.update(character)
                .where(character.c.id == who)
                .values(reference_face_id=faces[0], reference_by="hand")
            )
            for each in faces[1:]:
                connection.execute(
                    sa.insert(question).values(
                        face_id=each,
                        character_id=who,
                        reference_face_id=faces[0],
                        batch_id="b",
                        label="same",
                        asked_at=0.0,
                    )
                )

    def answer(self, one: int, other: int, status: str) -> int:
        """People's word on whether two are one character."""
        low, high = sorted((one, other))
        with self.catalogue.write() as connection:
            key: int = connection.execute(
                sa.insert(review)
                .values(
                    kind="merge",
                    character_id=low,
                    face_id=self.faces[low][0],
                    other_character_id=high,
                    other_face_id=self.faces[high][0],
                    score=0.9,
                    status=status,
                    found_at=0.0,
                    changed_at=0.0,
                )
                .returning(review.c.id)
            ).scalar_one()
        return key

    def plan(self) -> review_merges.Plan:
        with self.catalogue.read() as connection:
            return review_merges.plan(connection)

    def survivor(self, who: int) -> int:
        with self.catalogue.read() as connection:
            return survivor_of(connection, who)

    def status(self, key: int) -> str:
        with self.catalogue.read() as connection:
            query = sa.select(review.c.status).where(review.c.id == key)
            return str(connection.execute(query).scalar_one())


@pytest.fixture
def made(catalogue: Catalogue, tmp_path: Path) -> Iterator[Workspace]:
    opened = workspace.init(tmp_path / "space", (f"catalogue.url={catalogue.url}",))
    yield opened
    opened.catalogue.close()


def test_the_character_with_fewer_confirmed_faces_is_merged_into_the_other(
    made: Workspace,
) -> None:
    people = People(made, 1, 3)
    few, many = people.ids
    people.answer(few, many, "same")
    planned = people.plan()
    [done] = planned.merges
    assert (done.gone, done.stays, done.confirmed) == (few, many, 4)
    assert people.survivor(few) == few
    assert review_merges.apply(made) == planned
    assert (people.survivor(few), people.survivor(many)) == (many, many)
    assert review_merges.apply(made) == review_merges.Plan()


def test_of_equals_the_newer_is_merged_into_the_older(made: Workspace) -> None:
    people = People(made, 2, 2)
    people.answer(people.ids[0], people.ids[1], "same")
    [done] = people.plan().merges
    assert (done.gone, done.stays) == (people.ids[1], people.ids[0])


@pytest.mark.parametrize("status", ["open", "asked", "different", "unsure", "closed"])
def test_only_confirmed_merges_are_applied(made: Workspace, status: str) -> None:
    people = People(made, 1, 2)
    people.answer(people.ids[0], people.ids[1], status)
    assert review_merges.apply(made) == review_merges.Plan()
    assert people.survivor(people.ids[0]) == people.ids[0]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_a_chain_of_merges_resolves_to_the_last(
    made: Workspace, order: tuple[int, ...]
) -> None:
    people = People(made, 1, 2, 4, 8)
    pairs = [(people.ids[n], people.ids[n + 1]) for n in range(3)]
    for place in order:
        people.answer(*pairs[place], "same")
        review_merges.apply(made)
    assert {people.survivor(who) for who in people.ids} == {people.ids[3]}


def test_a_chain_applied_at_once_gives_the_same(made: Workspace) -> None:
    people = People(made, 1, 2, 4, 8)
    for n in (2, 0, 1):
        people.answer(people.ids[n], people.ids[n + 1], "same")
    assert len(review_merges.apply(made).merges) == 3
    assert {people.survivor(who) for who in people.ids} == {people.ids[3]}


def test_a_merge_that_other_answers_contradict_is_not_applied(
    made: Workspace,
) -> None:
    people = People(made, 3, 2, 1)
    one, other, third = people.ids
    people.answer(one, other, "same")
    against = people.answer(other, third, "same")
    people.answer(one, third, "different")
    done = review_merges.apply(made)
    assert [(each.gone, each.stays) for each in done.merges] == [(other, one)]
    assert done.contradicted == (against,)
    assert people.survivor(third) == third


def test_the_faces_of_both_wait_for_identity_again_under_the_survivor(
    made: Workspace,
) -> None:
    people = People(made, 1, 2)
    gone, stays = people.ids
    people.answer(gone, stays, "same")
    blurred = add_face(
        made.catalogue,
        add_image(made.catalogue, gone, awaits=None),
        gone,
        awaits=None,
        verdict="dropped",
        reason="blurred",
    )
    review_merges.apply(made)
    for each in (*people.faces[gone], *people.faces[stays]):
        row = face_row(made.catalogue, each)
        assert (row["character_id"], row["awaits"]) == (stays, "identity")
        assert row["probability"] is None
    row = face_row(made.catalogue, blurred)
    assert (row["character_id"], row["awaits"]) == (stays, None)
    assert row["reason"] == "blurred"


def test_the_ledger_has_both_characters(made: Workspace) -> None:
    people = People(made, 1, 2)
    gone, stays = people.ids
    people.answer(gone, stays, "same")
    review_merges.apply(made)
    review_merges.undo(made, gone)
    query = (
        sa.select(decision.c.subject_id, decision.c.verdict, decision.c.message)
        .where(decision.c.subject == "character", decision.c.step == "merge")
        .order_by(decision.c.id)
    )
    with made.catalogue.read() as connection:
        rows = [tuple(row) for row in connection.execute(query)]
    into = f"character {gone} was merged into character {stays}"
    out = f"character {gone} is no longer merged into character {stays}"
    assert rows == [
        (gone, "same", into),
        (stays, "same", into),
        (gone, "different", out),
        (stays, "different", out),
    ]


def test_open_suspicions_about_a_merged_character_are_closed(made: Workspace) -> None:
    people = People(made, 1, 2, 3)
    gone, stays, third = people.ids
    confirmed = people.answer(gone, stays, "same")
    waiting = people.answer(gone, third, "open")
    review_merges.apply(made)
    assert (people.status(confirmed), people.status(waiting)) == ("same", "closed")


def test_an_undone_merge_restores_all_candidates(
    made: Workspace,
) -> None:
    people = People(made, 1, 2)
    gone, stays = people.ids
    key = people.answer(gone, stays, "same")
    filed = sa.select(candidate).order_by(candidate.c.image_id)
    whose = sa.select(face.c.id, face.c.character_id).order_by(face.c.id)
    with made.catalogue.read() as connection:
        before = list(connection.execute(filed)), list(connection.execute(whose))
    review_merges.apply(made)
    assert review_merges.undo(made, gone) == stays
    with made.catalogue.read() as connection:
        after = list(connection.execute(filed)), list(connection.execute(whose))
    assert after == before
    assert people.survivor(gone) == gone
    assert people.status(key) == "different"
    assert review_merges.apply(made) == review_merges.Plan()


def test_only_merged_characters_can_be_undone(made: Workspace) -> None:
    [who] = People(made, 1).ids
    with pytest.raises(WrongUse, match=f"character {who} is not merged"):
        review_merges.undo(made, who)
    with pytest.raises(WrongUse, match="no character 999"):
        review_merges.undo(made, 999)

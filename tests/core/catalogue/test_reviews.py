from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from icf.catalogue import reviews
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.reviews import Found
from icf.catalogue.schema import batch, character, face, question, review
from icf.codes import Label, Suspicion
from tests.filter.rows import add_album, add_face, add_image

KEPT = {"awaits": None, "verdict": "kept"}
ALONE = (Suspicion.OUTLIER, Suspicion.SPLIT)


class Desk:
    """Two characters, Tom and Jerry, each with a reference and a face."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.tom, self.jerry = add_album(catalogue, "Tom", "Jerry")
        self.toms, self.jerrys = self.face(self.tom), self.face(self.jerry)
        self.tom_ref = self.reference(self.tom)
        self.jerry_ref = self.reference(self.jerry)
        with catalogue.write() as connection:
            connection.execute(
                sa.insert(batch).values(
                    id="b1", format="csv", path="b1", questions=0, created_at=0.0
                )
            )

    def face(self, who: int, **columns: object) -> int:
        image_id = add_image(self.catalogue, who, awaits=None)
        return add_face(self.catalogue, image_id, who, **{**KEPT, **columns})

    def reference(self, who: int) -> int:
        chosen = self.face(who)
        with self.catalogue.write() as connection:
            connection.execute(
                sa.update(character)
                .where(character.c.id == who)
                .values(reference_face_id=chosen, reference_by="hand")
            )
        return chosen

    def outlier(self, score: float = 0.9) -> Found:
        return Found(Suspicion.OUTLIER, self.tom, self.toms, self.tom_ref, score)

    def merge(self, score: float = 0.9) -> Found:
        return Found(
            Suspicion.MERGE,
            self.tom,
            self.tom_ref,
            self.jerry_ref,
            score,
            other_character_id=self.jerry,
        )

    def twin(self, score: float = 0.9) -> Found:
        return Found(
            Suspicion.TWIN,
            self.tom,
            self.toms,
            self.jerrys,
            score,
            other_character_id=self.jerry,
            phash_bits=3,
            dhash_bits=4,
        )

    def replace(self, *found: Found, kinds: tuple[Suspicion, ...] = ALONE) -> None:
        with self.catalogue.write() as connection:
            reviews.replace(connection, kinds, [self.tom, self.jerry], found)

    def ask(self, face_id: int, who: int, label: Label = Label.OPEN) -> int:
        with self.catalogue.write() as connection:
            key: int = connection.execute(
                sa.insert(question)
                .values(
                    face_id=face_id,
                    character_id=who,
                    reference_face_id=self.tom_ref
                    if who == self.tom
                    else self.jerry_ref,
                    batch_id="b1",
                    label=label.value,
                    asked_at=0.0,
                )
                .returning(question.c.id)
            ).scalar_one()
            reviews.follow(connection, [key])
        return key

    def answer(self, key: int, label: Label) -> None:
        with self.catalogue.write() as connection:
            connection.execute(
                sa.update(question)
                .where(question.c.id == key)
                .values(label=label.value)
            )
            reviews.follow(connection, [key])

    def rows(self) -> list[Any]:
        with self.catalogue.read() as connection:
            return list(connection.execute(sa.select(review).order_by(review.c.id)))

    def statuses(self) -> list[tuple[str, str]]:
        return [(row.kind, row.status) for row in self.rows()]

    def askable(self) -> list[tuple[str, int, int, int]]:
        with self.catalogue.read() as connection:
            return [
                (row.kind, row.face_id, row.character_id, row.reference_face_id)
                for row in connection.execute(reviews.askable())
            ]

    def merge_into(self, gone: int, stays: int) -> None:
        with self.catalogue.write() as connection:
            connection.execute(
                sa.update(character)
                .where(character.c.id == gone)
                .values(merged_into=stays)
            )


@pytest.fixture
def desk(catalogue: Catalogue) -> Desk:
    return Desk(catalogue)


def test_writing_the_same_again_changes_nothing(desk: Desk) -> None:
    desk.replace(desk.outlier())
    before = desk.rows()
    desk.replace(desk.outlier())
    assert desk.rows() == before


def test_a_suspicion_keeps_its_row_when_its_score_or_the_reference_moves(
    desk: Desk,
) -> None:
    desk.replace(desk.outlier(0.9))
    other = desk.reference(desk.tom)
    desk.replace(replace(desk.outlier(0.4), other_face_id=other))
    [row] = desk.rows()
    assert (row.score, row.other_face_id, row.status) == (0.4, other, "open")


def test_what_no_longer_holds_is_closed_and_opens_if_it_holds_again(
    desk: Desk,
) -> None:
    desk.replace(desk.outlier())
    desk.replace()
    assert desk.statuses() == [("outlier", "closed")]
    desk.replace(desk.outlier())
    assert desk.statuses() == [("outlier", "open")]


def test_what_people_answered_is_never_opened_or_closed_again(desk: Desk) -> None:
    desk.replace(desk.outlier())
    desk.answer(desk.ask(desk.toms, desk.tom), Label.SAME)
    before = desk.rows()
    desk.replace()
    desk.replace(desk.outlier(0.99))
    assert desk.rows() == before
    assert desk.statuses() == [("outlier", "same")]
    assert desk.askable() == []


def test_only_the_kinds_and_characters_that_were_looked_at_are_closed(
    desk: Desk,
) -> None:
    desk.replace(desk.outlier())
    desk.replace(desk.merge(), kinds=(Suspicion.MERGE,))
    with desk.catalogue.write() as connection:
        reviews.replace(connection, ALONE, [desk.jerry], [])
    assert desk.statuses() == [("outlier", "open"), ("merge", "open")]


@pytest.mark.parametrize("label", [Label.SAME, Label.DIFFERENT, Label.UNSURE])
def test_a_question_that_was_answered_before_answers_the_suspicion_at_once(
    desk: Desk, label: Label
) -> None:
    desk.ask(desk.toms, desk.tom, label)
    desk.replace(desk.outlier())
    assert desk.statuses() == [("outlier", label.value)]


@pytest.mark.parametrize("way", ["outlier", "merge", "merge_back", "twin", "twin_back"])
def test_a_question_in_either_direction_settles_a_suspicion(
    desk: Desk, way: str
) -> None:
    found, asked = {
        "outlier": (desk.outlier(), (desk.toms, desk.tom)),
        "merge": (desk.merge(), (desk.jerry_ref, desk.tom)),
        "merge_back": (desk.merge(), (desk.tom_ref, desk.jerry)),
        "twin": (desk.twin(), (desk.jerrys, desk.tom)),
        "twin_back": (desk.twin(), (desk.toms, desk.jerry)),
    }[way]
    desk.replace(found, kinds=(found.kind,))
    key = desk.ask(*asked)
    assert desk.statuses() == [(found.kind.value, "asked")]
    desk.answer(key, Label.DIFFERENT)
    assert desk.statuses() == [(found.kind.value, "different")]
    desk.answer(key, Label.OPEN)
    assert desk.statuses() == [(found.kind.value, "asked")]


def test_another_question_about_the_face_settles_nothing(desk: Desk) -> None:
    desk.replace(desk.outlier(), desk.twin(), kinds=(*ALONE, Suspicion.TWIN))
    desk.ask(desk.jerrys, desk.jerry, Label.SAME)
    assert set(desk.statuses()) == {("outlier", "open"), ("twin", "open")}


def test_each_kind_is_asked_as_the_question_that_settles_it(desk: Desk) -> None:
    split = Found(Suspicion.SPLIT, desk.jerry, desk.jerrys, desk.jerry_ref, 0.1)
    every = (*ALONE, Suspicion.MERGE, Suspicion.TWIN)
    desk.replace(desk.outlier(), split, desk.merge(), desk.twin(), kinds=every)
    assert desk.askable() == [
        ("merge", desk.jerry_ref, desk.tom, desk.tom_ref),
        ("split", desk.jerrys, desk.jerry, desk.jerry_ref),
        ("twin", desk.toms, desk.jerry, desk.jerry_ref),
        ("outlier", desk.toms, desk.tom, desk.tom_ref),
    ]


def test_of_twins_the_less_probable_is_held_against_the_other_character(
    desk: Desk,
) -> None:
    for one, other, asked in ((0.9, 0.4, "jerrys"), (0.3, 0.4, "toms")):
        with desk.catalogue.write() as connection:
            for key, value in ((desk.toms, one), (desk.jerrys, other)):
                connection.execute(
                    sa.update(face).where(face.c.id == key).values(probability=value)
                )
        desk.replace(desk.twin(), kinds=(Suspicion.TWIN,))
        [row] = desk.askable()
        assert row[1] == getattr(desk, asked)


def test_the_strongest_of_each_kind_come_in_turn(desk: Desk) -> None:
    more = [desk.face(desk.tom) for _ in range(3)]
    outliers = [
        Found(Suspicion.OUTLIER, desk.tom, each, desk.tom_ref, score)
        for each, score in zip(more, (0.7, 0.99, 0.8), strict=True)
    ]
    every = (*ALONE, Suspicion.MERGE)
    desk.replace(*outliers, desk.merge(0.01), kinds=every)
    assert [row[1] for row in desk.askable()] == [
        desk.jerry_ref,
        more[1],
        more[2],
        more[0],
    ]


def test_nothing_is_asked_about_what_is_out_gone_or_the_reference_itself(
    desk: Desk,
) -> None:
    out = desk.face(desk.tom, verdict="dropped", reason="blurred")
    waiting = desk.face(desk.tom, verdict="pending", awaits="identity")
    desk.replace(
        *(
            Found(Suspicion.OUTLIER, desk.tom, each, desk.tom_ref, 0.9)
            for each in (out, waiting, desk.tom_ref)
        )
    )
    assert desk.askable() == []


def test_a_merged_character_is_asked_about_as_the_one_that_stands_for_it(
    desk: Desk,
) -> None:
    twin_of_jerry = replace(desk.twin(), face_id=desk.face(desk.tom))
    desk.replace(twin_of_jerry, kinds=(Suspicion.TWIN,))
    [ann] = add_album(desk.catalogue, "Ann")
    ann_ref = desk.reference(ann)
    desk.merge_into(desk.jerry, ann)
    assert desk.askable() == [("twin", twin_of_jerry.face_id, ann, ann_ref)]
    desk.ask(twin_of_jerry.face_id, desk.jerry)
    assert desk.askable() == []


def test_what_waits_about_withdrawn_faces_and_characters_is_closed(
    desk: Desk,
) -> None:
    desk.replace(desk.outlier(), desk.merge(), kinds=(*ALONE, Suspicion.MERGE))
    desk.ask(desk.toms, desk.tom)
    with desk.catalogue.write() as connection:
        reviews.close(connection, faces=[desk.toms])
    assert set(desk.statuses()) == {("outlier", "closed"), ("merge", "open")}
    with desk.catalogue.write() as connection:
        reviews.close(connection, characters=[desk.jerry])
    assert set(desk.statuses()) == {("outlier", "closed"), ("merge", "closed")}

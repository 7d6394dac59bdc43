from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from icf.catalogue import ledger, references
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import candidate, character, decision, question
from icf.errors import WrongUse
from tests.filter.rows import add_album, add_face, add_image, face_row

JUDGED = {"awaits": None, "verdict": "kept", "similarity": 0.5, "probability": 0.9}


class Choices:
    """Calls what is tested in transactions of their own."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        with catalogue.write() as connection:
            self.run_id = ledger.begin_run(connection, "test", "{}", "0")

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any) -> Any:
            with self.catalogue.write() as connection:
                made = getattr(references, name)
                return made(connection, self.run_id, *arguments)

        return call

    def reference(self, character_id: int) -> tuple[int | None, str | None, int | None]:
        """The face, how it was chosen, and the picture that is not settled yet."""
        query = sa.select(
            character.c.reference_face_id,
            character.c.reference_by,
            character.c.reference_image_id,
        ).where(character.c.id == character_id)
        with self.catalogue.read() as connection:
            face_id, by, image_id = connection.execute(query).one()
        return face_id, by, image_id

    def awaits(self, face_id: int) -> tuple[str | None, str]:
        row = face_row(self.catalogue, face_id)
        return row["awaits"], row["verdict"]

    def decisions(self, subject: str, key: int) -> list[tuple[str, str, str | None]]:
        query = (
            sa.select(decision.c.step, decision.c.verdict, decision.c.message)
            .where(decision.c.subject == subject, decision.c.subject_id == key)
            .order_by(decision.c.id)
        )
        with self.catalogue.read() as connection:
            return [(a, b, c) for a, b, c in connection.execute(query)]


@pytest.fixture
def choices(catalogue: Catalogue) -> Choices:
    return Choices(catalogue)


@pytest.fixture
def tom(catalogue: Catalogue) -> int:
    return add_album(catalogue, "Tom")[0]


def add_judged(catalogue: Catalogue, who: int, **columns: object) -> int:
    return add_face(
        catalogue, add_image(catalogue, who, awaits=None), who, **{**JUDGED, **columns}
    )


def test_a_face_chosen_by_hand_is_the_reference_and_the_ledger_says_so(
    choices: Choices, catalogue: Catalogue, tom: int
) -> None:
    chosen = add_judged(catalogue, tom)
    assert choices.choose_face(tom, chosen) == chosen
    assert choices.reference(tom) == (chosen, "hand", None)
    assert choices.decisions("character", tom) == [
        ("reference", "kept", f"face {chosen}, by hand")
    ]


def test_what_was_judged_against_the_old_reference_is_judged_again(
    choices: Choices, catalogue: Catalogue
) -> None:
    tom, jerry = add_album(catalogue, "Tom", "Jerry")
    [elsewhere] = add_album(catalogue, "Bugs")
    kept = add_judged(catalogue, tom)
    unlike = add_judged(catalogue, tom, verdict="dropped", reason="not_this_character")
    rival = add_judged(catalogue, jerry)
    other_album = add_judged(catalogue, elsewhere)
    small = add_judged(catalogue, tom, verdict="dropped", reason="too_small")
    early = add_judged(catalogue, tom, awaits="size", verdict="pending")
    choices.choose_face(tom, kept)
    for face_id in (kept, unlike, rival):
        assert choices.awaits(face_id) == ("identity", "pending")
        assert face_row(catalogue, face_id)["probability"] is None
        assert choices.decisions("face", face_id) == [
            ("reference", "pending", f"the reference of character {tom} changed")
        ]
    assert choices.awaits(other_album) == (None, "kept")
    assert choices.awaits(small) == (None, "dropped")
    assert choices.awaits(early) == ("size", "pending")


def test_choosing_the_same_face_again_has_nothing_judged_again(
    choices: Choices, catalogue: Catalogue, tom: int
) -> None:
    chosen = add_judged(catalogue, tom)
    choices.replace(tom, chosen, "medoid")
    choices.choose_face(tom, chosen)
    assert choices.reference(tom) == (chosen, "hand", None)
    assert choices.awaits(chosen) == (None, "kept")


def test_a_question_keeps_the_reference_it_was_asked_with(
    choices: Choices, catalogue: Catalogue, tom: int
) -> None:
    old, asked, new = (add_judged(catalogue, tom) for _ in range(3))
    choices.choose_face(tom, old)
    with catalogue.write() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO batch (id, format, path, questions, created_at)"
                " VALUES ('b1', 'csv', 'x', 1, 0)"
            )
        )
        connection.execute(
            sa.insert(question).values(
                face_id=asked,
                character_id=tom,
                reference_face_id=old,
                batch_id="b1",
                label="same",
                asked_at=0.0,
            )
        )
    choices.choose_face(tom, new)
    with catalogue.read() as connection:
        row = connection.execute(sa.select(question)).one()
    assert (row.reference_face_id, row.label) == (old, "same")


def test_the_machine_never_replaces_what_a_person_chose(
    choices: Choices, catalogue: Catalogue, tom: int
) -> None:
    by_hand, other = add_judged(catalogue, tom), add_judged(catalogue, tom)
    choices.choose_face(tom, by_hand)
    choices.replace(tom, other, "lead")
    assert choices.reference(tom) == (by_hand, "hand", None)


def test_when_the_machine_replaces_its_own_choice_faces_are_judged_again(
    choices: Choices, catalogue: Catalogue, tom: int
) -> None:
    first, second = add_judged(catalogue, tom), add_judged(catalogue, tom)
    choices.replace(tom, first, "lead")
    assert choices.awaits(second) == (None, "kept")
    choices.replace(tom, second, "medoid")
    assert choices.reference(tom) == (second, "medoid", None)
    assert choices.awaits(first) == ("identity", "pending")


def test_the_first_reference_brings_back_faces_that_lacked_one(
    choices: Choices, catalogue: Catalogue, tom: int
) -> None:
    dropped = {"verdict": "dropped", "reason": "no_reference"}
    lacked, first = add_judged(catalogue, tom, **dropped), add_judged(catalogue, tom)
    kept = add_judged(catalogue, tom)
    assert choices.replace(tom, first, "medoid") == [lacked]
    assert choices.awaits(lacked) == ("identity", "pending")
    assert choices.awaits(kept) == (None, "kept")


@pytest.mark.parametrize("reason", ["too_small", "blurred", "human"])
def test_a_person_overrules_what_the_filter_dropped_before_it_was_embedded(
    choices: Choices, catalogue: Catalogue, tom: int, reason: str
) -> None:
    dropped = add_judged(catalogue, tom, verdict="dropped", reason=reason)
    choices.choose_face(tom, dropped)
    assert choices.awaits(dropped) == ("embed", "pending")
    assert "overrules" in str(choices.decisions("face", dropped)[0][2])


def test_a_face_that_the_filter_drops_after_it_was_chosen_goes_on_all_the_same(
    choices: Choices, catalogue: Catalogue, tom: int
) -> None:
    chosen = add_judged(catalogue, tom, awaits="size", verdict="pending")
    choices.choose_face(tom, chosen)
    with catalogue.write() as connection:
        connection.execute(
            sa.text(
                "UPDATE face SET awaits = NULL, verdict = 'dropped',"
                " reason = 'too_small'"
            )
        )
    choices.settle()
    assert choices.awaits(chosen) == ("embed", "pending")


def test_the_better_copy_of_a_chosen_face_stands_for_it(
    choices: Choices, catalogue: Catalogue, tom: int
) -> None:
    better = add_judged(catalogue, tom)
    copy = add_judged(
        catalogue, tom, verdict="dropped", reason="near_duplicate", keeper_id=better
    )
    assert choices.choose_face(tom, copy) == better
    assert choices.reference(tom) == (better, "hand", None)


def test_a_copy_stands_for_itself_where_the_better_one_was_withdrawn(
    choices: Choices, catalogue: Catalogue, tom: int
) -> None:
    gone = add_judged(catalogue, tom, verdict="dropped", reason="taken_down")
    copy = add_judged(
        catalogue, tom, verdict="dropped", reason="exact_duplicate", keeper_id=gone
    )
    assert choices.choose_face(tom, copy) == copy
    assert choices.awaits(copy) == ("embed", "pending")


def test_a_face_that_is_withdrawn_or_unknown_cannot_be_chosen(
    choices: Choices, catalogue: Catalogue, tom: int
) -> None:
    gone = add_judged(catalogue, tom, verdict="dropped", reason="taken_down")
    with pytest.raises(WrongUse, match="withdrawn"):
        choices.choose_face(tom, gone)
    with pytest.raises(WrongUse, match="no face 999"):
        choices.choose_face(tom, 999)


def test_a_chosen_picture_is_filed_under_its_character(
    choices: Choices, catalogue: Catalogue
) -> None:
    tom, jerry = add_album(catalogue, "Tom", "Jerry")
    of_jerry = add_judged(catalogue, jerry)
    choices.choose_face(tom, of_jerry)
    with catalogue.read() as connection:
        filed = connection.execute(sa.select(candidate.c.character_id)).scalars().all()
    assert sorted(filed) == sorted([tom, jerry])


def test_the_face_of_a_chosen_picture_is_its_largest_sure_drawn_one(
    choices: Choices, catalogue: Catalogue, tom: int
) -> None:
    image_id = add_image(catalogue, tom, awaits=None)
    add_face(catalogue, image_id, tom, x2=900.0, score=0.55)
    add_face(catalogue, image_id, tom, x2=800.0, kind="human")
    add_face(catalogue, image_id, tom)
    best = add_face(catalogue, image_id, tom, x2=300.0)
    assert choices.choose_image(tom, image_id) == best
    assert choices.reference(tom) == (best, "hand", None)


def test_a_picture_chosen_before_its_faces_are_known_is_settled_once_they_are(
    choices: Choices, catalogue: Catalogue, tom: int
) -> None:
    old = add_judged(catalogue, tom)
    choices.replace(tom, old, "medoid")
    image_id = add_image(catalogue, tom)
    assert choices.choose_image(tom, image_id) is None
    choices.settle()
    assert choices.reference(tom) == (old, "medoid", image_id)
    new = add_face(catalogue, image_id, tom)
    with catalogue.write() as connection:
        connection.execute(
            sa.text("UPDATE image SET awaits = NULL WHERE id = :id"), {"id": image_id}
        )
    choices.settle()
    assert choices.reference(tom) == (new, "hand", None)
    assert choices.awaits(old) == ("identity", "pending")


def test_a_picture_without_a_face_is_refused_where_that_is_known(
    choices: Choices, catalogue: Catalogue, tom: int
) -> None:
    empty = add_image(catalogue, tom, awaits=None)
    with pytest.raises(WrongUse, match="has no face to choose"):
        choices.choose_image(tom, empty)


def test_a_picture_that_turns_out_to_have_no_face_stays_noted(
    choices: Choices, catalogue: Catalogue, tom: int
) -> None:
    image_id = add_image(catalogue, tom)
    choices.choose_image(tom, image_id)
    with catalogue.write() as connection:
        connection.execute(sa.text("UPDATE image SET awaits = NULL"))
    choices.settle()
    assert choices.reference(tom) == (None, None, image_id)


def test_that_nothing_shows_the_character_is_a_choice_that_stands(
    choices: Choices, catalogue: Catalogue, tom: int
) -> None:
    wrong = add_judged(catalogue, tom)
    choices.replace(tom, wrong, "medoid")
    choices.choose_none(tom)
    assert choices.reference(tom) == (None, "hand", None)
    assert choices.awaits(wrong) == ("identity", "pending")
    choices.replace(tom, wrong, "medoid")
    assert choices.reference(tom) == (None, "hand", None)


def test_a_cleared_reference_is_chosen_anew_among_the_character_s_faces(
    choices: Choices, catalogue: Catalogue
) -> None:
    tom, jerry = add_album(catalogue, "Tom", "Jerry")
    own, rival = add_judged(catalogue, tom), add_judged(catalogue, jerry)
    choices.choose_face(tom, own)
    with catalogue.write() as connection:
        connection.execute(sa.text("UPDATE face SET awaits = NULL, verdict = 'kept'"))
    choices.clear(tom)
    assert choices.reference(tom) == (None, None, None)
    assert choices.awaits(own) == ("reference", "pending")
    assert choices.awaits(rival) == ("identity", "pending")


def test_references_of_one_album_that_are_cleared_together_are_all_chosen_anew(
    choices: Choices, catalogue: Catalogue
) -> None:
    cast = add_album(catalogue, "Tom", "Jerry", "Spike")
    refused = [add_judged(catalogue, who) for who in cast]
    other = [add_judged(catalogue, who) for who in cast]
    for who, face_id in zip(cast, refused, strict=True):
        choices.replace(who, face_id, "lead")
    for who, face_id in zip(cast, refused, strict=True):
        assert choices.refuse(who, face_id)
    for face_id in other:
        assert choices.awaits(face_id) == ("reference", "pending")

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from icf.annotate.ask import ask, count_unasked
from icf.annotate.batch import Batch, find_batch, read_questions
from icf.catalogue import merges, reviews
from icf.catalogue.reviews import Found
from icf.catalogue.schema import character, decision, review
from icf.codes import FaceReason, Suspicion, Verdict
from tests.annotate.place import Place


def ask_in(place: Place, limit: int = 100, path: str = "batches/a") -> Batch | None:
    run_id = place.workspace.begin_run("test")
    with place.workspace.catalogue.write() as connection:
        return ask(connection, run_id, "csv", path, limit)


def unasked(place: Place) -> int:
    with place.workspace.catalogue.read() as connection:
        return count_unasked(connection)


def test_the_most_uncertain_faces_come_first(place: Place) -> None:
    ann = place.add_character()
    faces = {p: place.add_face(ann, p) for p in (0.95, 0.45, 0.1, 0.5, 0.7)}
    made = ask_in(place)
    assert made is not None
    assert made.questions == 5
    order = [faces[p] for p in (0.5, 0.45, 0.7, 0.1, 0.95)]
    assert place.questions() == [(face, made.id, "open") for face in order]
    with place.workspace.catalogue.read() as connection:
        read = read_questions(connection, made.id)
        assert find_batch(connection, "batches/a") == made
        assert find_batch(connection, "batches/b") is None
    assert [each.face_id for each in read] == order
    assert {each.character for each in read} == {"Ann"}


def test_no_question_is_asked_twice(place: Place) -> None:
    ann = place.add_character()
    for probability in (0.3, 0.6, 0.9):
        place.add_face(ann, probability)
    first, second = ask_in(place, 2), ask_in(place, 2)
    assert first is not None
    assert second is not None
    assert (first.questions, second.questions) == (2, 1)
    assert first.id != second.id
    assert ask_in(place) is None
    assert len({face for face, _, _ in place.questions()}) == 3
    place.add_face(ann, 0.5)
    assert unasked(place) == 1


def test_only_kept_faces_whose_character_has_another_reference_are_asked_about(
    place: Place,
) -> None:
    ann, bare = place.add_character(), place.add_character("Bob")
    dropped = {"verdict": Verdict.DROPPED.value}
    twin = {**dropped, "reason": FaceReason.NEAR_DUPLICATE.value, "keeper_id": 1}
    waiting = {"verdict": Verdict.PENDING.value, "awaits": "identity"}
    place.add_face(ann, 0.5, **twin)
    place.add_face(ann, 0.5, **waiting)
    place.add_face(ann, None)
    place.add_face(bare, 0.5)
    place.set_reference(bare, None)
    good = place.add_face(ann, 0.5)
    assert unasked(place) == 1
    ask_in(place)
    assert [face for face, _, _ in place.questions()] == [good]


def test_the_ledger_has_the_probability_of_each_question(place: Place) -> None:
    ann = place.add_character()
    place.add_face(ann, 0.25)
    place.add_face(ann, 0.5)
    ask_in(place)
    first, second = place.question_ids()
    assert place.decisions("ask") == [(first, "open", 0.5), (second, "open", 0.25)]


def test_a_failed_transaction_leaves_neither_batch_nor_question(place: Place) -> None:
    place.add_face(place.add_character(), 0.5)
    run_id = place.workspace.begin_run("test")

    def killed() -> None:
        with place.workspace.catalogue.write() as connection:
            ask(connection, run_id, "csv", "batches/a", 9)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        killed()
    assert place.questions() == []
    with place.workspace.catalogue.read() as connection:
        assert find_batch(connection, "batches/a") is None


def test_two_exports_at_once_ask_different_questions(place: Place) -> None:
    ann = place.add_character()
    for _ in range(12):
        place.add_face(ann, 0.5)
    made: list[Batch | None] = []

    def worker(path: str) -> Callable[[], None]:
        return lambda: made.append(ask_in(place, 8, path))

    threads = [threading.Thread(target=worker(f"batches/{n}")) for n in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(each.questions if each else 0 for each in made) == [0, 4, 8]
    assert len({face for face, _, _ in place.questions()}) == 12


def suspect(place: Place, kind: Suspicion, face: int, who: int, score: float) -> None:
    """Add an outlier or a split of a character."""
    with place.workspace.catalogue.write() as connection:
        reference = connection.execute(
            sa.select(character.c.reference_face_id).where(character.c.id == who)
        ).scalar_one()
        known = sa.select(review.c.face_id, review.c.score).where(
            review.c.kind == kind.value, review.c.character_id == who
        )
        found = [*connection.execute(known).all(), (face, score)]
        reviews.replace(
            connection,
            [kind],
            [who],
            [Found(kind, who, each, reference, strength) for each, strength in found],
        )


def statuses(place: Place) -> dict[int, str]:
    """The status of each suspicion, by its face."""
    with place.workspace.catalogue.read() as connection:
        rows = connection.execute(sa.select(review.c.face_id, review.c.status))
        return {row.face_id: row.status for row in rows}


def test_suspicions_take_their_share_of_a_batch_and_are_mixed_with_the_others(
    place: Place,
) -> None:
    ann = place.add_character()
    plain = [place.add_face(ann, 0.5) for _ in range(6)]
    odd = [place.add_face(ann, 0.99) for _ in range(5)]
    for number, face in enumerate(odd):
        suspect(place, Suspicion.OUTLIER, face, ann, 0.9 - number / 10)
    made = ask_in(place, 6)
    assert made is not None
    assert [face for face, _, _ in place.questions()] == [
        odd[0],
        plain[0],
        odd[1],
        plain[1],
        odd[2],
        plain[2],
    ]
    assert statuses(place) == {
        face: "asked" if face in odd[:3] else "open" for face in odd
    }


def test_one_kind_of_question_fills_the_batch_where_the_other_does_not(
    place: Place,
) -> None:
    ann = place.add_character()
    plain, odd = place.add_face(ann, 0.5), [place.add_face(ann, 0.9) for _ in range(4)]
    for face in odd:
        suspect(place, Suspicion.OUTLIER, face, ann, 0.9)
    assert unasked(place) == 5
    ask_in(place, 5)
    assert {face for face, _, _ in place.questions()} == {plain, *odd}
    assert unasked(place) == 0


def test_without_a_share_suspicions_only_fill_up_a_batch(place: Place) -> None:
    ann = place.add_character()
    plain = [place.add_face(ann, 0.5) for _ in range(2)]
    odd = place.add_face(ann, 0.99)
    suspect(place, Suspicion.OUTLIER, odd, ann, 0.9)
    run_id = place.workspace.begin_run("test")
    for limit, path in ((2, "batches/a"), (2, "batches/b")):
        with place.workspace.catalogue.write() as connection:
            ask(connection, run_id, "csv", path, limit, review_share=0.0)
    assert [face for face, _, _ in place.questions()] == [*plain, odd]


def test_two_suspicions_of_one_face_are_one_question_and_both_are_asked(
    place: Place,
) -> None:
    ann = place.add_character()
    face = place.add_face(ann, 0.5)
    suspect(place, Suspicion.OUTLIER, face, ann, 0.9)
    suspect(place, Suspicion.SPLIT, face, ann, 0.8)
    made = ask_in(place)
    assert made is not None
    assert made.questions == 1
    with place.workspace.catalogue.read() as connection:
        found = connection.execute(sa.select(review.c.status)).scalars().all()
    assert found == ["asked", "asked"]


def test_the_ledger_says_which_suspicion_a_question_settles(place: Place) -> None:
    ann = place.add_character()
    suspect(place, Suspicion.OUTLIER, place.add_face(ann, 0.25), ann, 0.75)
    ask_in(place)
    assert place.decisions("ask") == [(place.question_ids()[0], "open", 0.75)]
    with place.workspace.catalogue.read() as connection:
        query = sa.select(decision.c.message).where(decision.c.step == "ask")
        assert connection.execute(query).scalar_one() == "outlier 1"


def test_faces_answered_for_a_merged_character_are_not_asked_about_again(
    place: Place,
) -> None:
    ann, anna = place.add_character(), place.add_character("Anna")
    asked, new = place.add_face(anna, 0.5), place.add_face(anna, 0.6)
    ask_in(place, 1)
    run_id = place.workspace.begin_run("test")
    with place.workspace.catalogue.write() as connection:
        merges.merge(connection, run_id, anna, ann)
    assert [face for face, _, _ in place.questions()] == [asked]
    ask_in(place)
    # Anna's reference is a face of Ann like any other now.
    reference = min(asked, new) - 1
    assert [face for face, _, _ in place.questions()] == [asked, new, reference]
    assert unasked(place) == 0

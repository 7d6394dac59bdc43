from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from icf.annotate.ask import ask
from icf.annotate.batch import Batch, find_batch, read_questions
from icf.annotate.choosing.draw import draw
from icf.annotate.choosing.shares import Shares
from icf.annotate.choosing.unasked import count_unasked
from icf.catalogue import merges, reviews
from icf.catalogue.reviews import Found
from icf.catalogue.sampling import kept_frame
from icf.catalogue.schema import character, decision, question, review
from icf.codes import Chosen, FaceReason, Suspicion, Verdict
from tests.annotate.place import Place


def ask_in(
    place: Place,
    limit: int = 100,
    path: str = "batches/a",
    shares: Shares = Shares(),  # noqa: B008
) -> Batch | None:
    run_id = place.workspace.begin_run("test")
    with place.workspace.catalogue.write() as connection:
        return ask(connection, run_id, "csv", path, limit, shares)


def unasked(place: Place) -> int:
    with place.workspace.catalogue.read() as connection:
        return count_unasked(connection).total


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
    made = ask_in(place, 6, shares=Shares(random=0))
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
            ask(connection, run_id, "csv", path, limit, Shares(0.0, 0.0))
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


def chosen(place: Place) -> list[sa.Row[Any]]:
    query = sa.select(question).order_by(question.c.id)
    with place.workspace.catalogue.read() as connection:
        return list(connection.execute(query))


def test_each_face_is_chosen_with_a_recorded_probability(place: Place) -> None:
    ann = place.add_character()
    kept = [place.add_face(ann, 0.5 + n / 100) for n in range(40)]
    out = {"verdict": "dropped", "reason": FaceReason.NOT_THIS_CHARACTER.value}
    dropped = [place.add_face(ann, 0.05, **out) for _ in range(10)]
    suspect(place, Suspicion.OUTLIER, kept[-1], ann, 0.9)
    ask_in(place, 20, shares=Shares(random=0.3))
    asked = chosen(place)
    by: dict[str, list[sa.Row[Any]]] = {}
    for each in asked:
        by.setdefault(each.chosen, []).append(each)
    assert {name: len(some) for name, some in by.items()} == {
        "suspicion": 1,
        "uncertain": 13,
        "random": 4,
        "dropped": 2,
    }
    assert [each.face_id for each in by["uncertain"]] == kept[:13]
    # Together they stand for all faces that could be asked about, each of them once.
    assert sum(1 / e.inclusion for e in asked if e.chosen != "dropped") == 40
    assert sum(1 / each.inclusion for each in by["dropped"]) == len(dropped)
    assert {each.face_id for each in by["dropped"]} < set(dropped)
    assert by["suspicion"][0].probability == pytest.approx(0.89)
    [message] = {
        row.message for row in ledger_of(place, by["random"]) if row.step == "ask"
    }
    assert message.endswith("from the other kept faces, with probability 0.154")


def ledger_of(place: Place, questions: list[sa.Row[Any]]) -> list[sa.Row[Any]]:
    ids = [each.id for each in questions]
    query = sa.select(decision).where(
        decision.c.subject == "question", decision.c.subject_id.in_(ids)
    )
    with place.workspace.catalogue.read() as connection:
        return list(connection.execute(query))


def test_each_of_the_other_faces_is_drawn_equally_often(place: Place) -> None:
    """Whatever its probability: over many batches' seeds, a quarter of the time."""
    ann = place.add_character()
    faces = [place.add_face(ann, 0.6 + n / 50) for n in range(16)]
    drawn: Counter[int] = Counter()
    with place.workspace.catalogue.read() as connection:
        for seed in range(400):
            found = draw(connection, kept_frame(), (), 4, Chosen.RANDOM, str(seed))
            drawn.update(each.face_id for each in found)
            assert {each.inclusion for each in found} == {0.25}
    assert set(drawn) == set(faces)
    assert all(60 < count < 140 for count in drawn.values())


def test_faces_that_identity_dropped_fill_no_batch_but_the_first(place: Place) -> None:
    ann = place.add_character()
    out = {"verdict": "dropped", "reason": FaceReason.NOT_THIS_CHARACTER.value}
    for _ in range(4):
        place.add_face(ann, 0.05, **out)
    assert unasked(place) == 0
    made = ask_in(place, 15, shares=Shares(random=0.2))
    assert made is not None
    assert made.questions == 1
    assert ask_in(place, 15) is None
    place.add_face(ann, 0.6)
    made = ask_in(place, 15, shares=Shares(random=0.2))
    assert made is not None
    assert made.questions == 2


def test_a_suspicion_about_another_character_has_no_probability(place: Place) -> None:
    ann, bob = place.add_character(), place.add_character("Bob")
    face, twin = place.add_face(bob, 0.9), place.add_face(ann, 0.95)
    suspected = Found(Suspicion.TWIN, ann, twin, face, 0.9, bob)
    with place.workspace.catalogue.write() as connection:
        reviews.replace(connection, [Suspicion.TWIN], [ann], [suspected])
    ask_in(place)
    rows = {each.character_id: each for each in chosen(place) if each.face_id == face}
    assert (rows[ann].inclusion, rows[ann].probability) == (None, None)
    assert (rows[bob].inclusion, rows[bob].probability) == (1.0, 0.9)


def test_a_batch_without_a_random_part_claims_no_probabilities(place: Place) -> None:
    ann = place.add_character()
    for _ in range(4):
        place.add_face(ann, 0.5)
    ask_in(place, 3, shares=Shares(random=0))
    assert {each.inclusion for each in chosen(place)} == {None}
    ask_in(place, 3, shares=Shares(random=0))
    # The last face: nothing is left that it does not represent.
    assert [each.inclusion for each in chosen(place)] == [None, None, None, 1.0]

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from icf.annotate.ask import ask, count_unasked
from icf.annotate.batch import Batch, find_batch, read_questions
from icf.codes import FaceReason, Verdict
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


def test_only_kept_faces_with_a_reference_beside_them_are_asked_about(
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


def test_the_ledger_says_how_sure_the_machine_was(place: Place) -> None:
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

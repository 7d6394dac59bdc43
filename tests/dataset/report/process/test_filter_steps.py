from __future__ import annotations

from tempfile import TemporaryDirectory

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from icf.catalogue import ledger, schema
from icf.catalogue.catalogue import Catalogue
from icf.codes import Verdict
from icf.dataset.report.process.filter_steps import UNKNOWN, StepCount, read_steps
from tests.filter.rows import add_album, add_face, add_image

#: What became of a face: the steps it passed, and how it ended.
Fate = tuple[int, str]
STEPS = ("size", "tone", "sharpness")


def decide(
    catalogue: Catalogue, face: int, step: str, verdict: Verdict, reason: str = "ok"
) -> None:
    with catalogue.write() as connection:
        run = ledger.begin_run(connection, "test", "{}", "0")
        line = ledger.Decision("face", face, step, verdict.value, reason)
        ledger.append(connection, run, [line])
        awaits = None
        if verdict is Verdict.PENDING:
            awaits = STEPS[STEPS.index(step) + 1]
        columns = {"verdict": verdict.value, "reason": reason, "awaits": awaits}
        here = sa.update(schema.face).where(schema.face.c.id == face)
        connection.execute(here.values(columns))


def live(catalogue: Catalogue, faces: list[int], fates: list[Fate]) -> None:
    """Take each face as far as its fate says, step by step as a run does."""
    for place, step in enumerate(STEPS):
        for face, (passed, end) in zip(faces, fates, strict=True):
            if passed > place:
                last = step == STEPS[-1]
                verdict = Verdict.KEPT if last else Verdict.PENDING
                decide(catalogue, face, step, verdict)
            elif passed == place and end != "waits":
                decide(catalogue, face, step, Verdict.DROPPED, end)


def new_faces(catalogue: Catalogue, number: int) -> list[int]:
    [tom] = add_album(catalogue, "Tom")
    image = add_image(catalogue, tom)
    return [add_face(catalogue, image, tom) for _ in range(number)]


def faces_of(catalogue: Catalogue) -> list[StepCount]:
    with catalogue.read() as connection:
        return read_steps(connection, "face")


def plain(counts: list[StepCount]) -> list[tuple[object, ...]]:
    return [
        (
            each.name,
            each.reached,
            each.waiting,
            each.passed,
            {bar.name: bar.count for bar in each.dropped},
        )
        for each in counts
    ]


def test_each_row_is_counted_where_it_is_now(catalogue: Catalogue) -> None:
    faces = new_faces(catalogue, 6)
    live(
        catalogue,
        faces,
        [
            (3, "kept"),
            (3, "kept"),
            (0, "too_small"),
            (1, "dark"),
            (1, "flat"),
            (1, "waits"),
        ],
    )
    assert plain(faces_of(catalogue)) == [
        ("size", 6, 0, 5, {"too_small": 1}),
        ("tone", 5, 1, 2, {"dark": 1, "flat": 1}),
        ("sharpness", 2, 0, 2, {}),
    ]


def test_a_row_that_a_moved_threshold_drops_leaves_the_later_steps(
    catalogue: Catalogue,
) -> None:
    faces = new_faces(catalogue, 2)
    live(catalogue, faces, [(3, "kept"), (2, "blurred")])
    decide(catalogue, faces[0], "size", Verdict.DROPPED, "too_small")
    decide(catalogue, faces[1], "tone", Verdict.DROPPED, "dark")
    assert plain(faces_of(catalogue)) == [
        ("size", 2, 0, 1, {"too_small": 1}),
        ("tone", 1, 0, 0, {"dark": 1}),
        ("sharpness", 0, 0, 0, {}),
    ]


def test_what_people_said_about_boxes_is_no_step(catalogue: Catalogue) -> None:
    faces = new_faces(catalogue, 1)
    live(catalogue, faces, [(3, "kept")])
    with catalogue.write() as connection:
        run = ledger.begin_run(connection, "test", "{}", "0")
        line = ledger.Decision("face", faces[0], "boxes", "verified", "verified")
        ledger.append(connection, run, [line])
    assert [each.name for each in faces_of(catalogue)] == list(STEPS)


def test_what_the_ledger_does_not_know_is_counted_apart(catalogue: Catalogue) -> None:
    first, second = new_faces(catalogue, 2)
    live(catalogue, [first], [(3, "kept")])
    with catalogue.write() as connection:
        here = sa.update(schema.face).where(schema.face.c.id == second)
        lost = {"verdict": "dropped", "reason": "taken_down", "awaits": None}
        connection.execute(here.values(lost))
    assert plain(faces_of(catalogue))[0] == (UNKNOWN, 2, 0, 1, {"taken_down": 1})


@settings(deadline=None, max_examples=15)
@given(
    st.lists(
        st.sampled_from([(3, "kept"), (0, "a"), (1, "b"), (2, "c"), (1, "waits")]),
        max_size=7,
    )
)
def test_what_came_to_a_step_passed_was_dropped_or_waits(fates: list[Fate]) -> None:
    with TemporaryDirectory() as folder:
        catalogue = Catalogue(f"sqlite:///{folder}/catalogue.sqlite")
        catalogue.upgrade()
        live(catalogue, new_faces(catalogue, len(fates)), fates)
        counts = faces_of(catalogue)
        catalogue.close()
    for each in counts:
        assert each.reached == each.passed + each.out + each.waiting
    assert [each.reached for each in counts[1:]] == [e.passed for e in counts[:-1]]
    if counts:
        kept = sum(end == "kept" for _, end in fates)
        assert (counts[0].reached, counts[-1].passed) == (len(fates), kept)


@pytest.mark.parametrize("subject", ["image", "face"])
def test_an_empty_catalogue_has_no_steps(catalogue: Catalogue, subject: str) -> None:
    with catalogue.read() as connection:
        assert read_steps(connection, subject) == []

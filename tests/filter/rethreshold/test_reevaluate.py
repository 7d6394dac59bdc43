"""Asking the steps again, on rows that Hypothesis draws, in both databases."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from icf.catalogue import ledger
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import (
    album,
    candidate,
    character,
    decision,
    face,
    image,
    run,
)
from icf.engine.local import LocalEngine
from icf.engine.runner import Chain, Progress, Runner
from icf.engine.step import Item, Outcome, Step, Subject
from icf.filter.rethreshold.chain_state import ChainState
from icf.filter.rethreshold.moves import Moved
from icf.filter.rethreshold.reevaluate import reevaluate, state_after
from icf.filter.steps.duplicates import Duplicates
from icf.filter.steps.faces import HasFaces
from icf.filter.steps.identity import Identity
from icf.filter.steps.picture import PictureKept
from icf.filter.steps.reference import Reference
from icf.filter.steps.score import Score
from icf.filter.steps.sharpness import Sharpness
from icf.filter.steps.size import Size
from icf.models.embedding import Embedder
from icf.stores.vectors import VectorStore
from tests.filter.rows import add_album, add_face, add_image, alike
from tests.filter.workspaces import no_bar

pytestmark = pytest.mark.slow

MODEL = Embedder.bundled()

PASSED = Outcome(1, True)
FAILED = Outcome(1, False, "blurred")


@pytest.mark.parametrize(
    ("before", "answer", "after"),
    [
        (ChainState(5), PASSED, ChainState(5)),
        (ChainState(5), FAILED, ChainState(3, True, "blurred")),
        (ChainState(4, True, "human"), PASSED, ChainState(4, True, "human")),
        (ChainState(4, True, "human"), FAILED, ChainState(3, True, "blurred")),
        (ChainState(3, True, "blurred"), PASSED, ChainState(4)),
        (ChainState(3, True, "blurred"), FAILED, ChainState(3, True, "blurred")),
        (ChainState(3), PASSED, ChainState(4)),
        (ChainState(3), FAILED, ChainState(3, True, "blurred")),
        (ChainState(5), None, ChainState(3)),
        (ChainState(3, True, "blurred"), None, ChainState(3)),
    ],
)
def test_what_follows_from_an_answer(
    before: ChainState, answer: Outcome | None, after: ChainState
) -> None:
    assert state_after(3, before, answer) == after


@dataclass(frozen=True)
class Look(Step[Item]):
    """A step that would have to look at pictures; it lets everything pass."""

    name: ClassVar[str] = "embed"
    subject: ClassVar[Subject] = "face"

    def select(self, connection: sa.Connection, ids: Sequence[int]) -> list[Item]:
        return [Item(each) for each in ids]

    def judge(self, batch: Sequence[Item]) -> list[Outcome]:
        columns = {"embedder": MODEL.model_hash}
        return [Outcome(item.id, True, columns=columns) for item in batch]


@dataclass(frozen=True)
class Detected(Step[Item]):
    """Images come to it with their faces."""

    name: ClassVar[str] = "detect"
    subject: ClassVar[Subject] = "image"

    def select(self, connection: sa.Connection, ids: Sequence[int]) -> list[Item]:
        return [Item(each) for each in ids]

    def judge(self, batch: Sequence[Item]) -> list[Outcome]:
        return [Outcome(item.id, True) for item in batch]


@dataclass(frozen=True)
class Limits:
    """The settings that are moved."""

    score: float
    face: int
    sharpness: float
    phash: int
    probability: float

    def chain(self, vectors: Path) -> Chain:
        """The steps with these settings."""
        return Chain(
            (
                Detected(),
                HasFaces(self.score),
                Score(self.score),
                PictureKept(),
                Size(self.face),
                Sharpness(self.sharpness),
                Look(),
                Duplicates(vectors, self.phash, 10, 0.9),
                Reference(vectors),
                Identity(vectors, self.probability),
            )
        )


LIMITS = st.builds(
    Limits,
    score=st.sampled_from([0.3, 0.5, 0.75]),
    face=st.sampled_from([50, 100, 150]),
    sharpness=st.sampled_from([50.0, 100.0, 300.0]),
    phash=st.sampled_from([0, 2, 10]),
    probability=st.sampled_from([0.0, 0.1, 0.6, 0.95]),
)


@dataclass(frozen=True)
class DrawnFace:
    """A face as it is drawn: on which picture, and how it looks."""

    picture: int
    side: int
    score: float
    sharpness: float
    look: int
    bits: int


FACES = st.lists(
    st.builds(
        DrawnFace,
        picture=st.integers(0, 4),
        side=st.sampled_from([60, 120, 180]),
        score=st.sampled_from([0.4, 0.6, 0.9]),
        sharpness=st.sampled_from([60.0, 200.0, 500.0]),
        look=st.integers(0, 3),
        bits=st.sampled_from([0, 1, 7, 255]),
    ),
    min_size=1,
    max_size=10,
)


def fill(catalogue: Catalogue, vectors: Path, faces: Sequence[DrawnFace]) -> None:
    """Write two characters, five pictures and the faces, which nothing judged yet."""
    with catalogue.write() as connection:
        connection.execute(sa.update(character).values(reference_face_id=None))
        for table in (decision, face, candidate, image, character, album, run):
            connection.execute(sa.delete(table))
    tom, jerry = add_album(catalogue, "Tom", "Jerry")
    filed = [(tom,), (jerry,), (tom, jerry), (tom,), (jerry, tom)]
    pictures = [add_image(catalogue, *each) for each in filed]
    for number, drawn in enumerate(faces):
        face_id = add_face(
            catalogue,
            pictures[drawn.picture],
            tom if drawn.picture in (0, 2, 3, 4) else jerry,
            x1=200.0 * number,
            x2=200.0 * number + drawn.side,
            y2=float(drawn.side),
            score=drawn.score,
            sharpness=drawn.sharpness,
            contrast=50.0,
            phash=0x5A5A_0F0F_3C3C_5555 ^ drawn.bits,
            dhash=0x1234_5678_0F0F_3C3C,
            awaits="score",
        )
        vector = np.zeros((1, MODEL.dim), np.float32)
        vector[0, drawn.look] = 1.0
        vector[0, 4] = 0.3 + 0.01 * number
        VectorStore(vectors).append(MODEL.model_hash, np.array([face_id]), vector)


def begin(catalogue: Catalogue) -> int:
    with catalogue.write() as connection:
        return ledger.begin_run(connection, "test", "{}", "0")


def run_all(catalogue: Catalogue, vectors: Path, limits: Limits) -> None:
    chain = limits.chain(vectors)
    engine = LocalEngine(1)
    store = VectorStore(vectors)
    runner = Runner(catalogue, store, engine, begin(catalogue), chain)
    for step in chain.steps:
        runner.run(step)
    engine.close()


def again(catalogue: Catalogue, vectors: Path, limits: Limits) -> int:
    """Ask again; return how many rows changed."""
    moved = reevaluate(catalogue, begin(catalogue), limits.chain(vectors), no_bar)
    return sum(changes(each) for each in moved)


def changes(moved: Moved) -> int:
    return len(moved.dropped) + len(moved.restored) + moved.other_reason.total()


def rows(catalogue: Catalogue) -> list[Any]:
    """All that steps write, but for which faces have vectors."""
    left_out = {"found_at", "stored_at", "embedder"}
    found: list[Any] = []
    with catalogue.read() as connection:
        for table in (image, face):
            columns = [c for c in table.c if c.name not in left_out]
            query = sa.select(*columns).order_by(table.c.id)
            found += [tuple(row) for row in connection.execute(query)]
        query = sa.select(
            character.c.name, character.c.reference_face_id, character.c.reference_by
        )
        found += [tuple(row) for row in connection.execute(query.order_by("name"))]
    return found


def begin_anew(catalogue: Catalogue) -> None:
    """Forget all that steps wrote."""
    first = sa.select(sa.func.min(candidate.c.character_id)).where(
        candidate.c.image_id == face.c.image_id
    )
    waiting = {"verdict": "pending", "reason": "ok", "keeper_id": None}
    compared = {"embedder": None, "similarity": None, "probability": None}
    with catalogue.write() as connection:
        connection.execute(sa.delete(decision))
        connection.execute(
            sa.update(character).values(reference_face_id=None, reference_by=None)
        )
        connection.execute(sa.update(image).values(awaits="detect", **waiting))
        connection.execute(
            sa.update(face).values(
                awaits="score",
                filed_under_id=first.scalar_subquery(),
                character_id=None,
                **waiting,
                **compared,
            )
        )


def newest(catalogue: Catalogue, subject: str, table: sa.Table) -> None:
    """Hold each row against the newest decision on it."""
    with catalogue.read() as connection:
        for row in connection.execute(sa.select(table)):
            last = ledger.history(connection, subject, row.id)[-1].decision
            assert (last.verdict, last.reason) == (row.verdict, row.reason)


examples = settings(
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@examples
@given(FACES, LIMITS, LIMITS)
def test_moved_limits_end_where_a_fresh_run_ends(
    catalogue: Catalogue,
    tmp_path: Path,
    faces: Sequence[DrawnFace],
    before: Limits,
    after: Limits,
) -> None:
    fill(catalogue, tmp_path, faces)
    run_all(catalogue, tmp_path, before)
    again(catalogue, tmp_path, after)
    newest(catalogue, "image", image)
    newest(catalogue, "face", face)
    run_all(catalogue, tmp_path, after)
    again(catalogue, tmp_path, after)
    reached = rows(catalogue)
    assert again(catalogue, tmp_path, after) == 0
    assert alike(rows(catalogue), reached)
    begin_anew(catalogue)
    run_all(catalogue, tmp_path, after)
    assert alike(rows(catalogue), reached)


class Stopped(Exception):
    """Stands for a kill."""


@examples
@given(FACES, LIMITS, LIMITS, st.integers(0, 15))
def test_stopped_between_any_two_pages_and_started_again_it_comes_to_the_same_end(
    catalogue: Catalogue,
    tmp_path: Path,
    faces: Sequence[DrawnFace],
    before: Limits,
    after: Limits,
    pages: int,
) -> None:
    def reach(stop: int) -> list[Any]:
        left = itertools.count(stop, -1)

        @contextmanager
        def stopping(title: str, total: int) -> Iterator[Progress]:
            def advance(settled: int) -> None:
                if next(left) == 0:
                    raise Stopped

            yield advance

        begin_anew(catalogue)
        run_all(catalogue, tmp_path, before)
        chain = after.chain(tmp_path)
        with suppress(Stopped):
            reevaluate(catalogue, begin(catalogue), chain, stopping)
        again(catalogue, tmp_path, after)
        return rows(catalogue)

    fill(catalogue, tmp_path, faces)
    assert alike(reach(pages), reach(1_000))

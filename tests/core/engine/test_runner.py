"""The runner, with small steps of its own on a real catalogue."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from icf.catalogue import ledger
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.filing import NOBODY, named_alone
from icf.catalogue.schema import (
    album,
    candidate,
    character,
    decision,
    face,
    image,
    image_source,
    url,
)
from icf.engine.local import LocalEngine
from icf.engine.runner import Chain, Runner
from icf.engine.step import Item, ItemT, NewFace, Outcome, Step
from icf.errors import BrokenMachine
from icf.stores.vectors import VectorStore
from tests.catalogues import few_variables

MODEL = "m" * 64


@dataclass(frozen=True)
class Seen(Item):
    """An image or a face by its number."""

    number: int


@dataclass(frozen=True)
class Find(Step[Seen]):
    """Finds as many faces in an image as its id modulo 3; breaks on `breaks_on`."""

    name = "detect"
    subject = "image"
    breaks_on: frozenset[int] = frozenset()
    error: type[Exception] = ValueError

    def select(self, connection: sa.Connection, ids: Sequence[int]) -> list[Seen]:
        rows = connection.execute(sa.select(image.c.id).where(image.c.id.in_(ids)))
        return [Seen(row.id, row.id) for row in rows]

    def judge(self, batch: Sequence[Seen]) -> list[Outcome]:
        for item in batch:
            if item.number in self.breaks_on:
                raise self.error(f"cannot look at {item.number}")
        return [self._find(item) for item in batch]

    def _find(self, item: Seen) -> Outcome:
        new = NewFace(
            box=(0, 0, 9, 9),
            kind="cartoon",
            score=0.9,
            sharpness=200.0,
            sharpness_paper=300.0,
            brightness=128.0,
            contrast=50.0,
            pixel_hash="0" * 64,
            phash=1,
            dhash=2,
        )
        count = item.number % 3
        if not count:
            return Outcome(item.id, False, "no_face", model=MODEL)
        return Outcome(
            item.id, True, model=MODEL, faces=(new,) * count, columns={"width": 7}
        )


@dataclass(frozen=True)
class Embed(Step[Seen]):
    """Gives each face its own number as a vector."""

    name = "embed"
    subject = "face"

    def select(self, connection: sa.Connection, ids: Sequence[int]) -> list[Seen]:
        rows = connection.execute(sa.select(face.c.id).where(face.c.id.in_(ids)))
        return [Seen(row.id, row.id) for row in rows]

    def judge(self, batch: Sequence[Seen]) -> list[Outcome]:
        return [
            Outcome(
                item.id,
                True,
                model=MODEL,
                vector=np.array([item.number, 1], np.float32),
            )
            for item in batch
        ]


@dataclass(frozen=True)
class Oldest(Step[Seen]):
    """Keeps the two oldest faces of each character."""

    name = "oldest"
    subject = "face"
    grouped = True

    def select(self, connection: sa.Connection, ids: Sequence[int]) -> list[Seen]:
        query = sa.select(face.c.id, face.c.filed_under_id, face.c.awaits)
        rows = connection.execute(query.where(face.c.id.in_(ids)))
        return [
            Seen(
                row.id,
                row.id,
                group=row.filed_under_id,
                fresh=row.awaits == self.name,
            )
            for row in rows
        ]

    def judge(self, batch: Sequence[Seen]) -> list[Outcome]:
        kept = sorted(item.id for item in batch)[:2]
        return [
            Outcome(item.id, item.id in kept, "ok" if item.id in kept else "blurred")
            for item in batch
            if item.fresh
        ]


def fill(catalogue: Catalogue, images: range, characters: int = 3) -> None:
    """Put images into the catalogue, each filed under one of a few characters."""
    with catalogue.write() as connection:
        if images.start == 1:
            connection.execute(
                sa.insert(album).values(id=1, name="a", source="t", found_at=0.0)
            )
            people = [
                {
                    "id": i,
                    "album_id": 1,
                    "name": f"c{i}",
                    "source": "t",
                    "found_at": 0.0,
                }
                for i in range(1, characters + 1)
            ]
            connection.execute(sa.insert(character), people)
        rows = [
            {
                "id": number,
                "sha256": f"{number:064}",
                "bytes": 1,
                "awaits": "detect",
                "verdict": "pending",
                "reason": "ok",
                "stored_at": 0.0,
            }
            for number in images
        ]
        connection.execute(sa.insert(image), rows)
        filed = [
            {"image_id": n, "character_id": n % characters + 1, "is_lead": False}
            for n in images
        ]
        connection.execute(sa.insert(candidate), filed)


def runner(
    catalogue: Catalogue, tmp_path: Path, *steps: Step[Any], batch: int = 7
) -> Runner:
    with catalogue.write() as connection:
        run_id = ledger.begin_run(connection, "test", "{}", "0")
    vectors = VectorStore(tmp_path / "vectors")
    return Runner(catalogue, vectors, LocalEngine(2), run_id, Chain(steps), batch)


def column(catalogue: Catalogue, query: sa.Select[Any]) -> list[Any]:
    with catalogue.read() as connection:
        return list(connection.execute(query).scalars())


def test_rows_pass_all_steps_and_each_decision_is_in_the_ledger(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    fill(catalogue, range(1, 31))
    run = runner(catalogue, tmp_path, Find(), Embed(), Oldest())
    tallies = [run.run(step) for step in run.chain.steps]
    assert [(t.step, t.passed, dict(t.dropped)) for t in tallies] == [
        ("detect", 20, {"no_face": 10}),
        ("embed", 30, {}),
        ("oldest", 4, {"blurred": 26}),
    ]
    taken = column(catalogue, sa.select(decision.c.step).order_by(decision.c.id))
    assert taken == ["detect"] * 30 + ["embed"] * 30 + ["oldest"] * 30
    assert column(catalogue, sa.select(face.c.awaits).distinct()) == [None]
    assert set(column(catalogue, sa.select(image.c.width))) == {None, 7}


def test_pictures_of_an_album_without_a_cast_are_filed_under_nobody(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    fill(catalogue, range(1, 9))
    with catalogue.write() as connection:
        connection.execute(sa.delete(candidate).where(candidate.c.image_id > 4))
        if connection.dialect.name == "postgresql":  # `fill` chooses ids itself
            for sequence in ("album_id_seq", "character_id_seq"):
                connection.execute(sa.select(sa.func.setval(sequence, 99)))
        for number in range(5, 9):
            where = {"url": f"file:///{number}.png", "source": "t"}
            listed = {"fate": "stored", "host": "", "attempts": 1, "not_before": 0.0}
            of_album = {"album_id": None if number == 8 else 1, "image_id": number}
            times = {"leased_until": 0.0, "found_at": 0.0}
            connection.execute(
                sa.insert(url).values(**where, **listed, **of_album, **times)
            )
            rights = {"licence": "CC0", "licence_from": "folder", "fetched_at": 0.0}
            connection.execute(
                sa.insert(image_source).values(image_id=number, **where, **rights)
            )
    run = runner(catalogue, tmp_path, Find(), Embed())
    assert run.run(run.chain.steps[0]).passed == 6
    of_nobody = (
        sa.select(candidate.c.image_id, album.c.name)
        .join(character, character.c.id == candidate.c.character_id)
        .join(album, album.c.id == character.c.album_id)
        .where(character.c.name == NOBODY)
    )
    with catalogue.read() as connection:
        assert sorted(tuple(row) for row in connection.execute(of_nobody)) == [
            (5, "a"),
            (7, "a"),
            (8, "t"),  # of no album: of its source's
        ]
        assert named_alone(connection, [5, 8]) == {}


def test_a_second_run_has_nothing_to_do(catalogue: Catalogue, tmp_path: Path) -> None:
    fill(catalogue, range(1, 10))
    run = runner(catalogue, tmp_path, Find(), Embed())
    for step in run.chain.steps:
        run.run(step)
    before = column(catalogue, sa.select(decision.c.id))
    for step in run.chain.steps:
        assert run.pending(step) == 0
        run.run(step)
    assert column(catalogue, sa.select(decision.c.id)) == before


def test_one_item_that_breaks_a_step_stops_nothing(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    fill(catalogue, range(1, 31))
    tally = runner(catalogue, tmp_path, find := Find(frozenset([4, 5]))).run(find)
    assert tally.dropped == {"step_failed": 2, "no_face": 10}
    said = sa.select(decision.c.message).where(decision.c.reason == "step_failed")
    assert sorted(column(catalogue, said)) == [
        "ValueError: cannot look at 4",
        "ValueError: cannot look at 5",
    ]


def test_a_broken_machine_stops_the_run_and_charges_no_item(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    fill(catalogue, range(1, 31))
    find = Find(frozenset([30]), BrokenMachine)
    run = runner(catalogue, tmp_path, find)
    with pytest.raises(BrokenMachine, match="cannot look at 30"):
        run.run(find)
    assert run.pending(find) > 0
    healthy = runner(catalogue, tmp_path, Find())
    healthy.run(healthy.chain.steps[0])
    assert len(column(catalogue, sa.select(decision.c.id))) == 30


def test_vectors_are_on_disk_for_every_row_that_says_so(
    sqlite_catalogue: Catalogue, tmp_path: Path
) -> None:
    fill(sqlite_catalogue, range(1, 31))
    run = runner(sqlite_catalogue, tmp_path, Find(), Embed())
    for step in run.chain.steps:
        run.run(step)
    ids = np.array(column(sqlite_catalogue, sa.select(face.c.id)), np.int64)
    stored = VectorStore(tmp_path / "vectors").get(MODEL, ids)
    assert stored.shape == (30, 2)
    assert np.allclose(stored[:, 0] / stored[:, 1], ids, rtol=1e-2)


def test_a_grouped_step_sees_what_passed_before_as_context(
    sqlite_catalogue: Catalogue, tmp_path: Path
) -> None:
    fill(sqlite_catalogue, range(1, 31), characters=1)
    run = runner(sqlite_catalogue, tmp_path, Find(), Oldest())
    for step in run.chain.steps:
        run.run(step)
    fill(sqlite_catalogue, range(31, 33), characters=1)
    later = [run.run(step) for step in run.chain.steps]
    assert (later[1].passed, dict(later[1].dropped)) == (0, {"blurred": 3})


class Together:
    """An engine that judges two runs' batches before either is written."""

    def __init__(self) -> None:
        self.both_judged = threading.Barrier(2)

    def judge(
        self, step: Step[ItemT], batches: Iterable[Sequence[ItemT]]
    ) -> Iterator[list[Outcome]]:
        outcomes = [step.judge(batch) for batch in batches]
        self.both_judged.wait()
        yield from outcomes

    def close(self) -> None:
        """Nothing was started."""


def test_two_runners_at_once_record_each_decision_once(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    fill(catalogue, range(1, 31))
    find = Find()
    engine = Together()
    runs = [
        Runner(r.catalogue, r.vectors, engine, r.run_id, r.chain, r.batch)
        for r in (runner(catalogue, tmp_path, find) for _ in range(2))
    ]
    threads = [threading.Thread(target=run.run, args=(find,)) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    judged = column(catalogue, sa.select(decision.c.subject_id))
    assert sorted(judged) == list(range(1, 31))
    assert len(column(catalogue, sa.select(face.c.id))) == 30


def test_no_transaction_is_open_while_a_step_judges(
    sqlite_catalogue: Catalogue, tmp_path: Path
) -> None:
    """SQLite's log begins from its start again only when nobody reads."""
    fill(sqlite_catalogue, range(1, 31))
    run = runner(sqlite_catalogue, tmp_path, Find(), Oldest())
    for step in run.chain.steps:
        seen = 0
        for _ in run._batches(step):
            with sqlite_catalogue.engine.connect() as connection:
                checkpoint = connection.connection.driver_connection
                assert checkpoint is not None
                pragma = "PRAGMA wal_checkpoint(TRUNCATE)"
                busy, *_ = checkpoint.execute(pragma).fetchone()
            assert not busy
            seen += 1
        assert seen > 1
        run.run(step)


def test_a_character_may_have_more_faces_than_a_query_takes_values(
    sqlite_catalogue: Catalogue, tmp_path: Path
) -> None:
    few_variables(sqlite_catalogue)
    fill(sqlite_catalogue, range(1, 31), characters=1)
    run = runner(sqlite_catalogue, tmp_path, Find(), Oldest())
    first, oldest = run.chain.steps
    run.run(first)
    with sqlite_catalogue.write() as connection:
        (some,) = connection.execute(sa.select(face).limit(1)).mappings()
        more = [{**some, "id": 100 + n} for n in range(1200)]
        for one in more:
            connection.execute(sa.insert(face), one)
    waiting = [
        Outcome(100 + n, n < 1, "ok" if n < 1 else "blurred") for n in range(1200)
    ]
    assert len(run._record(oldest, waiting)) == 1200

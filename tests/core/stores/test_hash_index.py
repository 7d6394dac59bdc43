from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from icf.images.measures import hamming
from icf.stores import hash_index
from icf.stores.files import replace_file
from icf.stores.hash_index import HashIndex, Rows
from tests.app.doctor.damages import DAMAGES

ids = st.integers(1, 60)
#: Few bits, so that many are near each other.
hashes = st.integers(0, 63)


def rows(table: Iterable[tuple[int, int, int]]) -> Rows:
    columns = np.array(list(table), np.int64).reshape(-1, 3).T
    return Rows(*(np.ascontiguousarray(column) for column in columns))


def near(index: HashIndex, phash: list[int], radius: int) -> list[tuple[int, ...]]:
    """Every pair, with what the store says of the face."""
    return sorted(
        pair
        for places, found in index.near(np.array(phash, np.int64), radius)
        for pair in zip(
            places.tolist(),
            found.ids.tolist(),
            found.phash.tolist(),
            found.dhash.tolist(),
            strict=True,
        )
    )


class Killed(BaseException):
    """What stands for the end of the process."""


class Store(RuleBasedStateMachine):
    """Any order of writing, erasing, dying and opening again."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.index = HashIndex(self.folder.name)
        self.known: dict[int, tuple[int, int]] = {}
        self.mark = 0

    def teardown(self) -> None:
        self.folder.cleanup()

    @rule(new=st.dictionaries(ids, st.tuples(hashes, hashes), max_size=20))
    def add(self, new: dict[int, tuple[int, int]]) -> None:
        self.index.add(rows((i, *both) for i, both in new.items()), self.mark + 1)
        self.mark += 1
        self.known = {**new, **self.known}

    @rule(gone=st.lists(ids, max_size=6))
    def erase(self, gone: list[int]) -> None:
        there = self.known.keys() & set(gone)
        assert self.index.erase(np.array(gone, np.int64)) == len(there)
        for each in there:
            del self.known[each]

    @rule(
        new=st.dictionaries(ids, st.tuples(hashes, hashes), min_size=1, max_size=20),
        file=st.integers(0, 1),
        written=st.booleans(),
    )
    def die_while_adding(
        self, new: dict[int, tuple[int, int]], file: int, written: bool
    ) -> None:
        """Die at the first file or the second, before its name is there or after."""
        calls = iter(range(10))

        def dying(path: Path, chunks: Iterable[bytes | memoryview]) -> None:
            dies = next(calls) == file
            if not dies or written:
                replace_file(path, chunks)
            if dies:
                (path.parent / f".{path.name}.half").write_bytes(b"half")
                raise Killed

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(hash_index, "replace_file", dying)
            with contextlib.suppress(Killed):
                self.index.add(rows((i, *both) for i, both in new.items()), 0)
        self.index = HashIndex(self.folder.name)
        fresh = np.array(sorted(new.keys() - self.known.keys()), np.int64)
        if self.index.has(fresh).any():
            self.known = {**new, **self.known}

    @rule()
    def open_again(self) -> None:
        self.index = HashIndex(self.folder.name)

    @invariant()
    def what_is_there_is_what_was_acknowledged(self) -> None:
        every = np.arange(1, 62)
        assert np.flatnonzero(self.index.has(every)).tolist() == sorted(
            each - 1 for each in self.known
        )
        assert (len(self.index), self.index.mark) == (len(self.known), self.mark)

    @rule(phash=st.lists(hashes, max_size=5), radius=st.integers(0, 11))
    def everything_near_is_found(self, phash: list[int], radius: int) -> None:
        expected = sorted(
            (row, each, *both)
            for row, word in enumerate(phash)
            for each, both in self.known.items()
            if hamming(np.array([both[0]]), word)[0] <= radius
        )
        assert near(self.index, phash, radius) == expected


Store.TestCase.settings = settings(deadline=None, max_examples=30)
TestStore = Store.TestCase


def test_nothing_acknowledged_is_lost_to_kill_9(tmp_path: Path) -> None:
    writes = """
import itertools, sys
import numpy as np
from icf.stores.hash_index import HashIndex, Rows
index = HashIndex(sys.argv[1])
for number in itertools.count(index.mark):
    ids = np.arange(number * 50 + 1, number * 50 + 51)
    index.add(Rows(ids, ids * 7919, ids), number + 1)
    print(number + 1, flush=True)
"""
    acknowledged = 0
    for _ in range(4):
        command = [sys.executable, "-c", writes, str(tmp_path / "hashes")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for _ in range(12):
                acknowledged = int(process.stdout.readline())
            os.kill(process.pid, signal.SIGKILL)
            # It may have gone on until the signal came.
            acknowledged = max(acknowledged, *map(int, process.stdout), 0)
        index = HashIndex(tmp_path / "hashes")
        assert index.mark in (acknowledged, acknowledged + 1)
        assert len(index) == 50 * index.mark
        assert index.has(np.arange(1, 50 * index.mark + 1)).all()


def test_a_large_store_has_few_segments_and_finds_all_of_a_new_page(
    tmp_path: Path,
) -> None:
    rng = np.random.default_rng(0)
    phash = rng.integers(-(2**63), 2**63 - 1, 120_000)
    index = HashIndex(tmp_path)
    for start in range(0, len(phash), 10_000):
        part = np.arange(start, start + 10_000)
        index.add(Rows(part + 1, phash[part], part), start)
    assert len(list(tmp_path.glob("*.hashes"))) <= 4
    flipped = phash[::600] ^ (1 << rng.integers(0, 62, 200))
    found = near(HashIndex(tmp_path), flipped.tolist(), 3)
    assert [(row, each) for row, each, *_ in found] == [
        (row, row * 600 + 1) for row in range(200)
    ]


def test_what_is_erased_is_on_the_disk_no_more(tmp_path: Path) -> None:
    index = HashIndex(tmp_path)
    index.add(rows([(1, 0x1122334455667788, 5), (2, 3, 4)]), 1)
    secret = (0x1122334455667788).to_bytes(8, "little")
    assert any(secret in path.read_bytes() for path in tmp_path.glob("*.hashes"))
    assert index.erase(np.array([1])) == 1
    assert not any(secret in path.read_bytes() for path in tmp_path.iterdir())
    assert near(index, [3], 0) == [(0, 2, 3, 4)]


def test_a_reader_finds_what_another_one_wrote_since(tmp_path: Path) -> None:
    reader, writer = HashIndex(tmp_path), HashIndex(tmp_path)
    assert near(reader, [7], 0) == []
    for each in (1, 2, 3):
        writer.add(rows([(each, 7, each)]), each)
        assert len(near(reader, [7], 0)) == each
    assert reader.mark == 3


@pytest.mark.parametrize(
    "damage", [*DAMAGES, lambda path: path.write_bytes(path.read_bytes()[:-9])]
)
@pytest.mark.parametrize("file", ["index.json", "00000001.hashes"])
def test_a_damaged_store_is_named_and_counts_as_deleted(
    tmp_path: Path, damage: Callable[[Path], object], file: str
) -> None:
    HashIndex(tmp_path).add(rows([(1, 2, 3), (4, 5, 6)]), 7)
    assert HashIndex(tmp_path).damage is None
    damage(tmp_path / file)
    damaged = HashIndex(tmp_path)
    if (tmp_path / "index.json").exists():
        assert "`icf-filter run` makes it again" in str(damaged.damage)
    assert (damaged.mark, len(damaged)) == (0, 0)
    damaged.add(rows([(1, 2, 3), (4, 5, 6)]), 7)
    for again in (damaged, HashIndex(tmp_path)):
        assert again.damage is None
        assert (again.mark, len(again), near(again, [2], 0)) == (
            7,
            2,
            [(0, 1, 2, 3)],
        )


def test_a_store_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    HashIndex(tmp_path).add(rows([(1, 2, 3)]), 7)
    index = json.loads((tmp_path / "index.json").read_text())
    del index["sums"], index["crc"]
    (tmp_path / "index.json").write_text(json.dumps(index))
    assert near(HashIndex(tmp_path), [2], 0) == [(0, 1, 2, 3)]

"""A store of hashes with a search index, whose cost depends on the new faces only.

A folder of segments: files of rows sorted by id, with an index of the rows by each band
of their pHash (`icf.search.near_hashes`), memory-mapped. New rows become a new segment;
a segment that is not twice as large as the next one is merged with it, so that there
are few, and a row is rewritten only when the store doubles.

``index.json`` names the valid segments, and is replaced atomically: other files were
left by a killed writer, and the next writer removes them. There is one writer at a
time, by a lock on the folder. The store can be deleted at any time: it is made again
from the catalogue.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from icf.errors import BrokenMachine
from icf.search.hash_bands import BANDS, Band, IntArray, band_keys, starts_of
from icf.search.near_hashes import HashBands
from icf.stores.files import replace_file

_INDEX, _SUFFIX = "index.json", ".hashes"

#: Rows from which a segment stores the start of each key, instead of counting again.
_STARTS_FROM = 1 << 16


@dataclass(frozen=True, eq=False)
class Rows:
    """Faces and their hashes: three arrays of shape (n,), int64."""

    ids: IntArray
    phash: IntArray
    dhash: IntArray

    def __getitem__(self, some: NDArray[np.bool_] | IntArray) -> Rows:
        """Select rows."""
        return Rows(self.ids[some], self.phash[some], self.dhash[some])


class HashIndex:
    """The hashes below one folder."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._open: dict[str, _Segment] = {}

    @property
    def mark(self) -> int:
        """The position up to which the last writer has read the indexed rows."""
        return self._state().mark

    @property
    def note(self) -> str:
        """The argument of the last `restart`."""
        return self._state().note

    def __len__(self) -> int:
        """Count the faces."""
        return sum(len(segment.rows.ids) for segment in self._segments())

    def has(self, ids: IntArray) -> NDArray[np.bool_]:
        """Mark which of these faces are in the store: shape (n,)."""
        found = np.zeros(len(ids), np.bool_)
        for segment in self._segments():
            found |= _is_in(segment.rows.ids, ids)
        return found

    def near(self, phash: IntArray, radius: int) -> Iterator[tuple[IntArray, Rows]]:
        """Find every face whose pHash is within ``radius`` bits.

        Args:
            phash: shape (m,), signed.
            radius: bits, from 0 to `icf.search.near_hashes.LARGEST_RADIUS`.

        Yields:
            Rows of ``phash``, and the faces that are near them; each pair once.
        """
        for segment in self._segments():
            for rows, places in segment.bands.near_in_parts(phash, radius):
                yield rows, segment.rows[places]

    def add(self, rows: Rows, mark: int) -> None:
        """Add faces; they are on the disk when this returns.

        Faces that are already in the store are skipped.

        Args:
            rows: in any order; no id twice.
            mark: stored together with them, unless the stored one is larger.
        """
        with self._writing():
            new = rows[~self.has(rows.ids)]
            state = self._state()
            if len(new.ids):
                state = self._appended(state, new)
            self._write(replace(state, mark=max(mark, state.mark)))

    def restart(self, note: str) -> None:
        """Reset the mark to 0, so that all rows are read again for another use."""
        with self._writing():
            self._write(replace(self._state(), mark=0, note=note))

    def erase(self, ids: IntArray) -> int:
        """Rewrite the segments with these faces without them; return how many.

        Nothing of them is on the disk when this returns.
        """
        if not self.folder.exists():
            return 0
        erased = 0
        with self._writing():
            state = self._state()
            names: list[str] = []
            for name in state.segments:
                rows = self._segment(name).rows
                erase = np.isin(rows.ids, ids)
                if not erase.any():
                    names.append(name)
                    continue
                erased += int(erase.sum())
                if not erase.all():
                    names.append(self._new_segment(state, rows[~erase]))
                    state = replace(state, next=state.next + 1)
            self._write(replace(state, segments=tuple(names)))
        return erased

    def _appended(self, state: _State, new: Rows) -> _State:
        """Add a new segment, merged with previous ones that are not twice as large."""
        kept = list(state.segments)
        parts = [new]
        size = len(new.ids)
        while kept and len(self._segment(kept[-1]).rows.ids) < 2 * size:
            parts.append(self._segment(kept.pop()).rows)
            size += len(parts[-1].ids)
        rows = Rows(
            np.concatenate([part.ids for part in parts]),
            np.concatenate([part.phash for part in parts]),
            np.concatenate([part.dhash for part in parts]),
        )
        name = self._new_segment(state, rows[np.argsort(rows.ids)])
        return replace(state, segments=(*kept, name), next=state.next + 1)

    def _new_segment(self, state: _State, rows: Rows) -> str:
        name = f"{state.next:08}{_SUFFIX}"
        replace_file(self.folder / name, _encoded(rows))
        return name

    def _state(self) -> _State:
        path = self.folder / _INDEX
        try:
            read = json.loads(path.read_text(encoding="utf-8"))
            names = tuple(read["segments"])
            return _State(names, int(read["mark"]), int(read["next"]), read["note"])
        except FileNotFoundError:
            return _State()
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise _broken(path, error) from error

    def _write(self, state: _State) -> None:
        """Write a state, and remove the files that are not part of it."""
        text = json.dumps(vars(state)) + "\n"
        replace_file(self.folder / _INDEX, [text.encode("utf-8")])
        _flush_folder(self.folder)
        for path in self.folder.iterdir():
            if path.name not in (_INDEX, "lock", *state.segments):
                path.unlink(missing_ok=True)
        self._open = {name: self._segment(name) for name in state.segments}

    def _segments(self) -> list[_Segment]:
        while True:
            names = self._state().segments
            try:
                return [self._segment(name) for name in names]
            except FileNotFoundError as error:
                # A writer has merged it since its name was read.
                if self._state().segments == names:
                    raise _broken(self.folder, error) from error

    def _segment(self, name: str) -> _Segment:
        if name not in self._open:
            self._open[name] = _Segment.read(self.folder / name)
        return self._open[name]

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


@dataclass(frozen=True)
class _State:
    """The content of the index: segments, largest first; mark; next number; note."""

    segments: tuple[str, ...] = ()
    mark: int = 0
    next: int = 1
    note: str = ""


@dataclass(frozen=True, eq=False)
class _Segment:
    """Rows sorted by id, and their index by each band."""

    rows: Rows
    bands: HashBands

    @classmethod
    def read(cls, path: Path) -> _Segment:
        """Map a segment into memory.

        Raises:
            FileNotFoundError: it does not exist.
            BrokenMachine: it is damaged.
        """
        size = path.stat().st_size
        count = int(np.fromfile(path, "<i8", 1)[0]) if size >= 8 else -1
        if count < 1 or size != _bytes(count):
            raise _broken(path, ValueError(f"{size} bytes do not hold {count} rows"))
        # Copy on write: nothing is changed, but compiled code needs a writable array.
        cells = np.memmap(path, np.uint8, "c")
        parts = _Parts(np.asarray(cells), 8)
        rows = Rows(*(parts.take(count, "<i8") for _ in range(3)))
        bands = []
        for number in range(BANDS):
            words = parts.take(count, "<u8")
            order = parts.take(count, "<i8")
            if count >= _STARTS_FROM:
                starts = parts.take((1 << 16) + 1, "<i8")
            else:
                starts = starts_of(band_keys(words, number))
            bands.append(Band(number, order, words, starts))
        return cls(rows, HashBands.of_bands(tuple(bands)))


@dataclass
class _Parts:
    """Consecutive arrays in a file."""

    cells: NDArray[np.uint8]
    at: int

    def take(self, count: int, dtype: str) -> NDArray[Any]:
        """Return the next ``count`` numbers of 8 bytes."""
        begin, self.at = self.at, self.at + 8 * count
        return self.cells[begin : self.at].view(dtype)


def _encoded(rows: Rows) -> Iterator[memoryview]:
    yield np.array([len(rows.ids)], "<i8").data.cast("B")
    for column in (rows.ids, rows.phash, rows.dhash):
        yield np.ascontiguousarray(column, "<i8").data.cast("B")
    for number in range(BANDS):
        band = Band.of(rows.phash, number)
        yield band.words.astype("<u8", copy=False).data.cast("B")
        yield band.order.astype("<i8", copy=False).data.cast("B")
        if len(rows.ids) >= _STARTS_FROM:
            yield band.starts.astype("<i8", copy=False).data.cast("B")


def _bytes(count: int) -> int:
    starts = (1 << 16) + 1 if count >= _STARTS_FROM else 0
    return 8 * (1 + 3 * count + BANDS * (2 * count + starts))


def _is_in(ascending: IntArray, ids: IntArray) -> NDArray[np.bool_]:
    places = np.minimum(np.searchsorted(ascending, ids), len(ascending) - 1)
    return np.asarray(ascending[places] == ids)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _broken(path: Path, error: Exception) -> BrokenMachine:
    folder = path if path.is_dir() else path.parent
    return BrokenMachine(
        f"the index of hashes {path} cannot be read: {error}; delete the folder "
        f"{folder} and run the same command again, which makes it again"
    )

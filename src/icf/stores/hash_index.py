"""A store of hashes with a search index, whose cost depends on the new faces only.

A folder of segments: files of rows sorted by id, with an index of the rows by each band
of their pHash (`icf.search.near_hashes`), memory-mapped. New rows become a new segment;
a segment that is not twice as large as the next one is merged with it, so that there
are few, and a row is rewritten only when the store doubles.

``index.json`` names the valid segments, and is replaced atomically: other files were
left by a killed writer, and the next writer removes them. There is one writer at a
time, by a lock on the folder. The store can be deleted at any time: it is made again
from the catalogue. It counts as deleted where a segment does not have the CRC-32 that
the index names, or cannot be read.
"""

from __future__ import annotations

import fcntl
import functools
import json
import logging
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from icf.errors import BrokenMachine
from icf.search.hash_bands import BANDS, Band, IntArray, band_keys, starts_of
from icf.search.near_hashes import HashBands
from icf.stores.files import flush, replace_file

_log = logging.getLogger(__name__)

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
        self._has_warned = False

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

    def last_id(self) -> int:
        """The greatest id of a face in the store; 0 if there is none."""
        return max((int(each.rows.ids[-1]) for each in self._segments()), default=0)

    def clear(self) -> None:
        """Remove everything, so that it is made again from the catalogue."""
        with self._writing():
            self._write(_State(next=self._state().next))

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
                    made, crc = self._new_segment(state, rows[~erase])
                    names.append(made)
                    sums = {**state.sums, made: crc}
                    state = replace(state, next=state.next + 1, sums=sums)
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
        name, crc = self._new_segment(state, rows[np.argsort(rows.ids)])
        sums = {**state.sums, name: crc}
        return replace(state, segments=(*kept, name), next=state.next + 1, sums=sums)

    def _new_segment(self, state: _State, rows: Rows) -> tuple[str, int]:
        """Write a segment; return its name, and its CRC-32."""
        name = f"{state.next:08}{_SUFFIX}"
        parts = list(_encoded(rows))
        replace_file(self.folder / name, parts)
        self._open.pop(name, None)
        return name, functools.reduce(lambda crc, part: zlib.crc32(part, crc), parts, 0)

    @property
    def damage(self) -> str | None:
        """What is damaged, if anything is."""
        try:
            self._read_state()
        except BrokenMachine as error:
            return str(error)
        return None

    def _state(self) -> _State:
        try:
            return self._read_state()
        except BrokenMachine as error:
            if not self._has_warned:
                _log.warning("%s", error)
            self._has_warned = True
            return _State()

    def _read_state(self) -> _State:
        """Read the index, and map the segments that it names.

        Raises:
            BrokenMachine: it is damaged, or one of them.
        """
        path = self.folder / _INDEX
        state = None
        while True:
            before, state = state, _read_index(path)
            try:
                for name in state.segments:
                    if name not in self._open:
                        segment = _Segment.read(
                            self.folder / name, state.sums.get(name)
                        )
                        self._open[name] = segment
                return state
            except FileNotFoundError as error:
                # A writer has merged it since its name was read.
                if state == before:
                    raise _broken(self.folder, error) from error

    def _write(self, state: _State) -> None:
        """Write a state, and remove the files that are not part of it."""
        sums = {name: crc for name, crc in state.sums.items() if name in state.segments}
        state = replace(state, sums=sums)
        text = json.dumps({**vars(state), "crc": _crc(vars(state))}) + "\n"
        replace_file(self.folder / _INDEX, [text.encode("utf-8")])
        flush(self.folder)
        for path in self.folder.iterdir():
            if path.name not in (_INDEX, "lock", *state.segments):
                path.unlink(missing_ok=True)
        self._open = {name: self._segment(name) for name in state.segments}

    def _segments(self) -> list[_Segment]:
        return [self._segment(name) for name in self._state().segments]

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
    """The content of the index: segments, largest first; mark; next number; note.

    ``sums`` has the CRC-32 of each segment; an earlier version did not write it.
    """

    segments: tuple[str, ...] = ()
    mark: int = 0
    next: int = 1
    note: str = ""
    sums: Mapping[str, int] = field(default_factory=dict)


def _crc(index: Mapping[str, Any]) -> int:
    return zlib.crc32(json.dumps(index).encode("utf-8"))


def _read_index(path: Path) -> _State:
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
        if "crc" in read and read.pop("crc") != _crc(read):
            raise ValueError("its bytes have changed")
        names, sums = tuple(read["segments"]), dict(read.get("sums", {}))
        return _State(names, int(read["mark"]), int(read["next"]), read["note"], sums)
    except FileNotFoundError:
        return _State()
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        raise _broken(path, error) from error


@dataclass(frozen=True, eq=False)
class _Segment:
    """Rows sorted by id, and their index by each band."""

    rows: Rows
    bands: HashBands

    @classmethod
    def read(cls, path: Path, crc: int | None = None) -> _Segment:
        """Map a segment into memory.

        Args:
            path: its file.
            crc: the CRC-32 of its bytes, if it is known.

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
        if crc is not None and zlib.crc32(cells.data) != crc:
            raise _broken(path, ValueError("its bytes have changed"))
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


def _broken(path: Path, error: Exception) -> BrokenMachine:
    return BrokenMachine(
        f"the index of hashes {path} is damaged: {error}; `icf-filter run` makes "
        "it again"
    )

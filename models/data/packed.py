"""Many small pictures in a few large files, which several processes map into memory.

A cache is a folder of packs. A pack is a folder that gets its name when all of it is on
the disk, and never changes after that::

    pack-3f09a1c2/pictures.bin     JPEGs, one behind the other
    pack-3f09a1c2/index.npy        for each its id, its place, and the size it had
    pack-3f09a1c2/reasons.json     why there is none, for those that could not be made
"""

from __future__ import annotations

import hashlib
import json
import logging
import mmap
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from icf.errors import BrokenMachine
from icf.images.decoder import Pixels, decode_own_jpeg
from icf.stores.files import new_folder

_log = logging.getLogger(__name__)

_PICTURES, _INDEX, _REASONS = "pictures.bin", "index.npy", "reasons.json"
#: Bytes of a pack, about; what a killed program has to make again.
_PACK_BYTES = 64 << 20

_ROW = np.dtype(
    [
        *(("high", "<u8"), ("low", "<u8")),
        *(("start", "<i8"), ("length", "<i4"), ("reason", "<i4")),
        *(("width", "<i4"), ("height", "<i4")),
    ]
)

Ids = NDArray[np.uint64]


@dataclass(frozen=True)
class Packed:
    """One small picture, or why there is none.

    Attributes:
        id: 16 bytes, from `picture_id`.
        jpeg: the picture; empty if there is none.
        reason: why there is none; empty if there is one.
        width: of the picture that it was made from, in pixels.
        height: of the same.
    """

    id: bytes
    jpeg: bytes
    reason: str = ""
    width: int = 0
    height: int = 0


def picture_id(*parts: bytes) -> bytes:
    """Return 16 bytes that stand for what a small picture is made from.

    Two things have the same id with a probability of 2**-128.
    """
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.digest()


class PackWriter:
    """Writes packs; each is on the disk when it has about 64 MiB.

    Args:
        folder: of the cache.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._waiting: list[Packed] = []
        self._bytes = 0

    def add(self, picture: Packed) -> None:
        """Add one; it may be on the disk only after `flush`."""
        self._waiting.append(picture)
        self._bytes += len(picture.jpeg)
        if self._bytes >= _PACK_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what was added since the last pack."""
        if not self._waiting:
            return
        waiting, self._waiting, self._bytes = self._waiting, [], 0
        reasons = sorted({each.reason for each in waiting} - {""})
        # The name says nothing: two programs on two machines may write at once.
        target = self._folder / f"pack-{os.urandom(8).hex()}"
        with new_folder(target) as folder:
            with (folder / _PICTURES).open("wb") as file:
                file.writelines(each.jpeg for each in waiting)
            np.save(folder / _INDEX, _rows(waiting, reasons), allow_pickle=False)
            (folder / _REASONS).write_text(json.dumps(reasons), "utf-8")


@dataclass(frozen=True, eq=False)
class PackedPictures:
    """Small pictures of a cache, n of them, in the order that was asked for.

    Attributes:
        files: the packs' ``pictures.bin``.
        file: shape (n,), int32: which of them has the picture.
        start: shape (n,), int64: where it begins.
        length: shape (n,), int32: its bytes; 0: there is none.
        size: shape (n, 2), int32: width and height of the picture it was made from.
        reasons: for each why there is none; "" if there is one.
    """

    files: tuple[Path, ...]
    file: NDArray[np.int32]
    start: NDArray[np.int64]
    length: NDArray[np.int32]
    size: NDArray[np.int32]
    reasons: tuple[str, ...]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.length)

    def jpeg(self, number: int) -> memoryview:
        """Return the bytes of one, without copying them."""
        start = int(self.start[number])
        pictures = _mapped(self.files[self.file[number]])
        return pictures[start : start + int(self.length[number])]

    def pixels(self, number: int) -> Pixels:
        """Decode one.

        Raises:
            BrokenMachine: the cache is damaged.
        """
        try:
            return decode_own_jpeg(self.jpeg(number))
        except ValueError as error:
            folder = self.files[self.file[number]].parent
            raise BrokenMachine(
                f"the cache {folder} is damaged ({error}); remove that folder: what "
                "was in it is made again"
            ) from error

    def select(self, numbers: NDArray[np.intp] | NDArray[np.bool_]) -> PackedPictures:
        """Return some of them, in the order given."""
        some = np.arange(len(self))[numbers]
        reasons = tuple(self.reasons[number] for number in some.tolist())
        return PackedPictures(
            self.files,
            self.file[some],
            self.start[some],
            self.length[some],
            self.size[some],
            reasons,
        )

    def without(self, numbers: NDArray[np.intp], why: str) -> PackedPictures:
        """Return all of them, of which some count as none.

        Args:
            numbers: of those.
            why: the reason.
        """
        length, reasons = self.length.copy(), list(self.reasons)
        length[numbers] = 0
        for number in numbers.tolist():
            reasons[number] = why
        return replace(self, length=length, reasons=tuple(reasons))


def joined(parts: Sequence[PackedPictures]) -> PackedPictures:
    """Return several in one, one behind the other."""
    before = np.cumsum([0, *(len(part.files) for part in parts)])
    files = [part.file + shift for part, shift in zip(parts, before, strict=False)]
    return PackedPictures(
        tuple(file for part in parts for file in part.files),
        np.concatenate([np.empty(0, np.int32), *files]).astype(np.int32),
        np.concatenate([np.empty(0, np.int64), *(part.start for part in parts)]),
        np.concatenate([np.empty(0, np.int32), *(part.length for part in parts)]),
        np.concatenate([np.empty((0, 2), np.int32), *(part.size for part in parts)]),
        tuple(reason for part in parts for reason in part.reasons),
    )


class Packs:
    """All packs of a cache, as they were when it was opened.

    Args:
        folder: of the cache; without any pack, nothing is in it.
    """

    def __init__(self, folder: Path) -> None:
        self._files: list[Path] = []
        self._reasons: list[str] = [""]
        tables = [np.empty(0, _ROW)]
        numbers = [np.empty(0, np.int32)]
        for pack in sorted(folder.glob("pack-*")):
            if (table := self._table(pack)) is not None:
                numbers.append(np.full(len(table), len(self._files), np.int32))
                self._files.append(pack / _PICTURES)
                tables.append(table)
        rows = np.concatenate(tables)
        order = np.argsort(rows["high"], kind="stable")
        # A last row for what is not there: -1 is its number too.
        self._rows = np.concatenate([rows[order], np.zeros(1, _ROW)])
        self._number = np.concatenate([np.concatenate(numbers)[order], [0]])

    def find(self, ids: Ids) -> NDArray[np.intp]:
        """Return which rows have these ids; -1 where none has.

        Args:
            ids: shape (n, 2), from `id_array`.
        """
        high, low = self._rows["high"][:-1], self._rows["low"][:-1]
        place = np.searchsorted(high, ids[:, 0])
        found = np.full(len(ids), -1, np.intp)
        seeking = np.flatnonzero(place < len(high))
        # As good as always one turn: equal first halves are that rare.
        while len(seeking):
            seeking = seeking[high[place[seeking]] == ids[seeking, 0]]
            same = low[place[seeking]] == ids[seeking, 1]
            found[seeking[same]] = place[seeking[same]]
            seeking = seeking[~same]
            place[seeking] += 1
            seeking = seeking[place[seeking] < len(high)]
        return found

    def pictures(
        self, rows: NDArray[np.intp], missing: Mapping[int, str]
    ) -> PackedPictures:
        """Return the pictures of some rows.

        Args:
            rows: from `find`.
            missing: why there is none, by place in ``rows``.
        """
        some = self._rows[rows]
        reasons = [self._reasons[number] for number in some["reason"].tolist()]
        for place, reason in missing.items():
            reasons[place] = reason
        return PackedPictures(
            tuple(self._files),
            self._number[rows].astype(np.int32),
            some["start"].copy(),
            some["length"].copy(),
            np.stack([some["width"], some["height"]], axis=1),
            tuple(reasons),
        )

    def _table(self, pack: Path) -> NDArray[np.void] | None:
        """Read the index of a pack; None if it is damaged: then it is made again."""
        try:
            table = np.load(pack / _INDEX, allow_pickle=False)
            reasons = json.loads((pack / _REASONS).read_text("utf-8"))
            size = (pack / _PICTURES).stat().st_size
            if table.dtype != _ROW or size != int(table["length"].sum(dtype=np.int64)):
                raise ValueError("sizes do not fit")
        except (OSError, ValueError) as error:
            _log.warning("%s is damaged, and made again: %s", pack, error)
            return None
        table["reason"][table["reason"] > 0] += len(self._reasons) - 1
        self._reasons.extend(map(str, reasons))
        return np.asarray(table)


def id_array(ids: Iterable[bytes]) -> Ids:
    """Return ids as numbers, shape (n, 2)."""
    return np.frombuffer(b"".join(ids), "<u8").reshape(-1, 2)


def _rows(pictures: Sequence[Packed], reasons: Sequence[str]) -> NDArray[np.void]:
    rows = np.zeros(len(pictures), _ROW)
    ids = id_array(each.id for each in pictures)
    rows["high"], rows["low"] = ids[:, 0], ids[:, 1]
    lengths = np.array([len(each.jpeg) for each in pictures], np.int64)
    rows["length"], rows["start"] = lengths, np.cumsum(lengths) - lengths
    number = {"": 0, **{reason: i for i, reason in enumerate(reasons, 1)}}
    rows["reason"] = [number[each.reason] for each in pictures]
    rows["width"] = [each.width for each in pictures]
    rows["height"] = [each.height for each in pictures]
    return rows


@cache
def _mapped(path: Path) -> memoryview:
    """Map a file into the memory of this process, once."""
    with path.open("rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))

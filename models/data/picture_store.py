"""What the caches of crops and of reduced pictures share: making what is missing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from icf.errors import BrokenMachine
from icf.models.data.base import Box, Reader, Skipped
from icf.models.data.cutting import Cuts, Cutter, Job, cut_all, processes_for
from icf.models.data.index import DataIndex
from icf.models.data.packed import (
    Ids,
    Packed,
    PackedPictures,
    Packs,
    PackWriter,
    id_array,
    joined,
    picture_id,
)
from icf.models.data.skipped import SkippedCounts, SkippedFor
from icf.stores.files import replace_file, sweep
from icf.stores.lock import one_at_a_time

#: Part of every key. To be raised when a cutter does something else than before.
VERSION = 1

_ANOTHER_SIZE = "it has another size than its list says, so its boxes are elsewhere"


@dataclass(frozen=True, eq=False)
class Wanted:
    """Small pictures that are wanted, k of them.

    Attributes:
        index: the pictures.
        picture: shape (k,): the picture that each is made from.
        boxes: shape (k, 4), float32: which part of it; NaN: all of it.
    """

    index: DataIndex
    picture: NDArray[np.integer]
    boxes: NDArray[np.float32]

    def ids(self, rows: NDArray[np.intp]) -> Ids:
        """Return the ids of some of them, shape (n, 2)."""
        keys = (self.index.keys[number].encode() for number in self.picture[rows])
        boxes = (box.tobytes() for box in self.boxes[rows])
        return id_array(map(picture_id, keys, boxes))

    def box(self, row: int) -> Box | None:
        """Return which part of its picture one is of; None: all of it."""
        x1, y1, x2, y2 = self.boxes[row].tolist()
        return None if np.isnan(x1) else (x1, y1, x2, y2)


def made(
    wanted: Wanted, folder: Path, cutter: Cutter, processes: int | None
) -> tuple[PackedPictures, tuple[SkippedFor, ...]]:
    """Return small pictures, making those that are not in the cache yet.

    Args:
        wanted: which.
        folder: where caches are.
        cutter: makes them.
        processes: as for `processes_for`.

    Returns:
        The pictures in the order of ``wanted``, and what could not be made.

    Raises:
        BrokenMachine: the disk is full, or fails.
    """
    source_of_row = wanted.index.source[wanted.picture]
    parts, order = [], []
    for number, source in enumerate(wanted.index.sources):
        rows = np.flatnonzero(source_of_row == number)
        if len(rows):
            store = _Store(source.reader, cutter, folder)
            parts.append(store.made(wanted, rows, processes))
            order.append(rows)
    pictures = joined(parts)
    back = np.argsort(np.concatenate([np.empty(0, np.intp), *order]), kind="stable")
    pictures = _of_stated_size(wanted, pictures.select(back))
    return pictures, _left_out(wanted, pictures)


def _of_stated_size(wanted: Wanted, pictures: PackedPictures) -> PackedPictures:
    """Leave out what is made from a picture of another size than its source says."""
    stated = wanted.index.stated[wanted.picture]
    differs = (stated > 0).all(1) & (stated != pictures.size).any(1)
    wrong = np.flatnonzero(differs & (pictures.length > 0))
    return pictures.without(wrong, _ANOTHER_SIZE) if len(wrong) else pictures


def _left_out(wanted: Wanted, pictures: PackedPictures) -> tuple[SkippedFor, ...]:
    skipped = SkippedCounts()
    for row in np.flatnonzero(pictures.length == 0).tolist():
        number = int(wanted.picture[row])
        reader = wanted.index.sources[int(wanted.index.source[number])].reader
        where = wanted.index.keys[number]
        skipped.add(reader.name, Skipped(where, pictures.reasons[row]))
    return tuple(skipped)


class _Store:
    """The cache of one reader's pictures, as one cutter makes them."""

    def __init__(self, reader: Reader, cutter: Cutter, folder: Path) -> None:
        self._reader, self._cutter = reader, cutter
        about = {
            "version": VERSION,
            "kind": reader.kind,
            "pictures": reader.pictures_fingerprint(),
            "made_by": type(cutter).__name__,
            **asdict(cutter),
        }
        text = json.dumps(about, sort_keys=True)
        name = picture_id(text.encode()).hex()
        self._folder = folder / name
        self._about = json.dumps({"source": reader.name, **about}, indent=2)

    def made(
        self, wanted: Wanted, rows: NDArray[np.intp], processes: int | None
    ) -> PackedPictures:
        ids = wanted.ids(rows)
        packs = Packs(self._folder)
        found = packs.find(ids)
        passing: dict[int, str] = {}
        if (found < 0).any():
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                with one_at_a_time(self._folder / "lock", "icf-train"):
                    passing = self._make(wanted, rows, ids, processes)
            except OSError as error:
                raise BrokenMachine(
                    f"cannot write the cache {self._folder}: {error}; free some space, "
                    "or check who may write there"
                ) from error
            packs = Packs(self._folder)
            found = packs.find(ids)
        return packs.pictures(found, passing)

    def _make(
        self,
        wanted: Wanted,
        rows: NDArray[np.intp],
        ids: Ids,
        processes: int | None,
    ) -> dict[int, str]:
        """Make what is missing; return why what may come later did not, by place."""
        sweep(self._folder)
        replace_file(self._folder / "about.json", [self._about.encode()])
        # Another program may have made some of it meanwhile.
        missing = np.flatnonzero(Packs(self._folder).find(ids) < 0)
        missing = missing[np.argsort(wanted.picture[rows[missing]], kind="stable")]
        pictures = wanted.picture[rows[missing]].tolist()
        places = [
            [place for _, place in group]
            for _, group in groupby(
                zip(pictures, missing.tolist(), strict=True), key=lambda each: each[0]
            )
        ]
        count = processes_for(len(places), processes)
        results = cut_all(
            self._reader, self._cutter, self._jobs(wanted, rows, places), count
        )
        writer = PackWriter(self._folder)
        passing: dict[int, str] = {}
        for of_picture, cuts in zip(places, results, strict=True):
            for place, cut in zip(of_picture, cuts.jpegs, strict=True):
                if cuts.passing:
                    passing[place] = str(cut)
                else:
                    writer.add(_packed(ids[place].tobytes(), cut, cuts))
        writer.flush()
        return passing

    @staticmethod
    def _jobs(
        wanted: Wanted, rows: NDArray[np.intp], places: list[list[int]]
    ) -> Iterator[Job]:
        for of_picture in places:
            key = wanted.index.keys[int(wanted.picture[rows[of_picture[0]]])]
            yield Job(key, tuple(wanted.box(rows[place]) for place in of_picture))


def _packed(identity: bytes, cut: bytes | str, cuts: Cuts) -> Packed:
    if isinstance(cut, str):
        return Packed(identity, b"", cut, cuts.width, cuts.height)
    return Packed(identity, cut, "", cuts.width, cuts.height)

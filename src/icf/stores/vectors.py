"""Store of embeddings: append-only shards of float16 rows with their face ids.

One folder per model hash. A row is ``id`` (int64), ``d`` float16 numbers and the CRC-32
of both, so a file cut short by a crash is valid up to its last complete row: readers
ignore the rest, and the next writer truncates it. The last row of an id is the valid
one; one that the disk has changed counts as missing. There is one writer at a time, by
a lock on the folder.

Files of earlier versions (``.rows``) have no CRC: of theirs, rows of zeros and of no
finite numbers count as missing.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from icf.errors import BadInput, BrokenMachine

#: Bytes after which a new shard is started.
SHARD_BYTES = 256 * 1024 * 1024

_SUFFIX, _UNCHECKED = ".checked", ".rows"

#: Of more rows, so many are read at a time, and their part of the file is let go.
_FEW = 4096
#: Ids that are read at a time.
_IDS = 1 << 16

#: Replaces the id of an erased row; ids are positive.
_ERASED = -1


class MissingVector(BrokenMachine):
    """Faces have no embedding by the model that the catalogue says they have one by."""


class VectorStore:
    """The embeddings below one folder; threads that only read can share it."""

    def __init__(self, folder: str | Path, shard_bytes: int = SHARD_BYTES) -> None:
        self.folder = Path(folder)
        self.shard_bytes = shard_bytes
        self._models: dict[str, _Model] = {}

    def append(
        self, model: str, ids: NDArray[np.int64], matrix: NDArray[np.float32]
    ) -> None:
        """Add rows; they are on disk when this returns.

        Args:
            model: the model's SHA-256.
            ids: shape (n,), the faces' ids.
            matrix: shape (n, d), the same d as every row of this model.

        Raises:
            BadInput: the shapes do not match each other or the stored rows.
        """
        if matrix.ndim != 2 or ids.shape != (len(matrix),):
            raise BadInput(f"{ids.shape} ids do not match a matrix of {matrix.shape}")
        if not len(matrix):
            return
        folder = self.folder / model
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder):
            self._append(folder, ids, matrix)

    def get(self, model: str, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Read rows, normalised to unit length.

        Args:
            model: the model's SHA-256.
            ids: shape (n,), the faces' ids.

        Returns:
            Shape (n, d), float32, in the order of ``ids``.

        Raises:
            MissingVector: some ids have no row.
        """
        places = self._model(model).places(ids)
        matrix = np.zeros((len(ids), places.width), np.float32)
        found = np.zeros(len(ids), np.bool_)
        for chosen, rows in places.rows():
            matrix[chosen] = rows["vector"]
            # Rows may have been erased since their places were read.
            found[chosen] = (rows["id"] == ids[chosen]) & _is_whole(rows)
        _check_missing(model, ids[~found])
        lengths = np.sqrt(np.einsum("nd,nd->n", matrix, matrix))[:, None]
        matrix /= np.maximum(lengths, np.finfo(np.float32).tiny)
        return matrix

    def cosines(
        self, model: str, ids: NDArray[np.int64], others: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Compute the cosines of pairs of faces: shape (n,), for two arrays of n ids.

        Raises:
            MissingVector: some have no vector by this model.
        """
        every, places = np.unique([ids, others], return_inverse=True)
        vectors = self.get(model, every)
        one, other = vectors[places.reshape(2, -1)]
        return np.asarray(np.einsum("nd,nd->n", one, other), np.float32)

    def cosines_with_all(
        self, model: str, vector: NDArray[np.float32]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Compute the cosine of every face with one vector.

        The rows are read as they are on the disk: ask `has` about those that matter.

        Args:
            model: the model's SHA-256.
            vector: shape (d,), of unit length.

        Returns:
            The faces, ascending, and their cosines; shape (n,) each.
        """
        ids = self._model(model).ids()
        cosines = np.full(len(ids), -1.0, np.float32)
        for chosen, rows in self._model(model).places(ids).rows():
            matrix = rows["vector"].astype(np.float32)
            # Damaged rows may have any numbers.
            with np.errstate(invalid="ignore", over="ignore"):
                lengths = np.sqrt(np.einsum("nd,nd->n", matrix, matrix))
                found = np.einsum("nd,d->n", matrix, vector)
                found /= np.maximum(lengths, np.finfo(np.float32).tiny)
            cosines[chosen] = np.nan_to_num(found, nan=-1.0)
        return ids, cosines

    def has(self, model: str, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Mark which of these faces have a vector of ``model``: shape (n,)."""
        places = self._model(model).places(ids)
        found = np.zeros(len(ids), np.bool_)
        for chosen, rows in places.rows():
            found[chosen] = (rows["id"] == ids[chosen]) & _is_whole(rows)
        return found

    def erase(self, ids: NDArray[np.int64]) -> int:
        """Overwrite every row of these faces, by any model; return how many.

        The numbers are overwritten on the disk when this returns; `get` no longer
        finds the faces.
        """
        return sum(_erase(folder, ids) for folder in self._folders())

    def erase_after(self, last: int) -> int:
        """Do the same with every face of a greater id than ``last``."""
        later = [ids[ids > last] for ids in self._ids_of_models()]
        return self.erase(np.concatenate(later)) if later else 0

    def last_id(self) -> int:
        """The greatest id of a face that has a vector; 0 if there is none."""
        return max(
            (int(ids[-1]) for ids in self._ids_of_models() if len(ids)), default=0
        )

    def _ids_of_models(self) -> list[NDArray[np.int64]]:
        return [self._model(folder.name).ids() for folder in self._folders()]

    def _folders(self) -> list[Path]:
        return sorted(each for each in self.folder.glob("*") if each.is_dir())

    def ids(self, model: str) -> NDArray[np.int64]:
        """Return the faces that have a vector of ``model``: shape (n,), sorted."""
        ids = self._model(model).ids()
        return ids[self.has(model, ids)]

    def _model(self, model: str) -> _Model:
        return self._models.setdefault(model, _Model(self.folder / model))

    def _append(
        self, folder: Path, ids: NDArray[np.int64], matrix: NDArray[np.float32]
    ) -> None:
        shards = _shards(folder)
        last = shards[-1] if shards else None
        if last is not None and _dim(last) != matrix.shape[1]:
            raise BadInput(
                f"vectors of {matrix.shape[1]} numbers do not match those of "
                f"{_dim(last)} in {folder}"
            )
        is_full = last is None or last.stat().st_size >= self.shard_bytes
        if last is None or is_full or last.suffix != _SUFFIX:
            number = 0 if last is None else _number(last) + 1
            last = folder / f"{number:06}-{matrix.shape[1]}{_SUFFIX}"
        rows = np.empty(len(ids), _dtype(last))
        rows["id"], rows["vector"] = ids, matrix
        rows["crc"] = _crc(rows)
        with last.open("ab") as file:
            file.truncate(file.tell() // rows.itemsize * rows.itemsize)
            file.write(rows.tobytes())
            file.flush()
            os.fsync(file.fileno())


#: The rows of a shard, on the disk.
_Rows = NDArray[np.void]


@dataclass(frozen=True)
class _Places:
    """The places of rows.

    Attributes:
        shard, row: shape (n,); shard is -1 for ids without a row.
        shards: all shards.
    """

    shard: NDArray[np.int64]
    row: NDArray[np.int64]
    shards: tuple[_Rows, ...]

    @property
    def width(self) -> int:
        """How many numbers a vector has."""
        return int(self.shards[0].dtype["vector"].shape[0]) if self.shards else 0

    def rows(self) -> Iterator[tuple[NDArray[np.int64], _Rows]]:
        """Read the rows, shard by shard: which of the places, and their rows."""
        for number, shard in enumerate(self.shards):
            chosen = np.flatnonzero(self.shard == number)
            if 0 < len(chosen) <= _FEW:
                yield chosen, shard[self.row[chosen]]
            else:
                yield from self._in_parts(chosen, shard)

    def _in_parts(
        self, chosen: NDArray[np.int64], shard: _Rows
    ) -> Iterator[tuple[NDArray[np.int64], _Rows]]:
        """Read many rows of a shard as they lie on the disk, a part at a time."""
        chosen = chosen[np.argsort(self.row[chosen], kind="stable")]
        for start in range(0, len(chosen), _FEW):
            some = chosen[start : start + _FEW]
            yield some, shard[self.row[some]]
            _let_go(shard)


#: Keys and their values, sorted by key.
_Sorted = tuple[NDArray[np.int64], NDArray[np.int64]]

_NOTHING: _Sorted = (np.empty(0, np.int64), np.empty(0, np.int64))

#: Largest size of the array of recent rows before it is merged into the large one.
_RECENT = 65_536

#: Bits of a place for the row; the others are for the shard.
_ROW_BITS = 40


class _Model:
    """The place of each id's last row; reads on as shards grow.

    16 bytes per face, in sorted arrays. New rows go into a small one first, so that
    reading a few new rows does not copy the large one.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._old = _NOTHING
        self._recent = _NOTHING
        self._shards: dict[Path, _Rows] = {}
        self._files: dict[Path, tuple[int, int]] = {}
        self._growing = threading.Lock()

    def places(self, ids: NDArray[np.int64]) -> _Places:
        """Return the current places of the rows of ``ids``."""
        old, recent, shards = self._refreshed()
        place = np.full(len(ids), -1, np.int64)
        for keys, values in (old, recent):
            if len(keys):
                at = np.minimum(np.searchsorted(keys, ids), len(keys) - 1)
                hit = keys[at] == ids
                place[hit] = values[at[hit]]
        row = place & ((1 << _ROW_BITS) - 1)
        return _Places(place >> _ROW_BITS, row, shards)

    def ids(self) -> NDArray[np.int64]:
        """Every id that has a row, ascending."""
        old, recent, _ = self._refreshed()
        return _merged(old, recent)[0]

    def _refreshed(self) -> tuple[_Sorted, _Sorted, tuple[_Rows, ...]]:
        """Take in the rows that were added since the last look."""
        with self._growing:
            found = _shards(self.folder)
            sizes = {shard: _count(shard) for shard in found}
            files = {shard: _file(shard) for shard in found}
            if any(
                sizes.get(each, 0) < len(rows)
                or files.get(each) != self._files.get(each)
                for each, rows in self._shards.items()
            ):
                # Something has cut, removed or replaced a file: reading the rest would
                # crash, or give what is no longer there.
                self._old, self._recent, self._shards = _NOTHING, _NOTHING, {}
            self._files = files
            for shard, count in sizes.items():
                known = self._shards.setdefault(shard, np.empty(0, _dtype(shard)))
                if count > len(known):
                    rows = self._shards[shard] = _complete_rows(shard)
                    number = list(self._shards).index(shard)
                    self._add(number, len(known), _ids_from(rows, len(known)))
            return self._old, self._recent, tuple(self._shards.values())

    def _add(self, number: int, start: int, ids: NDArray[np.int64]) -> None:
        rows = np.arange(start, start + len(ids)) | (number << _ROW_BITS)
        valid = ids != _ERASED
        self._recent = _merged(self._recent, (ids[valid], rows[valid]))
        if len(self._recent[0]) > _RECENT:
            self._old = _merged(self._old, self._recent)
            self._recent = _NOTHING


def _merged(known: _Sorted, new: _Sorted) -> _Sorted:
    """Merge both; of several places of an id the last is kept."""
    keys, places = (np.concatenate(pair) for pair in zip(known, new, strict=True))
    order = np.argsort(keys, kind="stable")
    keys, places = keys[order], places[order]
    last = np.append(keys[1:] != keys[:-1], True)[: len(keys)]
    return keys[last], places[last]


def _check_missing(model: str, missing: NDArray[np.int64]) -> None:
    if len(missing):
        shown = ", ".join(map(str, missing[:10].tolist()))
        raise MissingVector(
            f"the embeddings of {len(missing)} faces by model {model[:12]} are lost or "
            f"damaged: faces {shown}; `icf doctor --repair` makes them again, or "
            "says which pictures are lost too"
        )


def _dtype(shard: Path) -> np.dtype[np.void]:
    columns = [("id", "<i8"), ("vector", "<f2", (_dim(shard),))]
    if shard.suffix == _SUFFIX:
        columns.append(("crc", "<u4"))
    return np.dtype(columns)


def _crc(rows: _Rows) -> NDArray[np.uint32]:
    """The CRC-32 of each row without its last column: shape (n,)."""
    size = rows.itemsize
    data = memoryview(np.ascontiguousarray(rows).tobytes())
    starts = range(0, len(data), size)
    sums = (zlib.crc32(data[start : start + size - 4]) for start in starts)
    return np.fromiter(sums, np.uint32, len(rows))


def _is_whole(rows: _Rows) -> NDArray[np.bool_]:
    """Mark the rows that are as they were written: shape (n,)."""
    if "crc" in (rows.dtype.names or ()):
        return np.asarray(rows["crc"] == _crc(rows))
    vectors = rows["vector"]
    return np.asarray(np.isfinite(vectors).all(axis=1) & vectors.any(axis=1))


def _number(shard: Path) -> int:
    return int(shard.stem.split("-")[0])


def _dim(shard: Path) -> int:
    return int(shard.stem.split("-")[1])


def _shards(folder: Path) -> list[Path]:
    found = [*folder.glob(f"*{_SUFFIX}"), *folder.glob(f"*{_UNCHECKED}")]
    return sorted(found, key=lambda shard: (_number(shard), shard.suffix == _SUFFIX))


def _count(shard: Path) -> int:
    return shard.stat().st_size // _dtype(shard).itemsize


def _file(shard: Path) -> tuple[int, int]:
    """Which file it is: no other has these numbers while this one is mapped."""
    status = shard.stat()
    return status.st_dev, status.st_ino


def _complete_rows(shard: Path) -> _Rows:
    count = _count(shard)
    if not count:
        return np.empty(0, _dtype(shard))
    mapped = np.memmap(shard, _dtype(shard), "r", shape=(count,))
    return mapped.view(np.ndarray)


def _ids_from(rows: _Rows, start: int) -> NDArray[np.int64]:
    """Read the ids of all rows from one on; each page of the file has some."""
    parts = [np.empty(0, np.int64)]
    for first in range(start, len(rows), _IDS):
        parts.append(rows["id"][first : first + _IDS].copy())
        _let_go(rows)
    return np.concatenate(parts)


def _let_go(rows: _Rows) -> None:
    """Give back the pages that were read of a mapped file.

    They stay in the system's cache, and count as this process's memory no longer: who
    reads all vectors would hold the whole file.
    """
    mapped = rows.base
    if isinstance(mapped, np.memmap) and isinstance(mapped.base, mmap.mmap):
        mapped.base.madvise(mmap.MADV_DONTNEED)


def _erase(folder: Path, ids: NDArray[np.int64]) -> int:
    erased = 0
    with _locked(folder):
        for shard in _shards(folder):
            held = _complete_rows(shard)["id"]
            chosen = np.flatnonzero(np.isin(held, ids))
            if not len(chosen):
                continue
            rows = np.memmap(shard, _dtype(shard), "r+", shape=(len(held),))
            # The numbers first: if interrupted, the row can still be found by its id.
            rows["vector"][chosen] = 0
            rows.flush()
            rows["id"][chosen] = _ERASED
            rows.flush()
            erased += len(chosen)
    return erased


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield

"""Embeddings, outside of SQL: append-only shards of float16 rows with their face ids.

One folder a model hash. A row is ``id`` (int64) then ``d`` float16 numbers, so a file
cut short by a crash is still good up to its last complete row: readers ignore the rest,
and the next writer cuts it off. The last row of an id is the one that counts. There is
one writer at a time, held by a lock on the folder.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from icf.errors import BadInput

#: Bytes after which a new shard is begun.
SHARD_BYTES = 256 * 1024 * 1024

_SUFFIX = ".rows"

#: Stands where a face's id was; ids are positive.
_ERASED = -1


class MissingVector(BadInput):
    """Some faces have no embedding by this model."""


class VectorStore:
    """The embeddings below one folder; safe to share between threads that only read."""

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
            BadInput: the shapes do not fit each other or what is stored.
        """
        if matrix.ndim != 2 or ids.shape != (len(matrix),):
            raise BadInput(f"{ids.shape} ids do not fit a matrix of {matrix.shape}")
        if not len(matrix):
            return
        folder = self.folder / model
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder):
            self._append(folder, ids, matrix)

    def get(self, model: str, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Read rows, brought back to unit length.

        Args:
            model: the model's SHA-256.
            ids: shape (n,), the faces' ids.

        Returns:
            Shape (n, d), float32, in the order of ``ids``.

        Raises:
            MissingVector: some ids have no row.
        """
        found = self._model(model)
        found.refresh()
        missing = [int(each) for each in ids if int(each) not in found.rows]
        if missing:
            shown = ", ".join(map(str, missing[:10]))
            raise MissingVector(
                f"{len(missing)} faces have no vector of model {model[:12]}: {shown}; "
                "run `icf-filter embed` again"
            )
        return found.read(ids)

    def erase(self, ids: NDArray[np.int64]) -> int:
        """Overwrite every row of these faces, by any model; return how many.

        The numbers are gone from the disk when this returns; `get` has no such faces
        any more.
        """
        return sum(
            _erase(folder, ids)
            for folder in sorted(self.folder.glob("*"))
            if folder.is_dir()
        )

    def ids(self, model: str) -> NDArray[np.int64]:
        """Every face that has a vector of ``model``: shape (n,), sorted."""
        found = self._model(model)
        found.refresh()
        return np.array(sorted(found.rows), np.int64)

    def _model(self, model: str) -> _Model:
        return self._models.setdefault(model, _Model(self.folder / model))

    def _append(
        self, folder: Path, ids: NDArray[np.int64], matrix: NDArray[np.float32]
    ) -> None:
        dtype = _dtype(matrix.shape[1])
        shards = _shards(folder)
        last = shards[-1] if shards else None
        if last is not None and _dim(last) != matrix.shape[1]:
            raise BadInput(
                f"vectors of {matrix.shape[1]} numbers do not go with those of "
                f"{_dim(last)} in {folder}"
            )
        if last is None or last.stat().st_size >= self.shard_bytes:
            last = folder / f"{len(shards):06}-{matrix.shape[1]}{_SUFFIX}"
        rows = np.empty(len(ids), dtype)
        rows["id"], rows["vector"] = ids, matrix
        with last.open("ab") as file:
            file.truncate(file.tell() // dtype.itemsize * dtype.itemsize)
            file.write(rows.tobytes())
            file.flush()
            os.fsync(file.fileno())


class _Model:
    """Where each id's last row is, read on as shards grow."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        #: id -> (shard, row)
        self.rows: dict[int, tuple[int, int]] = {}
        self._seen: list[int] = []

    def refresh(self) -> None:
        """Take in the rows that were added since the last look."""
        for number, shard in enumerate(_shards(self.folder)):
            if number == len(self._seen):
                self._seen.append(0)
            rows = _complete_rows(shard)
            start = self._seen[number]
            for row, each in enumerate(rows["id"][start:].tolist(), start):
                if each != _ERASED:
                    self.rows[each] = (number, row)
            self._seen[number] = len(rows)

    def read(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Gather rows, shard by shard."""
        shards = _shards(self.folder)
        places = np.array([self.rows[int(each)] for each in ids], np.int64).reshape(
            -1, 2
        )
        dim = _dim(shards[0]) if shards else 0
        matrix = np.empty((len(ids), dim), np.float32)
        for number in np.unique(places[:, 0]):
            chosen = places[:, 0] == number
            rows = _complete_rows(shards[number])
            matrix[chosen] = rows["vector"][places[chosen, 1]]
        lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
        matrix /= np.maximum(lengths, np.finfo(np.float32).tiny)
        return matrix


def _dtype(dim: int) -> np.dtype[np.void]:
    return np.dtype([("id", "<i8"), ("vector", "<f2", (dim,))])


def _dim(shard: Path) -> int:
    return int(shard.stem.split("-")[1])


def _shards(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{_SUFFIX}"))


def _complete_rows(shard: Path) -> NDArray[np.void]:
    dtype = _dtype(_dim(shard))
    count = shard.stat().st_size // dtype.itemsize
    if not count:
        return np.empty(0, dtype)
    return np.memmap(shard, dtype, "r", shape=(count,))


def _erase(folder: Path, ids: NDArray[np.int64]) -> int:
    erased = 0
    with _locked(folder):
        for shard in _shards(folder):
            held = _complete_rows(shard)["id"]
            chosen = np.flatnonzero(np.isin(held, ids))
            if not len(chosen):
                continue
            rows = np.memmap(shard, _dtype(_dim(shard)), "r+", shape=(len(held),))
            # The numbers first: a row that still has its id can be found again.
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

"""Nearest neighbours of unit vectors, by id: exact up to a million faces.

Above that, an inverted file: vectors are grouped into lists by the nearest of some
thousand centroids, and a search probes as many lists as are needed to find 99% of the
ten nearest (measured while the index is built). Built on faiss; searches run on a GPU
if faiss finds one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from icf.errors import WrongUse

Ids = NDArray[np.int64]
Vectors = NDArray[np.float32]

#: Number of vectors up to which the search is exhaustive.
FLAT_UP_TO = 1_000_000
#: Recall of the true nearest that an inverted file must reach.
RECALL = 0.99

#: Vectors that are read, added or searched at a time.
_BLOCK = 16_384
#: Training vectors per list; faiss requires at least 39.
_TRAINED_ON = 40
#: Number of queries, and of neighbours of each, for measuring recall.
_PROBES, _NEAREST = 256, 10
#: Largest number of neighbours that faiss returns on a GPU.
_GPU_NEAREST = 2048


@dataclass(frozen=True)
class Nearest:
    """The nearest neighbours of each query, nearest first.

    Attributes:
        ids: shape (n, k); -1 if there are fewer than k.
        cosines: shape (n, k), float32.
    """

    ids: Ids
    cosines: Vectors


@dataclass(frozen=True)
class Within:
    """All neighbours within a distance: arrays of shape (pairs,), sorted by row.

    Attributes:
        rows: the query's row.
        ids: the neighbour's id.
        cosines: their cosine similarity.
    """

    rows: Ids
    ids: Ids
    cosines: Vectors


class Neighbours:
    """An index of unit vectors.

    Attributes:
        ids: shape (n,): the ids of the vectors.
        lists: number of lists of the inverted file; 0 for an exhaustive search.
        probed: number of lists that a search probes.
        on_gpu: whether searches run on a GPU.
    """

    def __init__(
        self,
        ids: Ids,
        read: Callable[[Ids], Vectors],
        *,
        flat_up_to: int = FLAT_UP_TO,
    ) -> None:
        """Build the index, a block of vectors at a time.

        It takes 4 bytes per number if exhaustive; as an inverted file 2 bytes (as in
        the vector store), and the training sample.

        Args:
            ids: shape (n,), not empty.
            read: returns the unit vectors of ids, shape (m, d), float32; for example
                ``functools.partial(store.get, model)``.
            flat_up_to: number of vectors up to which the search is exhaustive.

        Raises:
            WrongUse: there are no ids.
        """
        if not len(ids):
            raise WrongUse("there are no vectors to search for neighbours in")
        self.ids = ids
        self._read = read
        self.lists = 0
        self.probed = 0
        import faiss  # takes a fifth of a second, and most runs search for nothing

        dim = read(ids[:1]).shape[1]
        if len(ids) <= flat_up_to:
            self._index: Any = faiss.IndexFlatIP(dim)
        else:
            self._index = self._inverted(dim)
        for _, block in self._blocks():
            self._index.add(block)
        if self.lists:
            self._choose_probed()
        self._searched = self._index
        self.on_gpu = faiss.get_num_gpus() > 0 and self.probed <= _GPU_NEAREST
        if self.on_gpu:
            self._searched = faiss.index_cpu_to_all_gpus(self._index)

    def nearest(self, vectors: Vectors, k: int) -> Nearest:
        """Find the k nearest of each vector.

        Args:
            vectors: shape (n, d), each of length 1.
            k: at least 1.
        """
        index = self._index if k > _GPU_NEAREST else self._searched
        return self._nearest(index, vectors, k)

    def within(self, vectors: Vectors, cosine: float) -> Within:
        """Find all neighbours with at least this cosine to each vector.

        An inverted file with `RECALL` of the ten nearest misses a few per cent more of
        neighbours that are farther away.

        Args:
            vectors: shape (n, d), each of length 1.
            cosine: from -1 to 1.
        """
        # faiss returns cosines above its limit, not equal to it.
        limit = float(np.nextafter(np.float32(cosine), np.float32(-2)))
        if self.on_gpu:
            return self._within_on_gpu(vectors, limit)
        return self._within(vectors, limit)

    def pairs(self, cosine: float) -> Iterator[tuple[Ids, Ids, Vectors]]:
        """Find all pairs in the index with at least this cosine, once.

        Yields:
            Blocks of three arrays of shape (pairs,): the smaller id, the larger, and
            their cosine.
        """
        for ids, block in self._blocks():
            found = self.within(block, cosine)
            one = ids[found.rows]
            once = one < found.ids
            yield one[once], found.ids[once], found.cosines[once]

    def _nearest(self, index: Any, vectors: Vectors, k: int) -> Nearest:
        k = min(k, len(self.ids))
        cosines, places = index.search(np.ascontiguousarray(vectors), k)
        return Nearest(np.where(places < 0, -1, self.ids[places]), cosines)

    def _within(self, vectors: Vectors, limit: float) -> Within:
        ends, cosines, places = self._index.range_search(
            np.ascontiguousarray(vectors), limit
        )
        counts = np.diff(ends.astype(np.int64))
        rows = np.repeat(np.arange(len(vectors)), counts)
        return Within(rows, self.ids[places.astype(np.int64)], cosines)

    def _within_on_gpu(self, vectors: Vectors, limit: float) -> Within:
        """Use many nearest neighbours in place of a range; the CPU if too few."""
        found = self.nearest(vectors, _GPU_NEAREST)
        near = (found.cosines > limit) & (found.ids >= 0)
        complete = near.shape[1] == len(self.ids) or ~near.all(axis=1)
        near &= np.reshape(complete, (-1, 1))
        beyond = np.flatnonzero(~np.broadcast_to(complete, len(vectors)))
        more = self._within(vectors[beyond], limit)
        rows = np.concatenate([np.nonzero(near)[0], beyond[more.rows]])
        ids = np.concatenate([found.ids[near], more.ids])
        cosines = np.concatenate([found.cosines[near], more.cosines])
        order = np.argsort(rows, kind="stable")
        return Within(rows[order], ids[order], cosines[order])

    def _inverted(self, dim: int) -> Any:
        """Make an empty inverted file, its centroids trained on a sample."""
        import faiss

        most = len(self.ids) // _TRAINED_ON
        self.lists = max(1, min(most, round(4 * math.sqrt(len(self.ids)))))
        centroids = faiss.IndexFlatIP(dim)
        index = faiss.IndexIVFScalarQuantizer(
            centroids,
            dim,
            self.lists,
            faiss.ScalarQuantizer.QT_fp16,
            faiss.METRIC_INNER_PRODUCT,
        )
        index.train(self._read(self._sample(self.lists * _TRAINED_ON)))
        return index

    def _choose_probed(self) -> None:
        """Double the number of probed lists until `RECALL` is reached."""
        probes = self._read(self._sample(_PROBES))
        truth = self._others(probes, self.lists)
        self.probed = 1
        while self.probed < self.lists:
            found = self._others(probes, self.probed)
            hits = (truth[:, :, None] == found[:, None, :]).any(axis=2)
            if hits.mean() >= RECALL:
                break
            self.probed = min(2 * self.probed, self.lists)
        self._index.nprobe = self.probed

    def _others(self, probes: Vectors, lists: int) -> Ids:
        """Find the nearest of indexed vectors, without themselves."""
        self._index.nprobe = lists
        return self._nearest(self._index, probes, _NEAREST + 1).ids[:, 1:]

    def _sample(self, count: int) -> Ids:
        """Choose ids evenly from all; deterministic."""
        places = np.linspace(0, len(self.ids) - 1, min(count, len(self.ids)))
        return self.ids[np.unique(places.round().astype(np.int64))]

    def _blocks(self) -> Iterator[tuple[Ids, Vectors]]:
        for start in range(0, len(self.ids), _BLOCK):
            some = self.ids[start : start + _BLOCK]
            yield some, self._read(some)

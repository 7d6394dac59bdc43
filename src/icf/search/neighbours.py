"""The nearest of many unit vectors, by id: everything compared up to a million faces.

Above that, an inverted file: vectors are sorted into lists by their nearest of some
thousand centres, and a search looks into as many of the nearest lists as it takes to
find 99% of the ten nearest (measured while the index is made). Built on
faiss; a GPU does the searching where faiss sees one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from icf.errors import WrongUse

Ids = NDArray[np.int64]
Vectors = NDArray[np.float32]

#: Vectors up to which everything is compared with everything.
FLAT_UP_TO = 1_000_000
#: What an inverted file has to find of the true nearest.
RECALL = 0.99

#: Vectors that are read, added or looked up at a time.
_BLOCK = 16_384
#: Vectors a list that the centres are trained on; faiss asks for 39 at least.
_TRAINED_ON = 40
#: Vectors, spread over all, and neighbours of each, that recall is measured with.
_PROBES, _NEAREST = 256, 10
#: The most neighbours that faiss gives on a GPU.
_GPU_NEAREST = 2048


@dataclass(frozen=True)
class Nearest:
    """The nearest of each vector that was looked up, nearest first.

    Attributes:
        ids: shape (n, k); -1 where there are fewer than k.
        cosines: shape (n, k), float32.
    """

    ids: Ids
    cosines: Vectors


@dataclass(frozen=True)
class Within:
    """All that lie near enough: three arrays of shape (pairs,), rows ascending.

    Attributes:
        rows: which of the vectors that were looked up.
        ids: whom it is near.
        cosines: how near.
    """

    rows: Ids
    ids: Ids
    cosines: Vectors


class Neighbours:
    """An index of unit vectors.

    Attributes:
        ids: shape (n,): whose the vectors are.
        lists: lists of the inverted file; 0 where everything is compared.
        looked_into: how many of them a search looks into.
        on_gpu: whether a GPU searches.
    """

    def __init__(
        self,
        ids: Ids,
        read: Callable[[Ids], Vectors],
        *,
        flat_up_to: int = FLAT_UP_TO,
    ) -> None:
        """Build the index, a block of vectors at a time.

        Flat it takes 4 bytes a number, as inverted file 2 (as the vector store has
        them), and the sample that the centres are trained on.

        Args:
            ids: shape (n,), not empty.
            read: gives the unit vectors of some ids, shape (m, d), float32; as
                ``functools.partial(store.get, model)`` does.
            flat_up_to: vectors up to which everything is compared.

        Raises:
            WrongUse: there are no ids.
        """
        if not len(ids):
            raise WrongUse("there are no vectors to look for neighbours among")
        self.ids = ids
        self._read = read
        self.lists = 0
        self.looked_into = 0
        dim = read(ids[:1]).shape[1]
        if len(ids) <= flat_up_to:
            self._index: Any = faiss.IndexFlatIP(dim)
        else:
            self._index = self._inverted(dim)
        for _, block in self._blocks():
            self._index.add(block)
        if self.lists:
            self._look_into_enough()
        self._searched = self._index
        self.on_gpu = faiss.get_num_gpus() > 0 and self.looked_into <= _GPU_NEAREST
        if self.on_gpu:
            self._searched = faiss.index_cpu_to_all_gpus(self._index)

    def nearest(self, vectors: Vectors, k: int) -> Nearest:
        """Find the k nearest of each vector.

        Args:
            vectors: shape (n, d), each of length 1.
            k: from 1 on.
        """
        index = self._index if k > _GPU_NEAREST else self._searched
        return self._nearest(index, vectors, k)

    def within(self, vectors: Vectors, cosine: float) -> Within:
        """Find all that have at least this cosine to each vector.

        An inverted file that finds `RECALL` of the ten nearest misses a few per cent
        more of hundreds that lie farther out.

        Args:
            vectors: shape (n, d), each of length 1.
            cosine: from -1 to 1.
        """
        # faiss gives what is nearer than its limit, and not what lies on it.
        limit = float(np.nextafter(np.float32(cosine), np.float32(-2)))
        if self.on_gpu:
            return self._within_on_gpu(vectors, limit)
        return self._within(vectors, limit)

    def pairs(self, cosine: float) -> Iterator[tuple[Ids, Ids, Vectors]]:
        """Find every two of the index that have at least this cosine, once.

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
        """GPUs give no ranges: take many neighbours; where they do not reach, a CPU."""
        found = self.nearest(vectors, _GPU_NEAREST)
        near = (found.cosines > limit) & (found.ids >= 0)
        reached = near.shape[1] == len(self.ids) or ~near.all(axis=1)
        near &= np.reshape(reached, (-1, 1))
        beyond = np.flatnonzero(~np.broadcast_to(reached, len(vectors)))
        more = self._within(vectors[beyond], limit)
        rows = np.concatenate([np.nonzero(near)[0], beyond[more.rows]])
        ids = np.concatenate([found.ids[near], more.ids])
        cosines = np.concatenate([found.cosines[near], more.cosines])
        order = np.argsort(rows, kind="stable")
        return Within(rows[order], ids[order], cosines[order])

    def _inverted(self, dim: int) -> Any:
        """An empty inverted file whose centres are trained on a spread of vectors."""
        most = len(self.ids) // _TRAINED_ON
        self.lists = max(1, min(most, round(4 * math.sqrt(len(self.ids)))))
        centres = faiss.IndexFlatIP(dim)
        index = faiss.IndexIVFScalarQuantizer(
            centres,
            dim,
            self.lists,
            faiss.ScalarQuantizer.QT_fp16,
            faiss.METRIC_INNER_PRODUCT,
        )
        index.train(self._read(self._spread(self.lists * _TRAINED_ON)))
        return index

    def _look_into_enough(self) -> None:
        """Double the lists that are looked into until `RECALL` is reached."""
        probes = self._read(self._spread(_PROBES))
        truth = self._others(probes, self.lists)
        self.looked_into = 1
        while self.looked_into < self.lists:
            found = self._others(probes, self.looked_into)
            hits = (truth[:, :, None] == found[:, None, :]).any(axis=2)
            if hits.mean() >= RECALL:
                break
            self.looked_into = min(2 * self.looked_into, self.lists)
        self._index.nprobe = self.looked_into

    def _others(self, probes: Vectors, lists: int) -> Ids:
        """The nearest of vectors of the index, without themselves."""
        self._index.nprobe = lists
        return self._nearest(self._index, probes, _NEAREST + 1).ids[:, 1:]

    def _spread(self, count: int) -> Ids:
        """So many of the ids, evenly from all of them: the same each time."""
        places = np.linspace(0, len(self.ids) - 1, min(count, len(self.ids)))
        return self.ids[np.unique(places.round().astype(np.int64))]

    def _blocks(self) -> Iterator[tuple[Ids, Vectors]]:
        for start in range(0, len(self.ids), _BLOCK):
            some = self.ids[start : start + _BLOCK]
            yield some, self._read(some)

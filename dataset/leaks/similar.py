"""Nearly equal embeddings of train and test, for people to look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from icf.dataset.leaks.report import EXAMPLES, REVIEW, Check

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float32]

#: Cosine from which two embeddings are reported to people as a possible copy.
SIMILAR = 0.98

#: Vectors that are read at a time, and cosines that are computed at a time: 16 MiB.
_READ, _AT_ONCE = 8192, 1 << 22


def find_similar(
    train: tuple[Sequence[str], IntArray],
    test: tuple[Sequence[str], IntArray],
    vectors: Callable[[IntArray], FloatArray],
) -> Check:
    """Find pairs of recognition train and test with nearly equal embeddings.

    Args:
        train: the name of each picture, and the id of its face.
        test: the same.
        vectors: returns unit embeddings by face id, shape (n, d).
    """
    names, ids = train
    others = vectors(test[1])
    found: list[tuple[float, str]] = []
    # By id: so they lie in the store, and each part of it is read once.
    order = np.argsort(ids, kind="stable")
    for start in range(0, len(ids), _READ):
        rows = order[start : start + _READ]
        best, value = _nearest(vectors(ids[rows]), others)
        for place in np.flatnonzero(value >= SIMILAR).tolist():
            pair = f"{names[rows[place]]} and {test[0][best[place]]}"
            found.append((float(value[place]), f"{pair}: cosine {value[place]:.3f}"))
    found.sort(key=lambda each: (-each[0], each[1]))
    return Check(
        "similar_embeddings",
        f"recognition train faces with a test face at a cosine of {SIMILAR} or more",
        REVIEW,
        len(found),
        tuple(text for _, text in found[:EXAMPLES]),
    )


def _nearest(these: FloatArray, others: FloatArray) -> tuple[IntArray, FloatArray]:
    """Find for each unit vector the nearest of others; return its row and cosine."""
    best = np.empty(len(these), np.int64)
    value = np.empty(len(these), np.float32)
    step = max(1, _AT_ONCE // max(1, len(others)))
    for start in range(0, len(these), step):
        cosine = these[start : start + step] @ others.T
        nearest = cosine.argmax(axis=1)
        best[start : start + step] = nearest
        value[start : start + step] = cosine[np.arange(len(nearest)), nearest]
    return best, value

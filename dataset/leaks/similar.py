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

#: Cosines that are computed at a time: 16 MiB.
_AT_ONCE = 1 << 22


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
    others = vectors(test[1]).T
    found: list[tuple[float, str]] = []
    step = max(1, _AT_ONCE // max(1, len(test[1])))
    for start in range(0, len(ids), step):
        cosine = vectors(ids[start : start + step]) @ others
        best = cosine.argmax(axis=1)
        value = cosine[np.arange(len(best)), best]
        for row in np.flatnonzero(value >= SIMILAR).tolist():
            pair = f"{names[start + row]} and {test[0][best[row]]}"
            found.append((float(value[row]), f"{pair}: cosine {value[row]:.3f}"))
    found.sort(key=lambda each: (-each[0], each[1]))
    return Check(
        "similar_embeddings",
        f"recognition train faces with a test face at a cosine of {SIMILAR} or more",
        REVIEW,
        len(found),
        tuple(text for _, text in found[:EXAMPLES]),
    )

"""What detectors of others say of boxes, and which of their classes are faces here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from icf.errors import BadModel
from icf.models.formats.base import Found, Numbers


def kinds_known(human: float) -> tuple[str, ...]:
    """Return what a user should know of the kinds of faces, for a card.

    Args:
        human: the class that is human faces; -1: none.
    """
    if human >= 0:
        return ()
    return ("It calls every face a cartoon: none of its classes is human faces.",)


def check_kinds(numbers: Mapping[str, float], classes: float) -> None:
    """Refuse classes of faces that are not among those of a network.

    Args:
        numbers: of its card: ``cartoon`` and ``human``; -1: none.
        classes: how many it knows; infinite where nobody knows.

    Raises:
        BadModel: one is not, or both are the same.
    """
    cartoon, human = (int(numbers[name]) for name in ("cartoon", "human"))
    for name, at in (("cartoon", cartoon), ("human", human)):
        if at >= classes:
            raise BadModel(
                f"{name} is {at}, but it knows {classes:g} "
                f"class{'es' if classes > 1 else ''}, counted from 0"
            )
    if cartoon == human:
        raise BadModel(
            f"cartoon and human are both {cartoon}; expected the numbers of two "
            "classes, or -1 for one that it does not know"
        )


def faces(
    boxes: Numbers, scores: Numbers, kinds: Sequence[int], min_score: float
) -> Found:
    """Choose the boxes that are faces.

    Args:
        boxes: corners, shape (n, 4).
        scores: of the classes, shape (n, classes).
        kinds: the classes that are cartoon and human faces; -1: none.
        min_score: lowest score of a face.
    """
    none = np.full(len(scores), -1, np.float32)
    wanted = np.stack([scores[:, at] if at >= 0 else none for at in kinds], 1)
    best = wanted.max(1, initial=-1)
    some = np.flatnonzero(best >= min_score)
    which = wanted[some].argmax(1) if len(some) else np.zeros(0, np.intp)
    return Found(boxes[some], best[some], which)


def by_class(scores: Numbers, numbers: NDArray[Any], classes: int) -> Numbers:
    """Return scores of all classes where a network gives one and its class's number.

    Args:
        scores: shape (n,).
        numbers: of the classes, shape (n,); those beyond count as the nearest.
        classes: how many there are.

    Returns:
        Shape (n, classes), 0 but for one number a row.
    """
    made = np.zeros((len(scores), classes), np.float32)
    at = numbers.astype(np.intp).clip(0, classes - 1)
    made[np.arange(len(scores)), at] = scores
    return made


def corners(boxes: Numbers) -> Numbers:
    """From middle, width and height to corners, shape (n, 4)."""
    middle, half = boxes[:, :2], boxes[:, 2:4] / 2
    return np.concatenate([middle - half, middle + half], 1)

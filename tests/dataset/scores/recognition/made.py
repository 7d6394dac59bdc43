"""Tests that are made up: labels, and features around a centre for each identity."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from icf.icartoonface.recognition import RecognitionTest

Floats = npt.NDArray[np.float64]


def info_of(labels: Sequence[int]) -> RecognitionTest:
    """A test of pictures with these labels."""
    files = tuple(
        f"personai_icartoonface_rectest_{i:07d}.jpg" for i in range(len(labels))
    )
    boxes = np.zeros((len(labels), 4), np.int64)
    return RecognitionTest(files, boxes, np.array(labels, np.int64))


def labels_of(identities: int, pictures: int, distractors: int) -> list[int]:
    """Labels of so many identities with so many pictures each, then distractors."""
    return [*np.repeat(np.arange(identities), pictures).tolist(), *[-1] * distractors]


def features_of(info: RecognitionTest, seed: int, near: float = 0.8) -> Floats:
    """Features of 8 numbers; the larger ``near``, the nearer those of an identity."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(int(info.labels.max()) + 1, 8))
    features = rng.normal(size=(len(info.labels), 8))
    labelled = info.labels >= 0
    features[labelled] += near * centres[info.labels[labelled]]
    return features

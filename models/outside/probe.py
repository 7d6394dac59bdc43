"""Try out a model before it is kept: a blank picture, noise, and both at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from icf.errors import BadModel, IcfError
from icf.models.cards import ModelCard
from icf.models.formats.base import DetectorFormat, EmbedderFormat, Found, Numbers

Pixels = NDArray[np.uint8]

#: Side of a crop that an embedder is tried on; it resizes it as it needs.
_CROP = 128
#: Height as a share of the width of the picture that a detector is tried on.
_FLAT = 0.5
#: Largest difference of an embedding in a batch and alone, as a share of its length.
_CLOSE = 1e-3
#: Sides of pictures are multiples of this.
_MULTIPLE = 64


def probe(model: DetectorFormat | EmbedderFormat, card: ModelCard) -> None:
    """Check that a model gives numbers that mean something.

    Args:
        model: opened by its card.
        card: its card.

    Raises:
        BadModel: it fails, gives no finite numbers, or the same whatever it is shown.
            A detector that drops weak boxes itself may find nothing at all.
    """
    if isinstance(model, EmbedderFormat):
        _probe_embedder(model)
    else:
        _probe_detector(model, int(card.parameters["side"]))


def _probe_embedder(model: EmbedderFormat) -> None:
    pictures = _pictures(_CROP, _CROP)
    alone = np.concatenate([_tried(model.embed, [each]) for each in pictures])
    together = _tried(model.embed, pictures)
    if alone.shape != (len(pictures), model.dim) or together.shape != alone.shape:
        raise BadModel(
            f"it gives {list(together.shape)} for {len(pictures)} pictures; expected "
            f"[{len(pictures)}, {model.dim}]"
        )
    _check_finite(alone, "embedding")
    lengths = np.linalg.norm(alone, axis=1)
    if lengths.min() == 0:
        raise BadModel("it gives an embedding of length 0, which has no direction")
    rows = alone / lengths[:, None]
    if (1 - rows @ rows[0]).max() < _CLOSE**2:
        raise BadModel(
            "it gives a blank picture, noise and stripes the same embedding: is this "
            "the right format, and the file not damaged?"
        )
    difference = float((np.linalg.norm(together - alone, axis=1) / lengths).max())
    if difference > _CLOSE:
        raise BadModel(
            f"it gives a picture another embedding in a batch than alone, by "
            f"{difference:.2g} of its length: it was exported for a batch of 1; export "
            "it with a free batch"
        )


def _probe_detector(model: DetectorFormat, side: int) -> None:
    width = -(-side // _MULTIPLE) * _MULTIPLE
    height = max(_MULTIPLE, round(side * _FLAT / _MULTIPLE) * _MULTIPLE)
    found: list[Found] = []
    for picture in _pictures(height, width):
        [faces] = _tried(lambda shown: model.detect(np.stack(shown), 0.0), [picture])
        found.append(faces)
    scores = np.concatenate([each.scores for each in found])
    _check_finite(np.concatenate([each.boxes for each in found]), "box")
    _check_finite(scores, "score")
    if len(scores) and not (scores.min() >= 0 and scores.max() <= 1):
        raise BadModel(
            f"its scores reach from {scores.min():.3g} to {scores.max():.3g}; expected "
            "0 to 1: the last sigmoid is missing, or this is another format"
        )
    if not len(scores):
        if model.leaves_out:
            return
        raise BadModel("it gives no boxes at all, not even of score 0")
    first, *others = found
    if all(_same(first, each) for each in others):
        raise BadModel(
            "it gives the same boxes and scores for a blank picture, noise and "
            "stripes: is this the right format, and the file not damaged?"
        )


def _pictures(height: int, width: int) -> list[Pixels]:
    """A blank picture, noise and stripes."""
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    stripes = np.zeros((height, width, 3), np.uint8)
    stripes[:, ::2, 0] = 255
    return [np.full((height, width, 3), 200, np.uint8), noise, stripes]


def _tried(run: Any, pictures: Sequence[Pixels]) -> Any:
    try:
        return run(pictures)
    except IcfError:
        raise
    except Exception as error:  # ONNX Runtime's errors have no common base class
        count = f"{len(pictures)} picture{'s' if len(pictures) > 1 else ''}"
        raise BadModel(f"it fails on {count} of its own size: {error}") from error


def _check_finite(numbers: Numbers, what: str) -> None:
    if not np.isfinite(numbers).all():
        bad = int((~np.isfinite(numbers)).sum())
        raise BadModel(f"{bad} of {numbers.size} numbers of its {what}s are not finite")


def _same(one: Found, other: Found) -> bool:
    return np.array_equal(one.scores, other.scores) and np.array_equal(
        one.boxes, other.boxes
    )

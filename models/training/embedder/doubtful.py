"""Which faces a training doubts the labels of: sub-centre ArcFace's drop-noise step."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from icf.catalogue.labels.doubtful import DoubtfulFace, written_box
from icf.models.data.index import DataIndex
from icf.models.training.embedder.crops import Examples, Numbers
from icf.models.training.embedder.figures import embedded
from icf.models.training.losses.subcenter_arcface import Doubtful, SubcenterArcFace

#: Crops that are in memory at once.
_BLOCK = 1024


def find_doubtful(
    network: nn.Module, loss: SubcenterArcFace, examples: Examples, side: int
) -> Doubtful:
    """Embed what was trained on, unchanged, and compare it with the class centres.

    Args:
        network: with its final weights, in evaluation mode, on the CPU.
        loss: with its final centres.
        examples: those with a class are compared; rows are their numbers.
        side: of a crop, in pixels.
    """
    device = loss.weight.device
    network.to(device)
    numbers = range(len(examples.labels))
    vectors = [
        embedded(
            lambda crops: network(crops.to(device)),
            examples.plain(numbers[first : first + _BLOCK], side),
        )
        for first in numbers[::_BLOCK]
    ]
    network.cpu()
    labels = torch.from_numpy(examples.labels)
    faces = torch.from_numpy(np.concatenate(vectors))
    return loss.to_drop(faces.to(device), labels.to(device))


def named(found: Doubtful, data: DataIndex, faces: Numbers) -> list[DoubtfulFace]:
    """Return the faces as the sources of the data name them, in the same order.

    Args:
        found: some rows.
        data: the index.
        faces: of each row the face, a number of the index.
    """
    pictures = data.picture
    doubtful = []
    rows, degrees = found.rows.tolist(), found.degrees.tolist()
    for face, angle in zip(faces[rows].tolist(), degrees, strict=True):
        picture = int(pictures[face])
        source = data.sources[int(data.source[picture])].reader.name
        box = data.boxes[face].tolist()
        doubtful.append(
            DoubtfulFace(
                data.identities[int(data.identity[face])].removeprefix(f"{source}/"),
                data.keys[picture],
                None if np.isnan(box[0]) else written_box(box),
                angle,
            )
        )
    return doubtful

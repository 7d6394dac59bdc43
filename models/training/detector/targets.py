"""What each anchor of a batch should say: which face it is on, if any.

All pictures of a batch are matched at once, on the device of the network, without
waiting for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from icf.models.anchors import Geometry

#: IoU from which an anchor is on a face, and from which it is at least not background
#: (Lin et al. 2017, section 4.1).
FACE, UNSURE = 0.5, 0.4
#: Share of an anchor in an ignored box from which the anchor is ignored.
COVERED = 0.5
#: In a picture whose faces are perhaps not all labelled: IoU with a labelled face from
#: which an anchor is known to be background, as too far off that face.
NEAR = 0.1
#: Values of `Targets.classes` beside the kinds.
BACKGROUND, IGNORED = -1, -2
#: Faces that are compared with all anchors at a time: this bounds the memory.
_AT_ONCE = 8


class Faces(NamedTuple):
    """The faces of n pictures, each padded to the most faces that one has.

    A named tuple, so that PyTorch's loaders pin and move it.

    Attributes:
        boxes: n x m x 4, in pixels; rows of padding have no area.
        kinds: n x m, 0 for a cartoon face, 1 for a human one, -1 for padding.
        ignored: n x k x 4, padded alike.
        complete: n, whether all faces of the picture are labelled.
    """

    boxes: Tensor
    kinds: Tensor
    ignored: Tensor
    complete: Tensor


@dataclass(frozen=True)
class Targets:
    """The targets of n pictures.

    Attributes:
        classes: n x anchors, the kind of face, `BACKGROUND` or `IGNORED`.
        boxes: n x anchors x 4: the face of an anchor; elsewhere the anchor itself.
    """

    classes: Tensor
    boxes: Tensor


def padded(
    boxes: Sequence[Tensor],
    kinds: Sequence[Tensor],
    ignored: Sequence[Tensor],
    complete: Sequence[bool],
) -> Faces:
    """Stack the faces of several pictures.

    Args:
        boxes: of each picture, m x 4.
        kinds: of each picture, m.
        ignored: of each picture, k x 4.
        complete: of each picture, whether all faces are labelled.
    """
    n = len(boxes)
    most = max((len(each) for each in boxes), default=0)
    most_ignored = max((len(each) for each in ignored), default=0)
    found = Faces(
        torch.zeros(n, most, 4),
        torch.full((n, most), -1),
        torch.zeros(n, most_ignored, 4),
        torch.tensor(list(complete), dtype=torch.bool),
    )
    for i in range(n):
        found.boxes[i, : len(boxes[i])] = boxes[i]
        found.kinds[i, : len(kinds[i])] = kinds[i]
        found.ignored[i, : len(ignored[i])] = ignored[i]
    return found


def assign(reference: Tensor, faces: Faces) -> Targets:
    """Match anchors to faces: IoU 0.5 or more, and the best anchor of every face.

    An anchor is ignored where it is on a face only partly (IoU 0.4 to 0.5), where it
    lies in an ignored box, and, in a picture that is not complete, where no labelled
    face is near: what is there is not known.

    Args:
        reference: anchors x 4.
        faces: of the batch, on the same device.
    """
    n, count = len(faces.boxes), len(reference)
    best = reference.new_zeros(n, count)
    which = torch.zeros(n, count, dtype=torch.int64, device=reference.device)
    forced = torch.full_like(which, -1)
    for first in range(0, faces.boxes.shape[1], _AT_ONCE):
        part = slice(first, first + _AT_ONCE)
        overlap = _iou(reference, faces.boxes[:, part])
        highest, at = overlap.max(2)
        which = torch.where(highest > best, at + first, which)
        best = torch.maximum(best, highest)
        _force(forced, overlap.argmax(1), faces.kinds[:, part], first)
    which = torch.where(forced >= 0, forced, which)
    on_face = (best >= FACE) | (forced >= 0)
    classes = torch.full_like(which, BACKGROUND)
    classes[~faces.complete[:, None] & (best < NEAR)] = IGNORED
    if faces.ignored.shape[1]:
        classes[_covered(reference, faces.ignored) > COVERED] = IGNORED
    classes[best >= UNSURE] = IGNORED
    boxes = reference.expand(n, count, 4)
    if faces.boxes.shape[1]:
        classes = torch.where(on_face, faces.kinds.gather(1, which), classes)
        own = faces.boxes.gather(1, which[..., None].expand(n, count, 4))
        boxes = torch.where(on_face[..., None], own, boxes)
    return Targets(classes, boxes)


def _force(forced: Tensor, top: Tensor, kinds: Tensor, first: int) -> None:
    """Give each face its best anchor; ``top`` is n x faces, the anchors' indices."""
    number = torch.arange(first, first + top.shape[1], device=top.device)
    # A face of padding keeps what is there: it takes the largest, and -1 is the least.
    number = torch.where(kinds >= 0, number.expand_as(top), -1)
    forced.scatter_reduce_(1, top, number, "amax")


def _iou(reference: Tensor, boxes: Tensor) -> Tensor:
    """IoU of all anchors with all boxes: n x anchors x boxes."""
    shared = _shared(reference, boxes)
    areas = _areas(reference)[None, :, None] + _areas(boxes)[:, None]
    return shared / (areas - shared)


def _covered(reference: Tensor, boxes: Tensor) -> Tensor:
    """The share of each anchor that lies in one of the boxes, n x anchors."""
    return _shared(reference, boxes).amax(2) / _areas(reference)


def _shared(reference: Tensor, boxes: Tensor) -> Tensor:
    anchors, others = reference[None, :, None], boxes[:, None]
    low = torch.maximum(anchors[..., :2], others[..., :2])
    high = torch.minimum(anchors[..., 2:], others[..., 2:])
    return (high - low).clamp(min=0).prod(3)


def _areas(boxes: Tensor) -> Tensor:
    return (boxes[..., 2:] - boxes[..., :2]).prod(-1)


def encode(boxes: Tensor, reference: Tensor, geometry: Geometry) -> Tensor:
    """Return the offsets that turn anchors ``reference`` into ``boxes``, ... x 4."""
    size = reference[..., 2:] - reference[..., :2]
    centre = (reference[..., :2] + reference[..., 2:]) / 2
    middle = (boxes[..., :2] + boxes[..., 2:]) / 2
    extent = boxes[..., 2:] - boxes[..., :2]
    offsets = torch.cat([(middle - centre) / size, torch.log(extent / size)], -1)
    return offsets / offsets.new_tensor(geometry.std)


def decode(offsets: Tensor, reference: Tensor, geometry: Geometry) -> Tensor:
    """Undo `encode`: apply offsets, ... x 4, to anchors."""
    offsets = offsets * offsets.new_tensor(geometry.std)
    size = reference[..., 2:] - reference[..., :2]
    middle = (reference[..., :2] + reference[..., 2:]) / 2 + offsets[..., :2] * size
    half = size * torch.exp(offsets[..., 2:].clamp(max=geometry.max_growth)) / 2
    return torch.cat([middle - half, middle + half], -1)

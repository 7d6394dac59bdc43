"""The loss of a detector: focal loss of the classes, and one of three of the boxes."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, distributed
from torch.nn import functional

from icf.models.anchors import Geometry
from icf.models.training.detector.targets import IGNORED, Targets, decode, encode

BoxLoss = Literal["l1", "smooth_l1", "giou"]
#: Of the focal loss (Lin et al. 2017, section 4.1).
ALPHA, GAMMA = 0.25, 2.0
#: Where the smooth L1 loss becomes linear.
BETA = 0.5


def losses(
    logits: Tensor,
    offsets: Tensor,
    targets: Targets,
    reference: Tensor,
    geometry: Geometry,
    box_loss: BoxLoss,
    per_picture: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return the loss of the classes and that of the boxes.

    Both are sums over the anchors of the batch, divided by the number of anchors on a
    face, over all processes that train together. Nothing here depends on values on the
    device, so nothing waits for it.

    Args:
        logits: n x anchors x kinds, float32.
        offsets: n x anchors x 4, float32.
        targets: of the batch.
        reference: anchors x 4.
        geometry: of the network.
        box_loss: on the offsets (``l1``, their sum, as torchvision's first RetinaNet;
            ``smooth_l1``, the mean of the four), or 1 - GIoU of the boxes (Rezatofighi
            et al. 2019, arXiv:1902.09630), as torchvision's second.
        per_picture: divide each picture's loss by its own number of such anchors, and
            take the mean, as torchvision does. A picture without a face then weighs
            as much as one with a hundred anchors on faces weighs per anchor.
    """
    # Not above: importing torchvision takes a second or two, in each program that
    # trains something else.
    from torchvision.ops import sigmoid_focal_loss

    on_face = targets.classes >= 0
    if per_picture:
        share = 1 / (len(logits) * on_face.sum(1, keepdim=True).clamp(min=1))
    else:
        share = 1 / _mean_of_ranks(on_face.sum().to(logits))
    wanted = targets.classes[..., None] == torch.arange(
        logits.shape[2], device=logits.device
    )
    focal = sigmoid_focal_loss(logits, wanted.to(logits), ALPHA, GAMMA).sum(2)
    boxes = _box_losses(offsets, targets, reference, geometry, box_loss)
    counted = (targets.classes != IGNORED).to(logits)
    return (focal * counted * share).sum(), (boxes * on_face * share).sum()


def _mean_of_ranks(count: Tensor) -> Tensor:
    """The mean over all processes, so that together they compute one batch's loss."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return count.clamp(min=1)
    distributed.all_reduce(count)
    return count.clamp(min=1) / distributed.get_world_size()


def _box_losses(
    offsets: Tensor,
    targets: Targets,
    reference: Tensor,
    geometry: Geometry,
    box_loss: BoxLoss,
) -> Tensor:
    """The loss of every anchor's box, n x anchors; meaningless off the faces."""
    if box_loss == "giou":
        from torchvision.ops import generalized_box_iou_loss

        found = decode(offsets, reference, geometry)
        apart: Tensor = generalized_box_iou_loss(found, targets.boxes)
        return apart
    right = encode(targets.boxes, reference, geometry)
    if box_loss == "l1":
        return (offsets - right).abs().sum(2)
    smooth = functional.smooth_l1_loss(offsets, right, beta=BETA, reduction="none")
    return smooth.mean(2)

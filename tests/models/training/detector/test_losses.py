from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torchvision.models.detection import RetinaNet as TorchvisionRetinaNet
from torchvision.models.detection import (
    retinanet_resnet50_fpn,
    retinanet_resnet50_fpn_v2,
)

from icf.models.anchors import SMALL, TORCHVISION
from icf.models.training.detector.losses import BoxLoss, losses
from icf.models.training.detector.targets import Targets, assign, encode, padded

REFERENCE = torch.tensor(
    [[0.0, 0, 10, 10], [20, 20, 40, 30], [5, 5, 9, 25]], dtype=torch.float32
)


def moved(seed: int) -> Tensor:
    """Boxes near the anchors."""
    noise = torch.rand(3, 4, generator=torch.manual_seed(seed))
    return REFERENCE + noise * torch.tensor([-1.0, -1.0, 1.0, 1.0])


def test_the_loss_is_counted_by_hand() -> None:
    torch.manual_seed(2)
    logits, offsets = torch.randn(2, 3, 2), torch.randn(2, 3, 4)
    targets = Targets(
        torch.tensor([[0, -1, -2], [-1, 1, 1]]), torch.stack([moved(0), moved(1)])
    )
    focal = smooth = 0.0
    for n in range(2):
        right = encode(targets.boxes[n], REFERENCE, SMALL)
        for a, wanted in enumerate(targets.classes[n].tolist()):
            if wanted == -2:
                continue
            for kind in range(2):
                p = 1 / (1 + math.exp(-float(logits[n, a, kind])))
                if kind == wanted:
                    focal += 0.25 * (1 - p) ** 2 * -math.log(p)
                else:
                    focal += 0.75 * p**2 * -math.log(1 - p)
            if wanted >= 0:
                for d in (offsets[n, a] - right[a]).abs().tolist():
                    smooth += d - 0.25 if d > 0.5 else d * d
    classes, regression = losses(
        logits, offsets, targets, REFERENCE, SMALL, "smooth_l1"
    )
    assert classes.item() == pytest.approx(focal / 3, rel=1e-5)
    assert regression.item() == pytest.approx(smooth / 12, rel=1e-5)


@pytest.mark.parametrize("box_loss", ["l1", "smooth_l1", "giou"])
@pytest.mark.parametrize("size", [0.0, 64.0, -64.0])
def test_the_loss_of_a_batch_without_faces_is_finite(
    box_loss: BoxLoss, size: float
) -> None:
    logits = torch.full((1, 3, 2), size, requires_grad=True)
    offsets = torch.full((1, 3, 4), size, requires_grad=True)
    nothing = Targets(torch.full((1, 3), -1), REFERENCE[None])
    classes, regression = losses(
        logits, offsets, nothing, REFERENCE, TORCHVISION, box_loss
    )
    torch.autograd.backward(classes + regression)
    assert torch.isfinite(classes)
    assert regression.item() == 0
    for gradient in (logits.grad, offsets.grad):
        assert gradient is not None
        assert torch.isfinite(gradient).all()


@pytest.mark.parametrize(
    ("make", "box_loss"),
    [(retinanet_resnet50_fpn, "l1"), (retinanet_resnet50_fpn_v2, "giou")],
)
def test_the_loss_is_torchvisions(make: object, box_loss: BoxLoss) -> None:
    """Over several pictures, one of them without a face.

    The faces have the sizes of anchors. For smaller ones torchvision takes all anchors
    that hold them equally well, and we take the first.
    """
    assert callable(make)
    peer: TorchvisionRetinaNet = make(
        weights=None, weights_backbone=None, num_classes=2
    )
    reference = torch.from_numpy(TORCHVISION.anchors(256, 256).copy())
    generator = torch.manual_seed(5)
    logits = torch.randn(3, len(reference), 2, generator=generator)
    offsets = torch.randn(3, len(reference), 4, generator=generator) * 0.3
    shown = [
        torch.tensor([[10.3, 12.1, 52.7, 63.4], [120.2, 100.9, 237.4, 207.8]]),
        torch.zeros(0, 4),
        torch.tensor([[71.3, 30.2, 131.8, 121.1]]),
    ]
    kinds = [torch.tensor([0, 1]), torch.zeros(0, dtype=torch.int64), torch.tensor([1])]
    wanted = peer.compute_loss(
        [{"boxes": b, "labels": k} for b, k in zip(shown, kinds, strict=True)],
        {"cls_logits": logits, "bbox_regression": offsets},
        [reference] * 3,
    )
    targets = assign(
        reference, padded(shown, kinds, [torch.zeros(0, 4)] * 3, [True] * 3)
    )
    classes, regression = losses(
        logits, offsets, targets, reference, TORCHVISION, box_loss, per_picture=True
    )
    assert classes.item() == pytest.approx(wanted["classification"].item(), rel=1e-5)
    assert regression.item() == pytest.approx(
        wanted["bbox_regression"].item(), rel=1e-5
    )

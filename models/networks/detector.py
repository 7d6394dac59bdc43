"""A small RetinaNet for faces: MobileNetV2, a pyramid of 64 channels, one short head.

RetinaNet (Lin et al. 2017, arXiv:1708.02002) with square anchors, since faces are
nearly square, and one tower for classes and boxes, since a CPU has to run it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional

from icf.models.anchors import MAX_GROWTH, OFFSET_STD, SIZES, STRIDES

KINDS = ("cartoon", "human")
WIDTH = 64
#: ImageNet's mean and standard deviation, in 0..255.
MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)


class Detector(nn.Module):
    """The network.

    Input: n x 3 x H x W, RGB in 0..255, H and W multiples of 64.
    Output: class logits n x anchors x 2, box offsets n x anchors x 4.
    """

    def __init__(self) -> None:
        super().__init__()
        features = torchvision.models.mobilenet_v2(weights=None).features
        self.shallow = features[:7]
        self.middle = features[7:14]
        self.deep = features[14:18]
        self.lateral = nn.ModuleList(nn.Conv2d(c, WIDTH, 1) for c in (32, 96, 320))
        self.smooth = nn.ModuleList(_conv(WIDTH) for _ in range(3))
        self.coarse = _conv(WIDTH, stride=2)
        self.tower = nn.ModuleList(
            nn.Conv2d(WIDTH, WIDTH, 3, padding=1) for _ in range(2)
        )
        # The convolutions are shared between the levels, their statistics are not.
        self.norms = nn.ModuleList(
            nn.BatchNorm2d(WIDTH) for _ in range(2 * len(STRIDES))
        )
        self.classes = nn.Conv2d(WIDTH, len(SIZES) * len(KINDS), 3, padding=1)
        self.boxes = nn.Conv2d(WIDTH, len(SIZES) * 4, 3, padding=1)
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None])
        self.register_buffer("std", torch.tensor(STD)[:, None, None])
        for conv in (self.classes, self.boxes, *self.tower):
            nn.init.normal_(conv.weight, std=0.01)
            nn.init.zeros_(conv.bias)
        assert self.classes.bias is not None
        nn.init.constant_(self.classes.bias, -4.6)  # a prior of 1% (paper, section 4.1)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Return class logits and box offsets of every anchor."""
        classes, boxes = [], []
        for level, features in enumerate(self.pyramid(pictures)):
            norms = self.norms[2 * level : 2 * level + 2]
            for conv, norm in zip(self.tower, norms, strict=True):
                features = functional.relu(norm(conv(features)))
            classes.append(_flat(self.classes(features), len(KINDS)))
            boxes.append(_flat(self.boxes(features), 4))
        return torch.cat(classes, 1), torch.cat(boxes, 1)

    def pyramid(self, pictures: Tensor) -> list[Tensor]:
        """Return the features of each stride, finest first."""
        shallow = self.shallow((pictures - self.mean) / self.std)
        middle = self.middle(shallow)
        deep = self.deep(middle)
        top = self.lateral[2](deep)
        mid = self.lateral[1](middle) + _doubled(top)
        low = self.lateral[0](shallow) + _doubled(mid)
        levels = [s(f) for s, f in zip(self.smooth, (low, mid, top), strict=True)]
        return [*levels, self.coarse(levels[-1])]


def _conv(width: int, stride: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(width, width, 3, stride, 1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(width), nn.ReLU())


def _doubled(features: Tensor) -> Tensor:
    return functional.interpolate(features, scale_factor=2.0, mode="nearest")


def _flat(output: Tensor, per_anchor: int) -> Tensor:
    n = output.shape[0]
    return output.permute(0, 2, 3, 1).reshape(n, -1, per_anchor)


def anchors(height: int, width: int) -> Tensor:
    """Return the anchors of a picture, in the order of the network's output.

    Returns:
        anchors x 4: x1, y1, x2, y2 in pixels.
    """
    levels = []
    for stride in STRIDES:
        y = (torch.arange(height // stride) + 0.5) * stride
        x = (torch.arange(width // stride) + 0.5) * stride
        half = torch.tensor(SIZES) * stride / 2
        grid = torch.meshgrid(y, x, half, indexing="ij")
        cy, cx, half = (g.reshape(-1) for g in grid)
        levels.append(torch.stack([cx - half, cy - half, cx + half, cy + half], 1))
    return torch.cat(levels)


def encode(boxes: Tensor, reference: Tensor) -> Tensor:
    """Return the offsets that turn anchors ``reference`` (n x 4) into ``boxes``."""
    centre, size = (
        (reference[:, :2] + reference[:, 2:]) / 2,
        reference[:, 2:] - reference[:, :2],
    )
    middle, extent = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    offsets = torch.cat([(middle - centre) / size, torch.log(extent / size)], 1)
    return offsets / offsets.new_tensor(OFFSET_STD)


def decode(offsets: Tensor, reference: Tensor) -> Tensor:
    """Undo `encode`: apply offsets (... x n x 4) to anchors (n x 4)."""
    offsets = offsets * offsets.new_tensor(OFFSET_STD)
    centre, size = (
        (reference[:, :2] + reference[:, 2:]) / 2,
        reference[:, 2:] - reference[:, :2],
    )
    middle = centre + offsets[..., :2] * size
    half = size * torch.exp(offsets[..., 2:].clamp(max=MAX_GROWTH)) / 2
    return torch.cat([middle - half, middle + half], -1)


@dataclass(frozen=True)
class Targets:
    """The target of each anchor of one picture.

    Attributes:
        classes: anchors, -1 background, -2 ignored, else the kind.
        offsets: anchors x 4, defined where ``classes`` is 0 or more.
    """

    classes: Tensor
    offsets: Tensor


def assign(reference: Tensor, boxes: Tensor, kinds: Tensor, ignored: Tensor) -> Targets:
    """Match anchors to faces: IoU 0.5 or more, and the best anchor of every face.

    Args:
        reference: anchors x 4.
        boxes: n x 4 faces.
        kinds: n.
        ignored: m x 4 boxes whose anchors are ignored.
    """
    classes = torch.full((len(reference),), -1)
    offsets = torch.zeros_like(reference)
    if len(ignored):
        classes[_cover(reference, ignored) > 0.5] = -2
    if len(boxes):
        overlap = torchvision.ops.box_iou(reference, boxes)
        best, which = overlap.max(1)
        classes[(best >= 0.4) & (classes == -1)] = -2
        chosen = best >= 0.5
        top = overlap.argmax(0)
        which[top] = torch.arange(len(boxes))
        chosen[top] = True
        classes[chosen] = kinds[which[chosen]]
        offsets[chosen] = encode(boxes[which[chosen]], reference[chosen])
    return Targets(classes, offsets)


def _cover(reference: Tensor, ignored: Tensor) -> Tensor:
    """Return the share of each anchor that lies in one of the ignored boxes."""
    corner = torch.maximum(reference[:, None, :2], ignored[None, :, :2])
    other = torch.minimum(reference[:, None, 2:], ignored[None, :, 2:])
    inside = (other - corner).clamp(min=0).prod(2)
    size = (reference[:, 2:] - reference[:, :2]).prod(1)
    return inside.amax(1) / size


def loss(
    classes: Tensor, offsets: Tensor, targets: list[Targets]
) -> tuple[Tensor, Tensor]:
    """Return focal loss and box loss, each divided by the number of matched anchors."""
    wanted = torch.stack([t.classes for t in targets])
    matched = wanted >= 0
    count = matched.sum().clamp(min=1)
    one_hot = torch.zeros_like(classes)
    one_hot[matched] = functional.one_hot(wanted[matched], len(KINDS)).to(one_hot)
    counted = (wanted != -2)[..., None].to(classes)
    focal = torchvision.ops.sigmoid_focal_loss(classes, one_hot, alpha=0.25, gamma=2.0)
    right = torch.stack([t.offsets for t in targets])[matched]
    boxes = functional.smooth_l1_loss(
        offsets[matched], right, beta=0.5, reduction="sum"
    )
    return (focal * counted).sum() / count, boxes / (4 * count)

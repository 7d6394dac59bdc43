"""CenterFace's body in PyTorch, with the weights of its published ONNX file.

A MobileNetV2 whose norms are merged into its convolutions, and a neck of 24 channels
that leads what it sees from stride 32 up to stride 4, where one map scores each cell
(Xu et al. 2019, arXiv:1911.03599).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn import functional

from icf.errors import BadModel
from icf.models.networks.mobilenet import inverted_residuals

#: Channels of the neck, and its stride.
NECK, STRIDE = 24, 4
#: Blocks after which the features of strides 4, 8, 16 and 32 are taken.
_TAKEN = (3, 6, 13, 17)
#: Of the norms of the neck, as in the published file.
_EPSILON = 1e-3
#: Operators of the file that have weights, and ours, with the order of the weights.
_OPERATORS: dict[str, tuple[type[nn.Module], tuple[str, ...]]] = {
    "Conv": (nn.Conv2d, ("weight", "bias")),
    "ConvTranspose": (nn.ConvTranspose2d, ("weight",)),
    "BatchNormalization": (
        nn.BatchNorm2d,
        ("weight", "bias", "running_mean", "running_var"),
    ),
}


class Features(NamedTuple):
    """What the body sees, by stride.

    Attributes:
        body: MobileNetV2's, at strides 8, 16 and 32: 32, 96 and 320 channels.
        neck: the neck's, at strides 4, 8, 16 and 32: 24 channels each. Of the first
            its scores are made.
    """

    body: list[Tensor]
    neck: list[Tensor]


class CenterFaceBody(nn.Module):
    """Pictures, RGB in 0..255, sides multiples of 32, to features."""

    def __init__(self) -> None:
        super().__init__()
        residuals = (_Block(*shape) for shape in inverted_residuals())
        self.blocks = nn.ModuleList([_conv(3, 32, 3, 2), *residuals])
        self.lateral = nn.ModuleList(_conv(c, NECK, 1) for c in (320, 96, 32, 24))
        self.up = nn.ModuleList(_Up() for _ in range(3))
        self.last = _conv(NECK, NECK, 3)

    def forward(self, pictures: Tensor) -> Features:
        """Return the features of a batch."""
        taken, maps = [], pictures
        for number, block in enumerate(self.blocks):
            maps = block(maps)
            if number in _TAKEN:
                taken.append(maps)
        neck = [self.lateral[0](taken[-1])]
        finer = zip(self.lateral[1:], self.up, reversed(taken[:-1]), strict=True)
        for lateral, up, body in finer:
            neck.append(up(neck[-1]) + lateral(body))
        neck[-1] = self.last(neck[-1])
        return Features(taken[1:], neck[::-1])

    def in_order(self) -> Iterator[nn.Module]:
        """Yield the modules with weights in the order of the file's nodes."""
        parts: list[nn.Module] = [*self.blocks, self.lateral[0]]
        for up, lateral in zip(self.up, self.lateral[1:], strict=True):
            parts += [up, lateral]
        kinds = tuple(kind for kind, _ in _OPERATORS.values())
        for part in (*parts, self.last):
            yield from (each for each in part.modules() if isinstance(each, kinds))


class CenterFaceScores(nn.Module):
    """The body, and the layer that scores each cell."""

    def __init__(self) -> None:
        super().__init__()
        self.body = CenterFaceBody()
        self.score = nn.Conv2d(NECK, 1, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return each cell's logit of being a face's middle: n x 1 x h/4 x w/4."""
        logits: Tensor = self.score(self.body(pictures).neck[0])
        return logits

    def load(self, path: Path) -> None:
        """Load the weights of the published ONNX file.

        Its maps of sizes, offsets and points are left out.

        Raises:
            BadModel: it is another network's file.
        """
        ours = [*self.body.in_order(), self.score]
        theirs = _nodes(path)
        # After the scores come sizes, offsets and points, which are not used here.
        for module, (operator, weights) in zip(ours, theirs, strict=False):
            kind, names = _OPERATORS[operator]
            shapes = [tuple(getattr(module, name).shape) for name in names]
            if not isinstance(module, kind) or shapes != [w.shape for w in weights]:
                break
            with torch.no_grad():
                for name, value in zip(names, weights, strict=True):
                    getattr(module, name).copy_(value)
        else:
            if len(theirs) == len(ours) + len(("sizes", "offsets", "points")):
                return
        raise BadModel(f"{path} is not CenterFace as it was published: other layers")


class _Block(nn.Module):
    """MobileNetV2's inverted residual, without norms."""

    def __init__(self, before: int, after: int, stride: int, growth: int) -> None:
        super().__init__()
        inside = before * growth
        layers = [_conv(before, inside, 1)] if growth > 1 else []
        layers.append(_conv(inside, inside, 3, stride, groups=inside))
        self.layers = nn.Sequential(*layers, nn.Conv2d(inside, after, 1))
        self.adds = stride == 1 and before == after

    def forward(self, maps: Tensor) -> Tensor:
        made: Tensor = self.layers(maps)
        return maps + made if self.adds else made


class _Up(nn.Module):
    """Twice the size."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose2d(NECK, NECK, 2, 2, bias=False)
        self.norm = nn.BatchNorm2d(NECK, eps=_EPSILON)

    def forward(self, maps: Tensor) -> Tensor:
        return functional.relu(self.norm(self.conv(maps)))


def _conv(
    before: int, after: int, side: int, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    conv = nn.Conv2d(before, after, side, stride, side // 2, groups=groups)
    return nn.Sequential(conv, nn.ReLU())


def _nodes(path: Path) -> Sequence[tuple[str, list[Tensor]]]:
    """The operators of an ONNX file that have weights, in the order of the graph."""
    try:
        graph = onnx.load(path).graph
    except Exception as error:  # protobuf has no common base class of errors
        raise BadModel(f"{path} is not a whole ONNX file: {error}") from error
    stored = {each.name: each for each in graph.initializer}
    return [
        (
            node.op_type,
            [
                torch.from_numpy(numpy_helper.to_array(stored[name]).copy())
                for name in node.input
                if name in stored
            ],
        )
        for node in graph.node
        if node.op_type in _OPERATORS
    ]

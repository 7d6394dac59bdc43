"""IR-50, the residual network of face recognition, as insightface publishes it.

Its blocks are "improved residual" ones: batch norm, convolution, batch norm, PReLU,
convolution with the stride, batch norm (Deng et al. 2019, arXiv:1801.07698, section
3.2.1). The first convolution keeps the resolution, and the last maps are projected
with their places, without pooling. Weights have the names of insightface's, so that
its published files load.
"""

from __future__ import annotations

from collections import OrderedDict

import torchvision
from torch import Tensor, nn

from icf.errors import WrongUse
from icf.models.networks.body_embedder import DIM, SIDE, BodyEmbedder
from icf.models.networks.torchvision_bodies import REDUCTION

#: insightface normalises pixels to -1..1.
_GREY = (127.5, 127.5, 127.5)
#: Blocks of each stage of IR-50.
_BLOCKS_50 = (3, 4, 14, 3)
_WIDTHS = (64, 128, 256, 512)
#: Pixels of a crop to one place of the last maps.
_STRIDE = 16


def ir50(dim: int = DIM, side: int = SIDE) -> BodyEmbedder:
    """Make IR-50.

    Args:
        dim: numbers in an embedding.
        side: of a crop, in pixels: a multiple of 16. The network takes no other.

    Raises:
        WrongUse: ``side`` is no multiple of 16.
    """
    return improved_resnet(_BLOCKS_50, dim, side, excited=False)


def se_ir50(dim: int = DIM, side: int = SIDE) -> BodyEmbedder:
    """Make IR-50 with squeeze-and-excitation (Hu et al. 2018); see `ir50`."""
    return improved_resnet(_BLOCKS_50, dim, side, excited=True)


def improved_resnet(
    blocks: tuple[int, int, int, int], dim: int, side: int, *, excited: bool
) -> BodyEmbedder:
    """Make an improved residual network.

    Args:
        blocks: of each stage.
        dim: as in `ir50`.
        side: as in `ir50`.
        excited: with squeeze-and-excitation in every block.

    Raises:
        WrongUse: ``side`` is no multiple of 16.
    """
    if side < _STRIDE or side % _STRIDE:
        raise WrongUse(
            f"an IR network takes crops of a multiple of {_STRIDE} pixels, not {side}"
        )
    places = (side // _STRIDE) ** 2
    centre = nn.BatchNorm1d(dim)
    # As published: the last norm centres the embeddings and does not scale them.
    centre.weight.requires_grad = False
    head = nn.Sequential(
        OrderedDict(
            flatten=nn.Flatten(),
            project=nn.Linear(_WIDTHS[-1] * places, dim),
            centre=centre,
        )
    )
    return BodyEmbedder(ImprovedResNet(blocks, excited), head, dim, _GREY, _GREY)


class ImprovedResNet(nn.Module):
    """From pictures n x 3 x S x S to maps n x 512 x S/16 x S/16."""

    def __init__(self, blocks: tuple[int, int, int, int], excited: bool) -> None:
        super().__init__()
        self.conv1 = _conv3x3(3, _WIDTHS[0])
        self.bn1 = nn.BatchNorm2d(_WIDTHS[0])
        self.prelu = nn.PReLU(_WIDTHS[0])
        before = (_WIDTHS[0], *_WIDTHS[:-1])
        for stage, (inner, outer, count) in enumerate(
            zip(before, _WIDTHS, blocks, strict=True), 1
        ):
            first = _Block(inner, outer, 2, excited)
            others = (_Block(outer, outer, 1, excited) for _ in range(count - 1))
            setattr(self, f"layer{stage}", nn.Sequential(first, *others))
        self.bn2 = nn.BatchNorm2d(_WIDTHS[-1])
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the last maps."""
        maps = self.prelu(self.bn1(self.conv1(pictures)))
        for stage in range(1, len(_WIDTHS) + 1):
            maps = self.get_submodule(f"layer{stage}")(maps)
        found: Tensor = self.bn2(maps)
        return found


class _Block(nn.Module):
    """Batch norm, convolution, batch norm, PReLU, convolution, batch norm."""

    def __init__(self, inner: int, outer: int, stride: int, excited: bool) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv1 = _conv3x3(inner, outer)
        self.bn2 = nn.BatchNorm2d(outer)
        self.prelu = nn.PReLU(outer)
        self.conv2 = _conv3x3(outer, outer, stride)
        self.bn3 = nn.BatchNorm2d(outer)
        self.excite = (
            torchvision.ops.SqueezeExcitation(outer, outer // REDUCTION)
            if excited
            else nn.Identity()
        )
        self.downsample = (
            nn.Identity()
            if stride == 1
            else nn.Sequential(
                nn.Conv2d(inner, outer, 1, stride, bias=False), nn.BatchNorm2d(outer)
            )
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps with ``outer`` channels."""
        found = self.prelu(self.bn2(self.conv1(self.bn1(maps))))
        found = self.excite(self.bn3(self.conv2(found)))
        added: Tensor = found + self.downsample(maps)
        return added


def _conv3x3(inner: int, outer: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inner, outer, 3, stride, 1, bias=False)

"""torchvision's RetinaNet, for cartoon and human faces.

Two recipes, as torchvision has them: the first (Lin et al. 2017, arXiv:1708.02002; the
one of the iCartoonFace paper), and the second, ``retinanet_resnet50_fpn_v2``: group
norms in the heads, the sixth level from the backbone's last map, GIoU as the loss of
boxes. Weights have torchvision's own names, and outputs are torchvision's.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import ClassVar

import torch
import torchvision
from torch import Tensor, nn
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.retinanet import RetinaNetHead
from torchvision.ops.feature_pyramid_network import LastLevelP6P7

from icf.errors import BadModel
from icf.models.anchors import TORCHVISION, Geometry
from icf.models.networks.detector_base import KINDS, MEAN, STD, DetectorNetwork
from icf.models.networks.group_norm import NamedGroupNorm

#: Channels of the pyramid.
WIDTH = 256
_SHAPES = len(TORCHVISION.shapes[0])
_CLASSES = "head.classification_head.cls_logits"
_STAGES = (("conv1", "bn1"), ("layer1",), ("layer2",), ("layer3",), ("layer4",))
_NAMED = 3


class RetinaNet(DetectorNetwork):
    """The network.

    Args:
        backbone: a ResNet of torchvision, by name.
        second: by the second recipe.
    """

    geometry: ClassVar[Geometry] = TORCHVISION
    format: ClassVar[str] = "icf-retinanet-onnx"
    frozen = 2  # torchvision's `trainable_backbone_layers` = 3
    mean: Tensor
    std: Tensor

    def __init__(self, backbone: str = "resnet50", second: bool = True) -> None:
        super().__init__()
        self.box_loss = "giou" if second else "l1"
        self.architecture = (
            f"torchvision's RetinaNet, {'second' if second else 'first'} recipe: "
            f"{backbone}, a pyramid of {WIDTH} channels at strides 8 to 128; cartoon "
            "and human faces"
        )
        body = torchvision.models.get_model(backbone, weights=None)
        widths = [body.inplanes // 4, body.inplanes // 2, body.inplanes]
        self.backbone = BackboneWithFPN(
            body,
            {"layer2": "0", "layer3": "1", "layer4": "2"},
            widths,
            WIDTH,
            LastLevelP6P7(body.inplanes if second else WIDTH, WIDTH),
        )
        norm = partial(NamedGroupNorm, 32) if second else None
        self.head = RetinaNetHead(WIDTH, _SHAPES, len(KINDS), norm)
        # Not stored: torchvision's weights do not have them.
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None], False)
        self.register_buffer("std", torch.tensor(STD)[:, None, None], False)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Return class logits and box offsets of every anchor."""
        features = self.backbone((pictures - self.mean) / self.std)
        found = self.head(list(features.values()))
        return found["cls_logits"], found["bbox_regression"]

    def stages(self) -> list[list[nn.Module]]:
        """Return the parts of the ResNet, from the picture upwards."""
        body = self.backbone.body
        return [[body[name] for name in names] for names in _STAGES]

    def load_published(self, state: Mapping[str, Tensor]) -> str:
        """Load torchvision's RetinaNet with any number of classes, or its ResNet."""
        if "conv1.weight" in state:
            return self._load_resnet(state)
        if f"{_CLASSES}.weight" not in state:
            raise BadModel(
                "these weights are neither torchvision's RetinaNet (they have no "
                f"{_CLASSES}) nor one of its ResNets (they have no conv1)"
            )
        return self._load_retinanet(dict(state))

    def _load_resnet(self, state: Mapping[str, Tensor]) -> str:
        body = self.backbone.body
        own = {k: v for k, v in state.items() if not k.startswith("fc.")}
        _load(body, own, set())
        return "only the ResNet is from these weights; pyramid and heads start anew"

    def _load_retinanet(self, state: dict[str, Tensor]) -> str:
        number = len(state[f"{_CLASSES}.weight"]) // _SHAPES
        fresh = set()
        if number != len(KINDS):
            fresh = {f"{_CLASSES}.weight", f"{_CLASSES}.bias"}
            for name in fresh:
                del state[name]
        _load(self, state, fresh)
        if fresh and not any(name.endswith("num_batches_tracked") for name in state):
            _without_epsilon(self.backbone.body)
        if not fresh:
            return ""
        return (
            f"the weights tell {number} classes apart, this network "
            f"{' and '.join(KINDS)} faces: the last layer of the classes starts anew, "
            "all others are from these weights"
        )


def _load(network: nn.Module, state: Mapping[str, Tensor], fresh: set[str]) -> None:
    """Load all weights but those in ``fresh``.

    Raises:
        BadModel: others are missing, too many, or of another shape.
    """
    try:
        found = network.load_state_dict(dict(state), strict=False)
    except RuntimeError as error:
        raise BadModel(f"these weights are of another network: {error}") from error
    missing = [
        name
        for name in found.missing_keys
        if name not in fresh and not name.endswith("num_batches_tracked")
    ]
    for what, names in (("lack", missing), ("have also", found.unexpected_keys)):
        if names:
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            raise BadModel(
                f"these weights are of another network: they {what} "
                f"{', '.join(names[:_NAMED])}{more}"
            )


def _without_epsilon(body: nn.Module) -> None:
    """Let batch norms compute what they would with an epsilon of 0.

    torchvision's published weights of the first recipe, which have frozen norms, are
    meant so. The weight of each norm takes the difference, so that no setting has to
    be stored beside the weights.
    """
    for module in body.modules():
        if isinstance(module, nn.BatchNorm2d) and module.running_var is not None:
            least = torch.finfo(module.running_var.dtype).tiny
            variance = module.running_var.clamp(min=least)
            with torch.no_grad():
                module.weight.mul_(((variance + module.eps) / variance).sqrt())


def resnet50_v2() -> RetinaNet:
    """The full-size default: ``retinanet_resnet50_fpn_v2``."""
    return RetinaNet("resnet50", second=True)


def resnet50() -> RetinaNet:
    """The paper's: ``retinanet_resnet50_fpn``."""
    return RetinaNet("resnet50", second=False)


def resnet18_v2() -> RetinaNet:
    """The second recipe on a ResNet-18: a third of the work."""
    return RetinaNet("resnet18", second=True)


def resnet101_v2() -> RetinaNet:
    """The second recipe on a ResNet-101."""
    return RetinaNet("resnet101", second=True)

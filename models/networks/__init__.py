"""The networks in PyTorch, made by name: ``create("retinanet-mobilenetv2")``.

Backbones (``densenet169``, ``resnet50``, ``ir-50``, ..., and ``timm:`` with any name of
timm's) make embedders: n x 3 x S x S pictures, RGB in 0..255, to n x dim, with the
options ``dim`` (512) and ``side`` (112).

A new network is one file with a class here and a line in `NETWORKS`, or a class in
another package with an entry point of the group ``icf.networks``. A model's card names
its network, so that PyTorch can run the exported weights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from icf.models.by_name import Registry

if TYPE_CHECKING:
    from torch import nn

#: Every network that comes with the program.
NETWORKS = Registry(
    kind="network",
    group="icf.networks",
    own={
        "retinanet-mobilenetv2": "icf.models.networks.detector:Detector",
        "retinanet-centerface": "icf.models.networks.face_retinanet:FaceRetinaNet",
        "retinanet-resnet18-v2": "icf.models.networks.retinanet:resnet18_v2",
        "retinanet-resnet50": "icf.models.networks.retinanet:resnet50",
        "retinanet-resnet50-v2": "icf.models.networks.retinanet:resnet50_v2",
        "retinanet-resnet101-v2": "icf.models.networks.retinanet:resnet101_v2",
        "embedder-mobilenetv2": "icf.models.networks.embedder:EmbedderNet",
        "embedder-mobilenetv2-flipped": "icf.models.networks.embedder:FlippedEmbedder",
        "embedder-mobilenetv2-mirrored": (
            "icf.models.networks.mirrored_embedder:MirroredEmbedder"
        ),
        "photo-mobilenetv2": "icf.models.networks.photo:PhotoNet",
        "densenet169": "icf.models.networks.torchvision_bodies:densenet169",
        "resnet18": "icf.models.networks.torchvision_bodies:resnet18",
        "resnet50": "icf.models.networks.torchvision_bodies:resnet50",
        "se-resnet50": "icf.models.networks.torchvision_bodies:se_resnet50",
        "mobilenetv2": "icf.models.networks.torchvision_bodies:mobilenetv2",
        "mobilenetv3-large": "icf.models.networks.torchvision_bodies:mobilenetv3_large",
        "ir-50": "icf.models.networks.insightface_resnet:ir50",
        "se-ir-50": "icf.models.networks.insightface_resnet:se_ir50",
    },
)


#: Before the name of an architecture of timm.
TIMM = "timm:"


def create(name: str, **options: Any) -> nn.Module:
    """Make a network with its first weights.

    Args:
        name: of `NETWORKS`, or ``timm:`` and the name of an architecture of timm.
        options: passed on to what makes it: backbones take ``dim``, numbers in an
            embedding, and ``side``, of a crop in pixels.

    Raises:
        BadModel: there is no such network, or it cannot be imported.
        WrongUse: timm is not installed, or the side does not fit the network.
    """
    if name.startswith(TIMM):
        from icf.models.networks.timm_body import timm_embedder

        return timm_embedder(name.removeprefix(TIMM), **options)
    network: nn.Module = NETWORKS.load(name)(**options)
    return network

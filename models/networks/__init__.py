"""The networks in PyTorch, made by name: ``create("retinanet-mobilenetv2")``.

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
        "embedder-mobilenetv2": "icf.models.networks.embedder:EmbedderNet",
        "photo-mobilenetv2": "icf.models.networks.photo:PhotoNet",
    },
)


def create(name: str, **options: Any) -> nn.Module:
    """Make a network with its first weights.

    Args:
        name: of `NETWORKS`.
        options: passed on to the class.

    Raises:
        BadModel: there is no such network, or it cannot be imported.
    """
    network: nn.Module = NETWORKS.load(name)(**options)
    return network

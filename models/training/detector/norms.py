"""Which batch norms of a detector learn while it is trained."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn

from icf.models.training.detector.config import Norms


def training_mode(
    network: nn.Module,
    norms: Norms,
    frozen: Iterable[nn.Module],
    learning: Iterable[nn.Module],
) -> None:
    """Switch a network to training, but for norms that keep their statistics.

    Args:
        network: the whole of it.
        norms: which learn: none, those outside the backbone, or all that are not
            frozen.
        frozen: parts of the backbone that stay as they are.
        learning: its other parts.
    """
    network.train()
    still = {
        "frozen": (network,),
        "heads": (*frozen, *learning),
        "trained": tuple(frozen),
    }[norms]
    for part in still:
        for module in part.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.eval()

"""The detector, the embedder, the judge of photographs, and their training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

__all__ = ["create"]


def create(name: str, **options: Any) -> nn.Module:
    """Make a network by name: see `icf.models.networks.create`.

    Raises:
        BadModel: there is no such network, or it cannot be imported.
        WrongUse: it needs a package that is not installed, or an option does not fit.
    """
    # Imported here, so that importing the package stays cheap.
    from icf.models.networks import create as make

    return make(name, **options)

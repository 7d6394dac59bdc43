"""Losses for training, made by name: ``create("margin", dim=192, classes=800)``.

A new loss is one file with a class here and a line in `LOSSES`, or a class in another
package with an entry point of the group ``icf.losses``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from icf.models.by_name import Registry

if TYPE_CHECKING:
    from torch import nn

#: Every loss that comes with the program.
LOSSES = Registry(
    kind="loss",
    group="icf.losses",
    own={"margin": "icf.models.training.losses.margins:MarginLoss"},
)


def create(name: str, **options: Any) -> nn.Module:
    """Make a loss.

    Args:
        name: of `LOSSES`.
        options: passed on to the class.

    Raises:
        BadModel: there is no such loss, or it cannot be imported.
    """
    loss: nn.Module = LOSSES.load(name)(**options)
    return loss

"""What opened detectors and embedders have in common."""

from __future__ import annotations

import os
from collections.abc import Set
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from icf.models.cards import ModelCard, bundled_path, verified, weights_path
from icf.models.formats.base import Opening, format_of
from icf.models.runtime.network import Device, Runtime

Model = TypeVar("Model", bound="OpenedModel")


class OpenedModel:
    """A model of any format.

    Attributes:
        card: the model's card.
        model_hash: SHA-256 of its weights.
    """

    #: The task that its card must have, and the bundled model for it.
    task: ClassVar[str]
    bundled_name: ClassVar[str]
    #: What its format extends, and the parameters that every card of the task gives.
    kind: ClassVar[type]
    parameters: ClassVar[Set[str]]

    def __init__(self, network: Any, card: ModelCard) -> None:
        self._network = network
        self.card = card
        self.model_hash = card.sha256

    @classmethod
    def bundled(
        cls: type[Model], runtime: Runtime = "onnxruntime", device: Device = "auto"
    ) -> Model:
        """Open the model that comes with the program."""
        path = bundled_path(cls.bundled_name)
        return cls.open(path, runtime=runtime, device=device)

    @classmethod
    def open(
        cls: type[Model],
        path: str | os.PathLike[str],
        threads: int = 1,
        runtime: Runtime = "onnxruntime",
        device: Device = "auto",
    ) -> Model:
        """Open a model by the format that its card names.

        Args:
            path: the weights with ``NAME.json`` next to them, or that card.
            threads: processors one call may use.
            runtime: what runs it.
            device: where PyTorch computes.

        Raises:
            BadModel: the file is not what its card promises, or for another task.
        """
        path = weights_path(Path(path))
        card = verified(path, cls.task, cls.parameters)
        form = format_of(card, cls.kind)
        return cls(form.open(path, card, Opening(threads, runtime, device)), card)

"""What becomes of weights of PyTorch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from icf.models.formats.outside import Published


@dataclass(frozen=True)
class Converted:
    """What became of a state dict.

    Attributes:
        weights: the ONNX file.
        form: the format that reads it.
        network: its name in `icf.models.networks`; "": PyTorch cannot run it.
        architecture: in words.
        published: as `icf.models.formats.outside.OutsideFormat` has it.
    """

    weights: Path
    form: str
    network: str
    architecture: str
    published: Published

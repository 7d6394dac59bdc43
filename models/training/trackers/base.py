"""What a tracker is."""

from __future__ import annotations

import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from icf.errors import WrongUse


class Tracker(ABC):
    """Receives the figures of one run.

    Args:
        folder: of the run; what is written goes below it.
        config: of the run, to be shown.
    """

    def __init__(self, folder: Path, config: Mapping[str, Any]) -> None:
        self.folder, self.config = folder, config

    @abstractmethod
    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Take the figures after some steps.

        Args:
            step: steps taken.
            values: by name, such as ``loss`` or ``held out/rank1``.
        """

    @abstractmethod
    def close(self) -> None:
        """Write what is left; called once, at the end or when the run fails."""


def require(package: str, extra: str) -> None:
    """Raise unless a tracker's package is there.

    Raises:
        WrongUse: it is not; the message says how to install it.
    """
    if importlib.util.find_spec(package) is None:
        raise WrongUse(
            f"loop.trackers names {extra}, which is not installed: "
            f"pip install 'icf-toolkit[{extra}]', or leave it out"
        )


def flattened(config: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Return a configuration by dotted keys.

    >>> flattened({"loop": {"seed": 0}})
    {'loop.seed': 0}
    """
    found: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            found |= flattened(value, f"{above}{key}.")
        else:
            found[f"{above}{key}"] = value
    return found

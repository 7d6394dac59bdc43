"""Classes that are found by name: those of `icf`, and those that other packages bring.

A class is imported when it is asked for, not before: networks need PyTorch, which
takes seconds to import.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import Any

from icf.entry_points import entry_points
from icf.errors import BadModel, WrongUse


@dataclass(frozen=True)
class Registry:
    """Classes by name.

    Attributes:
        kind: what they are, for messages: ``"network"``.
        group: the group of entry points under which other packages name theirs.
        own: those of `icf`, each as ``"module:Class"``.
    """

    kind: str
    group: str
    own: Mapping[str, str]

    def names(self) -> list[str]:
        """Return every known name, sorted."""
        found = {point.name for point in entry_points(self.group)}
        return sorted(found | self.own.keys())

    def check(self, name: str) -> None:
        """Refuse a name that a user gave and nothing has.

        Raises:
            WrongUse: there is no such name.
        """
        if name not in self.names():
            raise WrongUse(self._unknown(name))

    def load(self, name: str) -> Any:
        """Import the class of a name; a name of `icf` always means its own class.

        Raises:
            BadModel: there is no such name, or its module cannot be imported.
        """
        if name in self.own:
            return EntryPoint(name, self.own[name], self.group).load()
        points = [p for p in entry_points(self.group) if p.name == name]
        if not points:
            raise BadModel(self._unknown(name))
        try:
            return points[0].load()
        except (ImportError, AttributeError) as error:
            raise BadModel(
                f"cannot import the {self.kind} {name!r} ({points[0].value}): {error}"
            ) from error

    def _unknown(self, name: str) -> str:
        return f"unknown {self.kind} {name!r}; known are {', '.join(self.names())}"

"""What other packages offer under a name: their entry points."""

from __future__ import annotations

import functools
import importlib.metadata
import sys
from importlib.metadata import EntryPoint


def entry_points(group: str) -> tuple[EntryPoint, ...]:
    """Return the entry points of a group; none is loaded.

    All installed packages are looked through once a group, and again when ``sys.path``
    changes: where many are installed that takes a tenth of a second.
    """
    return _found(group, tuple(sys.path))


@functools.cache
def _found(group: str, _path: tuple[str, ...]) -> tuple[EntryPoint, ...]:
    return tuple(importlib.metadata.entry_points(group=group))

"""One of the two things that are compared: what is shown of it, whatever it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class Side:
    """A release or a workspace.

    Attributes:
        name: what it is called on the page.
        about: where it is, and how it was made.
        counts: how much it has of each part, and how much it dropped by reason.
        settings: by dotted key, as text.
        models: name and hash by role.
        sizes: shape (n,): the shorter side of each face in pixels.
        samples: shape (identities,): faces of each.
        albums: faces by album.
    """

    name: str
    about: str
    counts: Mapping[str, int]
    settings: Mapping[str, str]
    models: Mapping[str, str]
    sizes: npt.NDArray[np.float64]
    samples: npt.NDArray[np.int64]
    albums: Mapping[str, int]


def flat(table: Mapping[str, Any], above: str = "") -> dict[str, str]:
    """The values of nested tables by dotted key, as text.

    >>> flat({"filter": {"min_face": 40, "by_edges": True}, "seed": 1})
    {'filter.min_face': '40', 'filter.by_edges': 'true', 'seed': '1'}
    """
    found: dict[str, str] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{above}{key}.")
        elif isinstance(value, list | tuple):
            found[above + key] = ", ".join(map(str, value))
        elif isinstance(value, bool):
            found[above + key] = str(value).lower()
        else:
            found[above + key] = "" if value is None else str(value)
    return found

"""Albums and sizes of faces apart: a better mean must not hide a group that loses."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from icf.models.gate.bootstrap import Difference
from icf.models.gate.report import Floor, bounds, rounded
from icf.settings import GateSettings

#: Sizes of faces: from and up to which shorter side, in pixels.
SIZES: Mapping[str, tuple[float, float]] = {
    "faces under 128 px": (0, 128),
    "faces of 128 to 256 px": (128, 256),
    "faces of 256 px and more": (256, math.inf),
}


def judge_groups(
    groups: Mapping[str, tuple[int, Callable[[float], Difference]]],
    settings: GateSettings,
) -> tuple[Floor, ...]:
    """Compare each group on its own.

    A group is refused if it loses more than ``gate.floor``, and certainly loses. With
    many groups chance alone would let one of them seem so: each gets an equal part of
    the risk (Bonferroni).

    Args:
        groups: by name, how many clusters it has, and what gives its difference with
            bounds of a confidence.
        settings: the floor, and the smallest group that is judged.
    """
    judged = sum(count >= settings.min_group for count, _ in groups.values())
    confidence = 1 - (1 - settings.confidence) / max(1, judged)
    floors = []
    for name, (count, compare) in groups.items():
        large = count >= settings.min_group
        found = compare(confidence if large else settings.confidence)
        lost = found.value < -settings.floor and found.high < 0
        floors.append(
            Floor(
                name,
                count,
                rounded(found.value) or 0.0,
                bounds(found),
                settings.floor,
                not lost if large else None,
            )
        )
    return tuple(floors)


def reasons(floors: tuple[Floor, ...]) -> list[str]:
    """Why groups refuse the challenger."""
    return [
        f"{each.group}: it loses {-each.difference:.4f}, more than gate.floor, "
        f"{each.floor:g}"
        for each in floors
        if each.held is False
    ]

"""What the numbers on a model's card may be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from icf.errors import BadModel


@dataclass(frozen=True)
class Allowed:
    """Which numbers are allowed.

    Attributes:
        least: the lowest.
        most: the highest.
        whole: without a fraction.
        above: `least` itself is not allowed.
        or_zero: 0 is allowed, too.
    """

    least: float = -math.inf
    most: float = math.inf
    whole: bool = False
    above: bool = False
    or_zero: bool = False

    def has(self, number: float) -> bool:
        """Whether a number is allowed; one that is not finite never is."""
        if not math.isfinite(number) or (self.whole and number != int(number)):
            return False
        low = number <= self.least if self.above else number < self.least
        return not (low or number > self.most) or (self.or_zero and number == 0)

    def __str__(self) -> str:
        """Return what is allowed, in words.

        >>> str(Allowed(0, 1)), str(Allowed(0, 1, whole=True))
        ('a number from 0 to 1', '0 or 1')
        >>> str(Allowed(16, 8192, whole=True, or_zero=True))
        '0 or a whole number from 16 to 8192'
        >>> str(Allowed(0, above=True)), str(Allowed())
        ('a number above 0', 'a finite number')
        """
        if self.whole and self.most - self.least == 1:
            return f"{self.least:g} or {self.most:g}"
        kind = "a whole number" if self.whole else "a number"
        if math.isinf(self.least):
            return "a finite number"
        if math.isinf(self.most):
            span = (
                f"above {self.least:g}" if self.above else f"of {self.least:g} or more"
            )
        else:
            span = f"from {self.least:g} to {self.most:g}"
        return f"{'0 or ' if self.or_zero else ''}{kind} {span}"


_SWITCH = Allowed(0, 1, whole=True)
_PIXELS = Allowed(16, 8192, whole=True)
_COUNT = Allowed(1, whole=True)

#: Numbers of every model of a task, as cards call it.
OF_TASKS: Mapping[str, Mapping[str, Allowed]] = {
    "detect": {
        "min_score": Allowed(0, 1),
        "side": _PIXELS,
        "overview": Allowed(16, 8192, whole=True, or_zero=True),
        "tiles": _SWITCH,
    },
    "embed": {
        "crop_rate": Allowed(0, 4),
        "slope": Allowed(),
        "intercept": Allowed(),
        "calibrated": _SWITCH,
        "side": _PIXELS,
        "dim": _COUNT,
    },
}
#: Endings of numbers that a card has of each channel, as ``mean_red``.
COLOURS = ("red", "green", "blue")
#: What describes the pixels, of all channels or of each.
_PIXELS_ARE: Mapping[str, Allowed] = {
    "mean": Allowed(0, 255),
    "std": Allowed(0, above=True),
}
#: Numbers of the formats that come with the program.
OF_FORMATS: Mapping[str, Allowed] = {
    "kind": _SWITCH,
    "bgr": _SWITCH,
    "scale": Allowed(0, above=True),
    "classes": _COUNT,
    "cartoon": Allowed(-1, whole=True),
    "human": Allowed(-1, whole=True),
    "output": Allowed(0, whole=True),
    "boxes": Allowed(0, whole=True),
    "scores": Allowed(-1, whole=True),
    "labels": Allowed(-1, whole=True),
    "corners": _SWITCH,
    "relative": _SWITCH,
    "logits": Allowed(0, 2, whole=True),
    **_PIXELS_ARE,
    **{
        f"{name}_{colour}": allowed
        for name, allowed in _PIXELS_ARE.items()
        for colour in COLOURS
    },
}


def check_numbers(
    numbers: Mapping[str, float], allowed: Mapping[str, Allowed], where: str
) -> None:
    """Refuse numbers that a model cannot have.

    Args:
        numbers: by name, of a card or for one; those without a rule have to be finite.
        allowed: the rules, by name.
        where: they are from, for the message.

    Raises:
        BadModel: one is not allowed; the message says which, and what is.
    """
    for name, number in numbers.items():
        rule = allowed.get(name, Allowed())
        if not rule.has(number):
            raise BadModel(f"{where}: {name} is {number:g}; expected {rule}")

"""Which pictures of a data set are its test, so that nobody ever trains on them."""

from __future__ import annotations

from typing import Literal

from icf.icartoonface.parts import HELD_OUT_ENDING

#: Which pictures are held out: those of splits that are called so, all, or none.
HeldOut = Literal["test", "all", "none"]

TRAIN = frozenset({"train", "training"})
#: What splits are called that models are compared on.
TEST = frozenset({"test", "testing", "val", "valid", "validation", "dev", "eval"})


def is_split(name: str) -> bool:
    """Whether a folder or the last word of a file is called like a split.

    >>> is_split("train2017"), is_split("Val"), is_split("Luna")
    (True, True, False)
    """
    return _called(name) in TRAIN | TEST


def part_of(name: str, split: str, held_out: HeldOut) -> str:
    """Return what the source of a picture is called.

    Args:
        name: of the data set.
        split: what its part is called; "": it has none.
        held_out: which parts are held out.
    """
    part = f"{name} {split}".strip()
    is_out = held_out == "all" or (held_out == "test" and _called(split) in TEST)
    return part + HELD_OUT_ENDING if is_out else part


def _called(name: str) -> str:
    return name.casefold().rstrip("0123456789")

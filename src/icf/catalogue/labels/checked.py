"""What people said of faces that would have had a label without them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Checked:
    """Answers about faces that were drawn at random, and needed no question.

    Attributes:
        asked: how many of these questions are settled.
        wrong: how many of them say otherwise than the label they would have had.
    """

    asked: int
    wrong: int

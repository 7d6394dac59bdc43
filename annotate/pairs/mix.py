"""Which source the next pairs are from: questions, known pairs, an audit."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

#: A source's name, and an id there.
Subject = tuple[str, int]

#: The share of an audit among what is asked while it lasts.
AUDIT_SHARE = 1 / 2


@dataclass(frozen=True)
class Mix:
    """How known pairs and an audit are mixed in, so that nobody sees where.

    Attributes:
        gold_first: known pairs before a person's first question.
        gold_share: share of known pairs after that, from 0 to 1.
        draw: a random number from 0 to 1. It must be such that nobody can predict it.
    """

    gold_first: int
    gold_share: float
    draw: Callable[[], float] = random.SystemRandom().random

    def most_gold(self, count: int, seen: int) -> int:
        """How many known pairs the next ones may have, at most.

        Args:
            count: the next pairs.
            seen: known pairs that the person answered or holds.
        """
        return count if seen < self.gold_first or self.gold_share else 0

    def mixed(
        self,
        count: int,
        seen: int,
        questions: list[Subject],
        gold: list[Subject],
        audit: list[Subject],
    ) -> list[Subject]:
        """Choose up to ``count`` of what the sources offer.

        An audit is spread evenly: until it is done, every other pair on average. Known
        pairs alone are never shown: they say nothing of pictures.

        Args:
            count: how many are wanted.
            seen: known pairs that the person answered or holds.
            questions: what is open, most useful first.
            gold: known pairs.
            audit: an audit's items.
        """
        offered = _Offered(list(questions), list(gold), list(audit))
        made: list[Subject] = []
        while len(made) < count and (offered.questions or offered.audit):
            source = self._next(offered, seen)
            seen += source is offered.gold
            made.append(source.pop(0))
        return made

    def _next(self, offered: _Offered, seen: int) -> list[Subject]:
        """Where the next one is from."""
        is_first = seen < self.gold_first
        if offered.gold and (is_first or self.draw() < self.gold_share):
            return offered.gold
        if not offered.questions:
            return offered.audit
        wanted = offered.audit and self.draw() < AUDIT_SHARE
        return offered.audit if wanted else offered.questions


@dataclass(frozen=True)
class _Offered:
    """What is left of each source."""

    questions: list[Subject]
    gold: list[Subject]
    audit: list[Subject]

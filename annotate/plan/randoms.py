"""How many questions are drawn at random beside those that are chosen.

It is the mix of `icf.annotate.choosing.choose`, batch after batch, with numbers in
place of faces.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from icf.annotate.choosing.shares import DROPPED_SHARE


@dataclass(frozen=True)
class Drawn:
    """Questions that are drawn at random and would not be asked otherwise.

    Attributes:
        needless: about kept faces that need no question.
        dropped: about faces that identity dropped.
    """

    needless: int
    dropped: int


def count_drawn(
    to_ask: int, needless: int, dropped: int, batch: int, share: float
) -> Drawn:
    """Play the batches until nothing is left to be chosen.

    Args:
        to_ask: questions that are asked in any case.
        needless: kept faces that need none.
        dropped: faces that identity dropped.
        batch: questions of a batch.
        share: of a batch that is drawn at random.
    """
    left, others, out = float(to_ask), float(needless), float(dropped)
    random = math.ceil(batch * share)
    while left >= 0.5:
        of_dropped = min(out, math.ceil(random * DROPPED_SHARE))
        of_kept = random - of_dropped
        room = batch - random
        chosen = min(left, room)
        if needless:
            # A small batch has only as many as belong to what was chosen.
            part = min(1.0, chosen / max(1, room))
            of_dropped, of_kept = of_dropped * part, of_kept * part
        left -= chosen
        drawn = min(of_kept, left + others)
        hit = drawn * left / (left + others) if left + others else 0.0
        left -= hit
        others -= drawn - hit
        out -= of_dropped
        if chosen < room and not hit and not chosen:
            break
    return Drawn(round(needless - others), round(dropped - out))

"""Labels of the open audit on which a reviewer must decide, as the page shows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from icf.annotate.audit.checks import disagreements, involved
from icf.annotate.tasks.base import Pair
from icf.codes import Choice

_SAYS = {"same": Choice.TRUE.value, "different": Choice.FALSE.value}


@dataclass(frozen=True)
class Dispute:
    """A label on which the check and the label differ.

    Attributes:
        item_id: the label of the sample.
        pair: what is asked.
        tally: how often each answer was given: by those who checked, and once by the
            label, so that nobody sees which of them is which.
        barred: who may not decide: who checked, and who helped to make the label.
    """

    item_id: int
    pair: Pair
    tally: Mapping[str, int]
    barred: frozenset[str]


def read_disputes(connection: sa.Connection) -> list[Dispute]:
    """Read them, in the order of the sample; those taken down are left out."""
    items = [each for each in disagreements(connection) if not each.gone]
    makers = involved(connection, [(each.face_id, each.character_id) for each in items])
    found = []
    for each in items:
        tally = Counter(choice.value for choice in each.checks.values())
        tally[_SAYS[each.label]] += 1
        barred = makers.get((each.face_id, each.character_id), set()) | set(each.checks)
        pair = Pair(each.face_id, each.character_id, each.reference_face_id)
        found.append(Dispute(each.id, pair, tally, frozenset(barred)))
    return found

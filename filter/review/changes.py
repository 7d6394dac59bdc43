"""What the search for suspicions reads of each character, as fingerprints.

A character with the same fingerprint as at the last search has the same suspicions.
Each fingerprint also covers more than is read (answers about faces that are dropped):
then a character is searched once more for nothing, and never once too few.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from icf.catalogue.looked_at import checksum
from icf.catalogue.merges import survivor
from icf.catalogue.schema import character, face, face_link, question, review
from icf.codes import ReviewStatus, Suspicion, Verdict

#: Changes with what `icf.filter.review.cleaning` and `groups` do, so that a new version
#: of the program searches everything again.
_VERSION = "1"

Parts = Mapping[int, str]


def evidence(connection: sa.Connection) -> Parts:
    """Fingerprints of the faces, answers and links of each character."""
    queries = (_kept_faces(), _answers(), _links())
    return _by_character(connection, queries, _VERSION)


def stored(
    connection: sa.Connection,
    kinds: Collection[Suspicion],
    characters: Sequence[int] | None = None,
) -> Parts:
    """Fingerprints of each character's suspicions, as far as a search changes them.

    Args:
        connection: to the catalogue.
        kinds: of suspicions.
        characters: some of them; None: all.
    """
    state = sa.case(
        {ReviewStatus.OPEN.value: 1, ReviewStatus.CLOSED.value: 2},
        value=review.c.status,
        else_=0,
    )
    query = (
        sa.select(review.c.character_id, state, *checksum(review.c.id))
        .where(review.c.kind.in_([kind.value for kind in kinds]))
        .group_by(review.c.character_id, state)
    )
    if characters is not None:
        query = query.where(review.c.character_id.in_(characters))
    return _by_character(connection, (query,), "")


def _kept_faces() -> sa.Select[Any]:
    return (
        sa.select(face.c.character_id, face.c.embedder, *checksum(face.c.id))
        .where(face.c.verdict == Verdict.KEPT.value)
        .group_by(face.c.character_id, face.c.embedder)
    )


def _answers() -> sa.Select[Any]:
    # Open questions too: a suspicion about which one is open is not asked again.
    return (
        sa.select(survivor(), question.c.label, *checksum(question.c.id))
        .join(character, character.c.id == question.c.character_id)
        .group_by(survivor(), question.c.label)
    )


def _links() -> sa.Select[Any]:
    ends = checksum(face_link.c.face_id, face_link.c.other_id)
    return (
        sa.select(face.c.character_id, face_link.c.same, *ends)
        .join(face, face.c.id == face_link.c.face_id)
        .group_by(face.c.character_id, face_link.c.same)
    )


def _by_character(
    connection: sa.Connection, queries: Collection[sa.Select[Any]], first: str
) -> Parts:
    """Join the rows of each character, which is the first column of each query."""
    found: dict[int, list[str]] = defaultdict(list)
    for number, query in enumerate(queries):
        for owner, *values in connection.execute(query):
            if owner is not None:
                found[owner].append(" ".join(map(str, (number, *values))))
    joined = {key: "; ".join([first, *sorted(some)]) for key, some in found.items()}
    return defaultdict(lambda: first, joined)

"""What is done with faces that somebody chose: put into review, or asked about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from icf.annotate.ask import ask_one
from icf.annotate.choosing.proposals import Proposal
from icf.catalogue import reviews
from icf.catalogue.face_character import current_character
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import character, face
from icf.codes import GONE_FACES, Chosen, Suspicion, Verdict

#: The batch that chosen questions are of.
BATCH = "page/browse"


def put_into_review(connection: sa.Connection, faces: Sequence[int]) -> dict[str, int]:
    """Let reviewers see faces as possible outliers of their characters.

    Args:
        connection: a write transaction.
        faces: ids.

    Returns:
        Number of faces by what became of them: ``"review"``, ``"asked_before"``,
        ``"dropped"``, ``"without_reference"``, ``"is_reference"`` or ``"gone"``.
    """
    rows = _read(connection, faces)
    counts = _count_gone(faces, rows)
    found = []
    for row in rows:
        # Reviewers see no suspicion of a face that the filter dropped.
        dropped = "dropped" if row.verdict == Verdict.DROPPED.value else None
        fate = _fate(row) or dropped or _asked(row) or "review"
        counts[fate] += 1
        if fate == "review":
            found.append(
                reviews.Found(
                    Suspicion.OUTLIER,
                    row.character_id,
                    row.id,
                    row.reference_face_id,
                    score=1.0,
                    similarity=row.similarity,
                    model=row.embedder,
                )
            )
    reviews.add(connection, Suspicion.OUTLIER, found)
    return dict(counts)


def ask_about(
    connection: sa.Connection, run_id: int, faces: Sequence[int]
) -> dict[str, int]:
    """Ask people whether faces are the characters that they are taken for.

    Args:
        connection: a write transaction.
        run_id: the run that asks.
        faces: ids.

    Returns:
        Number of faces by what became of them, as of `put_into_review`; ``"asked"``
        or ``"asked_before"``.
    """
    rows = _read(connection, faces)
    counts = _count_gone(faces, rows)
    for row in rows:
        fate = _fate(row) or _asked(row) or "asked"
        counts[fate] += 1
        if fate == "asked":
            proposal = Proposal(
                row.id,
                row.character_id,
                row.reference_face_id,
                row.probability if row.probability is not None else 0.0,
                row.embedder,
                Chosen.BY_HAND,
            )
            ask_one(connection, run_id, BATCH, proposal)
    return dict(counts)


def _count_gone(faces: Sequence[int], rows: Sequence[sa.Row[Any]]) -> Counter[str]:
    """Begin to count with the faces that the catalogue does not have any more."""
    missing = len(set(faces)) - len(rows)
    return Counter({"gone": missing} if missing else {})


def _asked(row: sa.Row[Any]) -> str | None:
    return "asked_before" if row.asked else None


def _fate(row: sa.Row[Any]) -> str | None:
    """Why nothing can be asked about a face; None: something can."""
    if row.reason in GONE_FACES:
        return "gone"
    if row.reference_face_id is None:
        return "without_reference"
    return "is_reference" if row.reference_face_id == row.id else None


def _read(connection: sa.Connection, faces: Sequence[int]) -> list[sa.Row[Any]]:
    query = sa.select(
        face.c.id,
        face.c.verdict,
        face.c.reason,
        face.c.embedder,
        face.c.similarity,
        face.c.probability,
        character.c.id.label("character_id"),
        character.c.reference_face_id,
        reviews.asked_before(face.c.id, character.c.id).label("asked"),
    ).join(character, character.c.id == current_character())
    return list(by_ids(connection, query, face.c.id, sorted(set(faces))))

"""What experts settle, as something that is shown: conflicts and suspicions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import sqlalchemy as sa

from icf.annotate.boxes.page_run import PageRun
from icf.annotate.pairs.choices import read_choice
from icf.annotate.pairs.pictures import picture_of
from icf.annotate.pairs.questions import QuestionSource, store_answer
from icf.annotate.review.suspicions import (
    answered_question,
    is_shown,
    question_about,
    read_pair,
)
from icf.annotate.tasks.answers import is_known
from icf.annotate.tasks.base import (
    Given,
    Lease,
    Pair,
    RefusedAnswer,
    Shown,
    check_reviewer,
)
from icf.catalogue.merges import survivor
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import answer, character, face

#: Before the names of pictures of the character that a face is filed under.
OWN = "own-"


class ConflictSource:
    """Questions that people contradict each other about; ids are those of questions."""

    name: ClassVar[str] = "conflict"

    def store(self, connection: sa.Connection, given: Given) -> None:
        """Store an expert's answer, which settles the question."""
        if not is_known(connection, answer.c.question_id, given):
            check_reviewer(given)
        store_answer(connection, given, read_choice(given.value), decides=True)

    def picture(self, connection: sa.Connection, lease: Lease, name: str) -> Shown:
        """Say which picture a name in the payload means."""
        pairs = QuestionSource().pairs(connection, [lease.subject_id])
        if lease.subject_id not in pairs:
            raise KeyError(name)
        return expert_picture(connection, pairs[lease.subject_id], name)


@dataclass(frozen=True, eq=False)
class SuspicionSource:
    """Suspicions of the filter; ids are those of suspicions.

    Attributes:
        run: what new questions are charged to.
    """

    run: PageRun

    name: ClassVar[str] = "suspicion"
    asks: ClassVar[bool] = True

    def store(self, connection: sa.Connection, given: Given) -> None:
        """Store an expert's answer, which settles the suspicion.

        Where nobody was asked yet, the question is asked in the same transaction.
        """
        choice = read_choice(given.value)
        key = given.lease.subject_id
        asked = answered_question(connection, given.lease)
        said = answer.c.question_id
        if asked is None or not is_known(connection, said, _about(given, asked)):
            check_reviewer(given)
        pair = read_pair(connection, key) if asked is None else None
        if pair is not None and is_shown(given.lease, pair):
            run_id = self.run.id(connection)
            asked = question_about(connection, run_id, pair, key)
        if asked is None:
            raise RefusedAnswer(
                "this suspicion no longer holds: a face, a reference or an answer "
                "changed meanwhile"
            )
        store_answer(connection, _about(given, asked), choice, decides=True)

    def picture(self, connection: sa.Connection, lease: Lease, name: str) -> Shown:
        """Say which picture a name in the payload means."""
        pair = read_pair(connection, lease.subject_id)
        if pair is None or not is_shown(lease, pair):
            # It was settled, and the expert looks at it once more.
            asked = answered_question(connection, lease)
            pairs = QuestionSource().pairs(connection, [asked] if asked else [])
            pair = pairs.get(asked or 0)
        if pair is None:
            raise KeyError(name)
        return expert_picture(connection, pair, name)


def _about(given: Given, question_id: int) -> Given:
    return replace(given, lease=replace(given.lease, subject_id=question_id))


def expert_picture(connection: sa.Connection, pair: Pair, name: str) -> Shown:
    """Say which picture a name means, those of the face's own character included."""
    if not name.startswith(OWN):
        return picture_of(connection, pair, name)
    own = own_pairs(connection, [pair]).get(pair)
    if own is None:
        raise KeyError(name)
    return picture_of(connection, own, name.removeprefix(OWN))


def own_pairs(connection: sa.Connection, pairs: Sequence[Pair]) -> dict[Pair, Pair]:
    """Find the own character of each face, where that is not the one asked about.

    It is a pair of its own, of the reference that the face is held against and of the
    face's own character, so that all pictures of that one can be shown.

    Its own character is the one whose reference it is, else the one that identity chose
    for it, or that it was filed under.
    """
    faces = sorted({each.face_id for each in pairs})
    owners: dict[int, list[int]] = {key: [] for key in faces}
    as_reference = sa.select(character.c.reference_face_id, survivor().label("owner"))
    for row in by_ids(connection, as_reference, character.c.reference_face_id, faces):
        owners[row.reference_face_id].append(row.owner)
    chosen = sa.func.coalesce(face.c.character_id, face.c.filed_under_id)
    filed = sa.select(face.c.id, survivor().label("owner")).join(
        character, character.c.id == chosen
    )
    for row in by_ids(connection, filed, face.c.id, faces):
        owners[row.id].append(row.owner)
    ids = sorted({each for some in owners.values() for each in some})
    references = sa.select(character.c.id, character.c.reference_face_id)
    shown = {
        row.id: row.reference_face_id
        for row in by_ids(connection, references, character.c.id, ids)
    }
    found = {}
    for pair in pairs:
        others = [each for each in owners[pair.face_id] if each != pair.character_id]
        if others and shown.get(others[0]) is not None:
            found[pair] = Pair(pair.reference_face_id, others[0], shown[others[0]])
    return found

"""Faces that follow the answer about another face of their track.

The faces of one track through a shot are one identity (``face_link.same``). With
``annotate.tracks = "follow"`` people are asked about one of them, and the others follow
its answer:

- a kept face that nobody was asked about, of the character that identity chose for it;
- linked with a face that people were asked about as the same character, and
- not with two about which people say different things: that is a question.

What is under suspicion, or was set aside to compare models on, follows nobody. A part
of the followers is asked about nevertheless, drawn at random, so the share of them that
is wrong is measured (`checked`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from typing import Any

import sqlalchemy as sa

from icf.catalogue import reviews
from icf.catalogue.labels.checked import Checked
from icf.catalogue.labels.suspected import is_suspected
from icf.catalogue.merges import survivor
from icf.catalogue.rounds.audit_set import is_set_aside
from icf.catalogue.schema import LINK_ENDS, character, face, face_link, question
from icf.codes import YES_OR_NO, Chosen, Label, Verdict

#: Labels of a question that others may follow, or wait for.
_STANDS = (
    Label.OPEN.value,
    Label.SAME.value,
    Label.DIFFERENT.value,
    Label.DISPUTED.value,
)
_SETTLED = (Label.SAME.value, Label.DIFFERENT.value, Label.NOT_A_FACE.value)

# The question that others follow. Conditions on the followers look for their own.
_first = question.alias("first")
_asked_about = character.alias("asked_about_first")


@cache
def followers() -> sa.Select[Any]:
    """Select the ids of the faces that follow a face that was asked about."""
    each = _following().subquery()
    said = [
        sa.func.max(sa.case((each.c.label == label.value, 1), else_=0))
        for label in (Label.SAME, Label.DIFFERENT)
    ]
    return (
        sa.select(each.c.face_id).group_by(each.c.face_id).having(said[0] + said[1] < 2)
    )


def read_followers(
    connection: sa.Connection, owners: Mapping[int, int]
) -> dict[int, int]:
    """Read the faces that follow a "yes", each with its character.

    Args:
        connection: to the catalogue.
        owners: the character of each face that people confirmed, by face id.
    """
    said: dict[int, set[bool]] = defaultdict(set)
    found: dict[int, int] = {}
    for row in connection.execute(_following()):
        if row.face_id in owners:
            continue
        if row.label == Label.SAME.value:
            # A face that people confirmed for two characters is nobody's example.
            said[row.face_id].add(owners.get(row.first_id) == row.character_id)
            found[row.face_id] = row.character_id
        elif row.label == Label.DIFFERENT.value:
            said[row.face_id].add(False)
    return {key: owner for key, owner in found.items() if said[key] == {True}}


def checked(connection: sa.Connection) -> Checked:
    """Count what people said of followers that were drawn and asked about."""
    audited = question.alias("audited")
    wrong: dict[int, bool] = {}
    for one, other in LINK_ENDS:
        query = (
            sa.select(audited.c.id, audited.c.label, _first.c.label.label("first"))
            .select_from(audited)
            .join(face_link, one == audited.c.face_id)
            .join(_first, _first.c.face_id == other)
            .where(
                audited.c.chosen == Chosen.FOLLOWER.value,
                audited.c.label.in_(_SETTLED),
                face_link.c.same,
                _first.c.character_id == audited.c.character_id,
                _first.c.label.in_(YES_OR_NO),
                sa.func.coalesce(_first.c.chosen, "") != Chosen.FOLLOWER.value,
                _tells(),
            )
        )
        for row in connection.execute(query):
            is_same = row.label == Label.SAME.value
            differs = is_same != (row.first == Label.SAME.value)
            wrong[row.id] = wrong.get(row.id, False) or differs
    return Checked(len(wrong), sum(wrong.values()))


def _tells() -> sa.ColumnElement[bool]:
    """Of questions: the answer holds for the whole track.

    "No" to a reference may mean that it shows the character badly.
    """
    return sa.not_(
        sa.and_(
            _first.c.face_id == _first.c.reference_face_id,
            _first.c.label == Label.DIFFERENT.value,
        )
    )


@cache
def _following() -> sa.CompoundSelect[Any]:
    """Faces with the questions that they follow: one row for each of both."""
    return sa.union_all(*(_direction(one, other) for one, other in LINK_ENDS))


def _direction(
    one: sa.ColumnElement[Any], other: sa.ColumnElement[Any]
) -> sa.Select[Any]:
    return (
        sa.select(
            face.c.id.label("face_id"),
            face.c.character_id,
            _first.c.face_id.label("first_id"),
            _first.c.label,
        )
        .select_from(face_link)
        .join(face, face.c.id == one)
        .join(_first, _first.c.face_id == other)
        .join(_asked_about, _asked_about.c.id == _first.c.character_id)
        .join(character, character.c.id == face.c.character_id)
        .where(
            face_link.c.same,
            # By no index: there are fewer links than labels and faces.
            sa.func.coalesce(_first.c.label, "").in_(_STANDS),
            _tells(),
            survivor(_asked_about) == sa.func.coalesce(face.c.character_id, 0),
            face.c.verdict == Verdict.KEPT.value,
            sa.func.coalesce(face.c.awaits, "") == "",
            ~reviews.asked_before(face.c.id, character.c.id),
            sa.not_(is_suspected()),
            sa.not_(is_set_aside()),
        )
    )

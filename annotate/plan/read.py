"""What there is to ask about, as numbers: one pass over the faces, in the database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from icf.annotate.choosing.frames import chosen_from, is_follower, suspicions
from icf.annotate.choosing.references import references_to_ask
from icf.annotate.choosing.shares import Shares
from icf.catalogue.annotation.pauses import boxes_count, counts
from icf.catalogue.annotation.schema import box_answer, box_task
from icf.catalogue.labels.sure_faces import is_accepted
from icf.catalogue.rows import count_rows
from icf.catalogue.sampling import dropped_frame, kept_frame
from icf.catalogue.schema import answer, face, question
from icf.codes import BoxStatus, Choice, Label, Verdict

_EDGES = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
#: Where one class of probabilities ends and the next begins.
EDGES = tuple(sorted({*_EDGES, *(round(1 - each, 3) for each in _EDGES)}))


@dataclass(frozen=True)
class Class:
    """Questions about faces that are about equally likely their character.

    Attributes:
        probability: the mean.
        count: how many they are.
    """

    probability: float
    count: int


@dataclass(frozen=True)
class ToAsk:
    """What there is to ask about.

    Attributes:
        references: questions about references.
        faces: kept faces that a question is to be about, by their probability.
        open: questions that were asked and are not settled, likewise.
        open_answers: answers that those have.
        same, different: questions with these labels, likewise.
        suspicions: questions about suspicions, of which no model gives a probability.
        likely: for each character that many of the open and future questions are of
            faces that a grid may show; descending.
        accepted: faces that the model accepts, and that nobody is asked about.
        followers: faces that follow another one of their track.
        needless: kept faces that need no question, accepted ones and followers too.
        dropped: faces that identity dropped.
        pictures: pictures with a kept face that is drawn, whose boxes are not settled.
        pictures_faces: the faces on them.
        boxes_begun: by how many people looked at them, how many of these pictures.
    """

    references: int
    faces: tuple[Class, ...]
    open: tuple[Class, ...]
    open_answers: int
    same: tuple[Class, ...]
    different: tuple[Class, ...]
    suspicions: int
    likely: tuple[int, ...]
    accepted: Class
    followers: int
    needless: int
    dropped: int
    pictures: int
    pictures_faces: int
    boxes_begun: tuple[tuple[int, int], ...]


def read_to_ask(connection: sa.Connection, shares: Shares, likely: float) -> ToAsk:
    """Count what there is to ask about, now and once references are confirmed.

    Args:
        connection: to the catalogue.
        shares: what batches are made of.
        likely: the least probability of a face that is shown in a grid.
    """
    references = count_rows(connection, references_to_ask(shares))
    shares = replace(shares, confirmed=False)
    kept = kept_frame(confirmed=False)
    frame = chosen_from(shares).with_only_columns(
        face.c.character_id.label("owner"), face.c.probability
    )
    of_faces = _grouped(connection, frame, likely)
    asked = sa.select(question.c.character_id.label("owner"), question.c.probability)
    of_open = _grouped(
        connection, asked.where(question.c.label == Label.OPEN.value), likely
    )
    of_same, of_different = (
        _grouped(connection, asked.where(question.c.label == label.value), likely)
        for label in (Label.SAME, Label.DIFFERENT)
    )
    faces = _classes([of_faces])
    many = sum(each.count for each in faces)
    shown, on_them = _to_box(connection)
    return ToAsk(
        references=references,
        faces=faces,
        open=_classes([of_open]),
        open_answers=_open_answers(connection),
        same=_classes([of_same]),
        different=_classes([of_different]),
        suspicions=_other_suspicions(connection, shares),
        likely=_of_characters([of_faces, of_open], likely),
        accepted=_accepted(connection, shares),
        followers=count_rows(connection, kept.where(is_follower(shares)))
        if shares.follow
        else 0,
        needless=count_rows(connection, kept) - many,
        dropped=count_rows(connection, dropped_frame(confirmed=False)),
        pictures=shown,
        pictures_faces=on_them,
        boxes_begun=_boxes_begun(connection),
    )


#: A face whose picture people box.
_IS_SHOWN = (face.c.verdict == Verdict.KEPT.value) & (face.c.kind == "cartoon")


def _to_box(connection: sa.Connection) -> tuple[int, int]:
    """Count the pictures whose boxes people have not settled, and the faces on them."""
    settled = sa.exists().where(
        box_task.c.image_id == face.c.image_id,
        box_task.c.status != BoxStatus.OPEN.value,
    )
    query = sa.select(
        sa.func.count(sa.distinct(face.c.image_id)), sa.func.count()
    ).where(_IS_SHOWN, ~settled)
    pictures, faces = connection.execute(query).one()
    return pictures, faces


def _boxes_begun(connection: sa.Connection) -> tuple[tuple[int, int], ...]:
    """Count the open pictures that people looked at, by how many did."""
    shown = sa.exists().where(face.c.image_id == box_task.c.image_id, _IS_SHOWN)
    looks = (
        sa.select(sa.func.count().label("people"))
        .select_from(box_answer)
        .join(box_task, box_task.c.image_id == box_answer.c.image_id)
        .where(
            boxes_count(),
            box_task.c.status == BoxStatus.OPEN.value,
            shown,
        )
        .group_by(box_answer.c.image_id)
        .subquery()
    )
    query = sa.select(looks.c.people, sa.func.count()).group_by(looks.c.people)
    return tuple((people, count) for people, count in connection.execute(query))


@dataclass(frozen=True)
class Counted:
    """Questions of one character and one class.

    Attributes:
        owner: the character.
        place: of the class among those that the edges make.
        count: how many they are.
        total: the sum of their probabilities.
    """

    owner: int
    place: int
    count: int
    total: float


def read_unsure_share(connection: sa.Connection) -> float:
    """The share of the answers that say that nobody can tell."""
    query = (
        sa.select(answer.c.choice, sa.func.count())
        .where(counts())
        .group_by(answer.c.choice)
    )
    found: dict[str, int] = {row[0]: row[1] for row in connection.execute(query)}
    total = sum(found.values())
    return found.get(Choice.UNSURE.value, 0) / total if total else 0.0


def _grouped(
    connection: sa.Connection, query: sa.Select[Any], likely: float
) -> list[Counted]:
    """Count rows with ``owner`` and ``probability`` by character and class."""
    each = query.subquery()
    # What nobody knows is in the middle.
    probability = sa.func.coalesce(each.c.probability, 0.5)
    place: sa.ColumnElement[Any] = sa.literal(0)
    for edge in _edges(likely):
        place = place + sa.case((probability >= edge, 1), else_=0)
    inner = sa.select(
        each.c.owner, probability.label("probability"), place.label("place")
    ).subquery()
    counts = sa.select(
        inner.c.owner,
        inner.c.place,
        sa.func.count(),
        sa.func.sum(inner.c.probability),
    ).group_by(inner.c.owner, inner.c.place)
    return [Counted(*row) for row in connection.execute(counts)]


def _edges(likely: float) -> list[float]:
    return sorted({*EDGES, likely})


def _classes(groups: Sequence[Sequence[Counted]]) -> tuple[Class, ...]:
    """Add up the characters."""
    count: dict[int, int] = defaultdict(int)
    total: dict[int, float] = defaultdict(float)
    for group in groups:
        for each in group:
            count[each.place] += each.count
            total[each.place] += each.total
    return tuple(Class(total[at] / count[at], count[at]) for at in sorted(count))


def _of_characters(
    groups: Sequence[Sequence[Counted]], likely: float
) -> tuple[int, ...]:
    """How many likely faces each character has."""
    first = _edges(likely).index(likely) + 1
    found: dict[int, int] = defaultdict(int)
    for group in groups:
        for each in group:
            if each.place >= first:
                found[each.owner] += each.count
    return tuple(sorted(found.values(), reverse=True))


def _open_answers(connection: sa.Connection) -> int:
    return count_rows(
        connection,
        question.join(answer, answer.c.question_id == question.c.id),
        question.c.label == Label.OPEN.value,
        counts(),
    )


def _other_suspicions(connection: sa.Connection, shares: Shares) -> int:
    """Suspicions about another character than the one that identity chose."""
    query = suspicions(shares).order_by(None)
    about = query.selected_columns["character_id"]
    others = query.where(about != sa.func.coalesce(face.c.character_id, -1))
    rows = others.with_only_columns(query.selected_columns["face_id"], about).distinct()
    return count_rows(connection, rows)


def _accepted(connection: sa.Connection, shares: Shares) -> Class:
    """Faces that the model accepts; those that follow another one are not counted."""
    if not shares.risk or shares.look:
        return Class(1.0, 0)
    frame = kept_frame(confirmed=False).where(is_accepted(shares.risk))
    if shares.follow:
        frame = frame.where(sa.not_(is_follower(shares)))
    each = frame.subquery()
    query = sa.select(sa.func.count(), sa.func.avg(each.c.probability))
    count, mean = connection.execute(query.select_from(each)).one()
    return Class(float(mean or 1.0), int(count))

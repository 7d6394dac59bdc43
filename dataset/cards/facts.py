"""What the catalogue knows of how a release came to be; read once, then only told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone

import numpy as np
import sqlalchemy as sa

from icf.catalogue.annotation.pauses import boxes_count, counts
from icf.catalogue.annotation.schema import box_answer, box_task
from icf.catalogue.rows import by_ids, count_rows
from icf.catalogue.schema import (
    album,
    answer,
    character,
    face,
    image,
    image_source,
    question,
    url,
)
from icf.codes import BoxStatus, FetchStatus, Label, Verdict
from icf.dataset.cards.origin import Origin, read_origin
from icf.dataset.plan import Plan

#: Region or gender that no source states.
NOT_STATED = "not stated"


@dataclass(frozen=True)
class Facts:
    """What the cards of a release say beside its own counts.

    Attributes:
        sources: number of pictures in the catalogue by source name, most first.
        collected: first and last day on which pictures were fetched, ISO 8601.
        urls: number of URLs by `icf.codes.FetchStatus`.
        dropped_pictures: number of pictures by the reason they were dropped for.
        dropped_faces: the same of faces.
        people: number of people whose answers count, about identities and boxes; the
            makers of a data set that was imported are none.
        answers: number of their answers about identities.
        votes: number of faces labelled by people, by how many answers each has.
        answered: first and last day of the answers; None: there are none.
        disputed: number of questions about which people contradict each other.
        box_people: number of verified pictures, by how many people agreed.
        identities_by_region: identities of the release by the region of their album.
        identities_by_style: the same by its drawing style.
        identities_by_gender: the same by gender, as sources state it.
        albums: number of albums of the release's identities.
        bytes: size of each of the release's pictures, by image id.
        marked: number of these whose metadata forbids training on them.
        origin: where pictures, boxes and labels came from.
    """

    sources: Mapping[str, int]
    collected: tuple[str, str] | None
    urls: Mapping[str, int]
    dropped_pictures: Mapping[str, int]
    dropped_faces: Mapping[str, int]
    people: int
    answers: int
    votes: Mapping[int, int]
    answered: tuple[str, str] | None
    disputed: int
    box_people: Mapping[int, int]
    identities_by_region: Mapping[str, int]
    identities_by_style: Mapping[str, int]
    identities_by_gender: Mapping[str, int]
    albums: int
    bytes: Mapping[int, int]
    marked: int
    origin: Origin = field(default_factory=Origin)

    @property
    def tells_styles(self) -> bool:
        """Whether the drawing style of any album is known."""
        return bool(self.identities_by_style.keys() - {NOT_STATED})

    @property
    def last_day(self) -> str | None:
        """The day of the newest picture or answer: what is here is as of then."""
        days = [span[1] for span in (self.collected, self.answered) if span]
        return max(days, default=None)


def read_facts(connection: sa.Connection, plan: Plan, images: Sequence[int]) -> Facts:
    """Read everything; no more than counts, but for the sizes of pictures.

    Args:
        connection: to the catalogue.
        plan: of the release.
        images: the ids of its pictures.
    """
    names = sa.select(image_source.c.source, sa.func.count().label("n"))
    names = names.group_by(image_source.c.source)
    sources = {row.source: int(row.n) for row in connection.execute(names)}
    placed = [each.face for each in (*plan.train, *plan.test)]
    chosen = np.unique(plan.selection.faces.identity[placed]).tolist()
    selection = plan.selection
    by_program = {*selection.unasked, *selection.accepted, *selection.followers}
    origin = read_origin(connection, set(selection.faces.face.tolist()) - by_program)
    by_people = answer.c.annotator.not_in(origin.names)
    return Facts(
        sources=dict(sorted(sources.items(), key=lambda each: (-each[1], each[0]))),
        collected=_span(connection, image_source.c.fetched_at),
        urls=_in_order(_count(connection, url.c.fate), FetchStatus),
        dropped_pictures=_dropped(connection, image),
        dropped_faces=_dropped(connection, face),
        people=_people(connection, origin.names),
        answers=count_rows(connection, answer, _COUNTS, by_people),
        votes=_votes(connection, origin.names),
        answered=_span(connection, answer.c.imported_at),
        disputed=count_rows(
            connection, question, question.c.label == Label.DISPUTED.value
        ),
        box_people=_box_people(connection),
        identities_by_region=_by(connection, album.c.region, chosen),
        identities_by_style=_by(connection, album.c.style, chosen),
        identities_by_gender=_by(connection, character.c.gender, chosen),
        albums=len({plan.selection.identities[each].album_id for each in chosen}),
        bytes=_sizes(connection, images),
        marked=_marked(connection, images),
        origin=origin,
    )


#: Answers that no later one took the place of, of people whose answers count.
_COUNTS = counts()


def _count(
    connection: sa.Connection,
    column: sa.ColumnElement[str],
    *where: sa.ColumnElement[bool],
) -> dict[str, int]:
    query = sa.select(column, sa.func.count()).where(*where).group_by(column)
    return {str(value): int(count) for value, count in connection.execute(query)}


def _in_order(counts: Mapping[str, int], codes: type[FetchStatus]) -> dict[str, int]:
    return {code.value: counts[code.value] for code in codes if code.value in counts}


def _dropped(connection: sa.Connection, table: sa.Table) -> dict[str, int]:
    dropped = table.c.verdict == Verdict.DROPPED.value
    counts = _count(connection, table.c.reason, dropped)
    return dict(sorted(counts.items(), key=lambda each: (-each[1], each[0])))


def _people(connection: sa.Connection, published: Sequence[str]) -> int:
    about = sa.select(answer.c.annotator).where(
        _COUNTS, answer.c.annotator.not_in(published)
    )
    boxes = sa.select(box_answer.c.annotator).where(
        boxes_count(), box_answer.c.annotator.not_in(published)
    )
    return count_rows(connection, sa.union(about, boxes))


def _votes(connection: sa.Connection, published: Sequence[str]) -> dict[int, int]:
    """How many labels "same" have how many answers."""
    each = (
        sa.select(sa.func.count().label("votes"))
        .select_from(answer)
        .join(question, question.c.id == answer.c.question_id)
        .where(
            _COUNTS,
            question.c.label == Label.SAME.value,
            answer.c.annotator.not_in(published),
        )
        .group_by(answer.c.question_id)
        .subquery()
    )
    return _histogram(connection, each.c.votes)


def _box_people(connection: sa.Connection) -> dict[int, int]:
    verified = box_task.c.status == BoxStatus.VERIFIED.value
    return _histogram(connection, box_task.c.people, verified)


def _histogram(
    connection: sa.Connection,
    column: sa.ColumnElement[int],
    *where: sa.ColumnElement[bool],
) -> dict[int, int]:
    query = sa.select(column, sa.func.count()).where(*where).group_by(column)
    return dict(sorted((int(k), int(n)) for k, n in connection.execute(query)))


def _by(
    connection: sa.Connection, column: sa.ColumnElement[str | None], ids: Sequence[int]
) -> dict[str, int]:
    """Count characters by an attribute of theirs, or of their album."""
    joined = sa.select(character.c.id, column.label("value")).join(
        album, album.c.id == character.c.album_id
    )
    counts: dict[str, int] = {}
    for row in by_ids(connection, joined, character.c.id, ids):
        value = row.value or NOT_STATED
        counts[value] = counts.get(value, 0) + 1
    return dict(sorted(counts.items(), key=lambda each: (-each[1], each[0])))


def _sizes(connection: sa.Connection, images: Sequence[int]) -> dict[int, int]:
    query = sa.select(image.c.id, image.c.bytes)
    return {row.id: row.bytes for row in by_ids(connection, query, image.c.id, images)}


def _marked(connection: sa.Connection, images: Sequence[int]) -> int:
    query = sa.select(image.c.id).where(image.c.no_training.is_not(None))
    return len(set(connection.execute(query).scalars()).intersection(images))


def _span(
    connection: sa.Connection, column: sa.ColumnElement[float]
) -> tuple[str, str] | None:
    first, last = connection.execute(
        sa.select(sa.func.min(column), sa.func.max(column))
    ).one()
    return None if first is None else (_day(first), _day(last))


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d")

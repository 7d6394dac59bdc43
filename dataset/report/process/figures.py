"""Counts of the report; every query is an aggregate or has a limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

import sqlalchemy as sa

from icf.catalogue import schema
from icf.catalogue.annotation.pauses import counts
from icf.catalogue.filing import NOBODY
from icf.catalogue.rows import count_rows
from icf.codes import FETCHED, FaceReason, FetchStatus, ImageReason, Label, Verdict
from icf.dataset.cards.origin import published_annotators
from icf.dataset.report.counts import Bar, bars, count_by

_CONFIRMED = schema.question.c.label == Label.SAME.value
_DROPPED = Verdict.DROPPED.value
_NOT_LOST = (*FETCHED, FetchStatus.PENDING.value)


@dataclass(frozen=True)
class Agreement:
    """Statistics of people's answers.

    Attributes:
        people: number of annotators; data sets that were imported are none.
        labels: number of questions by label.
        asked_twice: questions answered by two people or more.
        agreed: those of them with equal answers.
    """

    people: int
    labels: Sequence[Bar]
    asked_twice: int
    agreed: int


@dataclass(frozen=True)
class LastRun:
    """The last command that changed the catalogue, and when it started."""

    command: str
    started: datetime


@dataclass(frozen=True)
class Figures:
    """All counts of a report."""

    headline: Sequence[tuple[str, int]]
    pictures: Sequence[Bar]
    faces: Sequence[Bar]
    lost_urls: Sequence[Bar]
    nothing_lost: str
    lost_images: Sequence[Bar]
    lost_faces: Sequence[Bar]
    agreement: Agreement
    last_run: LastRun | None


def read_figures(connection: sa.Connection) -> Figures:
    """Read all counts."""
    image, face, url = schema.image.c, schema.face.c, schema.url.c
    return Figures(
        headline=_headline(connection),
        pictures=_picture_funnel(connection),
        faces=_face_funnel(connection),
        lost_urls=bars(
            count_by(connection, url.fate, url.fate.not_in(_NOT_LOST)), FetchStatus
        ),
        nothing_lost=_nothing_lost(connection),
        lost_images=bars(
            count_by(connection, image.reason, image.verdict == _DROPPED), ImageReason
        ),
        lost_faces=bars(
            count_by(connection, face.reason, face.verdict == _DROPPED), FaceReason
        ),
        agreement=_agreement(connection),
        last_run=_last_run(connection),
    )


def _headline(connection: sa.Connection) -> list[tuple[str, int]]:
    """Count albums and characters: no faces of nobody, and who was merged once."""
    album, character = schema.album, schema.character
    # Where a published set names nobody, its faces have an album of their own.
    named = album.c.name.not_like(f"%, {NOBODY}")
    somebody = (character.c.name != NOBODY, character.c.merged_into.is_(None))
    return [
        ("albums", count_rows(connection, album, named)),
        ("characters", count_rows(connection, character, *somebody)),
    ]


def _picture_funnel(connection: sa.Connection) -> list[Bar]:
    image, url = schema.image, schema.url
    decoded = image.c.pixel_hash.is_not(None)
    return [
        Bar("URLs found", "listed by the sources", count_rows(connection, url)),
        Bar(
            "pictures stored",
            "complete, without equal files",
            count_rows(connection, image),
        ),
        Bar("decoded", "readable", count_rows(connection, image, decoded)),
        Bar(
            "with a face",
            "at least one face detected",
            count_rows(
                connection,
                image,
                image.c.reason == ImageReason.OK.value,
                image.c.verdict == Verdict.KEPT.value,
            ),
        ),
    ]


def _face_funnel(connection: sa.Connection) -> list[Bar]:
    face = schema.face
    sure = face.c.reason != FaceReason.LOW_SCORE.value
    drawn = face.c.kind == "cartoon"
    asked = sa.select(sa.func.count(sa.distinct(schema.question.c.face_id)))
    return [
        Bar("faces found", "by the detector", count_rows(connection, face)),
        Bar(
            "drawn",
            "of a score that is high enough, not photographed",
            count_rows(connection, face, sure, drawn),
        ),
        Bar(
            "kept",
            "pass all filter steps now",
            count_rows(connection, face, face.c.verdict == Verdict.KEPT.value),
        ),
        Bar(
            "asked about",
            "in questions, also of those dropped since",
            connection.execute(asked).scalar_one(),
        ),
        Bar(
            "confirmed",
            "people say it is the character",
            connection.execute(asked.where(_CONFIRMED)).scalar_one(),
        ),
    ]


def _nothing_lost(connection: sa.Connection) -> str:
    """Say what is true where nothing is lost: not all pictures come from the web."""
    address = schema.url.c.url
    web = count_rows(connection, schema.url, address.like("http%"))
    others = count_rows(connection, schema.url, address.not_like("http%"))
    if web and others:
        return "Every URL was fetched, and every other picture read."
    if web:
        return "Every URL was fetched."
    return "Every picture was read." if others else "No picture was listed yet."


def _agreement(connection: sa.Connection) -> Agreement:
    answer = schema.answer.c
    each = (
        sa.select(
            sa.func.count().label("answers"),
            sa.func.count(sa.distinct(answer.choice)).label("choices"),
        )
        .where(counts())
        .group_by(answer.question_id)
        .having(sa.func.count() > 1)
        .subquery()
    )
    agreed = sa.func.sum(sa.case((each.c.choices == 1, 1), else_=0))
    asked_twice, unanimous = connection.execute(
        sa.select(sa.func.count(), agreed).select_from(each)
    ).one()
    # The makers of a data set that was imported answered nothing here.
    published = published_annotators(connection)
    people = sa.select(sa.func.count(sa.distinct(answer.annotator))).where(
        counts(), answer.annotator.not_in(published)
    )
    return Agreement(
        people=connection.execute(people).scalar_one(),
        labels=bars(count_by(connection, schema.question.c.label), Label),
        asked_twice=asked_twice,
        agreed=unanimous or 0,
    )


def _last_run(connection: sa.Connection) -> LastRun | None:
    run = schema.run.c
    query = sa.select(run.command, run.started_at).order_by(run.id.desc()).limit(1)
    row = connection.execute(query).first()
    if row is None:
        return None
    return LastRun(row.command, datetime.fromtimestamp(row.started_at, timezone.utc))

"""From URLs to a release: what is left after each stage, and where the rest is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from icf.catalogue import schema
from icf.catalogue.rows import count_rows
from icf.codes import FETCHED, FaceReason, FetchStatus, Label, Verdict
from icf.dataset.report.counts import count_by
from icf.dataset.report.drawing import charts
from icf.dataset.report.drawing.plot import Plot


@dataclass(frozen=True)
class Stage:
    """One stage of the funnel.

    Attributes:
        name: what is counted.
        count: number of those.
        rest: description and number of those that did not reach the next stage.
    """

    name: str
    count: int
    rest: Sequence[tuple[str, int]] = ()


def read_funnel(
    connection: sa.Connection, release: Mapping[str, int] | None
) -> list[Stage]:
    """Count every stage.

    Args:
        connection: to the catalogue.
        release: the counts of the last release; None if there is none.
    """
    stages = [
        _urls(connection),
        _pictures(connection),
        _faces(connection),
        _questions(connection),
        _labels(connection),
    ]
    if release is not None:
        parts = ("train_faces", "probes", "distractors")
        unasked = release.get("unasked_references", 0)
        confirmed = release.get("confirmed_faces", 0) + unasked
        name = "confirmed faces" + (" and unasked references" if unasked else "")
        faces = sum(release.get(part, 0) for part in parts)
        rest = [("not used", confirmed - faces)]
        stages.append(Stage(name, confirmed, rest))
        stages.append(Stage("faces released", faces))
    return [
        Stage(each.name, each.count, [part for part in each.rest if part[1]])
        for each in stages
    ]


def funnel_plot(stages: Sequence[Stage]) -> Plot:
    """Make the plot of the stages, each with what did not reach the next one."""
    rows = [
        (each.name, each.count, "; ".join(f"{count} {why}" for why, count in each.rest))
        for each in stages
    ]
    counts, names = [each.count for each in stages], [each.name for each in stages]
    return Plot(
        "funnel",
        "From URLs to a release",
        "the count at each stage",
        charts.funnel(counts, names),
        ("stage", "count", "not in the next stage"),
        rows,
    )


def _urls(connection: sa.Connection) -> Stage:
    url = schema.url
    fates = count_by(connection, url.c.fate)
    waiting = fates.get(FetchStatus.PENDING.value, 0)
    fetched = sum(fates.get(each, 0) for each in FETCHED)
    different = sa.select(sa.func.count(sa.distinct(url.c.image_id))).where(
        url.c.fate.in_(FETCHED)
    )
    again = fetched - int(connection.execute(different).scalar_one())
    total = sum(fates.values())
    lost = total - fetched - waiting
    rest = [("lost", lost), ("the same file again", again), ("waiting", waiting)]
    return Stage("URLs", total, rest)


def _pictures(connection: sa.Connection) -> Stage:
    verdicts = count_by(connection, schema.image.c.verdict)
    return Stage(
        "pictures",
        sum(verdicts.values()),
        [
            ("without a usable face", verdicts.get(Verdict.DROPPED.value, 0)),
            ("waiting", verdicts.get(Verdict.PENDING.value, 0)),
        ],
    )


def _faces(connection: sa.Connection) -> Stage:
    face, question = schema.face, schema.question
    verdicts = count_by(connection, face.c.verdict)
    kept, dropped, pending = (
        face.c.verdict == each.value
        for each in (Verdict.KEPT, Verdict.DROPPED, Verdict.PENDING)
    )
    asked = sa.exists().where(question.c.face_id == face.c.id)
    unsure = face.c.reason == FaceReason.LOW_SCORE.value
    # Not as "exists": nothing finds a character by its reference without reading all.
    chosen = schema.character.c.reference_face_id
    reference = face.c.id.in_(sa.select(chosen).where(chosen.is_not(None)))
    references = count_rows(connection, face, kept, ~asked, reference)
    unasked = count_rows(connection, face, kept, ~asked, ~reference)
    return Stage(
        "faces",
        sum(verdicts.values()),
        [
            ("of a low score", count_rows(connection, face, dropped, ~asked, unsure)),
            ("filtered out", count_rows(connection, face, dropped, ~asked, ~unsure)),
            ("references", references),
            ("not asked about", unasked),
            ("waiting", count_rows(connection, face, pending, ~asked)),
        ],
    )


def _questions(connection: sa.Connection) -> Stage:
    labels = count_by(connection, schema.question.c.label)
    rest = [
        (each.value.replace("_", " "), labels.get(each.value, 0))
        for each in Label
        if each in (Label.OPEN, Label.UNSURE)
        or (each not in (Label.SAME, Label.DIFFERENT) and each.value in labels)
    ]
    return Stage("questions", sum(labels.values()), rest)


def _labels(connection: sa.Connection) -> Stage:
    labels = count_by(connection, schema.question.c.label)
    same = labels.get(Label.SAME.value, 0)
    different = labels.get(Label.DIFFERENT.value, 0)
    return Stage("labels", same + different, [("another character", different)])

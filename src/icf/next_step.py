"""What a person does next with a workspace, from what its catalogue has."""

from __future__ import annotations

import sqlalchemy as sa

from icf.catalogue.annotation.schema import box_task
from icf.catalogue.schema import answer, discovery, face, image, question, url
from icf.codes import BoxStatus, FetchStatus, Label, Verdict

#: Where the line begins.
HARVEST = (
    "nothing is harvested yet: declare a source in icf.toml, then run `icf-harvest run`"
)


def is_empty(connection: sa.Connection) -> bool:
    """Return whether nothing was harvested into the catalogue."""
    return not any(_any(connection, table) for table in (image, url, discovery))


def next_step(connection: sa.Connection) -> str:
    """Return a sentence with the command that continues the work."""
    if is_empty(connection):
        return HARVEST
    if _any(connection, url, url.c.fate == FetchStatus.PENDING.value):
        return "URLs are pending: run `icf-harvest run`"
    waiting = (_any(connection, table, table.c.awaits != "") for table in (image, face))
    if any(waiting):
        return "pictures or faces wait for the filter: run `icf-filter run`"
    kept = face.c.verdict == Verdict.KEPT.value
    if not _any(connection, face, kept):
        return (
            "no face is kept: `icf-filter status` shows the reasons. "
            f"{_with_boxes_alone(connection)}"
        )
    is_open = question.c.label == Label.OPEN.value
    if _any(connection, question, is_open):
        answered = sa.exists().where(answer.c.question_id == question.c.id)
        if not _any(connection, question, is_open, ~answered):
            return (
                "questions are open: all have answers, but too few that agree; have "
                "another person answer them, on the page (`icf-annotate serve`) or in "
                "a fresh copy of the batch, then run `icf-annotate import`"
            )
        return (
            "questions are open: have the batches answered, then run `icf-annotate "
            "import`"
        )
    if _any(connection, question, question.c.label == Label.DISPUTED.value):
        return (
            "people contradict each other about some questions: a reviewer decides "
            "them on the page that `icf-annotate serve` opens"
        )
    if not _any(connection, question):
        return "kept faces can be asked about: run `icf-annotate export`"
    return (
        "all questions are settled: run `icf-build-splits`, or `icf-annotate export` "
        "for more questions"
    )


def _with_boxes_alone(connection: sa.Connection) -> str:
    """What can be done where nobody is asked who the faces show."""
    verified = box_task.c.status == BoxStatus.VERIFIED.value
    if not _any(connection, box_task, verified):
        return (
            "People can box faces all the same: `icf-annotate serve --tasks boxes`, or "
            "`icf-annotate export --what boxes`"
        )
    return (
        "The boxes that people verified are there: `icf-build-splits` makes a release "
        "of them, `icf-annotate export --what verified-boxes` writes them; `icf model "
        "set-aside` keeps some to compare detectors on, `icf-train detector --data "
        "workspace` trains on the others"
    )


def _any(
    connection: sa.Connection, table: sa.Table, *where: sa.ColumnElement[bool]
) -> bool:
    query = sa.select(sa.literal(1)).select_from(table).where(*where).limit(1)
    return connection.execute(query).first() is not None

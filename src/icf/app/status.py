"""`icf status`: count the contents of the workspace."""

from __future__ import annotations

from dataclasses import asdict

import click
import sqlalchemy as sa

from icf.catalogue.annotation.pauses import counts
from icf.catalogue.rounds.log import read_rounds
from icf.catalogue.rows import count_rows
from icf.catalogue.schema import (
    album,
    answer,
    character,
    face,
    image,
    model,
    question,
)
from icf.catalogue.tombstones import is_buried_character
from icf.codes import YES_OR_NO, FaceReason, ImageReason
from icf.command import Invocation, example, pass_invocation, shared_options, table
from icf.engine.stale import find_stale

#: What is counted, and of it what was not withdrawn.
_COUNTED = {
    "albums": (album, sa.true()),
    "characters": (character, ~is_buried_character()),
    "images": (image, image.c.reason != ImageReason.TAKEN_DOWN.value),
    "faces": (face, face.c.reason != FaceReason.TAKEN_DOWN.value),
    "questions": (question, sa.true()),
}


@click.command()
@shared_options
@pass_invocation
@example("icf status --json")
def status(invocation: Invocation) -> None:
    """Count the contents of the workspace, and say what to do next.

    What was withdrawn with `icf takedown` is not counted. Labels are the questions that
    people's answers have settled, as the same character or another one. The newest
    round is shown with what it does next. For the states of URLs, faces and questions,
    see the status commands of icf-harvest, icf-filter and icf-annotate.
    """
    workspace = invocation.workspace
    with workspace.catalogue.read() as connection:
        counts = count(connection)
        rounds = read_rounds(connection)
        stale = find_stale(connection, workspace.settings.filter)
    newest = rounds[-1] if rounds else None
    result = {
        **counts,
        "round": {"number": newest.number, "state": newest.state.value}
        if newest
        else None,
        "stale": [asdict(each) for each in stale],
    }
    rows: list[tuple[str, object]] = list(counts.items())
    if newest:
        rows.append(("round", f"{newest.number}: {newest.state.meaning}"))
    invocation.emit(result, lambda: table(("", "count"), rows))
    for each in stale:
        invocation.say(each.message)
    if newest and newest.is_open:
        invocation.say(f"round {newest.number} is open: `icf round status` says more")
    else:
        invocation.say_next_step()


def count(connection: sa.Connection) -> dict[str, int]:
    """Count albums, characters, images, faces, questions, answers, labels, models."""
    settled = question.c.label.in_(YES_OR_NO)
    return {
        **{name: count_rows(connection, *each) for name, each in _COUNTED.items()},
        "answers": count_rows(connection, answer, counts()),
        "labels": count_rows(connection, question, settled),
        "models": count_rows(connection, model),
    }

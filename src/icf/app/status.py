"""`icf status`: count the contents of the workspace."""

from __future__ import annotations

import click
import sqlalchemy as sa

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
from icf.codes import YES_OR_NO
from icf.command import Invocation, example, pass_invocation, shared_options, table

_TABLES = {
    "albums": album,
    "characters": character,
    "images": image,
    "faces": face,
    "questions": question,
}


@click.command()
@shared_options
@pass_invocation
@example("icf status --json")
def status(invocation: Invocation) -> None:
    """Count the contents of the workspace, and say what to do next.

    Labels are the questions that people's answers have settled, as the same character
    or another one. The newest round is shown with what it does next. For the states of
    URLs, faces and questions, see the status commands of icf-harvest, icf-filter and
    icf-annotate.
    """
    with invocation.workspace.catalogue.read() as connection:
        counts = count(connection)
        rounds = read_rounds(connection)
    newest = rounds[-1] if rounds else None
    result = {
        **counts,
        "round": {"number": newest.number, "state": newest.state.value}
        if newest
        else None,
    }
    rows: list[tuple[str, object]] = list(counts.items())
    if newest:
        rows.append(("round", f"{newest.number}: {newest.state.meaning}"))
    invocation.emit(result, lambda: table(("", "count"), rows))
    if newest and newest.is_open:
        invocation.say(f"round {newest.number} is open: `icf round status` says more")
    else:
        invocation.say_next_step()


def count(connection: sa.Connection) -> dict[str, int]:
    """Count albums, characters, images, faces, questions, answers, labels, models."""
    settled = question.c.label.in_(YES_OR_NO)
    return {
        **{name: count_rows(connection, each) for name, each in _TABLES.items()},
        "answers": count_rows(connection, answer, answer.c.replaced_at.is_(None)),
        "labels": count_rows(connection, question, settled),
        "models": count_rows(connection, model),
    }

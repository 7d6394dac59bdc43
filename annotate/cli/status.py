"""`icf-annotate status`: count questions, answers and labels."""

from __future__ import annotations

import click

from icf.annotate.boxes.summary import read_summary
from icf.annotate.status import count
from icf.annotate.waiting import apply_waiting
from icf.codes import Label
from icf.command import Invocation, example, pass_invocation, shared_options, table


@click.command("status")
@shared_options
@pass_invocation
@example("icf-annotate status --json")
def status_command(invocation: Invocation) -> None:
    """Count questions, answers and labels.

    Accepted faces are those that nobody was asked about because the model is sure of
    them: see the setting annotate.risk. Pictures to box are those of which people are
    asked whether every drawn face is boxed.
    """
    apply_waiting(invocation.workspace)
    risk = invocation.workspace.settings.annotate.accepted_risk
    with invocation.workspace.catalogue.read() as connection:
        counts = count(connection, risk)
        boxes = read_summary(connection)
    result = {
        "questions": counts.questions,
        "answers": counts.answers,
        "labels": counts.labels,
        "open": counts.open,
        "batches": counts.batches,
        "accepted": counts.accepted,
        "boxes": boxes.as_json(),
    }
    rows = [
        ("batches", counts.batches, ""),
        ("answers", counts.answers, ""),
        ("questions", counts.questions, ""),
        ("  open", counts.open, Label.OPEN.meaning),
        *(
            (f"  {label}", number, Label[label.upper()].meaning)
            for label, number in counts.labels.items()
        ),
    ]
    if risk:
        meaning = f"nobody was asked: the probability is at least {1 - risk:g}"
        rows.append(("accepted faces", counts.accepted, meaning))
    rows += boxes.rows()
    invocation.emit(result, lambda: table(("", "count", "meaning"), rows))
    invocation.say_if_empty()

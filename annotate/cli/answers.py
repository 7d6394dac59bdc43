"""`icf-annotate answers`: write the answers for others to look at."""

from __future__ import annotations

from pathlib import Path

import click

from icf.annotate.exchange.write_answers import write_answers
from icf.annotate.waiting import apply_waiting
from icf.command import GivenPath, Invocation, example, pass_invocation, shared_options


@click.command("answers")
@click.argument("out", metavar="OUT", type=GivenPath(dir_okay=False))
@click.option("--names", is_flag=True, help="Call people by name, not by pseudonym.")
@shared_options
@pass_invocation
@example("icf-annotate answers answers.csv")
def answers_command(invocation: Invocation, out: Path, names: bool) -> None:
    """Write who answered what, when and in how many seconds to the new file OUT.

    OUT ends with .csv or .jsonl. Everybody has a pseudonym, the same in every file of
    this workspace. An answer that somebody took back is left out, and so is one of a
    person whose answers do not count. `icf-annotate import` reads the file, in this
    workspace or in a copy of it.
    """
    workspace = invocation.workspace
    apply_waiting(workspace)
    with invocation.progress("writing answers", None) as advance:
        written = write_answers(workspace, out, names=names, done=advance)
    result = {
        "path": str(out),
        "format": written.format,
        "answers": written.answers,
        "people": written.people,
    }
    people = "person" if written.people == 1 else "people"
    invocation.emit(
        result,
        lambda: f"{out}: {written.answers} answers of {written.people} {people}",
    )
    invocation.say_if_empty()

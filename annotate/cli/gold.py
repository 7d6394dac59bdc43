"""`icf-annotate gold`: pairs whose answer is known."""

from __future__ import annotations

from pathlib import Path

import click

from icf.command import (
    GivenPath,
    Invocation,
    example,
    pass_invocation,
    shared_options,
    table,
)
from icf.errors import WrongUse

_MORE = (
    "people must agree on more first: a label counts as known when an expert gave it, "
    "or two people and nobody against them"
)


@click.group("gold")
@shared_options
@example("icf-annotate gold list")
def gold_command() -> None:
    """Add, list and retire pairs whose answer is known.

    They are mixed among the questions, and nobody sees which they are. They show how
    often each person is right: see annotate.gold_first, gold_share and gold_floor.
    """


@gold_command.command("add")
@click.argument(
    "file",
    metavar="[FILE]",
    required=False,
    type=GivenPath(exists=True, dir_okay=False),
)
@click.option(
    "--from-labels",
    "number",
    type=click.IntRange(1),
    metavar="N",
    help="Make so many of labels that are certain.",
)
@shared_options
@pass_invocation
@example("icf-annotate gold add --from-labels 200")
def add_command(invocation: Invocation, file: Path | None, number: int | None) -> None:
    """Add known pairs, of FILE or of labels that are certain.

    FILE is a CSV with the columns face (its number), character (ALBUM/NAME) and answer
    (true or false). A wrong line is named, and then nothing is added. Of labels, half
    are the character and half another one, among them look-alikes of the same album.
    """
    from icf.annotate.gold import by_hand, make
    from icf.annotate.waiting import apply_waiting

    workspace = invocation.workspace
    if (file is None) == (number is None):
        raise WrongUse("gold add needs either FILE or --from-labels N")
    if number is not None:
        apply_waiting(workspace)
    with workspace.catalogue.write() as connection:
        if file is not None:
            known = by_hand.read_known(connection, file)
        else:
            assert number is not None
            known = make.of_labels(connection, workspace.vectors, number)
        added = make.add(connection, known)
    result = {"added": added, "known": len(known) - added}
    invocation.emit(
        result, lambda: table(("", "count"), [("known pairs added", added)])
    )
    if number is not None and added < number:
        invocation.say(f"only {added} of {number} could be made: {_MORE}")


@gold_command.command("list")
@shared_options
@pass_invocation
@example("icf-annotate gold list --json")
def list_command(invocation: Invocation) -> None:
    """List known pairs, with how many people answered each, and how many rightly.

    One that many get wrong may be wrong itself: look at it with `icf why FACE`.
    """
    from icf.annotate.gold.listing import list_known

    with invocation.workspace.catalogue.read() as connection:
        known = list_known(connection)
    rows = [
        (
            each.id,
            each.face_id,
            each.character,
            "true" if each.same else "false",
            each.made_by,
            each.state,
            each.answered,
            each.right,
        )
        for each in known
    ]
    columns = (
        "id",
        "face",
        "character",
        "answer",
        "made by",
        "state",
        "answered",
        "right",
    )
    value = [vars(each) for each in known]
    invocation.emit(value, lambda: table(columns, rows))


@gold_command.command("retire")
@click.argument("ids", metavar="ID...", type=int, nargs=-1, required=True)
@shared_options
@pass_invocation
@example("icf-annotate gold retire 1")
def retire_command(invocation: Invocation, ids: tuple[int, ...]) -> None:
    """Ask known pairs no more, and count no answer to them.

    Scores are what they would be without them.
    """
    from icf.annotate.gold.make import retire

    with invocation.workspace.catalogue.write() as connection:
        retired = retire(connection, ids)
    rows = [("known pairs retired", retired)]
    invocation.emit({"retired": retired}, lambda: table(("", "count"), rows))
    if retired < len(set(ids)):
        missing = len(set(ids)) - retired
        invocation.say(f"{missing} are no known pairs, or were retired before")

"""`icf-annotate plan`: what it takes, before anybody starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from icf.annotate.current_rule import current_rule
from icf.annotate.export import batch_shares
from icf.annotate.plan.plan import Plan, read_plan
from icf.annotate.waiting import apply_waiting
from icf.command import Invocation, example, pass_invocation, shared_options, table

if TYPE_CHECKING:
    from rich.console import Group


@click.command("plan")
@click.option(
    "--boxes",
    type=click.IntRange(0),
    metavar="N",
    help="Pictures whose boxes people are to look at  [default: all that have a face "
    "and are not settled].",
)
@shared_options
@pass_invocation
@example("icf-annotate plan --json")
def plan_command(invocation: Invocation, boxes: int | None) -> None:
    """Say how many questions and hours are ahead, and what label error to expect.

    It is computed from the probabilities of the faces, the settings of annotate, and
    how often and how fast people answered so far, where that is measured. Nothing is
    asked and nothing is written.
    """
    workspace = invocation.workspace
    apply_waiting(workspace)
    rule = current_rule(workspace)
    with workspace.catalogue.read() as connection:
        shares = batch_shares(workspace, connection)
        made = read_plan(connection, workspace.settings.annotate, shares, rule, boxes)
    invocation.emit(made.as_json(), lambda: _in_words(made))


def _in_words(made: Plan) -> Group:
    from rich.console import Group

    error, released = made.error, made.release_error
    rows = [
        ("questions", f"{made.questions:,}", "asked, and open ones"),
        ("  references", f"{made.references:,}", "is this a good picture of X?"),
        ("  at random", f"{made.drawn:,}", "so that the error is measured"),
        ("answers", f"{made.answers:,}", "that these take"),
        ("  pairs", f"{made.pairs:,}", f"{made.hours['pairs']:.1f} hours"),
        ("  grids", f"{made.grids:,}", f"{made.hours['grids']:.1f} hours"),
        (
            "boxes",
            f"{made.boxes:,}",
            f"looks; {made.hours['boxes']:.1f} hours",
        ),
        ("person-hours", f"{made.person_hours:,.1f}", "all together"),
        ("for experts", f"{made.experts:,}", "questions that people differ on"),
        (
            "label error",
            f"{error.value:.2%}",
            f"of all yes and no at the end; {error.low:.2%} to {error.high:.2%}",
        ),
        (
            "  of a release",
            f"{released.value:.2%}",
            f"of what is labelled yes; {released.low:.2%} to {released.high:.2%}",
        ),
    ]
    if made.accepted:
        meaning = f"nobody looks at; {made.accepted_error:.2%} of them wrong"
        rows.append(("accepted", f"{made.accepted:,}", meaning))
    if made.followers:
        rows.append(("followers", f"{made.followers:,}", "of a face of their track"))
    said = "\n".join(f"- {each}" for each in made.assumptions)
    return Group(table(("", "count", "meaning"), rows), f"assumed:\n{said}")

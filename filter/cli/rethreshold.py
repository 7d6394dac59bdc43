"""`icf-filter rethreshold`: apply changed thresholds to stored measurements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import click
from rich.table import Table

from icf import command
from icf.codes import meaning_of
from icf.command import Invocation, example, pass_invocation, shared_options
from icf.engine import plugins
from icf.engine.step import Subject
from icf.filter.chain import filter_chain
from icf.filter.cli.reasons import REASONS
from icf.filter.rethreshold.moves import Place
from icf.filter.rethreshold.run import Rethresholded, rethreshold

#: Maximum number of faces that a message lists.
LISTED = 5


@click.command("rethreshold")
@click.option("--dry-run", is_flag=True, help="Only count what would change.")
@shared_options
@pass_invocation
@example("icf-filter rethreshold --dry-run --set filter.min_face=120")
def rethreshold_command(invocation: Invocation, dry_run: bool) -> None:
    """Apply the current thresholds to stored measurements.

    Every image and face is compared with the thresholds again: what fails is dropped,
    what passes continues with the next step. Nothing is decoded, detected or embedded;
    faces that were never embedded wait for `icf-filter run`. Only changed rows get a
    new decision, and `icf why` shows the old and the new one. People's answers are not
    changed. If the command is interrupted, run it again to continue.
    """
    workspace = invocation.workspace
    done = rethreshold(workspace, invocation.progress, dry_run=dry_run)
    subjects = {each.name: each.subject for each in filter_chain(workspace).steps}
    result = {
        "out": _by_step(done.dropped),
        "in": _by_step(done.restored),
        "otherwise": _by_step(done.other_reason),
        "waiting": done.waiting,
        "confirmed_out": done.confirmed,
    }
    invocation.emit(result, lambda: _table(done, subjects))
    invocation.say_if_empty()
    _report(invocation, done, dry_run)


def _by_step(counts: Mapping[Place, int]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (step, reason), number in sorted(counts.items()):
        found.setdefault(step, {})[reason] = number
    return found


def _table(done: Rethresholded, subjects: Mapping[str, Subject]) -> Table | str:
    places = {*done.dropped, *done.restored, *done.other_reason}
    if not places:
        return "nothing changes: all decisions agree with these settings"
    columns = (
        "step",
        "reason",
        "newly dropped",
        "newly kept",
        "other reason",
        "meaning",
    )
    drawn = command.table(
        columns, [_row(place, done, subjects) for place in _in_order(places, subjects)]
    )
    for column in drawn.columns[2:5]:
        column.justify = "right"
    return drawn


def _in_order(places: Iterable[Place], subjects: Mapping[str, Subject]) -> list[Place]:
    order = list(subjects)
    return sorted(places, key=lambda place: (order.index(place[0]), place[1]))


def _row(
    place: Place, done: Rethresholded, subjects: Mapping[str, Subject]
) -> tuple[str, ...]:
    step, reason = place
    subject = subjects[step]
    meaning = meaning_of(REASONS[subject], reason, plugins.meanings(subject))
    counts = [
        f"{each[place]:,}" for each in (done.dropped, done.restored, done.other_reason)
    ]
    return step, reason, *counts, meaning


def _report(invocation: Invocation, done: Rethresholded, dry_run: bool) -> None:
    """Print what is left to do, and which dropped faces people had confirmed."""
    if done.confirmed:
        shown = ", ".join(f"`icf why face:{each}`" for each in done.confirmed[:LISTED])
        invocation.say(
            f"{len(done.confirmed):,} of the newly dropped faces were confirmed by "
            f"people; the answers are kept, see {shown}"
        )
    if dry_run:
        invocation.say("nothing was changed (--dry-run)")
        return
    for step, number in done.waiting.items():
        invocation.say(
            f"{number:,} rows wait for the step {step}; run `icf-filter run` and then "
            "this command again"
        )

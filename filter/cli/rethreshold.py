"""`icf-filter rethreshold`: new decisions after a setting changed."""

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

#: Faces that a message names; the others are counted.
SHOWN = 5


@click.command("rethreshold")
@click.option("--dry-run", is_flag=True, help="Only count what would change.")
@shared_options
@pass_invocation
@example("icf-filter rethreshold --dry-run --set filter.min_face=120")
def rethreshold_command(invocation: Invocation, dry_run: bool) -> None:
    """Decide anew by the settings of now, from what is measured already.

    After a threshold changed, every image and face is held against it: what fails now
    is out, what passes now goes on. Nothing is decoded, detected or embedded; what was
    never embedded waits for `icf-filter run`. Only what changes gets a new decision,
    and `icf why` shows both. People's answers stay as they are. Stopped in any way and
    started again, it comes to the same end.
    """
    workspace = invocation.workspace
    done = rethreshold(workspace, invocation.progress, dry_run=dry_run)
    subjects = {each.name: each.subject for each in filter_chain(workspace).steps}
    result = {
        "out": _by_step(done.out),
        "in": _by_step(done.back),
        "otherwise": _by_step(done.otherwise),
        "waiting": done.waiting,
        "confirmed_out": done.confirmed,
    }
    invocation.emit(result, lambda: _table(done, subjects))
    _advise(invocation, done, dry_run)


def _by_step(counts: Mapping[Place, int]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (step, reason), number in sorted(counts.items()):
        found.setdefault(step, {})[reason] = number
    return found


def _table(done: Rethresholded, subjects: Mapping[str, Subject]) -> Table | str:
    places = {*done.out, *done.back, *done.otherwise}
    if not places:
        return "nothing changes: all that was judged stands as these settings have it"
    columns = ("step", "reason", "newly out", "newly in", "out otherwise", "meaning")
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
    counts = [f"{each[place]:,}" for each in (done.out, done.back, done.otherwise)]
    return step, reason, *counts, meaning


def _advise(invocation: Invocation, done: Rethresholded, dry_run: bool) -> None:
    """Say what is left to do, and what people said of that is out now."""
    if done.confirmed:
        shown = ", ".join(f"`icf why face:{each}`" for each in done.confirmed[:SHOWN])
        invocation.say(
            f"{len(done.confirmed):,} of the faces that are newly out were confirmed "
            f"by people; their answers stay, see {shown}"
        )
    if dry_run:
        invocation.say("nothing was changed; without --dry-run it will be")
        return
    for step, number in done.waiting.items():
        invocation.say(
            f"{number:,} wait for the step {step}; run `icf-filter run`, and then this "
            "once more"
        )

"""`icf-filter run`, and a command for each of its steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any

import click
from rich.table import Table

from icf import command
from icf.codes import meaning_of
from icf.command import Invocation, example, pass_invocation, shared_options
from icf.engine import engine, plugins
from icf.engine.runner import Tally
from icf.engine.stale import find_stale
from icf.engine.step import Subject
from icf.filter.chain import filter_chain
from icf.filter.cli.reasons import REASONS
from icf.filter.cli.status import (
    hints,
    other_embedder,
    report_not_installed,
    rows_of_missing_steps,
)
from icf.filter.detect_again import DETECT_AGAIN, count_other_detector
from icf.filter.embed_again import DECIDE_AGAIN, EMBED_AGAIN
from icf.filter.run import pending, raise_for_failures, run_steps
from icf.filter.step_names import DETECT, EMBED
from icf.filter.step_range import Chosen

_ENGINE_OPTIONS = (
    click.option(
        "--engine",
        "engine_name",
        type=click.Choice(engine.NAMES),
        default="local",
        show_default=True,
        help="Engine that runs the steps.",
    ),
    click.option(
        "--ray-address",
        metavar="HOST:PORT",
        help="Address of a Ray cluster  [default: start one here].",
    ),
    click.option("--dry-run", is_flag=True, help="Only count the pending rows."),
)


def _engine_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_ENGINE_OPTIONS):
        function = option(function)
    return function


@click.command("run")
@click.option(
    "--step",
    "names",
    metavar="STEP",
    multiple=True,
    help="Run this step only; may be repeated  [default: all].",
)
@click.option("--from", "first", metavar="STEP", help="Start with this step.")
@click.option("--to", "last", metavar="STEP", help="End with this step.")
@click.option(
    "--detect-again",
    "search_again",
    is_flag=True,
    help="Search pictures again that another detector searched.",
)
@_engine_options
@shared_options
@pass_invocation
@example("icf-filter run --from embed")
def run_command(
    invocation: Invocation,
    names: tuple[str, ...],
    first: str | None,
    last: str | None,
    search_again: bool,
    engine_name: str,
    ray_address: str | None,
    dry_run: bool,
) -> None:
    """Run all steps on the pending images and faces.

    If the command is interrupted, run it again to continue. The result is the number of
    passed and dropped rows of each step, by reason. For the history of one row, see
    `icf why`. Changed thresholds do not affect earlier decisions: see `icf-filter
    rethreshold`. If the embedder was changed, all faces are embedded again by the new
    one, and duplicates, references and identities are decided again. After the detector
    was changed, --detect-again adds the faces that only the new one finds.
    """
    chosen = Chosen(names, first, last)
    if search_again:
        steps = chosen.of(filter_chain(invocation.workspace).steps)
        if DETECT not in [each.name for each in steps]:
            command.refuse_options(
                f"it needs the step {DETECT}, which is not chosen", "search_again"
            )
    _filter(
        invocation,
        chosen,
        engine_name,
        ray_address,
        dry_run,
        search_again=search_again,
    )


def step_command(name: str, summary: str) -> click.Command:
    """Make the command that runs one step alone."""

    def run_step(
        invocation: Invocation,
        engine_name: str,
        ray_address: str | None,
        dry_run: bool,
    ) -> None:
        _filter(invocation, Chosen((name,)), engine_name, ray_address, dry_run)

    run_step.__doc__ = f"{summary}\n\nRun only this step."
    shown = example(f"icf-filter {name}")(run_step)
    options = _engine_options(shared_options(pass_invocation(shown)))
    return click.command(name)(options)


def _filter(
    invocation: Invocation,
    chosen: Chosen,
    engine_name: str,
    ray_address: str | None,
    dry_run: bool,
    *,
    search_again: bool = False,
) -> None:
    if engine_name != "ray":
        command.refuse_options("it is for --engine ray", "ray_address")
    if dry_run:
        _show_pending(invocation, chosen, search_again=search_again)
        return
    workspace = invocation.workspace
    workers = workspace.settings.filter.workers
    deadline = workspace.settings.filter.deadline
    with closing(
        engine.open_engine(engine_name, workers, ray_address, deadline)
    ) as opened:
        tallies = run_steps(
            workspace,
            chosen,
            opened,
            invocation.progress,
            search_again=search_again,
        )
    result = {
        t.step: {"passed": t.passed, "dropped": t.dropped, "waiting": t.waiting}
        for t in tallies
    }
    steps = filter_chain(workspace).steps
    subjects = {each.name: each.subject for each in steps}
    # These are no steps of the chain.
    subjects |= {DETECT_AGAIN: "image", EMBED_AGAIN: "face", DECIDE_AGAIN: "face"}
    invocation.emit({"steps": result}, lambda: _tally_table(tallies, subjects))
    invocation.say_if_empty()
    with workspace.catalogue.read() as connection:
        stale = find_stale(connection, workspace.settings.filter)
    other = other_embedder(workspace)
    for each in (*stale, *([other] if other else ())):
        invocation.say(each.message)
    for hint in hints(workspace):
        invocation.say(hint)
    report_not_installed(invocation, rows_of_missing_steps(workspace))
    raise_for_failures(workspace, tallies)


def _show_pending(
    invocation: Invocation, chosen: Chosen, *, search_again: bool
) -> None:
    workspace = invocation.workspace
    waiting = pending(workspace, chosen)
    rows = list(waiting.items())
    if EMBED in waiting and (other := other_embedder(workspace)):
        rows.append((EMBED_AGAIN, other.faces))
    if search_again and DETECT in waiting:
        rows.append((DETECT_AGAIN, count_other_detector(workspace)))
    invocation.emit(
        {"pending": dict(rows)}, lambda: command.table(("step", "pending"), rows)
    )


def _tally_table(tallies: Sequence[Tally], subjects: Mapping[str, Subject]) -> Table:
    rows: list[tuple[str, str, str, str]] = []
    of_others = {subject: plugins.meanings(subject) for subject in REASONS}
    for tally in tallies:
        subject = subjects[tally.step]
        codes, others = REASONS[subject], of_others[subject]
        rows.append((tally.step, "passed", f"{tally.passed:,}", ""))
        for reason, number in tally.dropped.most_common():
            rows.append(("", reason, f"{number:,}", meaning_of(codes, reason, others)))
        for reason, number in tally.waiting.most_common():
            meaning = meaning_of(codes, reason, others)
            rows.append(("", "still waiting", f"{number:,}", f"{reason}: {meaning}"))
    return command.counts_table(("step", "", "count", "meaning"), rows)

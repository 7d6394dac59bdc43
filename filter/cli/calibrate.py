"""`icf-filter calibrate`: let answers say what a similarity is worth."""

from __future__ import annotations

from typing import Any

import click
from rich.table import Table

from icf import command
from icf.catalogue import calibrations
from icf.catalogue.calibrations import Curve
from icf.command import Invocation, example, pass_invocation, shared_options
from icf.filter import resources
from icf.filter.identify.calibration import (
    LEAST,
    Answered,
    Calibrated,
    calibrate,
    judge_again,
    read_answered,
)
from icf.reliability import BINS, Reliability
from icf.workspace import Workspace


@click.command("calibrate")
@click.option("--dry-run", is_flag=True, help="Only say what would come of it.")
@click.option(
    "--judge-again",
    "again",
    is_flag=True,
    help="Let all faces wait for identity again, to be judged by what answers taught.",
)
@shared_options
@pass_invocation
@example("icf-filter calibrate --dry-run")
def calibrate_command(invocation: Invocation, dry_run: bool, again: bool) -> None:
    """Fit the embedder's probabilities to what people answered.

    The new curve is held against the card's on answers that it was not fitted on; it is
    used from now on unless it is worse there. Faces that were judged before keep their
    probability; with --judge-again they wait for `icf-filter identity`.
    """
    workspace = invocation.workspace
    embedder = resources.chosen_embedder(workspace)
    model, card = embedder.model_hash, embedder.curve
    answered = read_answered(workspace.catalogue, workspace.vectors, model)
    made = calibrate(answered, card) if min(answered.kinds) >= LEAST else None
    why = _why_not(answered, made)
    sent = 0
    if not dry_run and (again or not why):
        run_id = workspace.begin_run("icf-filter calibrate")
        if made and not why:
            _adopt(workspace, run_id, model, answered, made)
        if again:
            sent = judge_again(workspace.catalogue, run_id, model)
        workspace.end_run(run_id)
    result = {
        "model": model,
        "same": answered.kinds[0],
        "different": answered.kinds[1],
        "adopted": not why and not dry_run,
        "why_not": why,
        "card": {**vars(card), **(_figures(made.by_card) if made else {})},
        "fitted": {**vars(made.curve), **_figures(made.by_curve)} if made else None,
        "judged_again": sent,
    }
    invocation.emit(result, lambda: _table(made, card) if made else str(why))
    if made:
        invocation.say(why or ("would be used" if dry_run else "used from now on"))
    if sent:
        invocation.say(f"{sent:,} faces wait for `icf-filter identity`")


def _why_not(answered: Answered, made: Calibrated | None) -> str | None:
    if made is None:
        same, different = answered.kinds
        return (
            f"not fitted: people answered {same} times that a face is the character "
            f"and {different} times that it is not; {LEAST} of each are needed"
        )
    if not made.better:
        return (
            "not used: on answers that it was not fitted on its log-loss is "
            f"{made.by_curve.log_loss:.4f}, the card's {made.by_card.log_loss:.4f}"
        )
    return None


def _adopt(
    workspace: Workspace, run_id: int, model: str, answered: Answered, made: Calibrated
) -> None:
    with workspace.catalogue.write() as connection:
        calibrations.add(
            connection,
            run_id,
            model,
            made.curve,
            answered=len(answered.same),
            error=made.by_curve.error,
            figures={
                "log_loss": made.by_curve.log_loss,
                "card_error": made.by_card.error,
                "card_log_loss": made.by_card.log_loss,
            },
        )


def _figures(made: Reliability) -> dict[str, Any]:
    bins = [vars(each) for each in made.bins]
    return {"error": made.error, "log_loss": made.log_loss, "bins": bins}


def _table(made: Calibrated, card: Curve) -> Table:
    """The bins of both curves beside each other, then what they come to."""
    columns = ("expected", "card: answers", "same", "fitted: answers", "same")
    placed = [
        {int(min(bin.predicted, 0.999) * BINS): bin for bin in each.bins}
        for each in (made.by_card, made.by_curve)
    ]
    rows: list[list[str]] = []
    for place in range(BINS):
        row = [f"{place / BINS:.1f} to {(place + 1) / BINS:.1f}"]
        for bins in placed:
            found = bins.get(place)
            row += [f"{found.count:,}", f"{found.observed:.2f}"] if found else ["", ""]
        rows.append(row)
    for name, one, other in (
        ("calibration error", made.by_card.error, made.by_curve.error),
        ("log-loss", made.by_card.log_loss, made.by_curve.log_loss),
        ("even odds at cosine", card.even, made.curve.even),
    ):
        rows.append([name, f"{one:.4f}", "", f"{other:.4f}", ""])
    drawn = command.table(columns, rows)
    for column in drawn.columns[1:]:
        column.justify = "right"
    return drawn

"""`icf-filter calibrate`: fit probabilities to people's answers."""

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
    MIN_ANSWERS,
    CalibrationResult,
    LabelledPairs,
    calibrate,
    read_labelled_pairs,
    requeue_faces,
)
from icf.reliability import BINS, Reliability
from icf.workspace import Workspace


@click.command("calibrate")
@click.option("--dry-run", is_flag=True, help="Only show the result.")
@click.option(
    "--judge-again",
    "again",
    is_flag=True,
    help="Send all judged faces back to the step identity.",
)
@shared_options
@pass_invocation
@example("icf-filter calibrate --dry-run")
def calibrate_command(invocation: Invocation, dry_run: bool, again: bool) -> None:
    """Fit the embedder's probabilities to people's answers.

    The fitted curve and the curve of the model card are compared on held-out answers.
    The fitted curve is used from then on unless its log-loss is worse. Faces that were
    judged before keep their probability; with --judge-again they wait for `icf-filter
    identity`.
    """
    workspace = invocation.workspace
    embedder = resources.chosen_embedder(workspace)
    model, card = embedder.model_hash, embedder.curve
    answered = read_labelled_pairs(workspace.catalogue, workspace.vectors, model)
    made = calibrate(answered, card) if min(answered.counts) >= MIN_ANSWERS else None
    why = _refusal(answered, made)
    sent = 0
    if not dry_run and (again or not why):
        run_id = workspace.begin_run("icf-filter calibrate")
        if made and not why:
            _store(workspace, run_id, model, answered, made)
        if again:
            sent = requeue_faces(workspace.catalogue, run_id, model)
        workspace.end_run(run_id)
    result = {
        "model": model,
        "same": answered.counts[0],
        "different": answered.counts[1],
        "adopted": not why and not dry_run,
        "why_not": why,
        "card": {**vars(card), **(_figures(made.card) if made else {})},
        "fitted": {**vars(made.curve), **_figures(made.fitted)} if made else None,
        "judged_again": sent,
    }
    invocation.emit(result, lambda: _table(made, card) if made else str(why))
    invocation.say_if_empty()
    if made:
        invocation.say(
            why or ("it would be used" if dry_run else "it is used from now on")
        )
    if sent:
        invocation.say(f"{sent:,} faces wait for `icf-filter identity`")


def _refusal(answered: LabelledPairs, made: CalibrationResult | None) -> str | None:
    if made is None:
        same, different = answered.counts
        return (
            f"not fitted: {same} answers say that a face is the character and "
            f"{different} that it is not; {MIN_ANSWERS} of each are needed"
        )
    if not made.improves:
        return (
            f"not used: its log-loss on held-out answers is "
            f"{made.fitted.log_loss:.4f}, the card's is {made.card.log_loss:.4f}"
        )
    return None


def _store(
    workspace: Workspace,
    run_id: int,
    model: str,
    answered: LabelledPairs,
    made: CalibrationResult,
) -> None:
    with workspace.catalogue.write() as connection:
        calibrations.add(
            connection,
            run_id,
            model,
            made.curve,
            answered=len(answered.same),
            error=made.fitted.error,
            figures={
                "log_loss": made.fitted.log_loss,
                "card_error": made.card.error,
                "card_log_loss": made.card.log_loss,
            },
        )


def _figures(made: Reliability) -> dict[str, Any]:
    bins = [vars(each) for each in made.bins]
    return {"error": made.error, "log_loss": made.log_loss, "bins": bins}


def _table(made: CalibrationResult, card: Curve) -> Table:
    """The bins of both curves side by side, then the summary figures."""
    columns = ("expected", "card: answers", "same", "fitted: answers", "same")
    placed = [
        {int(min(bin.predicted, 0.999) * BINS): bin for bin in each.bins}
        for each in (made.card, made.fitted)
    ]
    rows: list[list[str]] = []
    for place in range(BINS):
        row = [f"{place / BINS:.1f} to {(place + 1) / BINS:.1f}"]
        for bins in placed:
            found = bins.get(place)
            row += [f"{found.count:,}", f"{found.observed:.2f}"] if found else ["", ""]
        rows.append(row)
    for name, one, other in (
        ("calibration error", made.card.error, made.fitted.error),
        ("log-loss", made.card.log_loss, made.fitted.log_loss),
        ("even odds at cosine", card.even, made.curve.even),
    ):
        rows.append([name, f"{one:.4f}", "", f"{other:.4f}", ""])
    drawn = command.table(columns, rows)
    for column in drawn.columns[1:]:
        column.justify = "right"
    return drawn

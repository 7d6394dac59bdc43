"""`icf-filter calibrate`: fit probabilities to people's answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import click
import sqlalchemy as sa
from rich.table import Table

from icf import command
from icf.annotator_error import AnnotatorError
from icf.catalogue import calibrations
from icf.catalogue.calibrations import Curve
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import album, character
from icf.command import Invocation, example, pass_invocation, shared_options
from icf.filter import resources
from icf.filter.identify.calibration import (
    MIN_ANSWERS,
    MIN_RANDOM,
    CalibrationResult,
    Dropped,
    Labelled,
    calibrate,
    read_labelled,
    requeue_faces,
)
from icf.reliability import BINS, Reliability
from icf.statistics import Interval
from icf.workspace import Workspace

#: Maximum number of characters that a message lists.
_LISTED = 3


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

    The fitted curve and the curve of the model card are compared on held-out answers,
    as far as these represent all faces. The fitted curve is used from then on if it is
    better by more than chance. Faces that were judged before keep their probability;
    with --judge-again they wait for `icf-filter identity`.
    """
    workspace = invocation.workspace
    embedder = resources.chosen_embedder(workspace)
    model, card = embedder.model_hash, embedder.curve
    labelled = read_labelled(workspace.catalogue, workspace.vectors, model)
    names = _names(workspace, labelled.never_same)
    same, different = labelled.answers.counts
    made = None
    if min(same, different) >= MIN_ANSWERS:
        made = calibrate(labelled.answers, card)
    why = _refusal(labelled, made)
    sent = 0
    if not dry_run and (again or not why):
        run_id = workspace.begin_run("icf-filter calibrate")
        if made and not why:
            _store(workspace, run_id, model, labelled, made)
        if again:
            sent = requeue_faces(workspace.catalogue, run_id, model)
        workspace.end_run(run_id)
    result = {
        "model": model,
        "same": same,
        "different": different,
        "random": labelled.random,
        "represented": labelled.answers.represented or None,
        "answer_error": vars(labelled.error),
        "dropped": _lost(labelled.dropped),
        "never_same": names,
        "adopted": not why and not dry_run,
        "why_not": why,
        "gain": vars(made.gain) if made else None,
        "card": {**vars(card), **(_figures(made.card) if made else {})},
        "fitted": {**vars(made.curve), **_figures(made.fitted)} if made else None,
        "judged_again": sent,
    }
    invocation.emit(result, lambda: _table(made, card) if made else str(why))
    invocation.say_if_empty()
    for line in _notes(labelled, made, why, dry_run, names):
        invocation.say(line)
    if sent:
        invocation.say(f"{sent:,} faces wait for `icf-filter identity`")


def _refusal(labelled: Labelled, made: CalibrationResult | None) -> str | None:
    answers = labelled.answers
    if made is None:
        same, different = answers.counts
        return (
            f"not fitted: {same} answers say that a face is the character and "
            f"{different} that it is not; {MIN_ANSWERS} of each are needed"
        )
    if not answers.represented:
        return (
            "not used: none of the answered batches has a random part, so the answers "
            "say nothing of other faces; answer one more batch of `icf-annotate export`"
        )
    if labelled.random < MIN_RANDOM and not answers.all_asked:
        return (
            f"not used: {labelled.random} answers are about faces drawn at random, and "
            f"{MIN_RANDOM} are needed; answer one more batch of `icf-annotate export`"
        )
    if not made.improves:
        return (
            "not used: on held-out answers its log-loss is lower than the card's by "
            f"{_interval(made.gain, '.4f')}; the 90% interval must be above 0"
        )
    return None


def _names(workspace: Workspace, characters: Sequence[int]) -> list[str]:
    """The characters as ALBUM/NAME."""
    named = album.c.name.label("album"), character.c.name.label("character")
    query = sa.select(*named).join(album, album.c.id == character.c.album_id)
    with workspace.catalogue.read() as connection:
        rows = by_ids(connection, query, character.c.id, characters)
        return [f"{row.album}/{row.character}" for row in rows]


def _notes(
    labelled: Labelled,
    made: CalibrationResult | None,
    why: str | None,
    dry_run: bool,
    never_same: Sequence[str],
) -> list[str]:
    """What a person should know before the decision, and the decision."""
    lines = [_error_note(labelled.error)]
    answers, dropped = labelled.answers, labelled.dropped
    if answers.represented:
        lines.append(
            f"{len(answers.same):,} answers, {labelled.random:,} of them drawn at "
            f"random, stand for {answers.represented:,.0f} faces"
        )
    if dropped:
        lines.append(
            f"of {dropped.asked:,} faces drawn from those that identity dropped, "
            f"{dropped.same:,} are the character: {_interval(dropped.lost, '.1%')} of "
            "them are lost, unless filter.min_probability or the references change"
        )
    if never_same:
        shown = ", ".join(never_same[:_LISTED])
        if len(never_same) > _LISTED:
            shown += f" and {len(never_same) - _LISTED} more"
        lines.append(
            f"no answer confirms {shown}: check the reference with `icf-harvest "
            "reference page`; a wrong one loses every face of its character"
        )
    if made:
        used = "it would be used" if dry_run else "it is used from now on"
        lines.append(why or used)
    return lines


def _error_note(error: AnnotatorError) -> str:
    source = (
        f"estimated from {error.repeated:,} questions that several people answered"
        if error.repeated
        else "assumed, because no question was answered by several people"
    )
    rate = Interval(error.rate, error.low, error.high)
    return f"wrong answers: {_interval(rate, '.1%')}, {source}"


def _store(
    workspace: Workspace,
    run_id: int,
    model: str,
    labelled: Labelled,
    made: CalibrationResult,
) -> None:
    with workspace.catalogue.write() as connection:
        calibrations.add(
            connection,
            run_id,
            model,
            made.curve,
            answered=len(labelled.answers.same),
            error=made.fitted.corrected,
            figures={
                "low": made.fitted.low,
                "high": made.fitted.high,
                "log_loss": made.fitted.log_loss,
                "card_error": made.card.corrected,
                "card_log_loss": made.card.log_loss,
                "gain": vars(made.gain),
                "answer_error": vars(labelled.error),
            },
        )


def _figures(made: Reliability) -> dict[str, Any]:
    bins = [vars(each) for each in made.bins]
    return {**vars(made), "bins": bins}


def _lost(dropped: Dropped | None) -> dict[str, Any] | None:
    if dropped is None:
        return None
    return {**vars(dropped), "lost": vars(dropped.lost)}


def _interval(made: Interval, form: str) -> str:
    """Format an estimate with its interval.

    >>> _interval(Interval(0.0126, 0.004, 0.02), ".1%")
    '1.3% (0.4% to 2.0%)'
    """
    return f"{made.value:{form}} ({made.low:{form}} to {made.high:{form}})"


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
    both = made.card, made.fitted
    rows += [
        ["calibration error", *_pair(f"{each.error:.3f}" for each in both)],
        ["without chance", *_pair(f"{each.corrected:.3f}" for each in both)],
        ["95% interval", *_pair(f"{each.low:.3f} to {each.high:.3f}" for each in both)],
        ["log-loss", *_pair(f"{each.log_loss:.4f}" for each in both)],
        ["even odds at cosine", *_pair(f"{c.even:.4f}" for c in (card, made.curve))],
    ]
    drawn = command.table(columns, rows)
    for column in drawn.columns[1:]:
        column.justify = "right"
    return drawn


def _pair(figures: Iterable[str]) -> list[str]:
    card, fitted = figures
    return [card, "", fitted, ""]

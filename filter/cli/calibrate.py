"""`icf-filter calibrate`: fit probabilities to people's answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import click
from rich.table import Table

from icf import command
from icf.annotator_error import AnnotatorError
from icf.catalogue.calibrations import Curve
from icf.catalogue.find_character import character_names
from icf.command import Invocation, example, pass_invocation, shared_options
from icf.filter.identify.calibration import CalibrationResult, Dropped
from icf.filter.identify.recalibrate import Recalibrated, recalibrate, shown
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
    done = recalibrate(workspace, judge_again=again, dry_run=dry_run)
    labelled, made, card = done.labelled, done.made, done.card
    names = _names(workspace, labelled.never_same)
    same, different = labelled.counts
    result = {
        "model": done.model,
        "same": same,
        "different": different,
        "random": labelled.random,
        "represented": labelled.represented or None,
        "answer_error": vars(labelled.error),
        "dropped": _lost(labelled.dropped),
        "never_same": names,
        "adopted": not done.why_not and not dry_run,
        "checked": done.checked and not dry_run,
        "why_not": done.why_not,
        "gain": vars(made.gain) if made else None,
        "card": {**vars(card), **(_figures(made.card) if made else {})},
        "fitted": {**vars(made.curve), **_figures(made.fitted)} if made else None,
        "judged_again": done.sent,
    }
    invocation.emit(result, lambda: _table(made, card) if made else str(done.why_not))
    invocation.say_if_empty()
    for line in _notes(done, dry_run, names):
        invocation.say(line)
    if done.sent:
        invocation.say(f"{done.sent:,} faces wait for `icf-filter identity`")


def _names(workspace: Workspace, characters: Sequence[int]) -> list[str]:
    """The characters as ALBUM/NAME."""
    with workspace.catalogue.read() as connection:
        names = character_names(connection, characters)
    return [f"{each.album}/{each.name}" for each in names.values()]


def _notes(done: Recalibrated, dry_run: bool, never_same: Sequence[str]) -> list[str]:
    """What a person should know before the decision, and the decision."""
    labelled = done.labelled
    lines = [_error_note(labelled.error)]
    dropped, compared = labelled.dropped, len(labelled.answers.same)
    if labelled.represented:
        lines.append(
            f"{labelled.count:,} answers, {labelled.random:,} of them drawn at "
            f"random, stand for {labelled.represented:,.0f} faces"
        )
    if done.made and compared < labelled.count:
        lines.append(
            f"the curves are fitted to and compared on {compared:,} of "
            f"{labelled.count:,} answers, drawn at random: more do not fit in memory"
        )
    if dropped:
        lines.append(
            f"of {dropped.asked:,} faces drawn from those that identity dropped, "
            f"{dropped.same:,} are the character: {shown(dropped.lost, '.1%')} of "
            "them are lost, unless filter.min_probability or the references change"
        )
    if never_same:
        some = ", ".join(never_same[:_LISTED])
        if len(never_same) > _LISTED:
            some += f" and {len(never_same) - _LISTED} more"
        lines.append(
            f"no answer confirms {some}: check the reference with `icf-harvest "
            "reference page`; a wrong one loses every face of its character"
        )
    if done.made:
        used = "it would be used" if dry_run else "it is used from now on"
        lines.append(done.why_not or used)
    return lines


def _error_note(error: AnnotatorError) -> str:
    source = (
        f"estimated from {error.repeated:,} questions that several people answered"
        if error.repeated
        else "assumed, because no question was answered by several people"
    )
    rate = Interval(error.rate, error.low, error.high)
    return f"wrong answers: {shown(rate, '.1%')}, {source}"


def _figures(made: Reliability) -> dict[str, Any]:
    bins = [vars(each) for each in made.bins]
    return {**vars(made), "bins": bins}


def _lost(dropped: Dropped | None) -> dict[str, Any] | None:
    if dropped is None:
        return None
    return {**vars(dropped), "lost": vars(dropped.lost)}


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

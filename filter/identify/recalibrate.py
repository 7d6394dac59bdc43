"""Fit the curve of the embedder that runs, use it if it is better, and judge again."""

from __future__ import annotations

from dataclasses import dataclass

from icf.catalogue import calibrations
from icf.catalogue.calibrations import Curve
from icf.filter import resources
from icf.filter.identify.calibration import (
    MIN_ANSWERS,
    MIN_RANDOM,
    CalibrationResult,
    Labelled,
    calibrate,
    read_labelled,
    requeue_faces,
)
from icf.reliability import Reliability
from icf.statistics import Interval
from icf.workspace import Workspace


@dataclass(frozen=True)
class Recalibrated:
    """What answers say of an embedder's probabilities.

    Attributes:
        model: the SHA-256 of the embedder.
        card: the curve of its card.
        labelled: the answers.
        made: the fitted curve beside the card's; None if the answers do not suffice.
        why_not: why the fitted curve is not used; None if it is.
        checked: whether the answers suffice to say how good the curve is that is used.
        sent: how many faces wait for identity again.
    """

    model: str
    card: Curve
    labelled: Labelled
    made: CalibrationResult | None
    why_not: str | None
    checked: bool
    sent: int = 0

    @property
    def used(self) -> Reliability | None:
        """How reliable the curve is that is used; None if that is not known."""
        if self.made is None or not self.checked:
            return None
        return self.made.card if self.why_not else self.made.fitted


def recalibrate(
    workspace: Workspace,
    *,
    judge_again: bool = False,
    dry_run: bool = False,
    earlier: Recalibrated | None = None,
) -> Recalibrated:
    """Fit the curve to all answers, and use it if it is better by more than chance.

    If it is not, and the answers suffice to tell, an earlier fitted curve stays. Where
    there is none, the card's is stored as one that was held against answers: then
    `icf.catalogue.labels.sure_faces` relies on it.

    Args:
        workspace: with answers.
        judge_again: send all judged faces back to the step identity.
        dry_run: write nothing.
        earlier: what was found before; if the answers are the same, nothing is fitted
            again.

    Raises:
        BadModel: the embedder's file is not what its card promises.
    """
    embedder = resources.chosen_embedder(workspace)
    model, card = embedder.model_hash, embedder.curve
    labelled = read_labelled(workspace.catalogue, workspace.vectors, model)
    lacking, made = _lacking(labelled), None
    if not lacking:
        made = _made(earlier, model, card, labelled) or calibrate(
            labelled.answers, card
        )
    why_not = lacking or _not_better(made)
    sent = 0
    if not dry_run and (judge_again or not lacking):
        run_id = workspace.begin_run("icf-filter calibrate")
        if made:
            _store(workspace, run_id, model, labelled, made, card if why_not else None)
        if judge_again:
            sent = requeue_faces(workspace.catalogue, run_id, model)
        workspace.end_run(run_id)
    return Recalibrated(model, card, labelled, made, why_not, not lacking, sent)


def _made(
    earlier: Recalibrated | None, model: str, card: Curve, labelled: Labelled
) -> CalibrationResult | None:
    """What was fitted earlier, if it was to the same."""
    if earlier is None or (earlier.model, earlier.card) != (model, card):
        return None
    return earlier.made if labelled.answers.equal(earlier.labelled.answers) else None


def _lacking(labelled: Labelled) -> str | None:
    """Why the answers do not suffice, if so."""
    same, different = labelled.counts
    if min(same, different) < MIN_ANSWERS:
        return (
            f"not fitted: {same} answers say that a face is the character and "
            f"{different} that it is not; {MIN_ANSWERS} of each are needed"
        )
    if not labelled.represented:
        return (
            "not used: none of the answered batches has a random part, so the answers "
            "say nothing of other faces; answer one more batch of `icf-annotate export`"
        )
    if labelled.random < MIN_RANDOM and not labelled.all_asked:
        return (
            f"not used: {labelled.random} answers are about faces drawn at random, and "
            f"{MIN_RANDOM} are needed; answer one more batch of `icf-annotate export`"
        )
    same, different = labelled.answers.counts
    if min(same, different) < MIN_ANSWERS:
        return (
            f"not fitted: of {labelled.count:,} answers {same + different:,} fit in "
            f"memory; {same} of these say that a face is the character and {different} "
            f"that it is not; {MIN_ANSWERS} of each are needed"
        )
    return None


def _not_better(made: CalibrationResult | None) -> str | None:
    if made is None or made.improves:
        return None
    return (
        "not used: on held-out answers its log-loss is lower than the card's by "
        f"{shown(made.gain, '.4f')}; the 90% interval must be above 0"
    )


def shown(made: Interval, form: str) -> str:
    """Format an estimate with its interval.

    >>> shown(Interval(0.0126, 0.004, 0.02), ".1%")
    '1.3% (0.4% to 2.0%)'
    """
    return f"{made.value:{form}} ({made.low:{form}} to {made.high:{form}})"


def _store(
    workspace: Workspace,
    run_id: int,
    model: str,
    labelled: Labelled,
    made: CalibrationResult,
    card: Curve | None,
) -> None:
    """Let the fitted curve count from now on, or the card's if none was fitted."""
    figures = made.card if card else made.fitted
    with workspace.catalogue.write() as connection:
        if card and calibrations.newest(connection, [model]):
            return
        calibrations.add(
            connection,
            run_id,
            model,
            card or made.curve,
            answered=labelled.count,
            error=figures.corrected,
            figures={
                "low": figures.low,
                "high": figures.high,
                "log_loss": figures.log_loss,
                "card_error": made.card.corrected,
                "card_log_loss": made.card.log_loss,
                "gain": vars(made.gain),
                "answer_error": vars(labelled.error),
            },
        )

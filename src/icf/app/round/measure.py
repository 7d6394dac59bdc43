"""How well the machine decides, measured on people's answers: before and after a round.

The answers to faces that were drawn at random stand for all faces that could be asked
about (`icf.catalogue.sampling`). Each is compared with what the embedder in use makes
of the face without that answer, so the same answers judge one model and the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa

from icf.annotate.choosing.unasked import count_unasked
from icf.annotate.export import batch_shares
from icf.catalogue import calibrations
from icf.catalogue.calibrations import Curve
from icf.catalogue.labels import sure_faces
from icf.catalogue.rows import count_rows
from icf.catalogue.schema import face
from icf.codes import Verdict
from icf.filter.identify.calibration import Answers, Labelled
from icf.filter.identify.recalibrate import Recalibrated, recalibrate
from icf.statistics import Interval, mean_of_clusters, share
from icf.workspace import Workspace


@dataclass(frozen=True)
class Measured:
    """The state of a workspace.

    Attributes:
        model: the embedder's SHA-256.
        kept: faces that are kept.
        accepted: those that nobody was asked about, because the model is sure.
        to_ask: questions that are not asked yet.
        label_error: the share of faces that the machine takes for the character asked
            about, or not, and people the other way; None without answers at random.
        accepted_error: the share of wrong ones among faces that were sure when they
            were drawn; None where none was drawn.
        calibration: the calibration error without chance, with its interval; None where
            the answers do not suffice.
    """

    model: str
    kept: int
    accepted: int
    to_ask: int
    label_error: Interval | None
    accepted_error: Interval | None
    calibration: Interval | None

    def as_json(self) -> dict[str, Any]:
        """For the summary of a round."""
        return asdict(self)


def measure(workspace: Workspace, earlier: Recalibrated | None = None) -> Measured:
    """Measure with the embedder in use and all answers.

    Args:
        workspace: with answers.
        earlier: what `recalibrate` found before.

    Raises:
        BadModel: the embedder's file is not what its card promises.
    """
    settings = workspace.settings.annotate
    known = recalibrate(workspace, dry_run=True, earlier=earlier)
    with workspace.catalogue.read() as connection:
        unasked = count_unasked(connection, batch_shares(workspace, connection))
        curves = calibrations.newest(connection, [known.model])
        curve = curves.get(known.model, known.card)
        return Measured(
            known.model,
            count_rows(connection, face, face.c.verdict == Verdict.KEPT.value),
            len(sure_faces.accepted(connection, settings.accepted_risk)),
            unasked.total,
            label_error(known.labelled.answers, curve),
            _accepted_error(connection, settings.risk, known.labelled),
            _calibration(known),
        )


def label_error(answers: Answers, curve: Curve) -> Interval | None:
    """The share of all faces that the machine labels otherwise than people would.

    At even odds, by all it knows of a face but the answer about it. Answers of one
    character count as one for the interval, which is of 95%.

    Args:
        answers: with the number of faces that each represents.
        curve: from cosines to odds.

    Returns:
        None if no answer represents any.
    """
    counted = answers.weights > 0
    if not counted.any():
        return None
    machine = answers.evidence.probability(curve) >= 0.5
    differs = (machine != answers.same).astype(np.float64)
    many = len(np.unique(answers.characters[counted])) > 1
    clusters = answers.characters if many else np.arange(len(differs))
    found = mean_of_clusters(
        differs[counted], answers.weights[counted], clusters[counted]
    )
    return _corrected(found, float(np.average(answers.wrong[counted])))


def _corrected(found: Interval, wrong: float) -> Interval:
    """Take out the answers that are wrong themselves."""
    value, low, high = (
        min(max((each - wrong) / (1 - 2 * wrong), 0.0), 1.0)
        for each in (found.value, found.low, found.high)
    )
    return Interval(value, low, high)


def _accepted_error(
    connection: sa.Connection, risk: float, labelled: Labelled
) -> Interval | None:
    if not risk:
        return None
    found = sure_faces.checked(connection, risk)
    if not found.asked:
        return None
    return share(found.wrong, found.asked, labelled.error.rate)


def _calibration(known: Recalibrated) -> Interval | None:
    used = known.used
    return Interval(used.corrected, used.low, used.high) if used else None


def changes(
    before: Mapping[str, Any], after: Mapping[str, Any], seconds: float
) -> dict[str, Any]:
    """What changed between two measures, for the summary.

    Args:
        before: as `Measured.as_json` gives it.
        after: likewise.
        seconds: that a person takes for an answer.
    """
    saved = before["to_ask"] - after["to_ask"]
    return {
        "questions_saved": saved,
        "seconds_saved": saved * seconds,
        "became_sure": after["accepted"] - before["accepted"],
    }

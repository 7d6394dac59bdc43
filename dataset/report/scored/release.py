"""The last release for the report: counts, leak checks, scores."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from icf.catalogue import schema
from icf.dataset.formats.registry import DEFAULT, lists_folder
from icf.dataset.leaks.report import Check
from icf.dataset.own_models import NO_DETECTOR
from icf.dataset.plan import BEYOND, NEAR_TEST, PROPOSED_TRUTH
from icf.dataset.report.scored.detection import ShownDetection, read_detection
from icf.dataset.report.scored.identification import (
    ShownIdentification,
    read_identification,
)
from icf.dataset.scores.detection.of_release import is_verified, was_detected
from icf.dataset.unused import unused_meaning
from icf.icartoonface.release_files import DETTEST_FOUND
from icf.workspace import Workspace


@dataclass(frozen=True)
class LastRelease:
    """The newest release of the workspace, and its scores on its own files.

    Attributes:
        path: its folder.
        seed: its seed.
        counts: the sizes of its parts.
        not_in: number of faces and pictures that were left out, by reason.
        models: role, name and hash of each model that was used.
        checks: the leak checks.
        identification: None if its files are missing.
        detection: None if its files are missing, nobody verified its boxes, or no
            detector looked for faces.
        verified: whether people verified them.
        detected: whether a detector looked for faces.
        truth: how its true boxes were made.
        no_detector: what is said where no detector looked.
    """

    path: str
    seed: int
    counts: Mapping[str, int]
    not_in: Sequence[tuple[str, int]]
    models: Sequence[tuple[str, str, str]]
    checks: Sequence[Check]
    identification: ShownIdentification | None
    detection: ShownDetection | None
    verified: bool
    detected: bool
    truth: str = PROPOSED_TRUTH
    no_detector: str = NO_DETECTOR

    @property
    def leaks(self) -> int:
        """The number of things that train and test share and must not share."""
        return sum(each.count for each in self.checks if each.severity == "leak")


def last_release(connection: sa.Connection, workspace: Workspace) -> LastRelease | None:
    """Read it from the catalogue and, if they still exist, from its files."""
    release = schema.release
    query = sa.select(release).order_by(release.c.id.desc()).limit(1)
    row = connection.execute(query).first()
    if row is None:
        return None
    folder = workspace.root / row.path
    inside = folder.is_relative_to(workspace.root)
    summary = json.loads(row.summary)
    verified = is_verified(summary)
    # Only iCartoonFace's files can be scored; where there are none, so is no folder.
    files = folder / (lists_folder(summary) or DEFAULT)
    detected = was_detected(summary, files / DETTEST_FOUND)
    return LastRelease(
        path=str(folder.relative_to(workspace.root) if inside else folder),
        seed=row.seed,
        counts=summary["counts"],
        not_in=_not_in(summary),
        models=_models(summary["models"]),
        checks=_checks(folder, summary["leaks"]),
        identification=read_identification(folder),
        detection=read_detection(files) if verified and detected else None,
        verified=verified,
        detected=detected,
        truth=summary.get("detection_truth", PROPOSED_TRUTH),
    )


def _not_in(summary: Mapping[str, Any]) -> list[tuple[str, int]]:
    held_back = dict(summary["held_back"])
    if "unused" in summary:  # else it is of an earlier version
        del held_back["faces"]
    near = [(f"{what}, {NEAR_TEST}", count) for what, count in held_back.items()]
    unused = [
        (f"faces: {unused_meaning(why)}", count)
        for why, count in summary.get("unused", {}).items()
    ]
    # Since there are rules, what is left out is among what is not used.
    left_out = {} if "rule" in summary else summary["left_out"]
    beyond = (f"detection pictures: {BEYOND}", summary.get("detection_beyond", 0))
    named = [*unused, *near, beyond, *left_out.items()]
    return [(why, count) for why, count in named if count]


def _models(models: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    named = [("embedder", models["embedder"])]
    named += [("detector", each) for each in models["detectors"]]
    return [
        (role, each["name"] or "", each["sha256"])
        for role, each in named
        if each["sha256"]
    ]


def _checks(folder: Path, counts: Mapping[str, int]) -> list[Check]:
    try:
        found = json.loads((folder / "leaks.json").read_text(encoding="utf-8"))
        return [
            Check(each["name"], each["meaning"], each["severity"], each["count"])
            for each in found["checks"]
        ]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        # The release was moved; the catalogue still has the counts.
        return [Check(name, "", "leak", count) for name, count in counts.items()]

"""`icf-report`: one HTML file that shows what a data set is and how it came to be."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import sqlalchemy as sa

from icf import __version__
from icf.catalogue import schema
from icf.dataset import charts
from icf.dataset.contact_sheets import dropped_sheets, kept_sheets
from icf.dataset.detection_ap import DetectionScore, score_detection
from icf.dataset.formats.detection import read_dettest_csv, read_submission_csv
from icf.dataset.formats.features import read_features
from icf.dataset.formats.recognition import read_rectest_info
from icf.dataset.identification import IdentificationScore, score_identification
from icf.dataset.release_files import (
    DETTEST_BOXES,
    DETTEST_FOUND,
    FEATURES,
    RECTEST_INFO,
    TRUTH,
)
from icf.dataset.report_figures import SHARPNESS_STEP, SIDE_STEP, Figures, read_figures
from icf.errors import BadInput
from icf.files import replace_file
from icf.workspace import Workspace


@dataclass(frozen=True)
class LastRelease:
    """The newest release of the workspace, and its scores on its own files.

    Attributes:
        path: its folder.
        seed: its seed.
        counts: what it holds.
        checks: name, meaning, severity and count of each leak check.
        identification: None where its files are gone.
        detection: the same.
        truth: what its true boxes are.
    """

    path: str
    seed: int
    counts: Sequence[tuple[str, int]]
    checks: Sequence[tuple[str, str, str, int]]
    identification: IdentificationScore | None
    detection: DetectionScore | None
    truth: str = TRUTH


def write_report(workspace: Workspace, target: Path) -> int:
    """Write the report; return its size in bytes."""
    with workspace.catalogue.read() as connection:
        figures = read_figures(connection)
        kept = kept_sheets(connection, workspace.blobs)
        dropped = dropped_sheets(connection, workspace.blobs)
        row = connection.execute(
            sa.select(schema.release).order_by(schema.release.c.id.desc()).limit(1)
        ).first()
    page = _template().render(
        title=workspace.root.name,
        version=__version__,
        figures=figures,
        charts=_charts(figures),
        kept=kept,
        dropped=dropped,
        release=_last_release(workspace, row) if row else None,
    )
    data = page.encode()
    replace_file(target, [data])
    return len(data)


def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["thousands"] = lambda number: f"{number:,}"
    environment.filters["words"] = lambda code: code.replace("_", " ")
    return environment.get_template("report.html")


def _charts(figures: Figures) -> list[tuple[str, str, Any]]:
    """Title, explanation and drawing of each figure that there is data for."""
    several = len(figures.per_character)
    drawn = [
        (
            "Faces per character",
            f"{several:,} characters, the one with most faces first",
            charts.ranked(figures.per_character, "Faces per character, most first"),
        ),
        (
            "Size of kept faces",
            "shorter side in pixels",
            charts.histogram(figures.sides, SIDE_STEP, "Kept faces by shorter side"),
        ),
        (
            "Sharpness of kept faces",
            "Laplacian variance at 100 pixels",
            charts.histogram(
                figures.sharpness, SHARPNESS_STEP, "Kept faces by sharpness"
            ),
        ),
    ]
    return [each for each in drawn if each[2]]


def _last_release(workspace: Workspace, row: sa.Row[Any]) -> LastRelease:
    folder = Path(row.path)
    inside = folder.is_relative_to(workspace.root)
    summary = json.loads(row.summary)
    return LastRelease(
        path=str(folder.relative_to(workspace.root) if inside else folder),
        seed=row.seed,
        counts=[(name.replace("_", " "), n) for name, n in summary["counts"].items()],
        checks=_checks(folder, summary["leaks"]),
        identification=_identification(folder),
        detection=_detection(folder),
    )


def _checks(folder: Path, counts: Mapping[str, int]) -> list[tuple[str, str, str, int]]:
    try:
        found = json.loads((folder / "leaks.json").read_text(encoding="utf-8"))
        return [
            (each["name"], each["meaning"], each["severity"], each["count"])
            for each in found["checks"]
        ]
    except (OSError, ValueError, KeyError, TypeError):
        # The release was moved away; the catalogue still has the counts.
        return [(name, "", "", count) for name, count in counts.items()]


def _identification(folder: Path) -> IdentificationScore | None:
    try:
        info = read_rectest_info(folder / RECTEST_INFO)
        features = read_features(folder / FEATURES, len(info.files))
        return score_identification(info, features)
    except BadInput:
        return None


def _detection(folder: Path) -> DetectionScore | None:
    try:
        truth = read_dettest_csv(folder / DETTEST_BOXES)
        return score_detection(truth, read_submission_csv(folder / DETTEST_FOUND))
    except BadInput:
        return None

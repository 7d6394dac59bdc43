"""`icf-report`: one HTML file that shows a data set and how it was made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from icf.annotator_error import estimate
from icf.catalogue import sampling, tombstones
from icf.catalogue.labels.attributes import read_attributes
from icf.catalogue.labels.marks import count_marked
from icf.dataset.report.drawing import charts
from icf.dataset.report.drawing.plot import Plot, write_plots
from icf.dataset.report.pictures.challenge_sheets import read_challenges
from icf.dataset.report.pictures.challenges import read_compared
from icf.dataset.report.pictures.contact_sheets import dropped_sheets, kept_sheets
from icf.dataset.report.pictures.mean_faces import read_mean_faces
from icf.dataset.report.pictures.twins import read_suspected
from icf.dataset.report.process.audit import read_audit
from icf.dataset.report.process.figures import read_figures
from icf.dataset.report.process.filter_steps import read_steps
from icf.dataset.report.process.funnel import funnel_plot, read_funnel
from icf.dataset.report.process.measure_charts import (
    measure_plot,
    reliability_plot,
)
from icf.dataset.report.process.measures import read_measures
from icf.dataset.report.process.origins import read_hosts, read_licences
from icf.dataset.report.process.reliability import read_reliability
from icf.dataset.report.process.rounds import read_shown_rounds, rounds_plot
from icf.dataset.report.scored.models import read_models
from icf.dataset.report.scored.release import last_release
from icf.dataset.report.scored.tables import read_tables
from icf.dataset.report.statistics.attributes import read_shown_attributes
from icf.dataset.report.statistics.faces import read_faces
from icf.dataset.report.statistics.overview import read_overview
from icf.dataset.report.templates import environment
from icf.errors import IcfError
from icf.stores.files import replace_file
from icf.version import __version__
from icf.workspace import Workspace

#: The sections in their order: the anchor, the name in the contents, the template.
SECTIONS = (
    ("way", "Funnel", "process/funnel.html"),
    ("overview", "The data set", "statistics/overview.html"),
    ("challenges", "Challenges", "pictures/challenges.html"),
    ("means", "Mean faces", "pictures/mean_faces.html"),
    ("cast", "Characters", "pictures/cast.html"),
    ("filter", "Filter", "process/filter.html"),
    ("out", "Dropped", "process/dropped.html"),
    ("people", "Answers", "process/answers.html"),
    ("rounds", "Rounds", "process/rounds.html"),
    ("release", "Release", "scored/release.html"),
    ("tables", "Tables 3 to 5", "scored/tables.html"),
    ("licences", "Licences", "process/licences.html"),
    ("models", "Models", "scored/models.html"),
)


@dataclass(frozen=True)
class _Content:
    """What the templates show, and the plots among it."""

    values: Mapping[str, Any]
    plots: Sequence[Plot]


def write_report(workspace: Workspace, target: Path, plots: Path | None = None) -> int:
    """Write the report; return its size in bytes.

    Everything is read in one transaction. The file loads nothing from outside.

    Args:
        workspace: what to show.
        target: the file to make or to replace.
        plots: a folder for the SVG and the CSV of each plot; None: none are written.

    Raises:
        IcfError: something was withdrawn meanwhile; no report is left.
    """
    workspace.check_blobs()
    with workspace.catalogue.read() as connection:
        withdrawn = tombstones.newest(connection)
        content = _read(connection, workspace)
    data = environment().get_template("page.html").render(content.values).encode()
    replace_file(target, [data])
    # A takedown that comes after this look finds the report itself.
    with workspace.catalogue.read() as connection:
        if tombstones.newest(connection) != withdrawn:
            target.unlink(missing_ok=True)
            raise IcfError(
                f"the report {target} was not kept, because something was withdrawn "
                "meanwhile (`icf takedown --list`); run the same command again"
            )
    if plots is not None:
        write_plots(content.plots, plots)
    return len(data)


def _read(connection: sa.Connection, workspace: Workspace) -> _Content:
    """Read everything that the page shows."""
    blobs = workspace.blobs
    faces = read_faces(connection)
    described = dict(read_attributes(connection))
    release = last_release(connection, workspace)
    counts = release.counts if release else None
    stages = read_funnel(connection, counts)
    overview = read_overview(connection, faces, list(described.values()), counts)
    measures = [
        measure_plot(each)
        for each in read_measures(connection, workspace.settings.filter)
    ]
    reliability = read_reliability(connection)
    reliable = reliability_plot(reliability.bins) if reliability else None
    rounds = read_shown_rounds(connection)
    left = rounds_plot(rounds)
    compared = read_compared(faces, workspace.vectors)
    scored = [
        each.plot
        for each in (release and release.identification, release and release.detection)
        if each
    ]
    plots = [funnel_plot(stages), *overview.plots, *measures, reliable, left, *scored]
    values = {
        "title": workspace.root.name,
        "version": __version__,
        "contents": [each[:2] for each in SECTIONS if rounds or each[0] != "rounds"],
        "sections": [each[2] for each in SECTIONS],
        "figures": read_figures(connection),
        "stages": stages,
        "funnel": charts.funnel([each.count for each in stages]),
        "overview": overview,
        "challenges": read_challenges(connection, blobs, faces, described, compared),
        "means": read_mean_faces(connection, blobs, faces),
        "steps": {
            "Pictures": read_steps(connection, "image"),
            "Faces": read_steps(connection, "face"),
        },
        "measures": measures,
        "reliability": reliability,
        "reliability_plot": reliable,
        "audit": read_audit(connection),
        "described": read_shown_attributes(connection),
        "wrong": estimate(sampling.read_repeated(connection)),
        "rounds": rounds,
        "rounds_plot": left,
        "suspected": read_suspected(connection, blobs),
        "kept": kept_sheets(connection, blobs),
        "dropped": dropped_sheets(connection, blobs),
        "licences": read_licences(connection),
        "hosts": read_hosts(connection),
        "marked": count_marked(connection),
        "models": read_models(connection),
        "release": release,
        "tables": read_tables(workspace.root),
    }
    return _Content(values, [each for each in plots if each is not None])

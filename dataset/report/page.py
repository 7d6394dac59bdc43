"""`icf-report`: one HTML file that shows a data set and how it was made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import jinja2
from markupsafe import Markup

from icf.annotator_error import estimate
from icf.catalogue import sampling, tombstones
from icf.dataset.certificate import percent
from icf.dataset.report.drawing import charts
from icf.dataset.report.pictures.contact_sheets import dropped_sheets, kept_sheets
from icf.dataset.report.pictures.twins import read_suspected
from icf.dataset.report.process import measure_charts
from icf.dataset.report.process.audit import read_audit
from icf.dataset.report.process.figures import read_figures
from icf.dataset.report.process.filter_steps import read_steps
from icf.dataset.report.process.funnel import read_funnel
from icf.dataset.report.process.measures import Measure, read_kept, read_measures
from icf.dataset.report.process.reliability import read_reliability
from icf.dataset.report.process.rounds import chart as rounds_chart
from icf.dataset.report.process.rounds import read_shown_rounds
from icf.dataset.report.scored.models import read_models
from icf.dataset.report.scored.release import last_release
from icf.dataset.report.statistics.attributes import read_shown_attributes
from icf.errors import IcfError
from icf.stores.files import replace_file
from icf.version import __version__
from icf.workspace import Workspace


def write_report(workspace: Workspace, target: Path) -> int:
    """Write the report; return its size in bytes.

    Everything is read in one transaction. The file loads nothing from outside.

    Raises:
        IcfError: something was withdrawn meanwhile; no report is left.
    """
    with workspace.catalogue.read() as connection:
        withdrawn = tombstones.newest(connection)
        figures = read_figures(connection)
        release = last_release(connection, workspace)
        stages = read_funnel(connection, release.counts if release else None)
        reliability = read_reliability(connection)
        rounds = read_shown_rounds(connection)
        page = _template().render(
            title=workspace.root.name,
            version=__version__,
            figures=figures,
            stages=stages,
            funnel=charts.funnel([each.count for each in stages]),
            charts=_charts(figures.per_character, read_kept(connection)),
            steps={
                "Pictures": read_steps(connection, "image"),
                "Faces": read_steps(connection, "face"),
            },
            measures=[
                (measure, measure_charts.thresholded(measure))
                for measure in read_measures(connection, workspace.settings.filter)
            ],
            reliability=reliability,
            reliability_chart=measure_charts.reliability(
                reliability.bins if reliability else ()
            ),
            audit=read_audit(connection),
            described=read_shown_attributes(connection),
            wrong=estimate(sampling.read_repeated(connection)),
            rounds=rounds,
            rounds_chart=rounds_chart(rounds),
            suspected=read_suspected(connection, workspace.blobs),
            kept=kept_sheets(connection, workspace.blobs),
            dropped=dropped_sheets(connection, workspace.blobs),
            models=read_models(connection),
            release=release,
        )
    data = page.encode()
    replace_file(target, [data])
    # A takedown that comes after this look finds the report itself.
    with workspace.catalogue.read() as connection:
        if tombstones.newest(connection) != withdrawn:
            target.unlink(missing_ok=True)
            raise IcfError(
                f"the report {target} was not kept, because something was withdrawn "
                "meanwhile (`icf takedown --list`); run the same command again"
            )
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
    environment.filters["percent"] = percent
    environment.filters["short"] = measure_charts.number
    environment.filters["words"] = lambda code: code.replace("_", " ")
    return environment.get_template("page.html")


def _charts(
    per_character: Sequence[int], kept: Sequence[Measure]
) -> list[tuple[str, str, Markup]]:
    """Make title, explanation and drawing of each figure that has data."""
    drawn = [(each.name, each.note, measure_charts.thresholded(each)) for each in kept]
    if not per_character:
        return drawn
    title = "Faces per character"
    note = f"{len(per_character):,} characters, the one with most faces first"
    ranked = charts.ranked(per_character, f"{title}, most first")
    return [(title, note, ranked), *drawn]

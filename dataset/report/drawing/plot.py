"""A plot of the report: a drawing, and the numbers it was drawn from."""

from __future__ import annotations

import base64
import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup, escape

from icf.spreadsheet import harmless
from icf.stores.files import replace_file

#: The colours of a drawing outside the page, which has no style sheet around it.
_STYLE = (
    "svg{background:#fff}text{font:12px system-ui,'Segoe UI','Noto Sans',sans-serif;"
    "fill:#5c626c}.fill,.dot{fill:#3f6f8f}.out{fill:#a85a2e}.join{fill:#cfdde6}"
    ".grid{stroke:#e2dfd7}path.grid,.curve{fill:none}.cut{stroke:#22252b;"
    "stroke-width:1.5;stroke-dasharray:4 3}.even{stroke:#5c626c;stroke-dasharray:3 4}"
    ".curve{stroke-width:2}.band{fill-opacity:.18}"
    ".c0{stroke:#3f6f8f}.c1{stroke:#a85a2e}.c2{stroke:#2f6d49}.c3{stroke:#7a4f8c}"
    ".c4{stroke:#8a6d00}.f0{fill:#3f6f8f}.f1{fill:#a85a2e}.f2{fill:#2f6d49}"
    ".f3{fill:#7a4f8c}.f4{fill:#8a6d00}"
)
#: Rows that the page itself shows of a table; its CSV has all of them.
SHOWN_ROWS = 60

Value = str | int | float | None


@dataclass(frozen=True)
class Plot:
    """A drawing with its numbers.

    Attributes:
        name: a name for its files: lower-case letters, digits and hyphens.
        title: what it shows.
        note: the unit, and how it was counted.
        drawing: SVG, for a page that has the report's style sheet.
        columns, rows: the numbers.
    """

    name: str
    title: str
    note: str
    drawing: Markup
    columns: Sequence[str]
    rows: Sequence[Sequence[Value]]

    @property
    def csv(self) -> str:
        """The numbers as CSV (RFC 4180); no cell is a formula."""
        made = io.StringIO()
        writer = csv.writer(made)
        writer.writerow(self.columns)
        writer.writerows([_cell(each) for each in row] for row in self.rows)
        return made.getvalue()

    @property
    def csv_url(self) -> str:
        """The numbers as a ``data:`` URL, which a browser saves as a file."""
        return "data:text/csv;base64," + base64.b64encode(self.csv.encode()).decode()

    @property
    def svg(self) -> str:
        """The drawing as a file of its own, with its title and description."""
        words = f"<title>{escape(self.title)}</title><desc>{escape(self.note)}</desc>"
        head = '<svg xmlns="http://www.w3.org/2000/svg" '
        opened = str(self.drawing).replace("<svg ", head, 1)
        before, end, inside = opened.partition(">")
        return f"{before}{end}{words}<style>{_STYLE}</style>{inside}\n"

    @property
    def shown(self) -> Sequence[Sequence[str]]:
        """The first rows as text, for a table below the drawing."""
        return [[text(each) for each in row] for row in self.rows[:SHOWN_ROWS]]


def write_plots(plots: Iterable[Plot], folder: Path) -> int:
    """Write the SVG and the CSV of each plot; return how many plots there are.

    Files of an earlier report under these names are replaced; no other one is touched.
    """
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for plot in plots:
        replace_file(folder / f"{plot.name}.svg", [plot.svg.encode()])
        replace_file(folder / f"{plot.name}.csv", [plot.csv.encode()])
        count += 1
    return count


def plot_name(title: str) -> str:
    """Make the name of a plot's files.

    >>> plot_name("Size of kept faces (px)")
    'size-of-kept-faces-px'
    """
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def text(value: Value) -> str:
    """Format a number for a table.

    >>> text(1234), text(0.123456), text(None), text("a")
    ('1,234', '0.1235', '', 'a')
    """
    if value is None:
        return ""
    if isinstance(value, int):
        return f"{value:,}"
    return value if isinstance(value, str) else f"{value:,.4g}"


def _cell(value: Value) -> str | int | float:
    if isinstance(value, str):
        return harmless(value)
    return "" if value is None else value

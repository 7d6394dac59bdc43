from __future__ import annotations

import csv
import io
from pathlib import Path
from xml.etree import ElementTree

from icf.dataset.report.drawing import charts
from icf.dataset.report.drawing.plot import SHOWN_ROWS, Plot, write_plots


def plot(*rows: tuple[str | int | float | None, ...], title: str = "Sizes") -> Plot:
    drawing = charts.ranked([3, 2], "Sizes, most first")
    return Plot("sizes", title, "in <pixels>", drawing, ("name", "count"), rows)


def test_the_csv_has_every_row_and_no_formula() -> None:
    made = plot(("=1+1", 5), ('a, "b"', 0.5), ("", None)).csv
    rows = list(csv.reader(io.StringIO(made)))
    assert rows == [["name", "count"], ["'=1+1", "5"], ['a, "b"', "0.5"], ["", ""]]


def test_the_file_is_svg_with_its_title_description_and_colours() -> None:
    root = ElementTree.fromstring(plot(title="A <b> & c").svg)
    space = "{http://www.w3.org/2000/svg}"
    assert root.tag == f"{space}svg"
    title, words, style = root[0], root[1], root[2]
    assert (title.tag, title.text) == (f"{space}title", "A <b> & c")
    assert (words.tag, words.text) == (f"{space}desc", "in <pixels>")
    assert ".fill" in (style.text or "")


def test_the_page_shows_the_first_rows_as_text() -> None:
    shown = plot(*[(f"n{each}", 1000 + each) for each in range(SHOWN_ROWS + 5)]).shown
    assert len(shown) == SHOWN_ROWS
    assert shown[1] == ["n1", "1,001"]


def test_files_of_other_names_stay(tmp_path: Path) -> None:
    (tmp_path / "notes.csv").write_text("mine")
    assert write_plots([plot(("a", 1))], tmp_path) == 1
    assert (tmp_path / "notes.csv").read_text() == "mine"
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "notes.csv",
        "sizes.csv",
        "sizes.svg",
    ]

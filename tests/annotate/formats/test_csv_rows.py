from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.annotate.formats.csv_rows import csv_bytes
from icf.spreadsheet import TableRow, harmless, meant_by
from tests.annotate.formats.files import table_of


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\nx"])
def test_a_cell_that_a_spreadsheet_would_run_is_written_as_text(cell: str) -> None:
    data = csv_bytes(["a"], [[cell]]).decode()
    [_, [written]] = csv.reader(io.StringIO(data, newline=""))
    assert written == unix(f"'{cell}")
    assert meant_by(written) == unix(cell)


@given(st.text("'=+-@a", max_size=5))
def test_an_escaped_cell_means_what_it_was(cell: str) -> None:
    assert meant_by(harmless(cell)) == cell


def unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@given(st.lists(st.tuples(cells, cells), max_size=8))
def test_written_rows_are_read_back(rows: list[tuple[str, str]]) -> None:
    text = csv_bytes(["a", "b"], [("x" + a, "x" + b) for a, b in rows]).decode()
    found = list(table_of(text).rows())
    assert [
        (row.cells["a"], row.cells["b"]) for row in found if isinstance(row, TableRow)
    ] == [(unix("x" + a).strip(), unix("x" + b).strip()) for a, b in rows]

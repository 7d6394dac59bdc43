from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.annotate.answers import Fault
from icf.annotate.formats.csv_rows import CsvRow, CsvTable, csv_bytes, parse_tables
from icf.codes import RowFault


def table(text: str) -> CsvTable:
    return next(parse_tables(text))


def lines(text: str, *optional_last: str) -> list[tuple[int, str]]:
    """The line of each row, and its first cell or its fault."""
    return [
        (row.line, row.reason.value if isinstance(row, Fault) else row.get("a"))
        for row in table(text).rows(optional_last)
    ]


def test_rows_are_numbered_by_the_line_where_they_begin() -> None:
    text = 'a,b\n1,"two\nlines"\n\n2,x\n'
    assert lines(text) == [(2, "1"), (5, "2")]


def test_any_line_end_is_accepted() -> None:
    for end in ("\n", "\r\n", "\r"):
        assert lines(end.join(["a,b", "1,x", "2,y"])) == [(2, "1"), (3, "2")]


def test_missing_and_surplus_columns_are_refused_alone() -> None:
    text = "a,b\n1\n2,x\n3,y,z\n4,w\n"
    bad = RowFault.BAD_ROW.value
    assert lines(text) == [(2, bad), (3, "2"), (4, bad), (5, "4")]


def test_an_unclosed_quote_affects_only_its_own_line() -> None:
    text = 'a,b\n1,x\n"2,y\n3,z\n4,w\n'
    bad = RowFault.BAD_ROW.value
    assert lines(text) == [(2, "1"), (3, bad), (4, "3"), (5, "4")]


def test_a_huge_cell_affects_only_its_own_line() -> None:
    text = f"a,b\n1,{'x' * 200_000}\n2,y\n"
    assert lines(text) == [(2, RowFault.BAD_ROW.value), (3, "2")]


def test_bytes_that_are_not_utf8_affect_only_their_own_line() -> None:
    text = b"a,b\n1,M\xfcller\n2,y\n".decode(errors="surrogateescape")
    assert lines(text) == [(2, RowFault.BAD_ENCODING.value), (3, "2")]


def test_named_last_columns_may_be_left_out() -> None:
    text = "a,b,c\n1,x\n2,x,y\n3\n"
    bad = RowFault.BAD_ROW.value
    assert lines(text, "c") == [(2, "1"), (3, "2"), (4, bad)]
    assert lines(text, "b") == [(2, bad), (3, "2"), (4, bad)]


def test_the_first_of_two_columns_with_one_name_counts() -> None:
    assert lines("a,a\n1,2\n") == [(2, "1")]


def test_a_header_is_tried_with_each_delimiter() -> None:
    found = [each.header for each in parse_tables("\na;b\n1;2\n")]
    assert ("a", "b") in found
    assert list(parse_tables("\n \n")) == []


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\nx"])
def test_a_cell_that_a_spreadsheet_would_run_is_written_as_text(cell: str) -> None:
    data = csv_bytes(["a"], [[cell]]).decode()
    [_, [written]] = csv.reader(io.StringIO(data, newline=""))
    assert written == unix(f"'{cell}")


def unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@given(st.lists(st.tuples(cells, cells), max_size=8))
def test_written_rows_are_read_back(rows: list[tuple[str, str]]) -> None:
    text = csv_bytes(["a", "b"], [("x" + a, "x" + b) for a, b in rows]).decode()
    found = list(table(text).rows())
    assert all(isinstance(row, CsvRow) for row in found)
    assert [
        (row.get("a"), row.get("b")) for row in found if isinstance(row, CsvRow)
    ] == [(unix("x" + a).strip(), unix("x" + b).strip()) for a, b in rows]


@given(st.text(st.sampled_from('a,b"\n\r;1\t'), max_size=60))
def test_no_text_breaks_the_reader_and_every_row_is_on_a_line_of_its_own(
    text: str,
) -> None:
    for found in parse_tables(text):
        numbers = [row.line for row in found.rows()]
        assert numbers == sorted(set(numbers))
        assert all(1 < number <= len(found.lines) for number in numbers)

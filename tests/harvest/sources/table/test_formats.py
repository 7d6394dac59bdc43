"""A list says the same in CSV, JSON Lines and Parquet."""

import csv
import json
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from icf.errors import WrongUse
from icf.harvest.sources.table.csv_file import CsvRows
from icf.harvest.sources.table.json_lines import JsonRows
from icf.harvest.sources.table.parquet import ParquetRows
from icf.harvest.sources.table.rows import OPTIONAL, REQUIRED, Row, Rows
from icf.names import normal_name

Table = Sequence[dict[str, str]]
Write = Callable[[Path, Table], None]


def write_csv(path: Path, table: Table) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*REQUIRED, *OPTIONAL], restval="")
        writer.writeheader()
        writer.writerows(table)


def write_json(path: Path, table: Table) -> None:
    lines = (json.dumps(row, ensure_ascii=len(row) % 2 == 0) for row in table)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def write_parquet(path: Path, table: Table) -> None:
    names = [*REQUIRED, *OPTIONAL]
    columns = {name: [row.get(name) for row in table] for name in names}
    fields = pa.schema([(name, pa.string()) for name in names])
    pq.write_table(pa.table(columns, schema=fields), path, row_group_size=3)


FORMATS = [
    pytest.param(write_csv, CsvRows, id="csv"),
    pytest.param(write_json, JsonRows, id="json"),
    pytest.param(write_parquet, ParquetRows, id="parquet"),
]

word = st.text(
    st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=12
).filter(lambda text: text.strip() == text)
name = word.filter(lambda text: normal_name(text) == text)
row = st.fixed_dictionaries(
    {"album": name, "character": name, "url": word},
    optional={column: word for column in OPTIONAL},
)


def said(rows: Rows, start: int = 0) -> list[dict[str, str]]:
    """The rows without empty cells; none of them is bad."""
    found = []
    for _, cells in rows.rows(start):
        assert not isinstance(cells, str)
        found.append({name: cell for name, cell in cells.items() if cell})
    return found


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@pytest.mark.parametrize(("write", "read"), FORMATS)
@given(table=st.lists(row, max_size=9), start=st.integers(0, 9))
def test_every_row_is_read_as_it_was_written_from_wherever_one_begins(
    tmp_path: Path,
    write: Write,
    read: Callable[[Path], Rows],
    table: list[dict[str, str]],
    start: int,
) -> None:
    path = tmp_path / "list"
    write(path, table)
    read(path).check()
    assert said(read(path)) == table
    assert said(read(path), start) == table[start:]


def faults(rows: Rows) -> list[Row]:
    return [one for one in rows.rows(0) if isinstance(one[1], str)]


def test_each_bad_line_of_json_is_told_and_the_others_are_taken(tmp_path: Path) -> None:
    good = b'{"album": "Moon", "character": "Luna", "url": "http://a/1"}'
    lines = [
        b"\xef\xbb\xbf" + good,
        b"{broken",
        b"[1, 2]",
        b'{"album": "Moon", "character": "Luna"}',
        b'{"album": "M\xff", "character": "Luna", "url": "http://a/2"}',
        b'{"album": "\\ud800", "character": "Luna", "url": "http://a/2"}',
        b'{"album": ["Moon"], "character": "Luna", "url": "http://a/2"}',
        b'{"album": "Moon", "character": "Luna", "url": "http://a/2\\u0000"}',
        b"[" * 100_000,
        b'"' + b"x" * (3 << 20) + b'"',
        b"",
        good,
    ]
    path = tmp_path / "list.jsonl"
    path.write_bytes(b"\n".join(lines))
    by_row = {number: fault for number, fault in faults(JsonRows(path))}
    assert list(by_row) == list(range(2, 11))
    assert [str(fault).partition(":")[0] for fault in by_row.values()] == [
        *("bad_row", "bad_row", "bad_row", "bad_encoding", "bad_encoding"),
        *("bad_row", "bad_row", "bad_row", "bad_row"),
    ]
    assert "no url" in str(by_row[4])
    assert len(list(JsonRows(path).rows(0))) == 11


def test_numbers_and_truths_are_read_as_csv_would_write_them(tmp_path: Path) -> None:
    who = {"album": "Moon", "character": 7, "url": "http://a/1"}
    json_path, parquet_path = tmp_path / "a.jsonl", tmp_path / "a.parquet"
    json_path.write_text(json.dumps({**who, "rank": 3, "lead": True, "page": None}))
    columns = {"Album": ["Moon"], "character": [7], "URL": ["http://a/1"]}
    more = {"rank": [3.0], "lead": [True], "page": [None], "other": [[1, 2]]}
    pq.write_table(pa.table({**columns, **more}), parquet_path)
    expected = {"album": "Moon", "character": "7", "url": "http://a/1"}
    expected |= {"rank": "3", "lead": "true"}
    assert said(JsonRows(json_path)) == [expected]
    assert said(ParquetRows(parquet_path)) == [expected]


def test_parquet_that_is_damaged_further_on_is_told_and_what_came_before_is_taken(
    tmp_path: Path,
) -> None:
    path = tmp_path / "list.parquet"
    who = {"album": "Moon", "character": "Luna"}
    write_parquet(path, [{**who, "url": f"http://a/{n}"} for n in range(9)])
    with pq.ParquetFile(path) as file:
        place = file.metadata.row_group(2).column(2)
        begin, size = place.dictionary_page_offset, place.total_compressed_size
    data = bytearray(path.read_bytes())
    data[begin : begin + size] = b"\xff" * size
    path.write_bytes(bytes(data))
    rows = list(ParquetRows(path).rows(0))
    assert all(not isinstance(cells, str) for _, cells in rows[:-1])
    number, fault = rows[-1]
    assert isinstance(fault, str)
    assert "damaged from here on" in fault
    assert number == len(rows)


@pytest.mark.parametrize(
    ("read", "content"),
    [
        (JsonRows, b'{"album": "Moon", "url": "http://a/1"}\n'),
        (ParquetRows, b"PAR1 is how it begins, and no more"),
        (ParquetRows, b""),
    ],
)
def test_a_file_of_another_kind_is_wrong_use(
    tmp_path: Path, read: Callable[[Path], Rows], content: bytes
) -> None:
    path = tmp_path / "list"
    path.write_bytes(content)
    with pytest.raises(WrongUse, match="list"):
        read(path).check()


def test_parquet_without_a_column_is_wrong_use(tmp_path: Path) -> None:
    path = tmp_path / "list.parquet"
    pq.write_table(pa.table({"album": ["Moon"], "url": ["http://a/1"]}), path)
    with pytest.raises(WrongUse, match="lacks character"):
        ParquetRows(path).check()


def test_a_long_list_is_read_a_little_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "list.jsonl"
    line = '{"album": "Moon", "character": "Luna", "url": "http://a/1"}\n'
    path.write_text(line * 100_000)
    rows = JsonRows(path).rows(99_990)
    assert [number for number, _ in islice(rows, 3)] == [99_991, 99_992, 99_993]


def test_json_lines_may_be_utf16_and_name_no_column_twice(tmp_path: Path) -> None:
    path = tmp_path / "list.jsonl"
    lines = (
        '{"Album": "M", "character": "L", "URL": "http://a/1"}\n{"url": 1, "URL": 2}\n'
    )
    path.write_text(lines, encoding="utf-16")
    first, second = JsonRows(path).rows(0)
    assert first[1] == {"album": "M", "character": "L", "url": "http://a/1"}
    assert second == (2, "bad_row: two keys for one column")


def test_nested_values_are_read_alike_in_json_and_parquet(tmp_path: Path) -> None:
    who = {"album": "Moon", "character": "Luna", "url": "http://a/1"}
    json_path, parquet_path = tmp_path / "a.jsonl", tmp_path / "a.parquet"
    several = [["http://a/2", None, "http://a/3"], None, []]
    table = [{**who, "Fallback": each} for each in several]
    json_path.write_text("\n".join(map(json.dumps, table)))
    pq.write_table(pa.Table.from_pylist(table), parquet_path)
    for rows in (JsonRows(json_path), ParquetRows(parquet_path)):
        first, *others = said(rows)
        assert first["fallback"].split() == ["http://a/2", "http://a/3"]
        assert others == [who, who]
    table = [{**who, "album": ["Moon"]}, {**who, "album": []}]
    json_path.write_text("\n".join(map(json.dumps, table)))
    pq.write_table(pa.Table.from_pylist(table), parquet_path)
    expected = [(n, "bad_row: album is not a single value") for n in (1, 2)]
    assert faults(JsonRows(json_path)) == faults(ParquetRows(parquet_path)) == expected


def test_a_missing_number_of_a_data_frame_is_an_empty_cell(tmp_path: Path) -> None:
    who = {"album": "Moon", "character": "Luna", "url": "http://a/1"}
    row = {**who, "rank": float("nan"), "author": float("nan")}
    json_path, parquet_path = tmp_path / "a.jsonl", tmp_path / "a.parquet"
    json_path.write_text(json.dumps(row))
    pq.write_table(pa.Table.from_pylist([row]), parquet_path)
    assert said(JsonRows(json_path)) == said(ParquetRows(parquet_path)) == [who]


def test_the_licence_is_read_in_either_spelling_but_not_in_both(tmp_path: Path) -> None:
    who = {"album": "Moon", "character": "Luna", "url": "http://a/1"}
    json_path, parquet_path = tmp_path / "a.jsonl", tmp_path / "a.parquet"
    row = {**who, "License": "CC0", "license_url": "http://cc0"}
    json_path.write_text(json.dumps(row))
    pq.write_table(pa.Table.from_pylist([row]), parquet_path)
    expected = {**who, "licence": "CC0", "licence_url": "http://cc0"}
    for rows in (JsonRows(json_path), ParquetRows(parquet_path)):
        rows.check()
        assert said(rows) == [expected]
    json_path.write_text(json.dumps({**row, "licence": "CC0"}))
    pq.write_table(pa.Table.from_pylist([{**row, "licence": "CC0"}]), parquet_path)
    both = "the columns licence and license, which are one"
    ((_, fault),) = faults(JsonRows(json_path))
    assert both in str(fault)
    with pytest.raises(WrongUse, match=both):
        ParquetRows(parquet_path).check()

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from icf import spreadsheet, text_file
from icf.errors import BadInput
from icf.spreadsheet import BadRow, Table, column_name, number_of, read_table, truth_of
from icf.text_file import open_text

TEXT = "album,character,answer\nPokémon,Évoli,true\nMoon,Luna,false\n"
ROWS = [(2, ["Pokémon", "Évoli", "true"]), (3, ["Moon", "Luna", "false"])]


def table(path: Path, data: bytes) -> Table:
    (path / "table").write_bytes(data)
    found = read_table(open_text(path / "table"))
    assert found is not None
    return found


def rows(path: Path, data: bytes | str) -> list[tuple[int, list[str] | str]]:
    """The line of each row, and its cells or what is wrong with it."""
    data = data if isinstance(data, bytes) else data.encode()
    return [
        (row.line, row.why if isinstance(row, BadRow) else list(row.cells.values()))
        for row in table(path, data).rows()
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"],
)
def test_a_table_is_read_as_any_program_saves_it(
    tmp_path: Path, delimiter: str, end: str, encoding: str
) -> None:
    if (end, encoding) == ("\r", "cp1252"):
        encoding = "mac_roman"
    text = TEXT.replace(",", delimiter).replace("\n", end)
    found = table(tmp_path, text.encode(encoding))
    assert found.header == ("album", "character", "answer")
    assert rows(tmp_path, text.encode(encoding)) == ROWS


def test_a_file_in_a_systems_own_encoding_is_read_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        rows(tmp_path, TEXT)
        assert caplog.messages == []
        rows(tmp_path, TEXT.encode("cp1252"))
    [said] = caplog.messages
    assert "table is not UTF-8; it is read as Windows-1252" in said


@pytest.mark.parametrize("encoding", ["shift_jis", "gbk", "euc_kr", "cp1251"])
def test_an_encoding_that_would_be_a_guess_is_refused_row_by_row(
    tmp_path: Path, encoding: str
) -> None:
    name = {"cp1251": "Чебурашка", "euc_kr": "뽀로로친구"}.get(encoding, "月野兔子")
    found = rows(tmp_path, f"a,b\n{name},1\nLuna,2\n".encode(encoding))
    assert found == [(2, "it is not UTF-8"), (3, ["Luna", "2"])]


def test_bytes_that_are_not_utf8_among_some_that_are_affect_only_their_line(
    tmp_path: Path,
) -> None:
    found = rows(tmp_path, b"a,b\n1,M\xfcller\n2,M\xc3\xbcller\n3,\0\n")
    assert found == [(2, "it is not UTF-8"), (3, ["2", "Müller"]), (4, "a zero byte")]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32"])
def test_what_is_no_utf16_or_utf32_affects_only_its_line(
    tmp_path: Path, encoding: str
) -> None:
    text = "a,b\n1,Zo#\n2,Zo\ufffd\n3,Zoë\n"
    broken = text.replace("#", "\ud83d").encode(encoding, "surrogatepass")
    assert rows(tmp_path, broken) == [
        (2, "it is not UTF-8"),
        # Somebody else lost a letter, and wrote that.
        (3, ["2", "Zo\ufffd"]),
        (4, ["3", "Zoë"]),
    ]
    # The last letter lacks bytes.
    cut = text.replace("#", "e").encode(encoding)[:-1]
    assert [isinstance(cells, str) for _, cells in rows(tmp_path, cut)] == [
        *(False, False, True)
    ]


@pytest.mark.parametrize("begin", [b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"])
def test_a_spreadsheets_own_file_is_called_that(tmp_path: Path, begin: bytes) -> None:
    with pytest.raises(BadInput, match="save it there as CSV"):
        table(tmp_path, begin + b"\0" * 100)


@pytest.mark.parametrize(
    ("begin", "why"),
    [
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "it is not UTF-8"),
        (b"SQLite format 3\0", "a zero byte"),
    ],
)
def test_a_first_line_that_cannot_be_read_is_no_blank_file(
    tmp_path: Path, begin: bytes, why: str
) -> None:
    with pytest.raises(BadInput, match=f"table, line 1: .*{why}; the first line must"):
        table(tmp_path, begin)


def test_the_line_that_excel_adds_and_blank_rows_are_none(tmp_path: Path) -> None:
    for first in ("sep=;\r\n", '"sep=;"\r\n', "\r\n;;\r\nsep=;\n", "\n \n"):
        text = f"{first}a;b;c\n;;\n1;x,y;\n; ;\n"
        assert [cells for _, cells in rows(tmp_path, text)] == [["1", "x,y", ""]]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_the_header_of_another_file_that_was_put_behind_is_no_row(
    tmp_path: Path, mark: str
) -> None:
    text = f"{mark}a,b\n1,x\n"
    assert rows(tmp_path, text + text) == [(2, ["1", "x"]), (4, ["1", "x"])]
    assert [cells for _, cells in rows(tmp_path, "a\na\n")] == [["a"]]


def test_rows_are_numbered_by_the_line_where_they_begin(tmp_path: Path) -> None:
    text = 'a,b\n1,"two\nlines"\n\n2,x\n'
    assert rows(tmp_path, text) == [(2, ["1", "two\nlines"]), (5, ["2", "x"])]


def test_empty_cells_at_the_end_may_be_missing_or_too_many(tmp_path: Path) -> None:
    assert rows(tmp_path, "a,b\n1\n2,x,,\n3,y,z\n4,w\n") == [
        (2, ["1", ""]),
        (3, ["2", "x"]),
        (4, "3 columns, where the header has 2"),
        (5, ["4", "w"]),
    ]


def test_an_unclosed_quote_affects_only_its_own_line(tmp_path: Path) -> None:
    found = rows(tmp_path, 'a,b\n1,x\n"2,y\n3,z\n4,w\n5,"w\n')
    assert [line for line, _ in found] == [2, 3, 4, 5, 6]
    assert [line for line, cells in found if isinstance(cells, str)] == [3, 6]


@pytest.mark.parametrize("second", ['49,"Rye,0', '49,Rye "the Lame",0', '49,"Rye",0'])
def test_a_quote_further_on_does_not_close_one_that_nobody_closed(
    tmp_path: Path, second: str
) -> None:
    good = [(3, ["46", "Ada", "1"]), (4, ["47", "Mina", "1"])]
    found = rows(
        tmp_path, f'a,b,c\n45,"Otto,1\n46,Ada,1\n47,Mina,1\n{second}\n50,Rico,1\n'
    )
    assert [line for line, _ in found] == [2, 3, 4, 5, 6]
    assert found[0] == (2, "it is not CSV: a quotation mark is not closed")
    assert found[1:3] == good
    assert found[4] == (6, ["50", "Rico", "1"])


def test_a_row_of_one_line_may_have_text_behind_a_quote(tmp_path: Path) -> None:
    assert rows(tmp_path, 'a,b\n1,"x" y\n2,"z\nz"\n') == [
        *((2, ["1", "x y"]), (3, ["2", "z\nz"]))
    ]


def test_a_huge_cell_affects_only_its_own_line(tmp_path: Path) -> None:
    for cell in ("x" * 200_000, '"' + "x" * 200_000):
        found = rows(tmp_path, f"a,b\n1,{cell}\n2,y\n")
        assert found == [(2, "a line of 131072 characters or more"), (3, ["2", "y"])]


def test_quotes_that_are_never_closed_are_read_in_linear_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = 0
    peek = spreadsheet._Lines._peek

    def counted(self: spreadsheet._Lines) -> Iterator[str]:
        nonlocal looked
        for line in peek(self):
            looked += 1
            yield line

    monkeypatch.setattr(spreadsheet._Lines, "_peek", counted)
    # Each line leaves a quotation mark open, whether it begins with one open or not.
    found = rows(tmp_path, "a,b\n" + 'x"y,"z\n' * 2000)
    assert len(found) == 2000
    assert looked <= 100 * 2000


def test_a_long_table_is_read_a_little_at_a_time(tmp_path: Path) -> None:
    found = table(tmp_path, b"a,b\n" + b"1,2\n" * 500_000)
    opened = found.rows()
    assert [row.line for row in islice(opened, 2)] == [2, 3]


@given(st.text(st.sampled_from('a,b"\n\r;1\té'), max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_breaks_the_reader_and_every_row_is_on_a_line_of_its_own(
    tmp_path: Path, text: str
) -> None:
    (tmp_path / "table").write_text(text, encoding="utf-8", newline="")
    try:
        found = read_table(open_text(tmp_path / "table"))
    except BadInput:  # its first line is no CSV, whatever the delimiter
        return
    numbers = [row.line for row in found.rows()] if found else []
    assert numbers == sorted(set(numbers))


@given(st.binary(max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_break_the_reader(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "table").write_bytes(b"id,choice\n" + data)
    found = read_table(open_text(tmp_path / "table"))
    assert found is None or list(found.rows()) is not None


def test_columns_are_found_however_somebody_typed_them() -> None:
    typed = ["Answer", " BATCH id ", "\ufeffquestion", '"URL"', "Batch_ID"]
    assert [*map(column_name, typed)] == [
        *("answer", "batch_id", "question", "url", "batch_id")
    ]


def test_a_column_that_is_named_twice_is_told(tmp_path: Path) -> None:
    found = table(tmp_path, b"answer,x,Answer,,\n")
    assert found.repeated(["answer", "x", "y"]) == ["answer"]


def test_true_and_false_are_read_in_the_languages_of_spreadsheets() -> None:
    true = (
        "TRUE WAHR VRAI VERDADERO VERO WAAR SANT PRAWDA IGAZ ИСТИНА DOĞRU ΑΛΗΘΕΣ ja 1"
    )
    false = (
        "FALSE FALSCH FAUX FALSO ONWAAR FALSKT FAŁSZ HAMIS ЛОЖЬ YANLIŞ ΨΕΥΔΕΣ nein 0"
    )
    assert {truth_of(word) for word in true.split()} == {True}
    assert {truth_of(word) for word in false.split()} == {False}
    assert {truth_of(word) for word in ("", "maybe", "2", "truth")} == {None}


def test_true_and_false_are_read_as_data_frames_and_input_methods_write_them() -> None:
    # A column of ones and zeros with an empty cell is one of floats to a data frame.
    wide = {each: each + 0xFEE0 for each in range(0x21, 0x7F)}
    for words, truth in (
        (("1.0", "1,0", "TRUE", "Yes"), True),
        (("0.0", "0,0", "false", "NO"), False),
        (("1.5", "0.1", "10"), None),
    ):
        both = [*words, *(word.translate(wide) for word in words)]
        assert {truth_of(word) for word in both} == {truth}


@pytest.mark.parametrize(
    "cell", ["1_0", "\u0661", "\uff11", "", "nan", "inf", "1,5", "0x1", "--1"]
)
def test_only_plain_digits_are_a_number(cell: str) -> None:
    with pytest.raises(ValueError, match="is not a number"):
        number_of(cell)


def test_a_number_may_have_a_decimal_comma_where_it_separates_no_columns() -> None:
    assert number_of("1,5", decimal_comma=True) == 1.5
    assert [number_of(cell) for cell in ("1", " -1.5 ", ".5", "2.", "1e-3")] == [
        *(1.0, -1.5, 0.5, 2.0, 0.001)
    ]


def test_a_piece_that_ends_within_a_letter_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_file, "_PIECE", 1)
    assert rows(tmp_path, TEXT) == ROWS
    assert rows(tmp_path, TEXT.encode("cp1252")) == ROWS


def test_blanks_after_the_closing_mark_of_a_cell_of_two_lines_are_nothing(
    tmp_path: Path,
) -> None:
    file = tmp_path / "a.csv"
    file.write_text('a,b\n1,"first\nline" \n"two\nlines" ,2\n')
    table = read_table(open_text(file))
    assert table is not None
    rows = [dict(row.cells) for row in table.rows() if not isinstance(row, BadRow)]
    assert rows == [{"a": "1", "b": "first\nline"}, {"a": "two\nlines", "b": "2"}]

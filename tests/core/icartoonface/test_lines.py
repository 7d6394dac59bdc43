from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.errors import BadInput
from icf.icartoonface.lines import (
    LineStyle,
    Row,
    plain_numbers,
    read_rows,
    write_rows,
)

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n\ufeff"))


@given(
    st.lists(TEXT.filter(bool)),
    st.builds(LineStyle, st.sampled_from(["\n", "\r\n", "\r"]), st.booleans()),
)
def test_rows_come_back_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Any], style: LineStyle
) -> None:
    path = tmp_path_factory.mktemp("lines") / "rows.txt"
    write_rows(path, rows, style)
    data = path.read_bytes()
    found, found_style = read_rows(path)
    assert [row.text for row in found] == rows
    assert [row.number for row in found] == list(range(1, len(rows) + 1))
    write_rows(path, rows, found_style)
    assert path.read_bytes() == data


def test_a_byte_order_mark_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "bom.txt"
    path.write_bytes(b"\xef\xbb\xbfa\r\n")
    rows, style = read_rows(path)
    assert rows == [Row(path, 1, "a")]
    assert style == LineStyle("\r\n")


def test_bytes_that_are_not_utf8_are_refused_by_line(tmp_path: Path) -> None:
    path = tmp_path / "latin.txt"
    path.write_bytes(b"a\nb\xe9\n\xc3\xa9\n")
    with pytest.raises(BadInput, match=r"latin.txt, line 2: .* found byte 0xe9"):
        read_rows(path)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "cp1252"])
def test_other_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "rows.txt"
    path.write_bytes("a\r\nété.jpg 1\r\n".encode(encoding))
    assert [row.text for row in read_rows(path)[0]] == ["a", "été.jpg 1"]


@pytest.mark.parametrize("field", ["1_0", "\u0661", "", "x", "1,5"])
def test_only_plain_digits_are_a_number(field: str) -> None:
    with pytest.raises(ValueError, match=r"digits|could not"):
        plain_numbers(["1", field])


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        read_rows(tmp_path / "none.txt")

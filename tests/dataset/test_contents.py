from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icf.dataset.contents import (
    COLUMNS,
    CONFIRMED_BY,
    FACES,
    PARTS,
    Contents,
    read_contents,
    read_parts,
    texts,
    write_contents,
)
from icf.dataset.formats.box_cells import TrueBox, boxes_in, cell_of
from icf.errors import BadInput

HEX = st.text("0123456789abcdef", min_size=64, max_size=64)
HASH = st.integers(-(2**63), 2**63 - 1)
NAME = st.text(min_size=1).filter(lambda text: "\0" not in text and _encodes(text))
NUMBER = st.floats(allow_nan=False, allow_infinity=False)
SIDE = st.integers(0, 10**9 - 1)
BOX = st.builds(
    TrueBox, st.tuples(*[NUMBER] * 4), st.sampled_from(["", "a/b.jpg", "c.png"])
)
BOXES = st.lists(BOX, max_size=3).map(cell_of)


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@st.composite
def rows(draw: st.DrawFn) -> tuple[object, ...]:
    part = draw(st.sampled_from(PARTS))
    seen = [draw(each) for each in (NAME, HEX, HEX, HASH, HASH)]
    keys = [draw(st.text("a=1 ,\n\"'")) for _ in range(3)]
    if part not in FACES:
        size = draw(SIDE), draw(SIDE), draw(BOXES)
        return (part, *seen, (np.nan,) * 4, "", 0, 0, -1, "", "", "", *keys, *size)
    corners = tuple(draw(NUMBER) for _ in range(4))
    hashes = draw(HEX), draw(HASH), draw(HASH)
    label = -1 if part == "distractor" else draw(st.integers(0, 10**6))
    who = draw(NAME), draw(NAME), draw(st.sampled_from(CONFIRMED_BY))
    size = draw(SIDE), draw(SIDE), ""
    return (part, *seen, corners, *hashes, label, *who, *keys, *size)


def made_of(some: list[tuple[object, ...]]) -> Contents:
    columns: list[Any] = list(zip(*some, strict=True)) if some else [()] * 20
    types = {2: "S64", 3: "S64", 4: "i8", 5: "i8", 6: "f8", 7: "S64", 8: "i8", 9: "i8"}
    types |= {10: "i8", 17: "i8", 18: "i8"}
    made: list[Any] = [
        np.array(column, types[at]) if at in types else texts(list(map(str, column)))
        for at, column in enumerate(columns)
    ]
    made[6] = made[6].reshape(-1, 4)
    return Contents(*made)


@given(st.lists(rows(), max_size=5))
@settings(max_examples=40, deadline=None)
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, some: list[tuple[object, ...]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "contents.csv"
    contents = made_of(some)
    write_contents(path, contents)
    again = read_contents(path)
    for name in Contents.__dataclass_fields__:
        one, other = getattr(contents, name), getattr(again, name)
        np.testing.assert_array_equal(one, other, err_msg=name)
    before = path.read_bytes()
    write_contents(path, again)
    assert path.read_bytes() == before


@given(st.lists(rows(), max_size=5))
@settings(max_examples=20, deadline=None)
def test_the_parts_alone_are_those_of_the_faces(
    tmp_path_factory: pytest.TempPathFactory, some: list[tuple[object, ...]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "contents.csv"
    contents = made_of(some)
    write_contents(path, contents)
    chosen = contents.take(contents.rows(*FACES))
    pictures = [each.decode() for each in chosen.sha256.tolist()]
    places = zip(pictures, *chosen.corners.T.tolist(), strict=True)
    assert list(read_parts(path)) == list(zip(places, chosen.part, strict=True))


FACE = (
    *("train", "a/b.jpg", "a" * 64, "b" * 64, "0" * 16, "f" * 16),
    *("1.5", "2", "30", "40", "c" * 64, "1" * 16, "2" * 16, "7", "Luna", "Stars"),
    *("people", "", "", ""),
    *("99", "100", ""),
)


def with_cell(name: str, cell: str) -> str:
    cells = list(FACE)
    cells[COLUMNS.index(name)] = cell
    return ",".join(cells)


def read(path: Path, *lines: str) -> Contents:
    path.write_text("".join(f"{line}\n" for line in lines))
    return read_contents(path)


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("part", "training"),
        ("sha256", "a" * 63),
        ("pixel_hash", "A" * 64),
        ("phash", "0" * 15),
        ("x1", "nan"),
        ("y2", "1_0"),
        ("x2", ""),
        ("face_dhash", ""),
        ("label", "-1"),
        ("label", "9" * 30),
        ("label", "1.0"),
        ("album", ""),
        ("confirmed_by", "somebody"),
        ("width", "-1"),
        ("height", "1.5"),
        ("boxes", "1 2 3 4"),
    ],
)
def test_a_cell_that_cannot_be_is_named_with_file_and_line(
    tmp_path: Path, name: str, cell: str
) -> None:
    path = tmp_path / "contents.csv"
    header, right = ",".join(COLUMNS), ",".join(FACE)
    assert len(read(path, header, right)) == 1
    with pytest.raises(BadInput, match=rf"contents.csv: line 3: .*{name}") as caught:
        read(path, header, right, with_cell(name, cell), right)
    assert repr(cell) in str(caught.value)


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (lambda text: "", 1),
        (lambda text: text.replace("dhash", "d_hash", 1), 1),
        (lambda text: text + "train,a\n", 3),
        (lambda text: text + '"', 3),
    ],
)
def test_a_file_of_another_form_is_named_with_the_line(
    tmp_path: Path, spoil: Callable[[str], str], line: int
) -> None:
    path = tmp_path / "contents.csv"
    path.write_text(spoil(f"{','.join(COLUMNS)}\n{','.join(FACE)}\n"))
    with pytest.raises(BadInput, match=rf"contents.csv: line {line}: "):
        read_contents(path)


@pytest.mark.parametrize("cell", ["e e e e", "1 2 3 ..", "1 2 3 1e999", "1 2 3 4;.."])
def test_boxes_that_are_no_numbers_are_named(tmp_path: Path, cell: str) -> None:
    path = tmp_path / "contents.csv"
    row = ["detection_test", *FACE[1:6], *[""] * 14, "99", "100"]
    header = ",".join(COLUMNS)
    assert len(read(path, header, ",".join([*row, "1 2 3 4"]))) == 1
    with pytest.raises(BadInput, match=r"line 2: expected boxes, X1 Y1 X2 Y2 each"):
        read(path, header, ",".join([*row, cell]))


def test_what_an_earlier_version_did_not_write_is_not_known(tmp_path: Path) -> None:
    path = tmp_path / "contents.csv"
    contents = read(path, ",".join(COLUMNS[:-3]), ",".join(FACE[:-3]))
    assert (contents.width[0], contents.height[0], contents.boxes[0]) == (0, 0, "")


@given(st.lists(BOX, max_size=4))
def test_boxes_in_a_cell_are_read_as_they_were(boxes: list[TrueBox]) -> None:
    assert boxes_in(cell_of(boxes)) == tuple(boxes)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"contents.csv cannot be read"):
        read_contents(tmp_path / "contents.csv")


def test_further_columns_and_another_order_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "contents.csv"
    header = ("more", *COLUMNS[::-1])
    contents = read(path, ",".join(header), ",".join(("x", *FACE[::-1])))
    assert contents.character.tolist() == ["Luna"]
    assert contents.corners.tolist() == [[1.5, 2.0, 30.0, 40.0]]
    assert contents.dhash.tolist() == [-1]


def test_rows_of_parts_are_taken_in_order(tmp_path: Path) -> None:
    path = tmp_path / "contents.csv"
    lines = [with_cell("part", part) for part in ("train", "probe", "train")]
    contents = read(path, ",".join(COLUMNS), *lines)
    assert contents.rows("train").tolist() == [0, 2]
    assert contents.take(contents.rows("probe")).part.tolist() == ["probe"]

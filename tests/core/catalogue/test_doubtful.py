"""`doubtful.csv`, written and read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from icf.catalogue.labels.doubtful import (
    COLUMNS,
    DoubtfulFace,
    read_doubtful,
    write_doubtful,
    written_box,
)
from icf.errors import BadInput

FACES = [
    DoubtfulFace(
        "=Älbum, the/Ann", "a" * 64, written_box((1, -2.005, 30.1, 40)), 171.5
    ),
    DoubtfulFace('Tales/"Bea"', "+folder/1.png", None, 75.01),
]


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "doubtful.csv"
    write_doubtful(path, FACES)
    assert read_doubtful(path) == FACES
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    # A spreadsheet runs no cell as a formula.
    assert "\n'=" in path.read_text() or "\n\"'=" in path.read_text()


def test_without_a_doubtful_face_there_is_a_header_alone(tmp_path: Path) -> None:
    write_doubtful(tmp_path / "doubtful.csv", [])
    assert (tmp_path / "doubtful.csv").read_text().split() == [",".join(COLUMNS)]
    assert read_doubtful(tmp_path / "doubtful.csv") == []


HEADER = ",".join(COLUMNS).encode()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "has no column identity, picture, x1, y1, x2, y2, degrees"),
        (b"identity,picture,x1,y1,x2,y2\n", "has no column degrees"),
        (HEADER + b"\nA/B,c,1,2,3,4,90\nA/B,c,1,2,3,four,90", r"line 3: 'four' is not"),
        (HEADER + b"\nA/B,c,1,2,,4,90", r"line 2: '' is not a number"),
        (HEADER + b"\nA/B,c,1,2,3,4,nan", r"line 2: 'nan' is not a number"),
        (HEADER + b"\nA/B,c,1,2,3,4,200", r"line 2: '200' is no angle"),
        (HEADER + b"\nA/B,c,1,2,3,4,90,5", r"line 2: 8 columns"),
        (HEADER + "\nÄ/B,c,1,2,3,4,90\n".encode() + b"\xff", "line 3: it is not UTF-8"),
    ],
)
def test_a_wrong_file_is_named_with_its_line(
    tmp_path: Path, data: bytes, why: str
) -> None:
    path = tmp_path / "doubtful.csv"
    path.write_bytes(data)
    with pytest.raises(BadInput, match=f"{re.escape(str(path))}.*{why}"):
        read_doubtful(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no\.csv: cannot be read: No such file"):
        read_doubtful(tmp_path / "no.csv")

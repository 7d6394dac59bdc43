from __future__ import annotations

from pathlib import Path

import pytest

from icf.errors import BadInput
from icf.models.data.base import LabelledFace, LabelledPicture
from icf.models.data.formats.widerface import WiderFaceReader
from tests.models.data.files import reasons, split, write_jpeg, write_lines

LIST = "wider_face_split/wider_face_train_bbx_gt.txt"
PARADE = "0--Parade/0_Parade_marchingband_1_849.jpg"
EMPTY = "0--Parade/0_Parade_Parade_0_452.jpg"


def write(top: Path, *lines: str) -> Path:
    for name in (PARADE, EMPTY):
        write_jpeg(top / "WIDER_train" / "images" / name)
    write_lines(top / LIST, lines)
    return top


#: As published: a blank behind the last number, and a row of zeros where no face is.
PUBLISHED = (
    PARADE,
    "2",
    "4 5 20 30 0 0 0 0 0 0 ",
    "30 5 3 4 2 0 0 1 2 0 ",
    EMPTY,
    "0",
    "0 0 0 0 0 0 0 0 0 0 ",
)


def test_the_published_list_is_read(tmp_path: Path) -> None:
    reader = WiderFaceReader(write(tmp_path, *PUBLISHED))
    pictures, skipped = split(reader)
    assert not skipped
    assert pictures == [
        LabelledPicture(
            f"WIDER_train/images/{PARADE}",
            (
                LabelledFace((4, 5, 24, 35), "human"),
                LabelledFace((30, 5, 33, 9), "human", ignored=True),
            ),
            complete=True,
        ),
        LabelledPicture(f"WIDER_train/images/{EMPTY}", (), complete=True),
    ]
    assert all(reader.read(picture.key) for picture in pictures)


def test_a_count_of_zero_needs_no_row_of_zeros(tmp_path: Path) -> None:
    pictures, skipped = split(WiderFaceReader(write(tmp_path, EMPTY, "0")))
    assert not skipped
    assert [picture.faces for picture in pictures] == [()]


@pytest.mark.parametrize("count", ["1", "3", "x", ""])
def test_a_wrong_count_leaves_out_its_picture_alone(tmp_path: Path, count: str) -> None:
    lines = [*PUBLISHED]
    lines[1] = count
    pictures, skipped = split(WiderFaceReader(write(tmp_path, *lines)))
    assert [picture.key.endswith(EMPTY) for picture in pictures] == [True]
    assert reasons(skipped)[0] in (
        "a number of faces that is not its rows'",
        "no such picture",  # of the line "x"
    )


def test_damaged_rows_are_left_out_with_their_line(tmp_path: Path) -> None:
    rows = ("4 5 0 30 0 0 0 0 0 0", "4 5 20", "4 5 20 30 0 0 0 0 0 0")
    reader = WiderFaceReader(
        write(tmp_path, PARADE, "4", *rows, rows[2], "0--Parade/none.jpg", "0", PARADE)
    )
    pictures, skipped = split(reader)
    assert [(len(p.faces), p.complete) for p in pictures] == [(1, False)]
    assert [(each.where.split(", ")[1], each.reason) for each in skipped] == [
        ("line 3", "a box without area"),
        ("line 4", "a row that cannot be read"),
        ("line 6", "the same box again"),
        ("line 7", "no such picture"),
        ("line 9", "the same picture again"),
    ]


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"wider_face_train_bbx_gt\.txt is nowhere"):
        split(WiderFaceReader(tmp_path))


def test_the_fingerprint_is_that_of_the_list_and_the_pictures(tmp_path: Path) -> None:
    reader = WiderFaceReader(write(tmp_path, *PUBLISHED))
    before = reader.fingerprint()
    assert reader.fingerprint() == before
    write_jpeg(tmp_path / "WIDER_train" / "images" / EMPTY, seed=5)
    assert reader.fingerprint() != before

"""A box whose number is none leaves its picture without it, and is said to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from icf.models.data.base import Reader
from icf.models.data.formats.coco import CocoReader
from icf.models.data.formats.csv_list import CsvReader
from icf.models.data.formats.manga109 import Manga109Reader
from icf.models.data.formats.widerface import WiderFaceReader
from icf.models.data.formats.yolo import YoloReader
from tests.models.data.files import split, write_jpeg, write_lines


def coco(top: Path, number: str) -> Reader:
    write_jpeg(top / "a.jpg")
    path = top / "a.json"
    path.write_text(
        '{"images": [{"id": 1, "file_name": "a.jpg"}], '
        '"categories": [{"id": 1, "name": "face"}], "annotations": '
        f'[{{"image_id": 1, "category_id": 1, "bbox": [4, 5, 9, {number}]}}]}}'
    )
    return CocoReader(path)


def table(top: Path, number: str) -> Reader:
    write_jpeg(top / "a.jpg")
    rows = ["picture,x1,y1,x2,y2", f"a.jpg,4,5,20,{number}"]
    return CsvReader(write_lines(top / "list.csv", rows))


def manga109(top: Path, number: str) -> Reader:
    write_jpeg(top / "images" / "B" / "000.jpg")
    lines = [
        '<book title="B"><page index="0" width="64" height="48">',
        f'<face id="1" xmin="4" ymin="5" xmax="20" ymax="{number}"/></page></book>',
    ]
    write_lines(top / "annotations" / "B.xml", lines)
    return Manga109Reader(top)


def widerface(top: Path, number: str) -> Reader:
    write_jpeg(top / "WIDER_train" / "images" / "a.jpg")
    lines = ["a.jpg", "1", f"4 5 20 {number} 0 0 0 0 0 0"]
    write_lines(top / "wider_face_split" / "wider_face_train_bbx_gt.txt", lines)
    return WiderFaceReader(top)


def yolo(top: Path, number: str) -> Reader:
    write_jpeg(top / "images" / "a.jpg")
    write_lines(top / "labels" / "a.txt", [f"0 0.5 0.5 0.2 {number}"])
    (top / "data.yaml").write_text("train: images\nnames: [face]\n")
    return YoloReader(top)


#: What is no number in a text; JSON has its own rules.
WORDS = ("nan", "inf", "1e400", "1_0", "\u0661\u0660", "x", "0x10", "--1")


@pytest.mark.parametrize(
    ("reader", "number"),
    [
        *(
            (reader, number)
            for reader in (table, manga109, widerface, yolo)
            for number in (*WORDS, "9" * 5000)
        ),
        *((coco, number) for number in ("NaN", "Infinity", '"9"', "true", "9" * 400)),
    ],
)
def test_a_number_that_is_none_gives_no_box(
    reader: Callable[[Path, str], Reader], number: str, tmp_path: Path
) -> None:
    pictures, skipped = split(reader(tmp_path, number))
    assert skipped
    assert not any(picture.faces or picture.complete for picture in pictures)


@pytest.mark.parametrize(
    ("reader", "number"),
    [(coco, "9"), (table, "9"), (manga109, "9"), (widerface, "9"), (yolo, "0.2")],
)
def test_a_number_gives_one(
    reader: Callable[[Path, str], Reader], number: str, tmp_path: Path
) -> None:
    [picture], skipped = split(reader(tmp_path, number))
    assert not skipped
    assert len(picture.faces) == 1

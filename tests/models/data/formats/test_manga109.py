from __future__ import annotations

from pathlib import Path

import pytest

from icf.errors import BadInput
from icf.models.data.base import LabelledFace, LabelledPicture
from icf.models.data.formats.manga109 import Manga109Reader
from tests.models.data.files import reasons, split, write_jpeg

BOOK = """<?xml version="1.0" encoding="UTF-8"?>
<book title="ARMS">
<characters>
<character id="00000003" name="女1"/>
<character id="00000010" name="Other"/>
</characters>
<pages>
<page index="0" width="64" height="48"/>
<page index="3" width="64" height="48">
<frame id="00000001" xmin="0" ymin="0" xmax="64" ymax="48"/>
<face id="00000005" xmin="4" ymin="5" xmax="24" ymax="35" character="00000003"/>
<body id="00000007" xmin="1" ymin="2" xmax="34" ymax="45" character="00000003"/>
<text id="00000008" xmin="40" ymin="5" xmax="50" ymax="9">なに</text>
<face id="00000009" xmin="30" ymin="5" xmax="40" ymax="25" character="00000010"/>
MORE
</page>
</pages>
</book>
"""


def write(top: Path, more: str = "", book: str = BOOK) -> Manga109Reader:
    path = top / "annotations" / "ARMS.xml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(book.replace("MORE", more), "utf-8")
    for page in (0, 3):
        write_jpeg(top / "images" / "ARMS" / f"{page:03}.jpg")
    return Manga109Reader(top)


def test_a_book_is_read_as_published(tmp_path: Path) -> None:
    reader = write(tmp_path)
    pictures, skipped = split(reader)
    assert not skipped
    assert pictures == [
        LabelledPicture("images/ARMS/000.jpg", (), True, True, "ARMS", (64, 48)),
        LabelledPicture(
            "images/ARMS/003.jpg",
            (
                LabelledFace((4, 5, 24, 35), "cartoon", "ARMS/00000003"),
                LabelledFace((30, 5, 40, 25), "cartoon", None),
            ),
            complete=True,
            group="ARMS",
            size=(64, 48),
        ),
    ]
    assert all(reader.read(picture.key) for picture in pictures)


def test_an_unpacked_release_may_be_in_a_folder_of_its_own(tmp_path: Path) -> None:
    write(tmp_path / "Manga109_released_2023_12_07")
    pictures, _ = split(Manga109Reader(tmp_path))
    assert pictures[0].key == "Manga109_released_2023_12_07/images/ARMS/000.jpg"


def test_damaged_faces_are_left_out_with_page_and_id(tmp_path: Path) -> None:
    more = """
    <face id="a" xmin="9" ymin="5" xmax="9" ymax="35" character="00000003"/>
    <face id="b" xmin="90" ymin="5" xmax="99" ymax="35" character="00000003"/>
    <face id="c" xmin="x" ymin="5" xmax="99" ymax="35" character="00000003"/>
    <face id="d" xmin="4" ymin="5" xmax="24" ymax="35" character="00000003"/>
    """
    pictures, skipped = split(write(tmp_path, more))
    assert [picture.complete for picture in pictures] == [True, False]
    assert [(each.where, each.reason) for each in skipped] == [
        ("ARMS.xml, page 3, face a", "a box without area"),
        ("ARMS.xml, page 3, face b", "a box outside the picture"),
        ("ARMS.xml, page 3, face c", "a box that is no numbers"),
        ("ARMS.xml, page 3, face d", "the same box again"),
    ]


def test_damaged_pages_are_left_out(tmp_path: Path) -> None:
    more = """</page>
    <page index="3" width="64" height="48"></page>
    <page index="4" width="64" height="48"></page>
    <page index="x" width="64" height="48"></page>
    <page index="5" width="64" height="">"""
    _, skipped = split(write(tmp_path, more))
    assert reasons(skipped) == [
        "the same page again",
        "no such picture",
        "a page without a number or a size",
        "a page without a number or a size",
    ]


@pytest.mark.parametrize(
    "book", [BOOK[:300], "", "<book", "\0", "<?xml encoding='x'?>"]
)
def test_a_book_that_is_no_xml_is_left_out_alone(tmp_path: Path, book: str) -> None:
    write(tmp_path)
    (tmp_path / "annotations" / "Bad.xml").write_text(book)
    pictures, skipped = split(Manga109Reader(tmp_path))
    assert len(pictures) == 2
    assert [each.where for each in skipped] == ["Bad.xml"]
    assert reasons(skipped)[0].startswith("no XML: ")


def test_entities_that_grow_without_end_are_no_xml(tmp_path: Path) -> None:
    levels = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 12))
    bomb = f'<!DOCTYPE b [<!ENTITY e0 "xxxxxxxxxx">{levels}]><book>&e11;</book>'
    _, skipped = split(write(tmp_path, book=bomb))
    assert reasons(skipped)[0].startswith("no XML: ")


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no folder annotations"):
        split(Manga109Reader(tmp_path))
    for name in ("annotations", "images"):
        (tmp_path / name).mkdir()
    with pytest.raises(BadInput, match="no XML file"):
        split(Manga109Reader(tmp_path))

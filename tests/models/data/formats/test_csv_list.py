from __future__ import annotations

from pathlib import Path

import pytest

from icf.errors import BadInput
from icf.models.data.base import LabelledFace, LabelledPicture
from icf.models.data.formats.csv_list import CsvReader
from tests.models.data.files import reasons, split, write_jpeg, write_lines


def write(top: Path, *lines: str) -> CsvReader:
    for name in ("a.jpg", "b.jpg"):
        write_jpeg(top / "pictures" / name)
    return CsvReader(write_lines(top / "list.csv", lines))


def test_rows_of_a_picture_are_its_faces(tmp_path: Path) -> None:
    reader = write(
        tmp_path,
        "file_name,xmin,ymin,xmax,ymax,character",
        "pictures/a.jpg,4,5,24,35,hatsune_miku",
        "pictures/b.jpg,1,2,13,14,",
        "pictures/a.jpg,30,5,40,15,kagamine_rin",
    )
    pictures, skipped = split(reader)
    assert not skipped
    assert pictures == [
        LabelledPicture(
            "pictures/a.jpg",
            (
                LabelledFace((4, 5, 24, 35), identity="hatsune_miku"),
                LabelledFace((30, 5, 40, 15), identity="kagamine_rin"),
            ),
        ),
        LabelledPicture("pictures/b.jpg", (LabelledFace((1, 2, 13, 14)),)),
    ]
    assert all(reader.read(picture.key) for picture in pictures)


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("Image;X1;Y1;X2;Y2", "pictures/a.jpg;4,0;5,5;24;35,25"),
        ("path,x,y,width,height", "pictures/a.jpg,4,5.5,20,29.75"),
        ("img\tx\ty\tw\th", "pictures/a.jpg\t4\t5.5\t20\t29.75"),
        ("picture,left,top,right,bottom", '"pictures/a.jpg",4,5.5,24,35.25'),
        ("picture,left,top,width,height", "pictures/a.jpg,4,5.5,20,29.75"),
        ("file,X_Min,Y_Min,X_Max,Y_Max", "pictures/a.jpg,4,5.5,24,35.25"),
        ("file,xtl,ytl,xbr,ybr", "pictures/a.jpg,4,5.5,24,35.25"),
        ("file,bbox_x,bbox_y,bbox_w,bbox_h", "pictures/a.jpg,4,5.5,20,29.75"),
        ("file,face_x1,x1,y1,x2,y2", "pictures/a.jpg,9,4,5.5,24,35.25"),
    ],
)
def test_columns_are_called_as_people_call_them(
    tmp_path: Path, header: str, row: str
) -> None:
    pictures, skipped = split(write(tmp_path, header, row))
    assert not skipped
    assert pictures[0].faces == (LabelledFace((4, 5.5, 24, 35.25)),)


def test_without_columns_of_a_box_a_picture_is_a_crop(tmp_path: Path) -> None:
    pictures, _ = split(write(tmp_path, "file,label", "pictures/a.jpg,12"))
    assert pictures[0].faces == (LabelledFace(None, identity="12"),)


def test_of_classes_the_faces_are_taken(tmp_path: Path) -> None:
    reader = write(
        tmp_path,
        "filename,width,height,class,xmin,ymin,xmax,ymax",
        "pictures/a.jpg,64,48,face,4,5,24,35",
        "pictures/a.jpg,64,48,dog,30,5,40,15",
        "pictures/b.jpg,64,48,human face,1,2,13,14",
    )
    pictures, skipped = split(reader)
    assert [picture.faces for picture in pictures] == [
        (LabelledFace((4, 5, 24, 35)),),
        (LabelledFace((1, 2, 13, 14), "human"),),
    ]
    assert [(each.where, each.reason) for each in skipped] == [
        ("list.csv, line 3", "a category that is no face")
    ]


@pytest.mark.parametrize("name", ["Luna", "Two-Face", "0"])
def test_classes_that_are_characters_leave_no_row_out(
    tmp_path: Path, name: str
) -> None:
    rows = f"pictures/a.jpg,{name}", "pictures/b.jpg,Sol"
    pictures, skipped = split(write(tmp_path, "file,class", *rows))
    assert not skipped
    assert len(pictures) == 2


def test_what_label_studio_writes_of_boxes_is_no_name(tmp_path: Path) -> None:
    cell = '"[{""x"": 10, ""y"": 10, ""rectanglelabels"": [""Face""]}]"'
    rows = f"pictures/a.jpg,{cell}", "pictures/b.jpg,[Oshi no Ko] Ai"
    pictures, skipped = split(write(tmp_path, "image,label", *rows))
    assert [picture.faces[0].identity for picture in pictures] == ["[Oshi no Ko] Ai"]
    assert reasons(skipped) == ["a list or an object of JSON in place of a name"]


def test_an_album_tells_characters_apart_and_a_kind_faces(tmp_path: Path) -> None:
    reader = write(
        tmp_path,
        "file,copyright,character,kind",
        "pictures/a.jpg,Moon Rabbit,Luna,human",
        "pictures/b.jpg,,Luna,",
        "pictures/b.jpg,x,Luna,dog",
    )
    pictures, skipped = split(reader)
    assert [picture.faces for picture in pictures] == [
        (LabelledFace(None, "human", "Moon Rabbit/Luna"),),
        (LabelledFace(None, "cartoon", "Luna"),),
    ]
    assert reasons(skipped) == ["a kind that is neither cartoon nor human"]


def test_damaged_rows_are_left_out_with_their_line(tmp_path: Path) -> None:
    reader = write(
        tmp_path,
        "file,x1,y1,x2,y2",
        "pictures/a.jpg,4,5,24,35",
        "pictures/a.jpg,4,5,24,35",
        "pictures/a.jpg,24,5,4,35",
        "pictures/a.jpg,x,5,4,35",
        "pictures/a.jpg,,,,",
        ",4,5,24,35",
        "pictures/none.jpg,4,5,24,35",
        "../pictures/a.jpg,4,5,24,35",
        "pictures/a.jpg,4,5,24,35,9,9,9",
    )
    pictures, skipped = split(reader)
    assert [len(picture.faces) for picture in pictures] == [1]
    assert [(each.where, each.reason) for each in skipped] == [
        ("list.csv, line 3", "the same box again"),
        ("list.csv, line 4", "a box without area"),
        ("list.csv, line 5", "a box that is not four numbers"),
        ("list.csv, line 6", "a row without a box"),
        ("list.csv, line 7", "a row without a picture"),
        ("list.csv, line 8", "no such picture"),
        ("list.csv, line 9", "no such picture"),
        ("list.csv, line 10", "a row that cannot be read"),
    ]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("url,character", "no column names the pictures"),
        ("url," * 9 + "url" * 200, r"found url, .{,200}\.\.\.$"),
        ("file,x1,y1,x2", "x1, x2, y1 are no whole box"),
        ("file,bbox", "bbox are no whole box"),
        ("file,x_center,y_center", "x_center, y_center are no whole box"),
        ("file,box_xmin", "box_xmin are no whole box"),
        # VIA's
        ("filename,region_shape_attributes", "region_shape_attributes are no whole"),
        ("file,label,label", "several columns are called 'label'"),
        ("", "nothing is in it"),
    ],
)
def test_a_header_that_says_too_little_is_refused(
    tmp_path: Path, header: str, message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        split(write(tmp_path, header))


def test_the_fingerprint_is_that_of_the_list_and_its_pictures(tmp_path: Path) -> None:
    reader = write(tmp_path, "file,label", "pictures/a.jpg,12")
    before = reader.fingerprint()
    assert reader.fingerprint() == before
    write_jpeg(tmp_path / "pictures/b.jpg", seed=9)  # not in the list
    assert reader.fingerprint() == before
    write_jpeg(tmp_path / "pictures/a.jpg", 80, seed=9)
    assert reader.fingerprint() != before

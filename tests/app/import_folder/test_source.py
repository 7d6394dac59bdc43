"""What folders and their metadata say, damaged ones among them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from icf.app.import_folder.source import FolderSource, Reading
from icf.app.importing.given import Fault, GivenPicture, Owner
from icf.errors import BadInput
from icf.icartoonface.parts import HELD_OUT_ENDING


def put(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    return root


def read(
    root: Path, **how: Any
) -> tuple[list[GivenPicture], list[Fault], dict[str, int]]:
    source = FolderSource(root, Reading("set", **how))
    found = list(source.pictures())
    pictures = [each for each in found if isinstance(each, GivenPicture)]
    faults = [each for each in found if isinstance(each, Fault)]
    return pictures, faults, dict(source.left_out)


def say(root: Path, *rows: object, name: str = "metadata.jsonl") -> Path:
    root.mkdir(parents=True, exist_ok=True)
    lines = (each if isinstance(each, str) else json.dumps(each) for each in rows)
    (root / name).write_text("\n".join(lines), encoding="utf-8")
    return root


@pytest.mark.parametrize(
    ("name", "owner", "part"),
    [
        ("Sea/Luna/1.png", ("Sea", "Luna"), "set"),
        ("Luna/1.png", ("set", "Luna"), "set"),
        ("Old/Sea/Luna/1.png", ("Old/Sea", "Luna"), "set"),
        ("train/Luna/1.png", ("set", "Luna"), "set train"),
        ("test/Sea/Luna/1.png", ("Sea", "Luna"), f"set test{HELD_OUT_ENDING}"),
        ("Val/Luna/1.png", ("set", "Luna"), f"set Val{HELD_OUT_ENDING}"),
        ("{x}/Lu{n}a/1.png", ("{x}", "Lu{n}a"), "set"),
    ],
)
def test_the_last_folder_is_the_character_those_above_the_album(
    name: str, owner: tuple[str, str], part: str, tmp_path: Path
) -> None:
    [one], faults, _ = read(put(tmp_path, name))
    assert faults == []
    assert one.owners == {Owner(*owner)}
    assert (one.part, one.url) == (part, f"folder://set/{name}")
    assert one.where == f"{tmp_path}, {name}"
    [face] = one.faces
    assert face.box is None
    assert face.labelled


def test_a_character_called_like_a_split_beside_others_is_one(tmp_path: Path) -> None:
    pictures, _, _ = read(put(tmp_path, "Test/1.png", "Luna/1.png"))
    assert [each.owners for each in pictures] == [
        {Owner("set", "Luna")},
        {Owner("set", "Test")},
    ]
    assert {each.part for each in pictures} == {"set"}


@pytest.mark.parametrize(("held_out", "parts"), [("all", 2), ("none", 0)])
def test_what_is_held_out_can_be_said(
    held_out: str, parts: int, tmp_path: Path
) -> None:
    put(tmp_path, "train/Luna/1.png", "test/Luna/1.png")
    pictures, _, _ = read(tmp_path, held_out=held_out)
    assert sum(each.part.endswith(HELD_OUT_ENDING) for each in pictures) == parts


def test_other_files_are_counted_and_one_in_no_folder_is_refused(
    tmp_path: Path,
) -> None:
    put(tmp_path, "1.png", "Luna/1.png", "Luna/notes.txt", ".git/x.png")
    put(tmp_path, ".hack/Luna/1.png", "Luna/Thumbs.db")
    pictures, [fault], left_out = read(tmp_path)
    assert len(pictures) == 1
    assert fault.where == str(tmp_path / "1.png")
    assert fault.is_picture
    assert left_out == {
        "not a picture by its name": 1,
        "hidden, or made by a machine": 3,
    }


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no picture is in it or below"):
        read(tmp_path)


def test_faces_may_be_left_to_the_detector(tmp_path: Path) -> None:
    [one], _, _ = read(put(tmp_path, "Sea/Luna/1.png"), faces="detect")
    assert one.faces == ()
    assert one.filed == Owner("Sea", "Luna")


A = {"file_name": "a.png", "character": "Luna"}
BOXES = [[1, 2, 30, 40], [50, 2, 30, 40]]


@pytest.mark.parametrize(
    "objects",
    [
        {"bbox": BOXES, "character": ["Luna", "Sol"]},
        [{"bbox": BOXES[0]}, {"bbox": BOXES[1], "character": "Sol", "id": 7}],
        json.dumps([{"bbox": BOXES[0]}, {"bbox": BOXES[1], "character": "Sol"}]),
        json.dumps({"bbox": BOXES, "character": ["Luna", "Sol"]}),
    ],
)
def test_objects_are_lists_or_a_list_and_json_in_a_table(
    objects: object, tmp_path: Path
) -> None:
    say(put(tmp_path, "a.png"), {**A, "objects": objects})
    [one], faults, left_out = read(tmp_path)
    assert (faults, left_out) == ([], {})
    assert [each.box for each in one.faces] == [(1, 2, 31, 42), (50, 2, 80, 42)]
    assert one.faces[1].owner == Owner("set", "Sol")
    assert one.all_faces


@pytest.mark.parametrize("objects", [[], {"bbox": []}, "[]"])
def test_no_objects_are_no_face(objects: object, tmp_path: Path) -> None:
    say(put(tmp_path, "a.png"), {**A, "objects": objects})
    [one], _, _ = read(tmp_path)
    assert one.faces == ()
    assert one.all_faces


@pytest.mark.parametrize("four", ["x1,y1,x2,y2", "X_Min,Y_Min,X_Max,Y_Max"])
def test_a_box_may_have_a_column_for_each_corner(four: str, tmp_path: Path) -> None:
    put(tmp_path, "a.png", "b.png")
    header = f"file_name,character,{four}"
    say(tmp_path, header, "a.png,Luna,1,2,31.5,42", "b.png,Sol", name="metadata.csv")
    [one, other], faults, left_out = read(tmp_path)
    assert (faults, left_out) == ([], {})
    assert [each.box for each in one.faces] == [(1, 2, 31.5, 42)]
    assert [each.box for each in other.faces] == [None]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"bboxes": BOXES}, "bboxes"),
        ({"x": 1, "y": 2, "w": 30, "h": 40}, "h, w, x, y"),
        ({"objects": {"boxes": BOXES}}, "objects.boxes"),
        ({"objects": "cat and dog", "top": "ten"}, None),
        ({"objects": {"category": [1, 2]}, "x": None}, None),
    ],
)
def test_boxes_in_another_form_are_counted(
    fields: dict[str, object], said: str | None, tmp_path: Path
) -> None:
    say(put(tmp_path, "a.png"), {**A, **fields})
    [one], faults, left_out = read(tmp_path)
    assert faults == []
    assert [each.box for each in one.faces] == [None]
    counted = f"a box as {said} (bbox or corners are read)"
    assert left_out == ({counted: 1} if said else {})


def test_a_corner_that_is_no_number_refuses_its_row(tmp_path: Path) -> None:
    say(put(tmp_path, "a.png"), {**A, "x1": 1, "y1": 2, "x2": "wide", "y2": 9})
    pictures, [fault], _ = read(tmp_path)
    assert pictures == []
    assert "x1, y1, x2, y2: 'wide' is not a number" in fault.why


def test_metadata_names_characters_boxes_and_licences(tmp_path: Path) -> None:
    put(tmp_path, "x/1.png", "x/2.png", "x/3.png", "x/4.png")
    say(
        tmp_path / "x",
        {
            "file_name": "1.png",
            "character": "Luna",
            "album": "Sea",
            "license": "CC0",
            "author": "B",
        },
        {"file_name": "2.png", "character": "Sol", "bbox": [1, 2, 3, 4]},
        {
            "file_name": "3.png",
            "objects": {"bbox": [[1, 2, 3, 4], [5, 5, 2, 2]], "character": ["Sol", ""]},
            "width": 90,
            "height": 80,
            "url": "http://a.test/3",
            "licences": ["CC BY 4.0"],
            "author": "A",
        },
        "",
        {"file_name": "4.png", "text": "a drawing"},
    )
    [one, two, three, four], faults, left_out = read(tmp_path)
    assert faults == []
    assert left_out == {}
    assert one.owners == {Owner("Sea", "Luna")}
    assert (one.licence, one.author) == ("CC0", "B")
    assert one.faces[0].box is None
    assert [face.box for face in two.faces] == [(1, 2, 4, 6)]
    assert not two.all_faces
    assert [(face.box, face.owner) for face in three.faces] == [
        ((1, 2, 4, 6), Owner("set", "Sol")),
        ((5, 5, 7, 7), None),
    ]
    assert three.all_faces
    assert three.stated.size == (90, 80)
    [place] = three.places
    assert (place.url, place.licence, place.author) == (
        *("http://a.test/3", "CC BY 4.0", "A"),
    )
    assert four.owners == {Owner("set", "x")}
    assert four.where == f"{tmp_path / 'x' / 'metadata.jsonl'}, line 5"


def test_a_table_says_the_same(tmp_path: Path) -> None:
    put(tmp_path, "1.png")
    say(
        tmp_path,
        "file_name;character;bbox",
        '1.png;Luna;"[1, 2, 3, 4]"',
        name="metadata.csv",
    )
    [one], faults, _ = read(tmp_path)
    assert faults == []
    assert [(face.box, face.owner) for face in one.faces] == [
        ((1, 2, 4, 6), Owner("set", "Luna"))
    ]


def test_numbers_are_read_however_they_are_written(tmp_path: Path) -> None:
    put(tmp_path, "1.png", "2.png", "x/3.png", "x/4.png")
    boxes = {"bbox": [[1, 2, 3, 4], [5, 5, 2, 2]], "character": [7, 8.0]}
    say(
        tmp_path,
        {"file_name": "1.png", "character": 7, "width": 90.0, "height": "80"},
        {"file_name": "2.png", "objects": boxes, "album": 1.0},
    )
    table = "3.png,Sol,90,80.0,", "4.png,,,,"
    header = "file_name,character,width,height,bbox"
    say(tmp_path / "x", header, *table, name="metadata.csv")
    [one, two, three, four], faults, _ = read(tmp_path)
    assert faults == []
    assert one.owners == {Owner("set", "7")}
    assert two.owners == {Owner("1", "7"), Owner("1", "8")}
    assert one.stated.size == three.stated.size == (90, 80)
    # A cell without text is nothing: no size, and no box.
    assert four.stated.size is None
    assert [face.box for face in (*three.faces, *four.faces)] == [None, None]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("{", "no JSON"),
        ("[1]", "expected an object"),
        ('{"file_name": "1.png"}\0', "no JSON"),
        ({"character": "Luna"}, "expected a file_name"),
        ({"file_name": 7}, "expected a file_name"),
        ({"file_name": "/etc/x.png"}, "leads out of the folder"),
        ({"file_name": "../x.png"}, "leads out of the folder"),
        ({"file_name": "..\\x.png"}, "leads out of the folder"),
        ({"file_name": "good.png"}, "'good.png' again, as in line 1"),
        ({"file_name": "9.png"}, "there is no picture"),
        ({"file_name": "1.png", "bbox": [1, 2, 3]}, "four finite numbers"),
        ({"file_name": "1.png", "bbox": [1, 2, float("nan"), 4]}, "four finite"),
        ({"file_name": "1.png", "bbox": "1 2 3 4"}, "'1.png': "),
        ({"file_name": "1.png", "objects": {"bbox": 3}}, "objects.bbox is no list"),
        (
            {"file_name": "1.png", "objects": {"bbox": [], "character": ["Sol"]}},
            "0 boxes, and another number of characters",
        ),
        (
            {"file_name": "1.png", "objects": {"bbox": [], "character": "Sol"}},
            "the characters of objects are no list",
        ),
        (
            {
                "file_name": "1.png",
                "objects": {"bbox": [[1, 2, 3, 4]], "character": [[7]]},
            },
            "neither text nor a whole number: [7]",
        ),
        ({"file_name": "1.png", "character": {"id": 7}}, "character: neither text"),
        ({"file_name": "1.png", "character": "a\ud800"}, "no Unicode in 'a\\ud800'"),
        ({"file_name": "1.png", "url": "a\0"}, "url: a zero byte"),
        ({"file_name": "1.png", "licence": "\udcff"}, "licence: a zero byte"),
        ({"file_name": "1.png", "licences": ["\udcff"]}, "licences: a zero byte"),
        ({"file_name": "1.png", "width": "wide"}, "width: no whole number of pixels"),
        ({"file_name": "1.png", "height": 80.5}, "height: neither text nor a whole"),
        ({"file_name": "1.png", "bbox": "[" * 100_000}, "four finite numbers: [[["),
    ],
)
def test_a_row_of_metadata_that_cannot_be_read_is_named(
    row: object, why: str, tmp_path: Path
) -> None:
    put(tmp_path, "x/good.png")
    first = json.dumps({"file_name": "good.png", "character": "Luna"})
    line = row if isinstance(row, str) else json.dumps(row)
    (tmp_path / "x" / "metadata.jsonl").write_text(f"{first}\n{line}\n")
    [one], [fault], _ = read(tmp_path)
    assert one.owners == {Owner("set", "Luna")}
    assert fault.where == f"{tmp_path / 'x' / 'metadata.jsonl'}, line 2"
    assert why in fault.why


def test_a_picture_of_a_row_that_cannot_be_read_is_refused_once(
    tmp_path: Path,
) -> None:
    put(tmp_path, "1.png", "2.png")
    say(
        tmp_path,
        {"file_name": "1.png", "character": "Luna", "bbox": [1]},
        {"file_name": "2.png", "character": "Luna"},
    )
    [one], [fault], _ = read(tmp_path)
    assert one.line == 2
    assert fault.where == f"{tmp_path / 'metadata.jsonl'}, line 1"
    assert fault.is_picture


def test_metadata_in_folders_of_machines_is_passed_over(tmp_path: Path) -> None:
    put(tmp_path, "Luna/1.png")
    for folder in (".ipynb_checkpoints", "Luna/@eaDir"):
        say(tmp_path / folder, {"file_name": "9.png"}, name="metadata.jsonl")
    pictures, faults, _ = read(tmp_path)
    assert len(pictures) == 1
    assert faults == []


def test_a_name_that_is_decomposed_on_the_disk_is_found(tmp_path: Path) -> None:
    there = "e\u0301/e\u0301.png"
    put(tmp_path, there, "x y.png", "x\u00a0y.png")
    rows = [
        {"file_name": name, "character": f"C{number}"}
        for number, name in enumerate(("é/é.png", there, "x\u2003y.png"))
    ]
    say(tmp_path, rows[0], name="metadata.jsonl")
    [one], _, _ = read(tmp_path)
    assert one.owners == {Owner("set", "C0")}
    assert one.file == tmp_path / there
    # The very name counts, and one that is like two others is that of neither.
    say(tmp_path, *rows)
    [one], faults, _ = read(tmp_path)
    assert one.owners == {Owner("set", "C1")}
    assert sum("there is no picture" in each.why for each in faults) == 2


@pytest.mark.parametrize("name", ["  /1.png", "Luna/\u200b/1.png"])
def test_a_folder_of_blanks_is_no_character(name: str, tmp_path: Path) -> None:
    pictures, [fault], _ = read(put(tmp_path, name))
    assert pictures == []
    assert "it is in no folder of a character" in fault.why


def test_a_folder_of_blanks_is_no_part_of_an_album(tmp_path: Path) -> None:
    [one], _, _ = read(put(tmp_path, " /Luna/1.png"))
    assert one.owners == {Owner("set", "Luna")}


def test_a_picture_of_which_metadata_says_nothing_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "x/1.png", "x/2.png")
    say(tmp_path / "x", {"file_name": "1.png", "character": "Luna"})
    pictures, [fault], _ = read(tmp_path)
    assert len(pictures) == 1
    assert fault.where == str(tmp_path / "x" / "2.png")
    assert fault.is_picture


def test_boxes_that_are_none_are_counted_and_leave_no_background(
    tmp_path: Path,
) -> None:
    put(tmp_path, "1.png")
    boxes = [[1, 1, 5, 5], [1, 1, 0, 5], [1, 1, 5, 5]]
    say(tmp_path, {"file_name": "1.png", "objects": {"bbox": boxes}})
    [one], faults, left_out = read(tmp_path)
    assert faults == []
    assert left_out == {"a box without area": 1, "the same box again": 1}
    assert not one.all_faces


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_metadata_may_be_in_any_encoding_of_unicode(
    encoding: str, tmp_path: Path
) -> None:
    put(tmp_path, "1.png")
    row = json.dumps({"file_name": "1.png", "character": "Amélie"}, ensure_ascii=False)
    (tmp_path / "metadata.jsonl").write_text(row, encoding=encoding)
    [one], faults, _ = read(tmp_path)
    assert faults == []
    assert one.owners == {Owner("set", "Amélie")}


def test_a_table_without_file_names_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "x/1.png")
    say(tmp_path / "x", "name,character", "1.png,Luna", name="metadata.csv")
    with pytest.raises(BadInput, match="no column file_name"):
        read(tmp_path)


def test_a_table_with_a_column_twice_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "x/1.png")
    say(
        tmp_path / "x",
        "file_name,character,Character",
        "1.png,Luna,Sol",
        name="metadata.csv",
    )
    with pytest.raises(BadInput, match="has two columns 'character'; rename the one"):
        read(tmp_path)

"""What COCO annotation files say, damaged ones among them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.app.import_coco.source import CATEGORY, SUPERCATEGORY, CocoSource, Reading
from icf.app.importing.given import Fault, GivenPicture, Owner
from icf.errors import BadInput
from icf.icartoonface.parts import HELD_OUT_ENDING
from icf.models.data.boxes import IN_SHARES
from tests.app.import_coco.coco_files import (
    annotation,
    content,
    image,
    write_json,
    write_picture,
)

Read = tuple[list[GivenPicture], list[Fault], dict[str, int]]


def read(place: Path, **how: Any) -> Read:
    source = CocoSource(place, Reading("set", **how))
    found = list(source.pictures())
    pictures = [each for each in found if isinstance(each, GivenPicture)]
    faults = [each for each in found if isinstance(each, Fault)]
    return pictures, faults, dict(source.left_out)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number in range(3):
        write_picture(tmp_path / "images" / f"{number}.png", number)
    return tmp_path


def write(root: Path, *annotations: dict[str, object], **more: object) -> Path:
    images = [image(number, f"{number}.png") for number in range(2)]
    return write_json(root / "a.json", content(images, annotations, **more))


def test_boxes_are_corners_and_pictures_are_found_by_name(root: Path) -> None:
    write(root, annotation(0), annotation(0, [1.5, 2, 3, 4], category_id=2))
    [one, other], faults, left_out = read(root)
    assert faults == []
    assert left_out == {}
    assert [(each.box, each.kind) for each in one.faces] == [
        ((10, 20, 114, 120), "cartoon"),
        ((1.5, 2, 4.5, 6), "human"),
    ]
    assert one.file == root / "images" / "0.png"
    assert one.all_faces
    assert other.faces == ()
    assert one.where == f"{root / 'a.json'}, images[0]"
    assert one.origin(1) == "a.json, annotations[1]"


@pytest.mark.parametrize(
    "said", [{"image_id": "0"}, {"category_id": "1"}, {"file_name": "0.png"}]
)
def test_ids_may_be_texts_and_annotations_may_name_their_file(
    root: Path, said: dict[str, object]
) -> None:
    write(root, annotation(0) | said)
    [one, _], faults, left_out = read(root)
    assert (faults, left_out) == ([], {})
    assert len(one.faces) == 1


def test_attributes_may_have_an_image_id(root: Path) -> None:
    attributes = {"character": "Luna", "image_id": 4}
    write(root, annotation(0, attributes=attributes))
    [one, _], _, _ = read(root)
    assert one.owners == {Owner("set", "Luna")}


def test_an_annotation_without_box_and_category_leaves_no_background(
    root: Path,
) -> None:
    write(root, {"id": 1, "image_id": 0, "caption": "Luna and Sol"})
    [one, other], [fault], _ = read(root)
    assert "no category None" in fault.why
    assert (one.all_faces, other.all_faces) == (False, True)


def test_the_name_of_a_file_is_no_address(root: Path) -> None:
    images = [
        image(0, "0.png", coco_url="0.png", flickr_url="0.png"),  # as VIA writes it
        image(1, "1.png", coco_url="", flickr_url="c.test/1.png"),
    ]
    write_json(root / "a.json", content(images, []))
    pictures, _, _ = read(root)
    found = [[each.url for each in picture.places] for picture in pictures]
    assert found == [[], ["c.test/1.png"]]


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ({"bbox": [1, 2, 3]}, "four finite numbers"),
        ({"bbox": [1, 2, "3", 4]}, "four finite numbers"),
        ({"bbox": [1, 2, float("nan"), 4]}, "four finite numbers"),
        ({"bbox": [1, 2, float("inf"), 4]}, "four finite numbers"),
        ({"bbox": [1, 2, 10**400, 4]}, "four finite numbers"),
        ({"bbox": [1, 2, True, 4]}, "four finite numbers"),
        ({"bbox": {"x": 1}}, "four finite numbers"),
        ({"bbox": None}, "four finite numbers"),
        ({"image_id": 99}, "no picture with the id 99"),
        ({"image_id": [0]}, "no picture with the id [0]"),
        ({"category_id": 7}, "no category 7"),
        ({"category_id": [1]}, "no category [1]"),
        ({"category_id": None}, "no category None"),
    ],
)
def test_an_annotation_that_cannot_be_one_is_named(
    bad: dict[str, object], why: str, root: Path
) -> None:
    write(root, annotation(1), {**annotation(0), **bad})
    pictures, [fault], _ = read(root)
    assert fault.where == f"{root / 'a.json'}, annotations[1]"
    assert why in fault.why
    assert [len(each.faces) for each in pictures] == [0, 1]
    assert pictures[0].all_faces is ("image_id" in bad)


@pytest.mark.parametrize(
    ("odd", "why", "whole"),
    [
        ({"iscrowd": 1}, "a crowd", False),
        ({"iscrowd": "1"}, "a crowd", False),
        ({"attributes": {"rotation": 15.5}}, "a box that is turned", False),
        ({"attributes": {"rotation": 360}}, "the same box again", True),
        ({"iscrowd": "0"}, "the same box again", True),
        ({"bbox": [1, 1, 0, 5]}, "a box without area", False),
        ({"bbox": [1, 1, -4, 5]}, "a box without area", False),
        ({"bbox": [0.2, 0.1, 0.3, 0.4]}, IN_SHARES, False),
        ({"bbox": [0, 0, 1.0, 1.0]}, IN_SHARES, False),
        ({"category_id": 3}, "a category that is no face", True),
        ({}, "the same box again", True),
    ],
)
def test_what_is_no_face_is_counted_and_leaves_no_background(
    odd: dict[str, object], why: str, whole: bool, root: Path
) -> None:
    write(root, annotation(0), {**annotation(0), **odd})
    [one, _], faults, left_out = read(root)
    assert faults == []
    assert left_out == {why: 1}
    assert len(one.faces) == 1
    assert one.all_faces is whole


def test_a_picture_that_is_listed_twice_is_no_background(root: Path) -> None:
    write_json(
        root / "a.json",
        content([image(1, "0.png"), image(2, "0.png"), image(3, "1.png")], []),
    )
    pictures, [fault], _ = read(root)
    assert fault.why == "the same file_name as images[0]"
    assert [each.all_faces for each in pictures] == [False, True]


@pytest.mark.parametrize(
    ("images", "whys"),
    [
        ([{"id": 1}], ["without id or file_name"]),
        ([{"file_name": "0.png"}], ["without id or file_name"]),
        ([image(1, "")], ["without id or file_name"]),
        ([image(None, "0.png")], ["without id or file_name"]),
        ([image(1, "9.png")], ["there is no picture '9.png'"]),
        ([image(1, "../a.json")], ["there is no picture '../a.json'"]),
        ([image(1, "/etc/passwd")], ["there is no picture '/etc/passwd'"]),
        ([image(1, "x/0.png")], ["there is no picture 'x/0.png'"]),
        ([image(1, "0.png"), image(1, "1.png")], ["several pictures have"] * 2),
        ([image(1, "0.png"), image(2, "0.png")], ["the same file_name as images[0]"]),
    ],
)
def test_a_picture_that_cannot_be_found_is_refused_by_name(
    images: list[dict[str, object]], whys: list[str], root: Path
) -> None:
    write_json(root / "a.json", content(images, []))
    pictures, faults, _ = read(root)
    assert len(pictures) + len(faults) == len(images)
    assert all(each.is_picture for each in faults)
    for fault, why in zip(faults, whys, strict=True):
        assert why in fault.why


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "line 1, column 1: no JSON"),
        (b'{"images": [', "line 1, column 13: no JSON"),
        (b'{"images": [],\n "annotations": [}', "line 2, column 18: no JSON"),
        (b"\x1f\x8b\x08\x00abc", "no JSON that can be read"),
        (b"\x1f\x8b\x08\x00abc", "it is packed (gzip, zip or 7z); unpack it first"),
        (b'{"images": [], "annotations": [\0]}', "line 1, column 32: no JSON"),
        (b"[]", "expected an object with the lists images"),
        (b'{"images": {}, "annotations": []}', "expected an object with the lists"),
        (b"[" * 100_000, "no JSON that can be read"),
    ],
)
def test_a_file_that_is_no_annotation_file_is_refused_by_name_and_line(
    data: bytes, why: str, tmp_path: Path
) -> None:
    (tmp_path / "a.json").write_bytes(data)
    with pytest.raises(BadInput) as refused:
        read(tmp_path)
    assert str(refused.value).startswith(f"{tmp_path / 'a.json'}")
    assert why in str(refused.value)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_any_encoding_of_unicode_is_read(encoding: str, root: Path) -> None:
    named = annotation(0, attributes={"character": "Amélie"})
    path = write(root, named)
    path.write_text(json.dumps(json.loads(path.read_text())), encoding=encoding)
    [one, _], faults, _ = read(root)
    assert faults == []
    assert one.owners == {Owner("set", "Amélie")}


def test_a_damaged_file_among_others_is_named_and_the_others_read(root: Path) -> None:
    write(root, annotation(0))
    (root / "b.json").write_text("{")
    write_json(root / "c.json", {"info": "something else"})
    pictures, [fault], left_out = read(root)
    assert len(pictures) == 2
    assert fault.where == f"{root / 'b.json'}, line 1, column 2"
    assert left_out == {"a JSON file without images and annotations": 1}


def test_a_folder_without_any_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no \.json file is there"):
        CocoSource(tmp_path, Reading("set"))


def test_a_file_without_a_category_of_faces_says_what_to_do(root: Path) -> None:
    write_json(root / "a.json", content([], [], categories=[{"id": 1, "name": "cat"}]))
    with pytest.raises(BadInput, match="'cat'; name those that are with --drawn"):
        read(root)
    assert read(root, drawn=("cat",)) == ([], [], {})


@pytest.mark.parametrize(
    ("fields", "how", "owner"),
    [
        ({"attributes": {"character": " Luna ", "album": "Sea"}}, {}, ("Sea", "Luna")),
        ({"character": "Luna"}, {}, ("set", "Luna")),
        ({"who": {"id": 7}}, {"identity": ("who.id",)}, ("set", "7")),
        ({"attributes": {"character": 7.0, "album": 2}}, {}, ("2", "7")),
        ({}, {"identity": (CATEGORY,)}, ("set", "face")),
        ({}, {"identity": (CATEGORY,), "album": (SUPERCATEGORY,)}, ("set", "face")),
        ({"attributes": {"character": ["Luna"]}}, {}, None),
        ({"attributes": None, "character": True}, {}, None),
        ({}, {}, None),
    ],
)
def test_a_character_is_named_by_a_field_or_by_its_category(
    fields: dict[str, object],
    how: dict[str, Any],
    owner: tuple[str, str] | None,
    root: Path,
) -> None:
    write(root, annotation(0, **fields))
    [one, _], _, _ = read(root, **how)
    assert one.faces[0].owner == (Owner(*owner) if owner else None)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (["Luna"], "character: neither text nor a whole number: ['Luna']"),
        (7.5, "character: neither text nor a whole number: 7.5"),
        (True, "character: neither text nor a whole number: True"),
        ("a\ud800", "character: a zero byte or no Unicode in 'a\\ud800'"),
        ("a\0", "character: a zero byte or no Unicode in 'a\\x00'"),
        ("a" * 501, "a name with over 500 characters"),
    ],
)
def test_a_name_that_is_none_is_named_and_its_face_kept(
    name: object, why: str, root: Path
) -> None:
    write(root, annotation(0, character=name), annotation(1, character="Sol"))
    [one, two], [fault], _ = read(root)
    assert fault.where == f"{root / 'a.json'}, annotations[0]"
    assert why in fault.why
    assert [each.owner for each in one.faces] == [None]
    assert two.owners == {Owner("set", "Sol")}


def test_categories_may_be_called_by_numbers(root: Path) -> None:
    categories = [{"id": 1, "name": 7}, {"id": 2, "name": "a\ud800"}]
    annotations = annotation(0), annotation(1, category_id=2)
    write(root, *annotations, categories=categories)
    [one, _], [fault], _ = read(root, identity=(CATEGORY,))
    assert one.owners == {Owner("set", "7")}
    assert fault.where == f"{root / 'a.json'}, annotations[1]"


@pytest.mark.parametrize(
    ("sides", "size"),
    [
        ((200.0, "144"), (200, 144)),
        ((" 200 ", "144.0"), (200, 144)),
        ((0, 0), None),
        ((None, 144), None),
        ((float("nan"), ""), None),
    ],
)
def test_sizes_are_whole_numbers_however_they_are_written(
    sides: tuple[object, object], size: tuple[int, int] | None, root: Path
) -> None:
    width, height = sides
    images = [image(0, "0.png", width=width, height=height)]
    write_json(root / "a.json", content(images, []))
    [one], faults, _ = read(root)
    assert faults == []
    assert one.stated.size == size


@pytest.mark.parametrize("width", ["wide", 99.5, -1, "1_0", True, [1], "9" * 5000])
def test_a_size_that_is_none_refuses_its_picture(width: object, root: Path) -> None:
    images = [image(0, "0.png", width=width), image(1, "1.png")]
    write_json(root / "a.json", content(images, []))
    [one], [fault], _ = read(root)
    assert one.line == 1
    assert fault.is_picture
    assert fault.where == f"{root / 'a.json'}, images[0]"
    assert fault.why.startswith("width: ")


def test_licences_and_addresses_are_those_of_the_file(root: Path) -> None:
    images = [
        image(0, "0.png", license=4, coco_url="http://c.test/0", author="A"),
        image(1, "1.png", license=4, author="=B"),
        image(2, "2.png", license=9),
    ]
    licence = {"id": 4, "name": "CC BY 4.0", "url": "http://l.test"}
    write_json(root / "a.json", content(images, [], licenses=[licence]))
    [one, two, three], _, _ = read(root)
    [place] = one.places
    assert (place.url, place.licence, place.licence_url, place.licence_from) == (
        *("http://c.test/0", "CC BY 4.0", "http://l.test", "list"),
    )
    assert (two.places, two.licence, two.licence_url) == (
        *((), "CC BY 4.0", "http://l.test"),
    )
    assert three.licence is None
    assert (place.author, two.author, three.author) == ("A", "=B", "")


def test_coco_s_own_folders_are_known(tmp_path: Path) -> None:
    write_picture(tmp_path / "val2017" / "0.png", 0)
    write_picture(tmp_path / "train2017" / "0.png", 1)
    found = content([image(0, "0.png")], [])
    for split in ("train2017", "val2017"):
        write_json(tmp_path / "annotations" / f"instances_{split}.json", found)
    pictures, faults, _ = read(tmp_path)
    assert faults == []
    folders = [
        each.file.parent.name for each in pictures if isinstance(each.file, Path)
    ]
    assert folders == ["train2017", "val2017"]
    assert [each.url for each in pictures] == [
        "coco://set/instances_train2017.json/0.png",
        "coco://set/instances_val2017.json/0.png",
    ]


@pytest.mark.parametrize("folder", ["", "images", "elsewhere"])
def test_a_name_that_is_decomposed_on_the_disk_is_found(
    folder: str, tmp_path: Path
) -> None:
    there = write_picture(tmp_path / folder / "e\u0301.png", 0)
    write_json(tmp_path / "a.json", content([image(0, "é.png")], []))
    [one], faults, _ = read(tmp_path)
    assert faults == []
    assert one.file == there
    assert one.url == "coco://set/a.json/é.png"


@pytest.mark.parametrize(
    "name",
    [
        "album 1\\é.png",
        "images\\album 1\\é.png",
        "album%201/%C3%A9.png",
        "images%5Calbum%201%5C%C3%A9.png",
    ],
)
def test_a_name_as_windows_or_an_address_writes_it_is_found(
    name: str, tmp_path: Path
) -> None:
    there = write_picture(tmp_path / "images" / "album 1" / "é.png", 0)
    write_picture(tmp_path / "images" / "album 2" / "é.png", 1)
    names = [name, f"..\\{name}", f"%2e%2e/{name}", name.replace("1", "3")]
    images = [image(number, each) for number, each in enumerate(names)]
    write_json(tmp_path / "a.json", content(images, []))
    [one], faults, _ = read(tmp_path)
    assert one.file == there
    assert one.url == f"coco://set/a.json/{name}"
    assert [each.where[-9:] for each in faults] == [f"images[{n}]" for n in (1, 2, 3)]


def test_a_name_with_a_percent_sign_is_a_name_first(tmp_path: Path) -> None:
    for number, name in enumerate(("a%20b.png", "a b.png")):
        write_picture(tmp_path / name, number)
    write_json(tmp_path / "a.json", content([image(0, "a%20b.png")], []))
    [one], _, _ = read(tmp_path)
    assert one.file == tmp_path / "a%20b.png"


def test_a_name_that_two_are_alike_to_stands_for_neither(tmp_path: Path) -> None:
    for name in ("a/x y.png", "b/x\u00a0y.png"):
        write_picture(tmp_path / name, 0)
    names = "x y.png", "x\u2003y.png"
    images = [image(number, name) for number, name in enumerate(names)]
    write_json(tmp_path / "set.json", content(images, []))
    [one], [fault], _ = read(tmp_path)
    assert one.file == tmp_path / "a" / "x y.png"
    assert fault.where.endswith("images[1]")


def two_of_a_name(root: Path, *folders: str) -> Path:
    for number, folder in enumerate(folders):
        write_picture(root / folder / "0.png", number)
        found = content([image(0, "0.png")], [])
        write_json(root / folder / "_annotations.coco.json", found)
    return root


def test_files_of_one_name_have_addresses_and_splits_by_their_folders(
    tmp_path: Path,
) -> None:
    root = two_of_a_name(tmp_path, "train", "valid", "")
    pictures, faults, _ = read(root)
    assert faults == []
    assert [(each.url, each.part) for each in pictures] == [
        ("coco://set/./_annotations.coco.json/0.png", "set annotations.coco"),
        ("coco://set/train/_annotations.coco.json/0.png", "set train"),
        (
            "coco://set/valid/_annotations.coco.json/0.png",
            f"set valid{HELD_OUT_ENDING}",
        ),
    ]


def test_a_file_alone_has_its_address_by_name_and_its_split_by_folder(
    tmp_path: Path,
) -> None:
    root = two_of_a_name(tmp_path, "valid")
    for place in (root, root / "valid", root / "valid" / "_annotations.coco.json"):
        [one], _, _ = read(place)
        assert one.url == "coco://set/_annotations.coco.json/0.png"
        assert one.part == f"set valid{HELD_OUT_ENDING}"


def test_a_name_that_two_folders_have_stands_for_neither(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        write_picture(tmp_path / folder / "0.png", 0)
    write_picture(tmp_path / "b" / "1.png", 1)
    images = [image(0, "0.png"), image(1, "1.png")]
    write_json(tmp_path / "set.json", content(images, []))
    [one], [fault], _ = read(tmp_path)
    assert one.file == tmp_path / "b" / "1.png"
    assert "or there are several" in fault.why


_SIDES = st.floats(-1e6, 1e6, allow_nan=False)
_SIZES = st.floats(0.01, 1e6)


@given(
    boxes=st.lists(st.tuples(_SIDES, _SIDES, _SIZES, _SIZES), max_size=5, unique=True)
)
def test_every_box_with_an_area_in_the_picture_is_read(
    boxes: list[tuple[float, float, float, float]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    root = tmp_path_factory.getbasetemp() / "boxes"
    root.mkdir(exist_ok=True)
    (root / "0.png").write_bytes(b"")
    found = [annotation(0, list(box)) for box in boxes]
    write_json(root / "a.json", content([image(0, "0.png")], found))
    [one], faults, left_out = read(root)
    assert faults == []
    corners = [(x, y, x + width, y + height) for x, y, width, height in boxes]
    # Where a side is lost beside a large number, there is no area.
    kept = [each for each in corners if each[2] > max(each[0], 0)]
    kept = [each for each in kept if each[3] > max(each[1], 0)]
    assert [each.box for each in one.faces] == list(dict.fromkeys(kept))
    assert sum(left_out.values()) == len(corners) - len(one.faces)


def test_ids_may_be_whole_numbers_with_decimals(root: Path) -> None:
    images = [image(0.0, "0.png", license=3.0), image(1, "1.png", license=3)]
    boxes = [
        annotation(0, category_id=1.0, character="Luna"),
        annotation(1.0, category_id=1, character="Sol"),
    ]
    found = content(images, boxes, licenses=[{"id": 3.0, "name": "CC0"}])
    for each in found["categories"]:
        each["id"] = float(each["id"])
    write_json(root / "a.json", found)
    pictures, faults, left_out = read(root)
    assert (faults, left_out) == ([], {})
    assert [each.owners for each in pictures] == [
        {Owner("set", "Luna")},
        {Owner("set", "Sol")},
    ]
    assert [each.licence for each in pictures] == ["CC0", "CC0"]


def test_an_id_with_and_without_decimals_is_of_two_pictures(root: Path) -> None:
    images = [image(1, "0.png"), image(1.0, "1.png"), image(1.5, "2.png")]
    write_json(root / "a.json", content(images, []))
    pictures, faults, _ = read(root)
    assert pictures == []
    assert sorted(each.why for each in faults) == [
        "a picture without id or file_name",
        "several pictures have its id, 1",
        "several pictures have its id, 1.0",
    ]


@pytest.mark.parametrize("key", [1, 1.0])
def test_a_category_id_of_two_names_is_refused(root: Path, key: object) -> None:
    path = write(root, annotation(0))
    found = json.loads(path.read_text())
    # The same entry again says nothing else.
    found["categories"].append(found["categories"][0])
    write_json(path, found)
    assert len(read(root)[0]) == 2
    found["categories"].append({"id": key, "name": "tree"})
    write_json(path, found)
    with pytest.raises(BadInput, match=r"the id 1 is of two .*'face' and 'tree'"):
        read(root)


def test_a_licence_id_of_two_names_is_refused(root: Path) -> None:
    some = [{"id": 1, "name": "CC0"}, {"id": 1, "name": "CC BY 4.0"}]
    write(root, annotation(0), licenses=some)
    with pytest.raises(BadInput, match=r"two licenses, 'CC0' and 'CC BY 4\.0'"):
        read(root)


def test_a_category_id_of_two_categories_above_is_refused(root: Path) -> None:
    path = write(root, annotation(0))
    found = json.loads(path.read_text())
    found["categories"].append({"id": 1, "name": "face", "supercategory": "Sea"})
    write_json(path, found)
    with pytest.raises(BadInput, match=r"'face' \(''\) and 'face' \('Sea'\)"):
        read(root)

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from icf.errors import BadInput
from icf.models.data.base import LabelledFace, LabelledPicture
from icf.models.data.formats.coco import CocoReader
from tests.models.data.files import split, write_jpeg

IMAGES: list[Any] = [
    {"id": 7, "file_name": "a.jpg", "width": 64, "height": 48, "license": 1},
    {"id": 9, "file_name": "b.jpg", "width": 64, "height": 48},
]
FACE, DOG, PERSON = 1, 2, 3
CATEGORIES = [
    {"id": FACE, "name": "cartoon face", "supercategory": "face"},
    {"id": DOG, "name": "dog"},
    {"id": PERSON, "name": "human face"},
]


def annotation(box: Any, image: Any = 7, category: Any = FACE, **more: Any) -> Any:
    shape = {"segmentation": [[1, 2, 3, 4, 5, 6]], "area": 9, "id": 1, "iscrowd": 0}
    return {"image_id": image, "category_id": category, "bbox": box, **shape, **more}


def write(
    path: Path,
    annotations: list[Any],
    images: list[Any] | None = None,
    categories: list[Any] | None = None,
) -> CocoReader:
    content = {
        "info": {"year": 2017},
        "images": IMAGES if images is None else images,
        "annotations": annotations,
        "categories": CATEGORIES if categories is None else categories,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return CocoReader(path)


PLACES = [
    ("labels.json", "."),
    ("labels.json", "images"),
    ("annotations/instances_train2017.json", "train2017"),
    ("annotations/train.json", "images"),
    ("annotations/train.json", "images/train"),
    ("train/_annotations.coco.json", "train"),
]


@pytest.mark.parametrize(("file", "folder"), PLACES)
def test_pictures_are_found_where_data_sets_have_them(
    tmp_path: Path, file: str, folder: str
) -> None:
    for name in ("a.jpg", "b.jpg"):
        write_jpeg(tmp_path / folder / name)
    reader = write(tmp_path / file, [annotation([4, 5, 20, 30])])
    pictures, skipped = split(reader)
    assert not skipped
    for picture, name in zip(pictures, ("a.jpg", "b.jpg"), strict=True):
        assert reader.read(picture.key) == (tmp_path / folder / name).read_bytes()


def test_boxes_are_corner_and_size(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        write_jpeg(tmp_path / name)
    annotations = [
        annotation([4, 5, 20, 30.5]),
        annotation([30, 5, 10, 10], category=PERSON),
        annotation([40, 20, 10, 10], iscrowd=1),
    ]
    pictures, skipped = split(write(tmp_path / "labels.json", annotations))
    assert not skipped
    assert pictures == [
        LabelledPicture(
            "a.jpg",
            (
                LabelledFace((4, 5, 24, 35.5), "cartoon"),
                LabelledFace((30, 5, 40, 15), "human"),
                LabelledFace((40, 20, 50, 30), "cartoon", ignored=True),
            ),
            complete=True,
            size=(64, 48),
        ),
        LabelledPicture("b.jpg", (), complete=True, size=(64, 48)),
    ]


@pytest.mark.parametrize("flag", [0, 0.0, "0", " 0.0", "False", None, math.nan, ""])
def test_a_crowd_that_a_data_frame_says_is_none_is_a_face(
    tmp_path: Path, flag: object
) -> None:
    write_jpeg(tmp_path / "a.jpg")
    box = annotation([4, 5, 20, 30], iscrowd=flag, ignore=flag)
    pictures, _ = split(write(tmp_path / "labels.json", [box]))
    assert not pictures[0].faces[0].ignored


@pytest.mark.parametrize("flag", [1, 1.0, "1", "true"])
def test_a_crowd_as_a_data_frame_writes_it_is_one(tmp_path: Path, flag: object) -> None:
    write_jpeg(tmp_path / "a.jpg")
    box = annotation([4, 5, 20, 30], iscrowd=flag)
    pictures, _ = split(write(tmp_path / "labels.json", [box]))
    assert pictures[0].faces[0].ignored


def test_damage_is_left_out_with_its_place(tmp_path: Path) -> None:
    write_jpeg(tmp_path / "a.jpg")
    images = [
        *IMAGES,
        {"id": 8, "file_name": "a.jpg"},
        {"file_name": "c.jpg"},
        {"id": 10, "file_name": 3},
        {"id": [7], "file_name": "d.jpg"},
    ]
    annotations = [
        annotation([4, 5, 20, 30]),
        annotation([4, 5, 20, 30]),
        annotation([4, 5, 0, 30]),
        annotation([70, 5, 9, 30]),
        annotation([4, 5, 20]),
        annotation(None),
        annotation(["4", 5, 20, 30]),
        annotation([4, 5, 9, 9], attributes={"occluded": False, "rotation": 15.0}),
        annotation([5, 5, 9, 9], attributes={"occluded": False, "rotation": 0.0}),
        annotation([4, 5, 20, 30], image=9),
        annotation([4, 5, 20, 30], image=[]),
        annotation([4, 5, 20, 30], category=DOG),
        annotation([4, 5, 20, 30], category=None),
        annotation([4, 5, 20, 30], category=4),
        "nothing",
    ]
    pictures, skipped = split(write(tmp_path / "labels.json", annotations, images))
    assert [(p.key, len(p.faces), p.complete) for p in pictures] == [
        ("a.jpg", 2, False)
    ]
    assert [(each.where.split(", ")[1], each.reason) for each in skipped] == [
        ("images[1]", "no such picture"),
        ("images[2]", "the same picture again"),
        ("images[3]", "a picture without id or file_name"),
        ("images[4]", "a picture without id or file_name"),
        ("images[5]", "a picture without id or file_name"),
        ("annotations[1]", "the same box again"),
        ("annotations[2]", "a box without area"),
        ("annotations[3]", "a box outside the picture"),
        ("annotations[4]", "a box that is not four numbers"),
        ("annotations[5]", "a box that is not four numbers"),
        ("annotations[6]", "a box that is not four numbers"),
        ("annotations[7]", "a box that is turned"),
        ("annotations[9]", "a box of no picture that is there"),
        ("annotations[10]", "a box of no picture that is there"),
        ("annotations[11]", "a category that is no face"),
        ("annotations[12]", "a category that the file does not name"),
        ("annotations[13]", "a category that the file does not name"),
        ("annotations[14]", "an annotation without image_id"),
    ]


def test_ids_may_have_decimals_or_be_texts(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        write_jpeg(tmp_path / name)
    box = [4, 5, 20, 30]
    annotations = [annotation(box, 7.0, 1.0), annotation(box, "nine", "mine")]
    categories = [*CATEGORIES, {"id": "mine", "name": "face"}, {"id": 5.0, "name": ""}]
    images = [{**IMAGES[0], "width": 64.0}, {**IMAGES[1], "id": "nine"}]
    reader = write(tmp_path / "labels.json", annotations, images, categories)
    pictures, skipped = split(reader)
    assert not skipped
    assert [(p.key, len(p.faces), p.complete) for p in pictures] == [
        ("a.jpg", 1, True),
        ("b.jpg", 1, True),
    ]


@pytest.mark.parametrize(("image", "category"), [("7", "1"), (7, "1"), ("7", 1)])
def test_ids_may_be_numbers_here_and_their_digits_there(
    tmp_path: Path, image: object, category: object
) -> None:
    write_jpeg(tmp_path / "a.jpg")
    write_jpeg(tmp_path / "b.jpg")
    box = [4, 5, 20, 30]
    reader = write(tmp_path / "labels.json", [annotation(box, image, category)])
    pictures, skipped = split(reader)
    assert not skipped
    assert [len(picture.faces) for picture in pictures] == [1, 0]
    # Where both are ids, each is its own.
    images = [IMAGES[0], {**IMAGES[1], "id": "7"}]
    annotations = [annotation(box, 7), annotation(box, "7")]
    pictures, skipped = split(write(tmp_path / "both.json", annotations, images))
    assert not skipped
    assert [len(picture.faces) for picture in pictures] == [1, 1]


def test_an_annotation_may_name_the_file_of_its_picture(tmp_path: Path) -> None:
    write_jpeg(tmp_path / "a.jpg")
    box = annotation([4, 5, 20, 30], file_name="a.jpg")
    pictures, skipped = split(write(tmp_path / "labels.json", [box], IMAGES[:1]))
    assert not skipped
    assert len(pictures[0].faces) == 1


def test_a_picture_of_an_unknown_category_is_no_background(tmp_path: Path) -> None:
    write_jpeg(tmp_path / "a.jpg")
    annotations = [
        annotation([4, 5, 20, 30]),
        annotation([30, 5, 20, 30], category=4),
    ]
    pictures, _ = split(write(tmp_path / "x.json", annotations, IMAGES[:1]))
    assert [(len(p.faces), p.complete) for p in pictures] == [(1, False)]


def test_pictures_that_share_an_id_get_no_boxes_of_one_another(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        write_jpeg(tmp_path / name)
    images = [{**IMAGES[0], "file_name": name} for name in ("a.jpg", "c.jpg")]
    annotations = [annotation([4, 5, 20, 30]), annotation([4, 5, 20, 30], image=9)]
    reader = write(tmp_path / "x.json", annotations, [*images, IMAGES[1]])
    pictures, skipped = split(reader)
    assert [(p.key, len(p.faces)) for p in pictures] == [("b.jpg", 1)]
    assert [(each.where.split(", ")[1], each.reason) for each in skipped] == [
        ("images[0]", "an id that another picture has"),
        ("images[1]", "an id that another picture has"),
        ("annotations[0]", "a box of no picture that is there"),
    ]


def test_a_picture_that_is_listed_twice_has_the_boxes_of_both(tmp_path: Path) -> None:
    write_jpeg(tmp_path / "a.jpg")
    images = [IMAGES[0], {**IMAGES[0], "id": 8}]
    annotations = [annotation([4, 5, 20, 30]), annotation([30, 5, 20, 30], image=8)]
    pictures, skipped = split(write(tmp_path / "x.json", annotations, images))
    assert [(p.key, len(p.faces), p.complete) for p in pictures] == [("a.jpg", 2, True)]
    assert [each.reason for each in skipped] == ["the same picture again"]


def test_one_id_of_two_categories_is_refused(tmp_path: Path) -> None:
    write_jpeg(tmp_path / "a.jpg")
    categories = [{"id": 1, "name": "dog"}, {"id": 1.0, "name": "face"}]
    reader = write(tmp_path / "x.json", [], IMAGES[:1], categories)
    with pytest.raises(BadInput, match="id 1 is of two categories, 'dog' and 'face'"):
        split(reader)


def test_a_plain_face_is_of_the_domain(tmp_path: Path) -> None:
    write_jpeg(tmp_path / "a.jpg")
    path = write(tmp_path / "x.json", [annotation([4, 5, 20, 30])]).path
    path.write_text(path.read_text().replace("cartoon face", "face"))
    pictures, _ = split(CocoReader(path, "human"))
    assert pictures[0].faces[0].kind == "human"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no JSON that can be read"),
        ('{"images": [', "no JSON that can be read"),
        ("[" * 100_000, "no JSON that can be read"),
        ("[]", "expected an object with the lists"),
        ('{"images": [], "annotations": 3}', "expected an object with the lists"),
        ('{"images": [], "annotations": []}', "none of its categories is a face"),
        (
            '{"images": [], "annotations": [], "categories": null}',
            "none of its categories is a face",
        ),
    ],
)
def test_what_is_no_coco_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "labels.json"
    path.write_text(text)
    with pytest.raises(BadInput, match=message):
        split(CocoReader(path))


def test_pictures_that_are_nowhere_are_an_error(tmp_path: Path) -> None:
    images = [*IMAGES, {"id": 10, "file_name": "long" * 100}]
    with pytest.raises(BadInput, match="none of its pictures is in"):
        split(write(tmp_path / "labels.json", [], images))

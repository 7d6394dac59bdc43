from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.annotate.answers import EmptyRow, Fault
from icf.annotate.boxes.exchange.coco import read_coco, write_coco
from icf.annotate.boxes.exchange.rows import BoxRow, ExportedPicture, Row
from icf.annotate.boxes.opinion import FloatArray, as_boxes, read_opinion
from icf.annotate.tasks.base import RefusedAnswer
from icf.errors import BadInput

HASH = "3fa2b1c4" + "0" * 56
NAME = "pictures/i000012-3fa2b1c4.jpg"


def picture(boxes: FloatArray | None, people: int = 2) -> ExportedPicture:
    return ExportedPicture(12, HASH, 640, 480, boxes, people, 0.05)


def read(folder: Path, content: object) -> list[Row]:
    path = folder / "boxes.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return list(read_coco(path).rows)


def file(*annotations: dict[str, Any], **image: Any) -> dict[str, Any]:
    """A file with one picture."""
    values = {"id": 5, "file_name": NAME, "width": 640, "height": 480}
    return {
        "images": [values | image],
        "annotations": [{"image_id": 5, "category_id": 1} | a for a in annotations],
        "categories": [{"id": 1, "name": "face"}],
    }


corner = st.integers(0, 20_000).map(lambda each: each / 100)
side = st.integers(200, 20_000).map(lambda each: each / 100)
box = st.tuples(corner, corner, side, side).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)


@given(boxes=st.lists(box, max_size=5))
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, boxes: list[tuple[float, ...]]
) -> None:
    folder = tmp_path_factory.mktemp("coco")
    (row,) = read(folder, write_coco([picture(as_boxes(boxes))]).decode())
    assert isinstance(row, BoxRow)
    assert (row.picture, row.size) == (NAME, (640, 480))
    assert row.value["verdict"] == "boxed"
    assert len(row.value["boxes"]) == len(boxes)
    for found, drawn in zip(row.value["boxes"], boxes, strict=True):
        assert found == pytest.approx(list(drawn), abs=0.011)


def test_it_is_what_other_programs_read() -> None:
    made = json.loads(write_coco([picture(as_boxes([[10, 20, 40, 60]]))]))
    assert made["images"] == [
        {
            "id": 12,
            "file_name": NAME,
            "width": 640,
            "height": 480,
            "people": 2,
            "disagreement": 0.05,
        }
    ]
    assert made["annotations"] == [
        {
            "id": 1,
            "image_id": 12,
            "category_id": 1,
            "bbox": [10.0, 20.0, 30.0, 40.0],
            "area": 1200.0,
            "iscrowd": 0,
        }
    ]
    assert made["categories"] == [{"id": 1, "name": "face", "supercategory": ""}]


def test_a_picture_without_boxes_is_no_answer_unless_it_says_so(tmp_path: Path) -> None:
    (row,) = read(tmp_path, file())
    assert isinstance(row, EmptyRow)
    (row,) = read(tmp_path, file(no_face=True))
    assert isinstance(row, BoxRow)
    assert row.value["boxes"] == []


def test_pictures_to_be_boxed_are_not_answers(tmp_path: Path) -> None:
    (row,) = read(tmp_path, write_coco([picture(None, people=0)]).decode())
    assert isinstance(row, EmptyRow)


def test_other_things_than_faces_are_left_out(tmp_path: Path) -> None:
    content = file(
        {"bbox": [1, 2, 30, 40], "category_id": 1},
        {"bbox": [1, 2, 90, 90], "category_id": 2},
    )
    content["categories"].append({"id": 2, "name": "body"})
    (row,) = read(tmp_path, content)
    assert isinstance(row, BoxRow)
    assert row.value["boxes"] == [[1, 2, 31, 42]]


def test_a_picture_with_other_things_only_was_not_looked_at(tmp_path: Path) -> None:
    body = {"bbox": [1, 2, 90, 90], "category_id": 2}
    for answers, said in (({}, EmptyRow), ({"no_face": True}, BoxRow)):
        content = file(body, **answers)
        content["categories"].append({"id": 2, "name": "body"})
        (row,) = read(tmp_path, content)
        assert isinstance(row, said)


@pytest.mark.parametrize(
    "box",
    [
        {"bbox": [1, 2, 30, 10**400]},
        {"bbox": [1.5, 10**400, 30, 40]},
        {"bbox": [1, 2, 30, True]},
        {"bbox": [1, 2, 30, [4]]},
        {"bbox": [1, 2, 30, 40], "attributes": {"rotation": 10**400 + 30}},
    ],
)
def test_what_is_no_number_is_refused_with_its_picture(
    tmp_path: Path, box: dict[str, Any]
) -> None:
    (row,) = read(tmp_path, file(box))
    if isinstance(row, BoxRow):
        with pytest.raises(RefusedAnswer, match="box 1 is not four numbers"):
            read_opinion(row.value, 640, 480)
    else:
        assert isinstance(row, Fault)
        assert "is turned by" in row.message


@pytest.mark.parametrize("key", [[1], {}, None, 10**400])
def test_a_box_of_no_picture_is_counted_whatever_it_is_said_to_be_of(
    tmp_path: Path, key: object
) -> None:
    plain = {"bbox": [1, 2, 30, 40]}
    row, lost = read(tmp_path, file(plain, plain | {"image_id": key}))
    assert isinstance(row, BoxRow)
    assert isinstance(lost, Fault)
    assert lost.message == "1 boxes are of no picture that the file has"


@pytest.mark.parametrize(
    ("box", "why"),
    [
        ({"iscrowd": 1}, "box 2 is of a crowd"),
        ({"attributes": {"rotation": 30.0}}, "box 2 is turned by 30 degrees"),
    ],
)
def test_what_is_more_than_a_box_is_refused_in_words(
    tmp_path: Path, box: dict[str, Any], why: str
) -> None:
    plain = {"bbox": [1, 2, 30, 40]}
    (row,) = read(tmp_path, file(plain, plain | box))
    assert isinstance(row, Fault)
    assert row.message.startswith(why)


def test_faults_are_named_by_the_place_of_the_picture(tmp_path: Path) -> None:
    content = file({"bbox": [1, 2, 30, 40]}, {"image_id": 99, "bbox": [1, 2, 3, 4]})
    content["images"] += [{"id": 5, "file_name": NAME}, {"id": 6}, "picture"]
    rows = read(tmp_path, content)
    bad = [(row.line, row.message) for row in rows if isinstance(row, Fault)]
    assert bad == [
        (2, "an earlier picture has the id 5 too"),
        (3, "a picture needs an id and a file_name"),
        (4, "a picture needs an id and a file_name"),
        (5, "1 boxes are of no picture that the file has"),
    ]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{", "is not JSON"),
        ({"images": []}, "needs the lists images, annotations, categories"),
        (
            file() | {"categories": [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]},
            "2 categories, and 0 of them are called 'face'",
        ),
    ],
)
def test_another_file_is_refused_with_what_it_lacks(
    tmp_path: Path, content: object, why: str
) -> None:
    with pytest.raises(BadInput, match=why):
        read(tmp_path, content)

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.annotate.answers import EmptyRow, Fault
from icf.annotate.boxes.exchange.label_studio import (
    CONFIG,
    read_label_studio_boxes,
    write_label_studio_boxes,
)
from icf.annotate.boxes.exchange.rows import BoxRow, ExportedPicture, Row
from icf.annotate.boxes.opinion import as_boxes, read_opinion
from icf.annotate.tasks.base import RefusedAnswer
from tests.annotate.boxes.exchange.test_coco import box

HASH = "3fa2b1c4" + "0" * 56
NAME = "i000012-3fa2b1c4"
DATA = {"image": "x", "picture": NAME, "width": 640, "height": 480}


def rectangle(**changes: Any) -> dict[str, Any]:
    """Pixels 64 to 128 and 48 to 96, as Label Studio writes them."""
    value: dict[str, Any] = {"rectanglelabels": ["face"], "rotation": 0}
    value |= {"x": 10, "y": 10, "width": 10, "height": 10}
    return {
        "id": "abc",
        "type": "rectanglelabels",
        "from_name": "face",
        "to_name": "image",
        "original_width": 640,
        "original_height": 480,
        "image_rotation": 0,
        "value": value | changes,
    }


def annotation(*results: dict[str, Any], **values: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"id": 1, "completed_by": 5, "was_cancelled": False}
    made |= {"updated_at": "2021-03-09T22:16:08.500000Z", "lead_time": 4.5}
    return {**made, "result": list(results), **values}


def read(folder: Path, *tasks: Any) -> list[Row]:
    path = folder / "export.json"
    path.write_text(json.dumps(tasks))
    return list(read_label_studio_boxes(path).rows)


def one(folder: Path, *annotations: Any) -> list[Row]:
    return read(folder, {"id": 77, "data": DATA, "annotations": list(annotations)})


def test_an_annotation_is_read(tmp_path: Path) -> None:
    (row,) = one(tmp_path, annotation(rectangle()))
    assert row == BoxRow(
        1,
        NAME,
        "label-studio:5",
        {"verdict": "boxed", "boxes": [[64, 48, 128, 96]]},
        (640, 480),
        1615328168.5,
        4.5,
        "77",
    )


@given(boxes=st.lists(box, min_size=1, max_size=4))
def test_what_is_proposed_comes_back_if_it_is_submitted(
    tmp_path_factory: pytest.TempPathFactory, boxes: list[tuple[float, ...]]
) -> None:
    folder = tmp_path_factory.mktemp("label-studio")
    picture = ExportedPicture(12, HASH, 401, 433, as_boxes(boxes))
    (task,) = json.loads(write_label_studio_boxes([picture], "http://x/"))
    assert task["data"]["image"] == f"http://x/pictures/{NAME}.jpg"
    (prediction,) = task.pop("predictions")
    (row,) = read(folder, task | {"annotations": [annotation(*prediction["result"])]})
    assert isinstance(row, BoxRow)
    for found, drawn in zip(row.value["boxes"], boxes, strict=True):
        assert found == pytest.approx(list(drawn), abs=0.011)


@pytest.mark.parametrize("boxes", [None, as_boxes([])])
def test_hidden_proposals_look_like_none(boxes: Any) -> None:
    picture = ExportedPicture(12, HASH, 640, 480, boxes)
    (task,) = json.loads(write_label_studio_boxes([picture], ""))
    assert task == {"data": DATA | {"image": f"pictures/{NAME}.jpg"}}


def test_a_submitted_picture_without_boxes_shows_no_face(tmp_path: Path) -> None:
    (row,) = one(tmp_path, annotation())
    assert isinstance(row, BoxRow)
    assert row.value == {"verdict": "boxed", "boxes": []}


def test_a_person_may_be_unable_to_tell(tmp_path: Path) -> None:
    choice = {
        "type": "choices",
        "from_name": "verdict",
        "to_name": "image",
        "value": {"choices": ["cannot_tell"]},
    }
    (row,) = one(tmp_path, annotation(choice))
    assert isinstance(row, BoxRow)
    assert row.value["verdict"] == "cannot_tell"


def test_skipped_tasks_drafts_and_untouched_ones_are_no_answers(tmp_path: Path) -> None:
    task: dict[str, Any] = {"id": 1, "data": DATA}
    skipped = annotation(was_cancelled=True)
    rows = read(
        tmp_path,
        task | {"annotations": []},
        task | {"annotations": [skipped]},
        task | {"annotations": [], "drafts": [{"result": [rectangle()]}]},
    )
    assert [type(row) for row in rows] == [EmptyRow] * 3


def test_two_people_are_two_rows(tmp_path: Path) -> None:
    rows = one(tmp_path, annotation(), annotation(completed_by={"id": 9}))
    names = [row.annotator for row in rows if isinstance(row, BoxRow)]
    assert names == ["label-studio:5", "label-studio:9"]


@pytest.mark.parametrize(
    ("task", "why"),
    [
        ({"data": {"image": "x"}}, "data.picture is missing"),
        (5, "data.picture is missing"),
        ({"data": DATA, "annotations": [5]}, "not what Label Studio writes"),
        ({"data": DATA, "annotations": "x"}, "its annotations are not a list"),
        (
            {"data": DATA | {"width": 10**400}, "annotations": [annotation()]},
            "data.width or data.height is missing",
        ),
        (
            {"data": DATA, "annotations": [annotation(rectangle(rotation=10**400))]},
            "box 1 is turned by",
        ),
        (
            {"data": DATA, "annotations": [annotation(completed_by="ann")]},
            "completed_by is not a user id",
        ),
        (
            {"data": {"picture": NAME}, "annotations": [annotation()]},
            "data.width or data.height is missing",
        ),
        (
            {"data": DATA, "annotations": [annotation(rectangle(rotation=30))]},
            "box 1 is turned by 30 degrees; boxes here are upright",
        ),
        (
            {
                "data": DATA,
                "annotations": [annotation(rectangle() | {"image_rotation": 90})],
            },
            "box 1 is drawn on a picture that was turned",
        ),
    ],
)
def test_what_cannot_be_taken_is_refused_by_place_and_in_words(
    tmp_path: Path, task: Any, why: str
) -> None:
    good = {"id": 3, "data": DATA, "annotations": [annotation()]}
    first, second = read(tmp_path, good, task)
    assert isinstance(first, BoxRow)
    assert isinstance(second, Fault)
    assert second.line == 2
    assert why in second.message


def test_a_corner_that_is_no_number_is_refused_in_words(tmp_path: Path) -> None:
    for changes in ({"x": 10**400}, {"width": "wide"}, {"y": None}):
        (row,) = one(tmp_path, annotation(rectangle(**changes)))
        assert isinstance(row, BoxRow)
        with pytest.raises(RefusedAnswer, match="box 1 is not four numbers"):
            read_opinion(row.value, 640, 480)


def test_of_a_truncated_file_the_tasks_before_the_end_are_read(tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    task = json.dumps({"id": 3, "data": DATA, "annotations": [annotation()]})
    path.write_text(f"[{task},{task[:50]}")
    first, second = read_label_studio_boxes(path).rows
    assert isinstance(first, BoxRow)
    assert isinstance(second, Fault)


def test_the_interface_has_the_names_that_are_read() -> None:
    for name in ('name="face"', 'name="verdict"', 'name="image"', 'canRotate="false"'):
        assert name in CONFIG

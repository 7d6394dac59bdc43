from __future__ import annotations

import codecs
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from icf.dataset.scores.detection.coco_files import (
    is_json,
    is_json_list,
    read_coco_results,
    read_coco_truth,
)
from icf.dataset.scores.detection.score import score_found
from icf.dataset.scores.detection.truth import Found
from icf.errors import BadInput, WrongUse
from tests.dataset.scores.detection.made import (
    coco_results,
    coco_truth,
    pycocotools,
    random_set,
)


def written(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content))
    return path


def small() -> dict[str, Any]:
    box = {"id": 1, "image_id": 7, "category_id": 3, "bbox": [0, 0, 9, 9]}
    return {
        "images": [{"id": 7, "file_name": "a.jpg", "width": 20, "height": 10}],
        "categories": [{"id": 3, "name": "face"}],
        "annotations": [box],
    }


def found() -> dict[str, Any]:
    return {"image_id": 7, "category_id": 3, "bbox": [0, 0, 9, 9], "score": 0.5}


def test_what_is_read_scores_as_pycocotools_scores_the_files(tmp_path: Path) -> None:
    boxes, detections = random_set(11, 9)
    # Corners that round: the sides of the file are used, not those of the corners.
    boxes = replace(boxes, corners=boxes.corners / 0.7)
    detections = replace(detections, corners=detections.corners / 0.7)
    crowd = np.arange(len(boxes.picture)) % 5 == 1
    truth = read_coco_truth(written(tmp_path / "t.json", coco_truth(boxes, crowd)))
    read, sides = read_coco_results(
        written(tmp_path / "d.json", coco_results(detections)), truth
    )
    score = score_found(truth.truth, Found.of(truth.truth, read, sides)).score
    expected = pycocotools(boxes, detections, crowd)
    assert [score.coco_summary.ap, score.coco] == expected[:2]


def test_pictures_without_a_box_sizes_and_kinds_are_kept(tmp_path: Path) -> None:
    content = small()
    content["images"].append({"id": 2, "file_name": "b.jpg", "album": "Moon"})
    truth = read_coco_truth(written(tmp_path / "t.json", content)).truth
    assert truth.boxes.pictures == ("b.jpg", "a.jpg")
    assert truth.boxes.picture.tolist() == [1]
    assert truth.size.tolist() == [[0, 0], [20, 10]]
    assert truth.kinds == {"album": ("Moon", "")}


def test_of_several_categories_one_is_named(tmp_path: Path) -> None:
    content = small()
    content["categories"].append({"id": 4, "name": "body"})
    box = {**content["annotations"][0], "id": 2, "category_id": 4}
    content["annotations"].append(box)
    path = written(tmp_path / "t.json", content)
    with pytest.raises(WrongUse, match=r"2 categories \(body, face\)"):
        read_coco_truth(path)
    with pytest.raises(WrongUse, match="no category 'head'"):
        read_coco_truth(path, "head")
    truth = read_coco_truth(path, "face")
    assert len(truth.truth.boxes.picture) == 1
    assert truth.truth.others is not None
    assert len(truth.truth.others.picture) == 1
    other = {**found(), "category_id": 4}
    read, _ = read_coco_results(written(tmp_path / "d.json", [other, found()]), truth)
    assert len(read.scores) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"bbox": [0, 0, 9]}, "annotation 1: expected x, y, width and height as bbox"),
        ({"bbox": [0, 0, -9, 9]}, "annotation 1: expected no negative side"),
        ({"bbox": [0, 0, float("nan"), 9]}, "annotation 1: expected a finite number"),
        ({"bbox": [0, 0, "9", 9]}, "annotation 1: expected a number as bbox"),
        ({"image_id": 8}, "annotation 1: expected the id of an image as image_id"),
        ({"category_id": None}, "annotation 1: expected a whole number as category_id"),
        ({"bbox": [0, 0, 10**400, 9]}, "annotation 1: expected a finite number as bb"),
        ({"area": -(10**400)}, "annotation 1: expected a finite number as area"),
        ({"category_id": 4}, "annotation 1: expected the id of a category as categ"),
        ({"bbox": [1e308, 0, 1e308, 9]}, "annotation 1: expected corners within 10,0"),
        ({"bbox": [0, 0, 9, 10_000_001]}, "annotation 1: expected corners within"),
        ({"iscrowd": "0"}, "annotation 1: expected 0 or 1 as iscrowd, found '0'"),
    ],
)
def test_a_bad_true_box_is_named(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    content = small()
    content["annotations"][0] |= change
    with pytest.raises(BadInput, match=rf"t\.json: {said}"):
        read_coco_truth(written(tmp_path / "t.json", content))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"score": float("nan")}, "detection 2: expected a finite number as score"),
        ({"bbox": [0, -1e300, 9, 9]}, "detection 2: expected corners within 10,000,"),
        ({"score": 10**400}, "detection 2: expected a finite number as score"),
        ({"score": True}, "detection 2: expected a number as score"),
        ({"image_id": 8}, "detection 2: expected the id of a picture of the truth"),
        ({"bbox": None}, "detection 2: expected x, y, width and height as bbox"),
    ],
)
def test_a_bad_detection_is_named(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    truth = read_coco_truth(written(tmp_path / "t.json", small()))
    path = written(tmp_path / "d.json", [found(), {**found(), **change}])
    with pytest.raises(BadInput, match=rf"d\.json: {said}"):
        read_coco_results(path, truth)


def test_an_id_that_two_boxes_have_is_refused(tmp_path: Path) -> None:
    content = small()
    box = content["annotations"][0]
    content["annotations"] += [{**box, "id": None}, {**box, "id": None}]
    read_coco_truth(written(tmp_path / "t.json", content))
    # pycocotools would count the second of them twice.
    content["annotations"].append({**box, "bbox": [5, 5, 9, 9]})
    with pytest.raises(BadInput, match=r"t\.json: two annotations have the id 1; give"):
        read_coco_truth(written(tmp_path / "t.json", content))


@pytest.mark.parametrize("side", [10**30, 10_000_001, -1])
@pytest.mark.parametrize("name", ["width", "height"])
def test_a_side_that_no_picture_has_is_refused(
    tmp_path: Path, name: str, side: int
) -> None:
    content = small()
    content["images"][0][name] = side
    said = rf"t\.json: image 1: expected up to 10,000,000 pixels as {name}"
    with pytest.raises(BadInput, match=said):
        read_coco_truth(written(tmp_path / "t.json", content))


@pytest.mark.parametrize("name", ["\ud800.jpg", "a\0.jpg"])
def test_a_name_that_no_file_has_is_refused(tmp_path: Path, name: str) -> None:
    content = small()
    content["images"][0]["file_name"] = name
    said = r"t\.json: image 1: expected text that files can be called as file_name"
    with pytest.raises(BadInput, match=said):
        read_coco_truth(written(tmp_path / "t.json", content))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"images": [{"id": ' + "9" * 5000 + "}]}", "no JSON that can be read: Exc"),
        ("[" * 100_000, "nested too deeply"),
    ],
    ids=["digits", "nesting"],
)
def test_json_that_python_does_not_read_is_refused(
    tmp_path: Path, text: str, said: str
) -> None:
    truth = read_coco_truth(written(tmp_path / "t.json", small()))
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(BadInput, match=rf"bad\.json: {said}"):
        read_coco_truth(path)
    with pytest.raises(BadInput, match=rf"bad\.json: {said}"):
        read_coco_results(path, truth)


@pytest.mark.parametrize("depth", [20, *range(880, 990, 5)])
def test_what_is_nested_is_shown_in_short(tmp_path: Path, depth: int) -> None:
    content = small()
    content["annotations"][0]["bbox"] = "x"
    text = json.dumps(content).replace('"x"', "[" * depth + "1" + "]" * depth)
    (tmp_path / "t.json").write_text(text)
    with pytest.raises(BadInput) as raised:
        read_coco_truth(tmp_path / "t.json")
    assert len(str(raised.value)) < 300


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", codecs.BOM_UTF8),
        ("utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16-be", codecs.BOM_UTF16_BE),
        ("utf-16-le", b""),
    ],
)
def test_json_is_read_in_any_utf(tmp_path: Path, encoding: str, mark: bytes) -> None:
    content = small()
    content["images"][0]["file_name"] = "月.jpg"
    files = []
    for name, value in (("t.json", content), ("d.json", [found()])):
        text = json.dumps(value, ensure_ascii=False, indent=1)
        files.append(tmp_path / name)
        files[-1].write_bytes(mark + f"\n {text}".encode(encoding))
    assert [is_json(each) for each in files] == [True, True]
    assert [is_json_list(each) for each in files] == [False, True]
    truth = read_coco_truth(files[0])
    assert truth.truth.boxes.pictures == ("月.jpg",)
    assert len(read_coco_results(files[1], truth)[0].scores) == 1


@pytest.mark.parametrize("category", [None, "face"])
def test_all_categories_of_one_name_are_the_truth(
    tmp_path: Path, category: str | None
) -> None:
    content = small()
    content["categories"].append({"id": 5, "name": "face"})
    box = {**content["annotations"][0], "id": 2, "category_id": 5}
    content["annotations"].append(box)
    truth = read_coco_truth(written(tmp_path / "t.json", content), category)
    assert len(truth.truth.boxes.picture) == 2
    assert truth.truth.others is None
    both = [found(), {**found(), "category_id": 5}]
    read, _ = read_coco_results(written(tmp_path / "d.json", both), truth)
    assert len(read.scores) == 2


def test_whole_numbers_may_have_decimals(tmp_path: Path) -> None:
    content = small()
    content["images"][0] |= {"id": 7.0, "width": 20.0}
    content["annotations"][0] |= {"image_id": 7.0, "category_id": 3.0}
    truth = read_coco_truth(written(tmp_path / "t.json", content))
    assert truth.truth.size.tolist() == [[20, 10]]
    detection = {**found(), "image_id": 7.0, "category_id": 3.0}
    read, _ = read_coco_results(written(tmp_path / "d.json", [detection]), truth)
    assert len(read.scores) == 1


def test_results_of_no_category_of_the_truth_are_refused(tmp_path: Path) -> None:
    content = small()
    content["categories"].append({"id": 4, "name": "body"})
    truth = read_coco_truth(written(tmp_path / "t.json", content), "face")
    body, unknown = ({**found(), "category_id": number} for number in (4, 0))
    read, _ = read_coco_results(written(tmp_path / "d.json", [body, unknown]), truth)
    assert len(read.scores) == 0
    path = written(tmp_path / "d.json", [unknown])
    with pytest.raises(BadInput, match="they have the category_id 0, the truth 3, 4"):
        read_coco_results(path, truth)


def test_two_names_of_one_category_are_refused(tmp_path: Path) -> None:
    content = small()
    content["categories"].append({"id": 3, "name": "body"})
    with pytest.raises(BadInput, match=r"t\.json: two categories have the id 3"):
        read_coco_truth(written(tmp_path / "t.json", content), "face")


@pytest.mark.parametrize(
    ("name", "value"), [("id", 7), ("file_name", "a.jpg")], ids=["id", "name"]
)
def test_two_images_that_cannot_be_told_apart_are_refused(
    tmp_path: Path, name: str, value: object
) -> None:
    content = small()
    content["images"].append({"id": 9, "file_name": "b.jpg"} | {name: value})
    with pytest.raises(BadInput, match=f"two images have the {name}"):
        read_coco_truth(written(tmp_path / "t.json", content))


def test_a_truth_of_crowds_alone_is_refused(tmp_path: Path) -> None:
    content = small()
    content["annotations"][0]["iscrowd"] = 1
    truth = read_coco_truth(written(tmp_path / "t.json", content))
    read, sides = read_coco_results(written(tmp_path / "d.json", [found()]), truth)
    with pytest.raises(BadInput, match="no true box"):
        Found.of(truth.truth, read, sides)


def test_a_file_that_is_no_json_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text('{"images": [],\n"annotations": [}\n')
    assert is_json(path)
    with pytest.raises(BadInput, match=r"t\.json, line 2: "):
        read_coco_truth(path)
    path.write_text("a.jpg,0,0,9,9,face\n")
    assert not is_json(path)

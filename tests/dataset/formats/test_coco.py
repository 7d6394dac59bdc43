from __future__ import annotations

import json

import pytest
from pycocotools.coco import COCO

from icf.dataset.formats.records import Split
from icf.images import decode
from icf.models.data.spec import open_reader, parse
from tests.dataset.formats.conftest import Exported
from tests.dataset.formats.reading import read_all


@pytest.mark.parametrize("split", ["train", "test"])
def test_pycocotools_reads_every_picture_and_box(
    whole: Exported, split: Split, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = whole.of("coco")
    coco = COCO(folder / "annotations" / f"instances_{split}.json")
    capsys.readouterr()
    expected = {each.name: each for each in whole.records["detection", split]}
    images = coco.loadImgs(coco.getImgIds())
    assert {each["file_name"] for each in images} == expected.keys()
    for image in images:
        record = expected[image["file_name"]]
        content = (folder / split / record.name).read_bytes()
        assert content == whole.bytes[record.placed.picture]
        shown = decode(content)
        size = image["width"], image["height"]
        assert size == record.size == (shown.width, shown.height)
        boxes = coco.loadAnns(coco.getAnnIds([image["id"]], coco.getCatIds(["face"])))
        corners = tuple(
            (x, y, x + width, y + height)
            for x, y, width, height in (each["bbox"] for each in boxes)
        )
        assert corners == record.boxes
        assert all(not each["iscrowd"] for each in boxes)
        assert [each["area"] for each in boxes] == [
            each["bbox"][2] * each["bbox"][3] for each in boxes
        ]
        turned = record.placed.picture in whole.turned
        assert image["exif_orientation"] == (6 if turned else 1)


@pytest.mark.parametrize("split", ["train", "test"])
def test_every_picture_has_the_licence_and_place_it_was_found_at(
    whole: Exported, split: Split
) -> None:
    path = whole.of("coco") / "annotations" / f"instances_{split}.json"
    content = json.loads(path.read_text())
    licences = {each["id"]: each["name"] for each in content["licenses"]}
    assert len(licences) > 1
    expected = {each.name: each for each in whole.records["detection", split]}
    for image in content["images"]:
        record = expected[image["file_name"]]
        assert licences[image["license"]] == record.licences[0]
        assert image["coco_url"] == record.sources[0].url
        assert image["sha256"] == record.sha256


def test_training_reads_it(whole: Exported) -> None:
    path = whole.of("coco") / "annotations" / "instances_train.json"
    found = read_all(open_reader(parse(f"coco:{path}")))
    assert found == whole.boxes("train")


def test_fiftyone_imports_it(whole: Exported) -> None:
    pytest.importorskip("fiftyone", reason="opt-in: pip install fiftyone")
    # Its importers need no database, other than its data sets.
    from fiftyone.utils.coco import COCODetectionDatasetImporter

    folder = whole.of("coco")
    importer = COCODetectionDatasetImporter(
        data_path=str(folder / "test"),
        labels_path=str(folder / "annotations" / "instances_test.json"),
    )
    expected = {each.name: each for each in whole.records["detection", "test"]}
    with importer:
        found = list(importer)
    assert len(found) == len(expected)
    for path, about, labels in found:
        record = expected[path.rpartition("/")[2]]
        assert (about.width, about.height) == record.size
        for face, box in zip(
            labels["detections"].detections, record.boxes, strict=True
        ):
            x, y, width, height = face.bounding_box
            corners = (x, y, x + width, y + height)
            sides = (*record.size, *record.size)
            pixels = [a * b for a, b in zip(corners, sides, strict=True)]
            assert pixels == pytest.approx(box)
            assert face.label == "face"

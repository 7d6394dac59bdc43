"""COCO: the detection set as JSON, with a licence for each picture.

::

    annotations/instances_train.json
    annotations/instances_test.json
    train/PICTURE
    test/PICTURE
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from icf.dataset.formats.base import ReleaseData, WrittenPicture
from icf.dataset.formats.checked import Fault, ReleaseFiles
from icf.dataset.formats.checks.coco import check_coco
from icf.dataset.formats.records import FACE, SPLITS, Record, Records, Split
from icf.licence_names import UNKNOWN

ANNOTATIONS = "annotations"


class CocoWriter:
    """Pictures and boxes as the COCO data set has them."""

    name: ClassVar[str] = "coco"
    help: ClassVar[str] = "The detection set as COCO: JSON files beside the pictures."

    def write(self, data: ReleaseData, folder: Path) -> Iterator[WrittenPicture]:
        """Write the pictures of the detection set and a JSON file for each split.

        Raises:
            BrokenMachine: a picture's bytes are missing.
        """
        (folder / ANNOTATIONS).mkdir()
        records = Records(data)
        for split in SPLITS:
            (folder / split).mkdir()
            listed = list(records.of("detection", split))
            for each in listed:
                yield data.put(each.placed, folder, Path(split, each.name))
            path = folder / ANNOTATIONS / f"instances_{split}.json"
            _write_json(path, _described(listed, split, data))

    def verify(self, files: ReleaseFiles) -> Iterator[Fault]:
        """Check every picture and box against the contents."""
        return check_coco(files)


def _described(
    records: Sequence[Record], split: Split, data: ReleaseData
) -> dict[str, list[Any] | dict[str, Any]]:
    licences = sorted({_licence(each) for each in records})
    number = {each: place for place, each in enumerate(licences, 1)}
    return {
        "info": {"description": f"Cartoon faces, {split}, made with icf"},
        "licenses": [
            {"id": number[each], "name": each[0], "url": each[1]} for each in licences
        ],
        "categories": [{"id": 1, "name": FACE, "supercategory": "cartoon"}],
        "images": [
            {
                "id": image,
                "file_name": each.name,
                "width": each.size[0],
                "height": each.size[1],
                "license": number[_licence(each)],
                "coco_url": each.sources[0].url if each.sources else "",
                "author": each.sources[0].author if each.sources else "",
                "sha256": each.sha256,
                "exif_orientation": data.turn_of(each.placed),
            }
            for image, each in enumerate(records, 1)
        ],
        "annotations": list(_annotations(records)),
    }


def _annotations(records: Sequence[Record]) -> Iterator[dict[str, Any]]:
    number = 0
    for image, each in enumerate(records, 1):
        for x1, y1, x2, y2 in each.boxes:
            number += 1
            width, height = x2 - x1, y2 - y1
            yield {
                "id": number,
                "image_id": image,
                "category_id": 1,
                "bbox": [x1, y1, width, height],
                "area": width * height,
                "iscrowd": 0,
                "segmentation": [],
            }


def _licence(record: Record) -> tuple[str, str]:
    """Return name and address of the licence at the first place of a picture."""
    if not record.sources:
        return UNKNOWN, ""
    first = record.sources[0]
    return first.licence or UNKNOWN, first.licence_url


def _write_json(path: Path, content: dict[str, list[Any] | dict[str, Any]]) -> None:
    """Write an object, with each member of its lists on a line of its own."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        before = "{\n"
        for key, value in content.items():
            file.write(f"{before}{json.dumps(key)}: ")
            before = ",\n"
            if isinstance(value, dict):
                file.write(json.dumps(value, ensure_ascii=False))
                continue
            rows = (json.dumps(each, ensure_ascii=False) for each in value)
            file.write("[\n" + ",\n".join(rows) + "\n]")
        file.write("\n}\n")

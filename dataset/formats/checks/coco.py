"""Read the JSON files of the format COCO."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from icf.dataset.formats.base import Corners
from icf.dataset.formats.checked import MISSING, UNEXPECTED, Fault, ReleaseFiles
from icf.dataset.formats.checks.known import Known
from icf.dataset.formats.checks.listed import Layout, Listed, Unread, check_listed
from icf.dataset.formats.records import FACE, SPLITS, Split


def check_coco(files: ReleaseFiles) -> Iterator[Fault]:
    """Check every picture and box against the contents."""
    layout = Layout(
        {("detection", split): _file(split) for split in SPLITS},
        tuple(f"{split}/" for split in SPLITS),
    )
    return check_listed(Known(files), layout, _all(files))


def _file(split: Split) -> str:
    return f"annotations/instances_{split}.json"


def _all(files: ReleaseFiles) -> Iterator[Listed | Fault | Unread]:
    for split in SPLITS:
        file = _file(split)
        if file not in files.hashes:
            yield Fault(file, MISSING)
            continue
        try:
            with (files.folder / file).open(encoding="utf-8") as opened:
                content = json.load(opened, object_hook=_small)
            yield from _pictures(content, file, split)
        except (OSError, *UNEXPECTED) as error:
            fault = Fault(file, f"cannot be read: {error!r}")
            yield Unread(fault, ("detection", split), f"{split}/")


def _small(value: dict[str, Any]) -> Any:
    """Keep of an annotation what is checked: there may be a hundred thousand.

    What is wrong with one that cannot be read, as text.
    """
    if "bbox" not in value:
        return value
    try:
        is_face = value["category_id"] == 1 and not value["iscrowd"]
        x, y, width, height = value["bbox"]
        is_area = value["area"] == width * height
        ids = value["id"], value["image_id"]
        hash(ids)  # a list or an object is no id
        return *ids, (x, y, x + width, y + height), is_face and is_area
    except UNEXPECTED as error:
        return f"cannot be read: {error!r}"


def _pictures(
    content: dict[str, Any], file: str, split: Split
) -> Iterator[Listed | Fault]:
    if [(each["id"], each["name"]) for each in content["categories"]] != [(1, FACE)]:
        yield Fault(file, f"has other categories than 1, {FACE}")
    boxes: dict[Any, list[Corners]] = {}
    known = set()
    for number, annotation in enumerate(content["annotations"]):
        if isinstance(annotation, str):
            yield Fault(file, f"annotations[{number}]: {annotation}")
            continue
        own, image, box, is_face = annotation
        boxes.setdefault(image, []).append(box)
        if own in known:  # readers keep one of the two
            yield Fault(file, f"annotations[{number}]: has the id {own} a second time")
        known.add(own)
        if not is_face:
            yield Fault(
                file, f"annotations[{number}]: is no face of the area of its box"
            )
    licences: dict[Any, tuple[Any, Any]] = {}
    for number, each in enumerate(content["licenses"]):
        if each["id"] in licences:
            yield Fault(
                file, f"licenses[{number}]: has the id {each['id']} a second time"
            )
        licences[each["id"]] = each["name"], each["url"]
    unused = licences.keys() | set()
    for number, image in enumerate(content["images"]):
        place = f"images[{number}]"
        try:
            name = str(image["file_name"])
            unused.discard(image["license"])
            found = Listed(
                file,
                "detection",
                split,
                name,
                place=place,
                picture=f"{split}/{name}",
                boxes=tuple(boxes.pop(image["id"], ())),
                size=(image["width"], image["height"]),
                says={
                    "sha256": image["sha256"],
                    "licence": licences.get(image["license"]),
                    "url": image.get("coco_url"),
                    "author": image.get("author"),
                    "exif_orientation": image.get("exif_orientation"),
                },
            )
        except UNEXPECTED as error:
            yield Fault(file, f"{place}: cannot be read: {error!r}")
        else:
            yield found
    for each in sorted(map(str, unused)):
        yield Fault(file, f"has the licence {each}, which no picture has")
    for each in boxes:
        yield Fault(file, f"has annotations of the picture {each}, which it has not")

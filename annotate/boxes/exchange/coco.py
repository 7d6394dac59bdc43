"""COCO's format of detection: one JSON object of pictures and boxes.

Boxes are x, y, width and height in pixels. A picture without boxes may be one that
nobody looked at; one that shows no face has ``"no_face": true``.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from icf.annotate.answers import EmptyRow, Fault
from icf.annotate.boxes.exchange.rows import (
    BoxFile,
    BoxRow,
    ExportedPicture,
    Row,
    why_turned,
)
from icf.annotate.boxes.opinion import is_finite
from icf.codes import RowFault
from icf.errors import BadInput
from icf.models.data.formats.entries import turned_by
from icf.stores.files import hash_file
from icf.text_file import open_text

FILE = "boxes.json"
#: The only category that is written, and the one that is read where there are several.
CATEGORY = "face"
NAME = "coco"

_PARTS = ("images", "annotations", "categories")


def write_coco(pictures: Iterable[ExportedPicture]) -> bytes:
    """The bytes of a file with these pictures and their boxes."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for each in pictures:
        images.append(_image(each))
        for x1, y1, x2, y2 in [] if each.boxes is None else each.boxes.tolist():
            width, height = round(x2 - x1, 2), round(y2 - y1, 2)
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": each.image_id,
                    "category_id": 1,
                    "bbox": [x1, y1, width, height],
                    "area": round(width * height, 2),
                    "iscrowd": 0,
                }
            )
    made = {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 1, "name": CATEGORY, "supercategory": ""}],
    }
    return json.dumps(made, separators=(",", ":")).encode() + b"\n"


def _image(picture: ExportedPicture) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": picture.image_id,
        "file_name": picture.path,
        "width": picture.width,
        "height": picture.height,
    }
    if picture.people:
        made |= {"people": picture.people, "disagreement": picture.disagreement}
        if picture.boxes is not None and not len(picture.boxes):
            made["no_face"] = True
    return made


def read_coco(path: Path) -> BoxFile:
    """Read a file of boxes: a row each picture.

    Raises:
        BadInput: it is no JSON, or nothing of COCO's.
    """
    try:
        with open_text(path).open() as file:
            found = json.load(file)
        sha256 = hash_file(path)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path} is not JSON: {error}") from error
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error
    parts = found if isinstance(found, dict) else {}
    if not all(isinstance(parts.get(name), list) for name in _PARTS):
        raise BadInput(
            f"{path} is no COCO file of boxes: it needs the lists {', '.join(_PARTS)}"
        )
    category = _category(path, parts["categories"])
    rows = _rows(parts["images"], parts["annotations"], category)
    return BoxFile(path.name, NAME, rows, "picture", shown=False, sha256=sha256)


def _category(path: Path, listed: list[Any]) -> object:
    """The id of the category of faces."""
    named = {
        each.get("id"): str(each.get("name", "")).casefold()
        for each in listed
        if isinstance(each, dict) and isinstance(each.get("id"), int | str)
    }
    faces = [key for key, name in named.items() if name == CATEGORY]
    if len(named) == 1:
        return next(iter(named))
    if len(faces) != 1:
        raise BadInput(
            f"{path} has {len(named)} categories, and {len(faces)} of them are called "
            f"{CATEGORY!r}: one must be"
        )
    return faces[0]


def _rows(images: list[Any], annotations: list[Any], category: object) -> Iterator[Row]:
    drawn: dict[object, list[Mapping[str, Any]]] = defaultdict(list)
    lost = 0
    known = {each.get("id") for each in images if _has_id(each)}
    for each in annotations:
        key = each.get("image_id") if isinstance(each, dict) else None
        if isinstance(key, int | float | str) and key in known:
            drawn[key].append(each)
        else:
            lost += 1
    seen: set[object] = set()
    for number, each in enumerate(images, 1):
        if not _has_id(each) or not isinstance(each.get("file_name"), str):
            yield _bad(number, "a picture needs an id and a file_name")
        elif each["id"] in seen:
            yield _bad(number, f"an earlier picture has the id {each['id']!r} too")
        else:
            seen.add(each["id"])
            yield _row(number, each, drawn[each["id"]], category)
    if lost:
        message = f"{lost} boxes are of no picture that the file has"
        yield _bad(len(images) + 1, message)


def _has_id(each: Any) -> bool:
    return isinstance(each, dict) and isinstance(each.get("id"), int | str)


def _row(
    number: int,
    picture: Mapping[str, Any],
    drawn: list[Mapping[str, Any]],
    category: object,
) -> Row:
    name = str(picture["file_name"])
    faces = [each for each in drawn if each.get("category_id") == category]
    if not faces and picture.get("no_face") is not True:
        return EmptyRow(number, item=name[-80:])
    for place, each in enumerate(faces, 1):
        if why := _not_upright(each):
            return Fault(number, RowFault.BAD_BOXES, f"box {place} {why}", item=name)
    value = {
        "verdict": "boxed",
        "boxes": [_corners(each.get("bbox")) for each in faces],
    }
    size = picture.get("width"), picture.get("height")
    known = all(isinstance(side, int) for side in size)
    moment = None
    return BoxRow(number, name, "", value, size if known else None, moment)  # type: ignore[arg-type]


def _not_upright(box: Mapping[str, Any]) -> str | None:
    """Why a box cannot be taken, if it is more than a box."""
    if box.get("iscrowd"):
        return "is of a crowd (iscrowd); draw a box for each face"
    return why_turned(turned_by(box))


def _corners(box: Any) -> Any:
    """x, y, width and height as two corners; what is none of these as it is."""
    if not isinstance(box, list) or len(box) != 4 or not all(map(is_finite, box)):
        return box
    x, y, width, height = box
    return [x, y, x + width, y + height]


def _bad(number: int, message: str) -> Fault:
    return Fault(number, RowFault.BAD_ROW, message)

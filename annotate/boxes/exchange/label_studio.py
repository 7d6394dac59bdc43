"""Label Studio: tasks with rectangles, and what people made of them.

Its rectangles are in percent of the picture. Where the detector's boxes are not hidden
they are a prediction of the task, which becomes nobody's answer until somebody submits
it.
"""

from __future__ import annotations

import json
import math
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
from icf.annotate.boxes.opinion import CANNOT_TELL, is_finite
from icf.annotate.formats.json_list import NotJson, items_of
from icf.annotate.formats.values import moment_of, seconds_of
from icf.codes import RowFault, RowNote
from icf.errors import BadInput
from icf.stores.files import hash_file
from icf.text_file import TextFile, open_text

FILE = "tasks.json"
CONFIG_FILE = "label-studio.xml"
NAME = "label-studio-boxes"

#: Names of the labelling interface.
_FACES = "face"
_VERDICT = "verdict"
_PICTURE = "image"

CONFIG = f"""\
<View>
  <Header value="Is every drawn face boxed, and well?"/>
  <Image name="{_PICTURE}" value="$image" zoom="true" zoomControl="true"/>
  <RectangleLabels name="{_FACES}" toName="{_PICTURE}" canRotate="false">
    <Label value="face" background="#ffc400" hotkey="f"/>
  </RectangleLabels>
  <Choices name="{_VERDICT}" toName="{_PICTURE}" choice="single-radio">
    <Choice value="Cannot tell" alias="{CANNOT_TELL}" hotkey="u"/>
  </Choices>
</View>
"""


def write_label_studio_boxes(
    pictures: Iterable[ExportedPicture], url_prefix: str
) -> bytes:
    """The bytes of a tasks file, one task a line.

    Args:
        pictures: the tasks; their boxes are what people see first.
        url_prefix: prepended to the path of each picture.
    """
    lines = ",\n".join(json.dumps(_task(each, url_prefix)) for each in pictures)
    return f"[\n{lines}\n]\n".encode()


def _task(picture: ExportedPicture, url_prefix: str) -> dict[str, Any]:
    data = {
        "image": url_prefix + picture.path,
        "picture": picture.name,
        "width": picture.width,
        "height": picture.height,
    }
    if picture.boxes is None or not len(picture.boxes):
        return {"data": data}
    result = [
        _rectangle(number, box, picture.width, picture.height)
        for number, box in enumerate(picture.boxes.tolist(), 1)
    ]
    return {"data": data, "predictions": [{"result": result}]}


def _rectangle(
    number: int, box: list[float], width: int, height: int
) -> dict[str, Any]:
    x1, y1, x2, y2 = box
    return {
        "id": f"face{number}",
        "type": "rectanglelabels",
        "from_name": _FACES,
        "to_name": _PICTURE,
        "original_width": width,
        "original_height": height,
        "image_rotation": 0,
        "value": {
            "x": 100 * x1 / width,
            "y": 100 * y1 / height,
            "width": 100 * (x2 - x1) / width,
            "height": 100 * (y2 - y1) / height,
            "rotation": 0,
            "rectanglelabels": ["face"],
        },
    }


def read_label_studio_boxes(path: Path) -> BoxFile:
    """Read an export in JSON: a row each annotation.

    Of a truncated file the tasks before the end are read.

    Raises:
        BadInput: it cannot be read.
    """
    try:
        file, sha256 = open_text(path), hash_file(path)
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error
    return BoxFile(path.name, NAME, _rows(file), "task", shown=True, sha256=sha256)


def has_boxes(task: object) -> bool:
    """Whether a task of an export is about boxes."""
    data = task.get("data") if isinstance(task, dict) else None
    return isinstance(data, dict) and "picture" in data


def _rows(file: TextFile) -> Iterator[Row]:
    number = 1
    try:
        for task, _ in items_of(file):
            yield from _read_task(number, task)
            number += 1
    except NotJson as error:
        yield Fault(number, RowFault.BAD_ROW, str(error))


def _read_task(number: int, task: object) -> Iterator[Row]:
    data = task.get("data") if isinstance(task, dict) else None
    name = data.get("picture") if isinstance(data, dict) else None
    if (
        not isinstance(task, dict)
        or not isinstance(data, dict)
        or not isinstance(name, str)
    ):
        message = "it is not a task about boxes: data.picture is missing"
        yield Fault(number, RowFault.BAD_ROW, message)
        return
    item = str(task.get("id", ""))[:40]
    annotations = task.get("annotations", [])
    if not isinstance(annotations, list):
        message = "its annotations are not a list"
        yield Fault(number, RowFault.BAD_ROW, message, item=item)
        return
    for each in annotations:
        yield _read_annotation(number, item, data, each)
    drafts = task.get("drafts")
    begun = len(drafts) if isinstance(drafts, list) else 0
    for _ in range(begun):
        yield EmptyRow(number, item=item, note=RowNote.DRAFT)
    if not annotations and not begun:
        yield EmptyRow(number, item=item)


def _read_annotation(
    number: int, item: str, data: Mapping[str, Any], annotation: Any
) -> Row:
    def bad(reason: RowFault, message: str) -> Fault:
        return Fault(number, reason, message, item=item)

    results = annotation.get("result") if isinstance(annotation, dict) else None
    if not isinstance(results, list) or not all(isinstance(r, dict) for r in results):
        return bad(RowFault.BAD_ROW, "an annotation is not what Label Studio writes")
    if annotation.get("was_cancelled"):
        return EmptyRow(number, item=item)
    user = annotation.get("completed_by")
    user = user.get("id") if isinstance(user, dict) else user
    if isinstance(user, bool) or not isinstance(user, int):
        return bad(RowFault.BAD_ROW, "completed_by is not a user id")
    size = data.get("width"), data.get("height")
    width, height = size
    if (
        not isinstance(width, int)
        or not isinstance(height, int)
        or not all(map(is_finite, size))
    ):
        return bad(RowFault.BAD_ROW, "data.width or data.height is missing")
    boxes: list[Any] = []
    verdict = "boxed"
    for each in results:
        if each.get("from_name") == _VERDICT:
            verdict = CANNOT_TELL
        elif each.get("type") == "rectanglelabels":
            if why := _not_upright(each):
                return bad(RowFault.BAD_BOXES, f"box {len(boxes) + 1} {why}")
            boxes.append(_corners(each.get("value"), width, height))
    return BoxRow(
        number,
        str(data["picture"]),
        f"label-studio:{user}",
        {"verdict": verdict, "boxes": boxes},
        (width, height),
        moment_of(annotation.get("updated_at") or annotation.get("created_at")),
        seconds_of(annotation.get("lead_time")),
        item,
    )


def _not_upright(result: Mapping[str, Any]) -> str | None:
    """Why a rectangle cannot be taken, if it or its picture was turned."""
    value = result.get("value")
    turned = value.get("rotation") if isinstance(value, dict) else None
    if why := why_turned(turned):
        return why
    if result.get("image_rotation"):
        return "is drawn on a picture that was turned; turn it back and draw it again"
    return None


def _corners(value: Any, width: int, height: int) -> Any:
    """Percent as two corners in pixels; what is no number becomes none."""
    if not isinstance(value, dict):
        return value
    x, y, wide, high = (
        _number(value.get(name)) for name in ("x", "y", "width", "height")
    )
    return [
        round(each, 2)
        for each in (
            x * width / 100,
            y * height / 100,
            (x + wide) * width / 100,
            (y + high) * height / 100,
        )
    ]


def _number(value: Any) -> float:
    return float(value) if is_finite(value) else math.nan

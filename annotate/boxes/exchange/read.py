"""Find out whether a file has boxes, and of which format they are."""

from __future__ import annotations

import json
from pathlib import Path

from icf.annotate.boxes.exchange.coco import read_coco
from icf.annotate.boxes.exchange.label_studio import (
    has_boxes,
    read_label_studio_boxes,
)
from icf.annotate.boxes.exchange.rows import BoxFile
from icf.annotate.formats import json_lines
from icf.annotate.formats.json_list import NotJson, items_of
from icf.errors import BadInput
from icf.text_file import open_text

_HEAD = 4096
#: Byte order marks, space, and the zeros of wide encodings.
_BEFORE_TEXT = b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"


def read_boxes_file(path: Path) -> BoxFile | None:
    """Read a file of boxes; None if it is none, but perhaps answers to questions.

    A JSON object is COCO's, a list whose first task names a picture is Label Studio's.

    Raises:
        BadInput: it cannot be read, or it is an object that is none of COCO's.
    """
    try:
        if not _begins_as_json(path):
            return None
        file = open_text(path)
        with file.open() as opened:
            first_line = next(filter(str.strip, opened), "")
        begin = first_line.lstrip()[:1]
        if begin == "{":
            if _is_alone(first_line) or json_lines.read(file) is not None:
                return None
            return read_coco(path)
        if begin != "[":
            return None
        first = next(iter(items_of(file)), (None, ""))[0]
    except NotJson:
        return None
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error
    return read_label_studio_boxes(path) if has_boxes(first) else None


def _begins_as_json(path: Path) -> bool:
    """Whether a file can be JSON, in any encoding of Unicode; nothing is said of it."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    begin = head.lstrip(_BEFORE_TEXT)
    return not begin or begin.startswith((b"{", b"["))


def _is_alone(line: str) -> bool:
    """Whether a line is a whole object that is none of COCO's: JSON Lines has such."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and "images" not in found

"""``metadata.jsonl`` and ``metadata.csv``, as Hugging Face's ImageFolder has them.

A row has ``file_name``, from its own folder, and what is known of the picture: here the
character and the album, a box (``bbox``: x, y, width, height; or a field for each of
its corners) or several (``objects.bbox``, with ``objects.character`` beside it, or a
list of objects), size, licence and address.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from icf.app.importing.fields import field_of, name_of, size_of
from icf.app.importing.given import Fault, Place
from icf.errors import BadInput
from icf.models.data.base import Box
from icf.models.data.boxes import box_of_sides
from icf.models.data.formats.box_columns import (
    are_sides,
    box_columns,
    parts_of_boxes,
)
from icf.spreadsheet import BadRow, number_of, read_table
from icf.text_file import UNREADABLE, open_text

NAMES = ("metadata.jsonl", "metadata.csv")
_LONGEST = 1 << 22

Fields = Mapping[str, object]


@dataclass(frozen=True)
class Said:
    """What a row says of its picture.

    Attributes:
        line: of the row.
        character: whom it shows; "": the row does not say.
        album: of the character.
        boxes: with the name of whom each shows; None: it says nothing of boxes.
        all_faces: whether the boxes are of all faces: they are a list of objects.
        size: width and height.
        place: where it was found; None: the row does not say.
        licence: its name; "": the row does not say.
        author: who made it; "": the row does not say.
        unread: fields that have a box in a form that is not read.
    """

    line: int
    character: str
    album: str
    boxes: tuple[tuple[Box, str], ...] | None
    all_faces: bool
    size: tuple[int, int] | None
    place: Place | None
    licence: str
    author: str
    unread: str = ""


@dataclass(frozen=True)
class Wanted:
    """Which fields name a character and an album; the first that does counts."""

    identity: Sequence[str]
    album: Sequence[str]


def read_metadata(
    path: Path, wanted: Wanted
) -> Iterator[tuple[PurePosixPath, Said | Fault] | Fault]:
    """Yield each row with its picture, by its path from the folder of the file.

    A row that says what cannot be is a fault in place of what it says.

    Raises:
        BadInput: the file cannot be read.
    """
    lines: dict[PurePosixPath, int] = {}
    for line, fields in _rows(path):
        where = f"{path}, line {line}"
        if isinstance(fields, str):
            yield Fault(where, fields)
            continue
        name = fields.get("file_name")
        if not isinstance(name, str) or not name:
            yield Fault(where, "expected a file_name")
            continue
        file = PurePosixPath(name.replace("\\", "/"))
        if file.is_absolute() or ".." in file.parts:
            why = f"file_name {name!r} leads out of the folder"
            yield Fault(where, why, is_picture=True)
        elif (first := lines.setdefault(file, line)) != line:
            yield Fault(where, f"{name!r} again, as in line {first}", is_picture=True)
        else:
            try:
                yield file, _said(fields, line, wanted)
            except ValueError as error:
                yield file, Fault(where, f"{name!r}: {error}", is_picture=True)


def _rows(path: Path) -> Iterator[tuple[int, Fields | str]]:
    """Yield line and fields; what is wrong with a row in place of its fields."""
    try:
        file = open_text(path)
        if path.suffix == ".csv":
            table = read_table(file)
            if table is None or "file_name" not in table.header:
                raise BadInput(f"{path}: it has no column file_name")
            if twice := table.repeated(filter(None, table.header)):
                raise BadInput(
                    f"{path} has two columns {twice[0]!r}; rename the one that is not "
                    "meant"
                )
            for row in table.rows():
                yield row.line, row.why if isinstance(row, BadRow) else row.cells
            return
        for number, line in enumerate(file.lines(_LONGEST), 1):
            if line.strip():
                yield number, _object(line)
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}") from error


def _object(line: str) -> Fields | str:
    if UNREADABLE.search(line):
        return "it is not UTF-8"
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        return f"no JSON: {error}"
    return found if isinstance(found, dict) else "expected an object of JSON"


def _said(fields: Fields, line: int, wanted: Wanted) -> Said:
    """Say what a row says.

    Raises:
        ValueError: a box, a name or a size of it is none.
    """
    character = _first(wanted.identity, fields)
    boxes: tuple[tuple[Box, str], ...] | None = None
    objects, bbox = _parsed(fields.get("objects")), fields.get("bbox")
    unread: list[str] = []
    if "bbox" in objects:
        boxes = tuple(_objects(objects, character, wanted.identity))
    elif bbox is not None and str(bbox).strip():
        boxes = ((_box(bbox), character),)
    elif (box := _corners(fields)) is not None:
        boxes = ((box, character),)
    else:
        unread = [each for each in parts_of_boxes(fields) if _is_part(fields[each])]
        unread += [f"objects.{each}" for each in parts_of_boxes(objects)]
    url = field_of(fields, "url")
    licence, author = _licence(fields), field_of(fields, "author")
    place = None
    if url:
        read_from = "list" if licence else ""
        place = Place(url, "", licence, "", read_from, author)
    return Said(
        line,
        character,
        _first(wanted.album, fields),
        boxes,
        "bbox" in objects,
        size_of(fields.get("width"), fields.get("height")),
        place,
        licence,
        author,
        ", ".join(unread),
    )


def _parsed(objects: object) -> Fields:
    """Return objects as lists of their fields; what is none has no field."""
    if isinstance(objects, str):
        with suppress(ValueError, RecursionError):
            objects = json.loads(objects)
    if isinstance(objects, list):
        each_of = [each for each in objects if isinstance(each, Mapping)]
        if len(each_of) < len(objects):
            return {}
        names = dict.fromkeys(name for each in each_of for name in each) or ["bbox"]
        return {name: [each.get(name) for each in each_of] for name in names}
    return objects if isinstance(objects, Mapping) else {}


def _corners(fields: Fields) -> Box | None:
    """Return the box whose corners have a field each; None: there is none.

    Raises:
        ValueError: a corner is no number.
    """
    columns = box_columns(fields)
    # Beside x and y, a width and a height may be the picture's.
    if not columns or are_sides(columns):
        return None
    cells = [str(fields[each]).strip() for each in columns]
    if not any(map(_is_part, (fields[each] for each in columns))):
        return None
    try:
        x1, y1, x2, y2 = map(number_of, cells)
    except ValueError as error:
        raise ValueError(f"{', '.join(columns)}: {error}") from error
    return x1, y1, x2, y2


def _is_part(value: object) -> bool:
    """Whether a field can have a box, or a part of one."""
    if isinstance(value, str):
        return value.strip()[:1] in tuple("0123456789-.[{")
    return isinstance(value, int | float | list | Mapping) and value is not False


def _objects(
    objects: Fields, character: str, identity: Sequence[str]
) -> Iterator[tuple[Box, str]]:
    boxes = objects["bbox"]
    if not isinstance(boxes, list):
        raise ValueError("objects.bbox is no list")
    names = next(
        (objects[each] for each in identity if objects.get(each) is not None),
        [character] * len(boxes),
    )
    if not isinstance(names, list):
        raise ValueError("the characters of objects are no list")
    if len(names) != len(boxes):
        raise ValueError(f"{len(boxes)} boxes, and another number of characters")
    for box, name in zip(boxes, names, strict=True):
        yield _box(box), name_of(name)


def _box(value: object) -> Box:
    sides = value
    if isinstance(value, str):
        try:
            sides = json.loads(value)
        except (ValueError, RecursionError):
            sides = None
    found = box_of_sides(sides)
    if found is None:
        raise ValueError(f"a box that is not four finite numbers: {str(value)[:80]}")
    return found


def _licence(fields: Fields) -> str:
    several = fields.get("licences")
    if isinstance(several, list) and several:
        return field_of({"licences": several[0]}, "licences")
    return field_of(fields, "licence") or field_of(fields, "license")


def _first(names: Sequence[str], fields: Fields) -> str:
    found = (name_of(field_of(fields, name)) for name in names)
    return next((each for each in found if each), "")

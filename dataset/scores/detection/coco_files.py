"""Truth and detections in the JSON of COCO."""

from __future__ import annotations

import json
import math
import reprlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from icf.dataset.scores.detection.truth import LARGEST, FloatArray, IntArray, Truth
from icf.errors import BadInput, WrongUse
from icf.icartoonface.detection import DetectionBoxes, Detections
from icf.text_file import UNREADABLE

#: What images may say of themselves, by which scores are given apart.
KINDS = ("album", "region", "style", "source", "series")

#: Of a file's first character, in whatever encoding, and of spaces before it.
_HEAD = 64

#: What is shown of a value that is not what it should be.
_SHOWN = reprlib.Repr()
_SHOWN.maxstring = 120


@dataclass(frozen=True, eq=False)
class CocoTruth:
    """A truth, and the numbers by which results refer to its parts.

    Attributes:
        truth: The boxes of one category, pictures in the order of their numbers.
        image_ids: The number of each picture.
        category_ids: Those of the category: of all that are called so.
        known_ids: Those of every category.
    """

    truth: Truth
    image_ids: Sequence[int]
    category_ids: Collection[int]
    known_ids: Collection[int]


def is_json(path: Path) -> bool:
    """Whether a file is JSON rather than a table, by its first character."""
    return _start(path) in ("{", "[")


def is_json_list(path: Path) -> bool:
    """Whether a file is a list in JSON, by its first character."""
    return _start(path) == "["


def _start(path: Path) -> str:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}") from error
    return head.decode(json.detect_encoding(head), "replace").lstrip()[:1]


def read_coco_truth(path: Path, category: str | None = None) -> CocoTruth:
    """Read the true boxes of a COCO file.

    Args:
        path: JSON with ``images``, ``annotations`` and ``categories``.
        category: The name of the category whose boxes are the truth; None: there is
            only one. Of several of one name, all are.

    Raises:
        BadInput: It is not such a file, or two entries have one id; the message names
            the entry that is wrong.
        WrongUse: There are several categories, or none of that name.
    """
    content = _load(path)
    if not isinstance(content, dict):
        raise BadInput(f"{path}: expected an object with images and annotations")
    images = sorted(
        (_image(each, path, n) for n, each in _entries(content, "images", path)),
        key=lambda each: each.number,
    )
    _refuse_repeated("images", "id", [each.number for each in images], path)
    _refuse_repeated("images", "file_name", [each.name for each in images], path)
    chosen, categories = _category(content, category, path)
    place = {each.number: at for at, each in enumerate(images)}
    every = [
        _true_box(each, place, categories, path, n)
        for n, each in _entries(content, "annotations", path)
    ]
    _refuse_repeated("annotations", "id", [each.number for each in every], path)
    rows = [each for each in every if each.category in chosen]
    others = [each for each in every if each.category not in chosen]
    names = tuple(each.name for each in images)
    boxes = _boxes(names, rows)
    truth = Truth(
        boxes,
        np.array([each.bbox[2:] for each in rows], np.float64).reshape(-1, 2),
        np.array([each.area for each in rows], np.float64),
        np.array([each.crowd for each in rows], np.bool_),
        np.array([each.size for each in images], np.int64).reshape(-1, 2),
        {
            name: tuple(each.kinds[name] for each in images)
            for name in KINDS
            if any(each.kinds[name] for each in images)
        },
        _boxes(names, others) if others else None,
    )
    return CocoTruth(truth, [each.number for each in images], chosen, categories)


def read_coco_results(path: Path, truth: CocoTruth) -> tuple[Detections, FloatArray]:
    """Read detections of a COCO results file.

    Args:
        path: JSON, a list of ``image_id``, ``category_id``, ``bbox`` and ``score``.
        truth: What they are scored against.

    Returns:
        The detections of the truth's category, and their widths and heights.

    Raises:
        BadInput: It is not such a file, a number is not finite or a side negative, or
            the truth has no such picture; the message names the entry. Or none is of
            a category of the truth.
    """
    content = _load(path)
    if not isinstance(content, list):
        raise BadInput(f"{path}: expected a list of detections")
    place = {number: at for at, number in enumerate(truth.image_ids)}
    picture, numbers, categories = list[int](), list[list[float]](), set[int]()
    for n, each in enumerate(content, 1):
        where = f"{path}: detection {n}"
        if not isinstance(each, dict):
            _fail(where, "an object", each)
        category = _whole(each, "category_id", where)
        categories.add(category)
        if category not in truth.category_ids:
            continue
        number = _whole(each, "image_id", where)
        if number not in place:
            _fail(where, "the id of a picture of the truth as image_id", number)
        picture.append(place[number])
        numbers.append(
            [*_bbox(each, where), _number(each.get("score"), "score", where)]
        )
    if categories and categories.isdisjoint(truth.known_ids):
        raise BadInput(
            f"{path}: no detection is of a category of the truth: they have the "
            f"category_id {_listed(categories)}, the truth {_listed(truth.known_ids)}"
        )
    table = np.array(numbers, np.float64).reshape(-1, 5)
    found: IntArray = np.array(picture, np.int64)
    detections = Detections(
        truth.truth.boxes.pictures,
        found,
        _corners(table[:, :4]),
        scores=table[:, 4].copy(),
    )
    return detections, table[:, 2:4].copy()


@dataclass(frozen=True)
class _Image:
    number: int
    name: str
    size: tuple[int, int]
    kinds: Mapping[str, str]


@dataclass(frozen=True)
class _TrueBox:
    number: float | str | None
    category: int
    picture: int
    bbox: Sequence[float]
    area: float
    crowd: bool


def _load(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())  # it finds out which UTF it is
    except json.JSONDecodeError as error:
        raise BadInput(f"{path}, line {error.lineno}: {error.msg}") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not in UTF-8 or UTF-16") from error
    except ValueError as error:  # a number of thousands of digits
        raise BadInput(f"{path}: no JSON that can be read: {error}") from error
    except RecursionError as error:
        raise BadInput(f"{path}: nested too deeply") from error
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}") from error


def _entries(
    content: Mapping[str, Any], name: str, path: Path
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    entries = content.get(name)
    if not isinstance(entries, list):
        raise BadInput(f"{path}: expected a list {name!r}")
    for n, each in enumerate(entries, 1):
        if not isinstance(each, dict):
            _fail(f"{path}: {name} {n}", "an object", each)
        yield n, each


def _category(
    content: Mapping[str, Any], category: str | None, path: Path
) -> tuple[Collection[int], Collection[int]]:
    """The numbers of the category that is scored, and those of all."""
    numbers: dict[str, set[int]] = {}
    for n, each in _entries(content, "categories", path):
        name = each.get("name")
        name = name if isinstance(name, str) else _SHOWN.repr(name)
        number = _whole(each, "id", f"{path}: category {n}")
        if any(number in others for other, others in numbers.items() if other != name):
            raise BadInput(f"{path}: two categories have the id {number}")
        numbers.setdefault(name, set()).add(number)
    names = ", ".join(sorted(numbers)) or "none"
    if category is not None:
        if category not in numbers:
            raise WrongUse(f"{path} has no category {category!r}; it has {names}")
    elif len(numbers) != 1:
        raise WrongUse(
            f"{path} has {len(numbers)} categories ({names}), and the boxes of one are "
            "scored: name it with --category"
        )
    chosen = next(iter(numbers)) if category is None else category
    return numbers[chosen], set().union(*numbers.values())


def _image(each: Mapping[str, Any], path: Path, n: int) -> _Image:
    where = f"{path}: image {n}"
    name = each.get("file_name")
    if not isinstance(name, str) or not name:
        _fail(where, "a file_name", name)
    if "\0" in name or UNREADABLE.search(name):
        _fail(where, "text that files can be called as file_name", name)
    width, height = (_side(each, side, where) for side in ("width", "height"))
    kinds = {
        kind: value if isinstance(value := each.get(kind), str) else ""
        for kind in KINDS
    }
    return _Image(_whole(each, "id", where), name, (width, height), kinds)


def _side(each: Mapping[str, Any], name: str, where: str) -> int:
    """Of a picture, in pixels; 0: not known."""
    if each.get(name) is None:
        return 0
    side = _whole(each, name, where)
    if not 0 <= side <= LARGEST:
        _fail(where, f"up to {LARGEST:,.0f} pixels as {name}", side)
    return side


def _true_box(
    each: Mapping[str, Any],
    place: Mapping[int, int],
    categories: Collection[int],
    path: Path,
    n: int,
) -> _TrueBox:
    where = f"{path}: annotation {n}"
    number = _whole(each, "image_id", where)
    if number not in place:
        _fail(where, "the id of an image as image_id", number)
    category = _whole(each, "category_id", where)
    if category not in categories:
        _fail(where, "the id of a category as category_id", category)
    bbox = _bbox(each, where)
    own = each.get("id")
    area = each.get("area")
    crowd = each.get("iscrowd")
    if crowd not in (None, 0, 1):
        _fail(where, "0 or 1 as iscrowd", crowd)
    return _TrueBox(
        own if isinstance(own, int | float | str) else None,
        category,
        place[number],
        bbox,
        bbox[2] * bbox[3] if area is None else _number(area, "area", where),
        bool(crowd),
    )


def _bbox(each: Mapping[str, Any], where: str) -> list[float]:
    bbox = each.get("bbox")
    if not isinstance(bbox, list) or len(bbox) != 4:
        _fail(where, "x, y, width and height as bbox", bbox)
    numbers = [_number(value, "bbox", where) for value in bbox]
    if numbers[2] < 0 or numbers[3] < 0:
        _fail(where, "no negative side in bbox", bbox)
    corners = [*numbers[:2], numbers[0] + numbers[2], numbers[1] + numbers[3]]
    if max(map(abs, corners)) > LARGEST:
        _fail(where, f"corners within {LARGEST:,.0f} pixels as bbox", bbox)
    return numbers


def _number(value: object, name: str, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        _fail(where, f"a number as {name}", value)
    try:
        number = float(value)
    except OverflowError:  # a whole number of hundreds of digits
        number = math.inf
    if not math.isfinite(number):
        _fail(where, f"a finite number as {name}", value)
    return number


def _listed(numbers: Collection[int]) -> str:
    return _SHOWN.repr(sorted(numbers)).strip("[]")


def _whole(each: Mapping[str, Any], name: str, where: str) -> int:
    value = each.get(name)
    if isinstance(value, float) and value.is_integer():
        return int(value)  # as data frames write it
    if isinstance(value, bool) or not isinstance(value, int):
        _fail(where, f"a whole number as {name}", value)
    return value


def _fail(where: str, expected: str, found: object) -> NoReturn:
    raise BadInput(f"{where}: expected {expected}, found {_SHOWN.repr(found)}")


def _refuse_repeated(
    what: str, name: str, values: Collection[float | str | None], path: Path
) -> None:
    seen = set[object]()
    for each in values:
        if each in seen:
            shown = _SHOWN.repr(each)
            raise BadInput(
                f"{path}: two {what} have the {name} {shown}; give each its own"
            )
        if each is not None:
            seen.add(each)


def _boxes(names: tuple[str, ...], rows: Sequence[_TrueBox]) -> DetectionBoxes:
    bbox = np.array([each.bbox for each in rows], np.float64).reshape(-1, 4)
    picture = np.array([each.picture for each in rows], np.int64)
    return DetectionBoxes(names, picture, _corners(bbox))


def _corners(bbox: FloatArray) -> FloatArray:
    return np.hstack([bbox[:, :2], bbox[:, :2] + bbox[:, 2:]])

"""A COCO annotation file, read whole; of each object only what is used is kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from icf.app.importing.fields import text_of
from icf.errors import BadInput
from icf.models.data.formats.entries import id_of, is_set, loads, turned_by
from icf.models.data.picture_files import read_file

EntryT = TypeVar("EntryT", bound=tuple[str, str])

#: Addresses that a picture may have, best first.
_ADDRESSES = ("coco_url", "flickr_url", "url")


class Image(NamedTuple):
    """An entry of ``images``."""

    id: object
    file_name: object
    sides: tuple[object, object]
    licence: object
    address: str
    author: str


class Annotation(NamedTuple):
    """An entry of ``annotations``; ``fields`` has what may name whom it shows."""

    image_id: object
    category_id: object
    bbox: object
    is_crowd: bool
    is_turned: bool
    fields: Mapping[str, object]


class Category(NamedTuple):
    """An entry of ``categories``, and the name above it."""

    name: str
    above: str


class Licence(NamedTuple):
    """An entry of ``licenses``."""

    name: str
    url: str


@dataclass(frozen=True)
class Content:
    """What a file has.

    Attributes:
        images: its pictures; what is none is as it was.
        annotations: its boxes; what is none is as it was.
        categories: by id.
        licences: by id.
    """

    images: Sequence[object]
    annotations: Sequence[object]
    categories: Mapping[int | str, Category]
    licences: Mapping[int | str, Licence]


def read_annotations(path: Path, wanted: Sequence[str]) -> Content | None:
    """Read a file.

    Args:
        path: the file.
        wanted: fields of annotations, with dots, that may name whom a box shows.

    Returns:
        None: it is JSON of another kind.

    Raises:
        BadInput: it cannot be read, or is no JSON: the message has the line; or one id
            is of two categories or licences.
    """
    shrink = _Shrink(tuple(each.partition(".")[0] for each in wanted))
    try:
        found = loads(read_file(path), shrink.one)
    except json.JSONDecodeError as error:
        where = f"{path}, line {error.lineno}, column {error.colno}"
        raise BadInput(f"{where}: no JSON: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path}: no JSON that can be read: {error}") from error
    lists = ("images", "annotations")
    if not isinstance(found, dict) or not all(
        isinstance(found.get(key), list) for key in lists
    ):
        return None
    return Content(
        found["images"],
        [*map(shrink.annotation, found["annotations"])],
        _by_id(path, "categories", found.get("categories"), _category),
        _by_id(path, "licenses", found.get("licenses"), _licence),
    )


@dataclass(frozen=True)
class _Shrink:
    """Keeps of an object what is used, before the next one is parsed."""

    wanted: tuple[str, ...]

    def one(self, each: dict[str, Any]) -> object:
        # What has neither may be the attributes of an annotation.
        if "image_id" in each and ("bbox" in each or "category_id" in each):
            return self.annotation(each)
        if "file_name" in each and "id" in each:
            # VIA writes the file's name there.
            said = (_text(each.get(name)) for name in _ADDRESSES)
            address = next(
                (text for text in said if text not in ("", each["file_name"])), ""
            )
            return Image(
                each["id"],
                each["file_name"],
                (each.get("width"), each.get("height")),
                each.get("license"),
                address,
                _text(each.get("author")),
            )
        return each

    def annotation(self, each: object) -> object:
        """Return an entry of ``annotations``; what is none as it is."""
        if not isinstance(each, dict) or "image_id" not in each:
            return each
        return Annotation(
            each["image_id"],
            each.get("category_id"),
            each.get("bbox"),
            any(is_set(each.get(key)) for key in ("iscrowd", "ignore")),
            turned_by(each) > 0,
            {name: each[name] for name in self.wanted if name in each},
        )


def _objects(value: object) -> Iterator[dict[str, Any]]:
    yield from (
        (each for each in value if isinstance(each, dict))
        if isinstance(value, list)
        else ()
    )


def _by_id(
    path: Path, table: str, value: object, read: Callable[[dict[str, Any]], EntryT]
) -> dict[int | str, EntryT]:
    """Read the entries of a table that have an id; the same one may come again."""
    found: dict[int | str, EntryT] = {}
    for each in _objects(value):
        key, entry = id_of(each.get("id")), read(each)
        if key is None:
            continue
        first = found.setdefault(key, entry)
        if first != entry:
            both = " and ".join(_shown(first, entry))
            raise BadInput(
                f"{path}: the id {key!r} is of two {table}, {both}; give each its own "
                "id, there and in what refers to it"
            )
    return found


def _shown(*entries: tuple[str, str]) -> list[str]:
    """Their names; all that is said of them where the names are equal."""
    names = [name for name, _ in entries]
    if len(set(names)) == len(names):
        return [f"{name!r:.80}" for name in names]
    return [f"{name!r:.80} ({also!r:.80})" for name, also in entries]


def _category(each: dict[str, Any]) -> Category:
    return Category(_text(each.get("name")), _text(each.get("supercategory")))


def _licence(each: dict[str, Any]) -> Licence:
    return Licence(_text(each.get("name")), _text(each.get("url")))


def _text(value: object) -> str:
    """A text, or a whole number as one; who uses it looks whether it can be stored."""
    try:
        return text_of(value)
    except ValueError:
        return value if isinstance(value, str) else ""

"""COCO: one JSON file with pictures, boxes and categories.

::

    {"images": [{"id": 7, "file_name": "a.jpg", "width": 640, "height": 480}],
     "annotations": [{"image_id": 7, "category_id": 1, "bbox": [x, y, width, height],
                      "iscrowd": 0}],
     "categories": [{"id": 1, "name": "face"}]}

Boxes are in pixels. A crowd is neither to be found nor background. Ids are numbers or
texts; ``7.0``, as data frames write it, is ``7``, and so is ``"7"``, if no other id is.

Pictures are in the folder of the file, in ``images/`` there, or beside the folder, as
in COCO's own ``annotations/instances_train2017.json`` and ``train2017/``.
"""

from __future__ import annotations

import json
import mmap
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from icf.errors import BadInput
from icf.models.data.base import Kind, LabelledFace, LabelledPicture, Reader, Skipped
from icf.models.data.boxes import box_of_sides
from icf.models.data.formats.categories import kinds_of_categories
from icf.models.data.formats.entries import Id, id_of, is_set, key_in, loads, turned_by
from icf.models.data.formats.faces_by_picture import FacesByPicture
from icf.models.data.picture_files import read_file, state_of
from icf.own_files import walk

_FILE_NAME = re.compile(rb'"file_name"\s*:\s*("(?:[^"\\]|\\.)*")')
#: Names that are looked for, until one is found.
_TRIED = 1000


class _Image(NamedTuple):
    id: Id
    file_name: str
    width: object
    height: object


class _Annotation(NamedTuple):
    image_id: Id | None
    category_id: Id | None
    bbox: object
    ignored: bool
    turned: float


@dataclass(frozen=True)
class _Categories:
    """What the file calls its categories, and which of them are faces."""

    names: Mapping[Id, str]
    kinds: Mapping[Id, Kind]


@dataclass(frozen=True)
class CocoReader(Reader):
    """Reads one JSON file.

    Attributes:
        domain: whether faces of a category called just ``face`` are drawn.
    """

    kind: ClassVar[str] = "coco"

    domain: Kind = "cartoon"

    def pictures(self) -> Iterator[LabelledPicture | Skipped]:
        """Stream the pictures, in the order of the file.

        Raises:
            BadInput: it is no JSON, has no pictures or no category that is a face, one
                id is of two categories, or none of its pictures is there.
        """
        content = self._content()
        names = self._categories(content.get("categories"))
        categories = _Categories(
            names, kinds_of_categories(names, self.domain, self.name)
        )
        folder = self._folder()
        faces = FacesByPicture(folder)
        by_id: dict[Id, _Image] = {}
        yield from self._images(content["images"], by_id, faces)
        for place, annotation in enumerate(map(_annotation, content["annotations"])):
            where = f"{self.path.name}, annotations[{place}]"
            if skipped := _taken(where, annotation, by_id, categories, faces):
                yield skipped
        above = os.path.relpath(folder, self.path.parent)
        prefix = "" if above == "." else f"{above}/"
        yield from faces.pictures(prefix, complete=True, without_faces=True)

    def read(self, key: str) -> bytes:
        """Return the bytes of a picture."""
        return read_file(self.path.parent / key)

    def fingerprint(self) -> str:
        """Return a digest of names, sizes and times of the file and the pictures."""
        folder = self._folder()
        return state_of(folder, (self.path, *walk(folder)))

    def _content(self) -> dict[str, Any]:
        """Read the file; every picture and annotation becomes a small tuple at once."""
        try:
            content = loads(self.path.read_bytes(), _shrunk)
        except (OSError, ValueError, RecursionError) as error:
            raise BadInput(f"{self.name}: no JSON that can be read: {error}") from error
        lists = ("images", "annotations")
        if not isinstance(content, dict) or not all(
            isinstance(content.get(key), list) for key in lists
        ):
            raise BadInput(
                f"{self.name}: expected an object with the lists images, annotations "
                "and categories, as COCO has for detection"
            )
        return content

    def _categories(self, value: object) -> dict[Id, str]:
        """Return the name of each category by its id.

        Raises:
            BadInput: one id is of two.
        """
        names: dict[Id, str] = {}
        for each in value if isinstance(value, list) else ():
            key = id_of(each.get("id")) if isinstance(each, dict) else None
            if key is None:
                continue
            name = str(each.get("name", ""))
            if (first := names.setdefault(key, name)) != name:
                raise BadInput(
                    f"{self.name}: the id {key!r} is of two categories, {first!r} and "
                    f"{name!r}; give each its own"
                )
        return names

    def _images(
        self, images: Sequence[object], by_id: dict[Id, _Image], faces: FacesByPicture
    ) -> Iterator[Skipped]:
        """Take the pictures; yield what is left out.

        Args:
            images: the entries of the file.
            by_id: gets those whose boxes are taken. A picture may have several ids.
            faces: gets the pictures.
        """
        of_several = _ids_of_several(images)
        for place, image in enumerate(images):
            where = f"{self.path.name}, images[{place}]"
            if not isinstance(image, _Image):
                yield Skipped(where, "a picture without id or file_name")
                continue
            if image.id in of_several:
                # Whose a box with this id is, nobody knows.
                yield Skipped(where, "an id that another picture has")
                continue
            is_again = image.file_name in faces
            skipped = faces.add_picture(where, image.file_name, _size(image))
            if skipped:
                yield skipped
            if is_again or not skipped:
                by_id[image.id] = image

    def _folder(self) -> Path:
        """Return the folder with the pictures, by the first of them that is found."""
        parent = self.path.parent
        split = self.path.stem.rpartition("_")[2]
        above = parent.resolve().parent
        folders = [parent, parent / "images", parent / split]
        folders += [above / split, above / "images" / split, above / "images", above]
        for name in _first_names(self.path):
            for folder in folders:
                # Some names are too long for a file.
                with suppress(OSError):
                    if (folder / name).is_file():
                        return folder
        raise BadInput(
            f"{self.name}: none of its pictures is in {parent}, {parent / 'images'}, "
            f"{above / split} or {above / 'images'}; put them beside the file"
        )


def _first_names(path: Path) -> Iterator[str]:
    """Yield the first names of pictures, without parsing all of a large file."""
    try:
        with path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise BadInput(f"{path}: cannot be read: {error}") from error
    with data:
        for found in islice(_FILE_NAME.finditer(data), _TRIED):
            with suppress(ValueError):
                yield json.loads(found[1])


def _shrunk(each: dict[str, Any]) -> object:
    """Keep of an object what is used, before the next one is parsed."""
    number, name = id_of(each.get("id")), each.get("file_name")
    # Some annotations have the name of their picture as well.
    if "image_id" in each and ("bbox" in each or "category_id" in each):
        return _annotation(each)
    if number is not None and isinstance(name, str):
        return _Image(number, name, each.get("width"), each.get("height"))
    return each


def _annotation(each: object) -> object:
    """Return an entry of ``annotations``; what is none as it is."""
    if not isinstance(each, dict) or "image_id" not in each:
        return each
    ignored = any(is_set(each.get(key)) for key in ("iscrowd", "ignore"))
    category = id_of(each.get("category_id"))
    image, turned = id_of(each["image_id"]), turned_by(each)
    return _Annotation(image, category, each.get("bbox"), ignored, turned)


def _ids_of_several(images: Sequence[object]) -> frozenset[Id]:
    """Return the ids that pictures of different names have."""
    names: dict[Id, str] = {}
    listed = [each for each in images if isinstance(each, _Image)]
    return frozenset(
        each.id
        for each in listed
        if names.setdefault(each.id, each.file_name) != each.file_name
    )


def _taken(
    where: str,
    annotation: object,
    images: Mapping[Id, _Image],
    categories: _Categories,
    faces: FacesByPicture,
) -> Skipped | None:
    """Take an annotation; return why it is left out."""
    if not isinstance(annotation, _Annotation):
        return Skipped(where, "an annotation without image_id")
    of = key_in(images, annotation.image_id)
    category = key_in(categories.names, annotation.category_id)
    if of is None:
        return Skipped(where, "a box of no picture that is there")
    image = images[of]
    name = image.file_name
    if category is None:
        faces.damage(name)
        return Skipped(where, "a category that the file does not name")
    kind = categories.kinds.get(category)
    if kind is None:
        return Skipped(where, "a category that is no face")
    box = box_of_sides(annotation.bbox)
    if box is None:
        faces.damage(name)
        return Skipped(where, "a box that is not four numbers")
    if annotation.turned:
        faces.damage(name)
        return Skipped(where, "a box that is turned")
    face = LabelledFace(box, kind, ignored=annotation.ignored)
    return faces.add(where, name, face, _size(image))


def _size(image: _Image) -> tuple[int, int] | None:
    width, height = id_of(image.width), id_of(image.height)
    if isinstance(width, int) and isinstance(height, int) and min(width, height) > 0:
        return width, height
    return None

"""COCO annotation files as a source of given pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

from icf.app.import_coco.annotations import (
    Annotation,
    Content,
    Image,
    Licence,
    read_annotations,
)
from icf.app.import_coco.files import PictureFinder, annotation_files
from icf.app.importing.fields import field_of, name_of, size_of
from icf.app.importing.given import (
    Fault,
    GivenFace,
    GivenPicture,
    Owner,
    Place,
    SourceFile,
    Stated,
)
from icf.app.importing.held_out import HeldOut, is_split, part_of
from icf.errors import BadInput
from icf.models.data.base import Kind
from icf.models.data.boxes import box_of_sides, wrong_with
from icf.models.data.formats.categories import kind_of_category
from icf.models.data.formats.entries import Id, id_of, key_in

#: Instead of a field: each category is a character.
CATEGORY, SUPERCATEGORY = "category", "supercategory"
#: Where identities and albums are looked for, unless the user says.
IDENTITY_FIELDS = ("attributes.character", "attributes.identity", "character")
ALBUM_FIELDS = ("attributes.album", "album")

EntryT = TypeVar("EntryT")

Orientation = Literal["auto", "upright", "stored"]


@dataclass(frozen=True)
class Reading:
    """How a COCO data set is read.

    Attributes:
        name: of the data set; also the album of identities without one.
        images: the folder of the pictures; None: it is looked for.
        identity: the fields that may name whom a box shows, the first one that does
            counts; `CATEGORY`: the category does.
        album: the fields that may name the album; `SUPERCATEGORY`: what the category
            belongs to.
        drawn: categories that are drawn faces, in addition to those that say it.
        human: categories that are photographed faces.
        held_out: on which of it nothing may ever be trained; a file's split is the
            last word of its name, such as "val" of ``instances_val.json``, or else
            the folder above it that is called like one.
        all_faces: whether the boxes are of all faces of each picture.
        orientation: which picture boxes are in; "auto": as width and height say.
    """

    name: str
    images: Path | None = None
    identity: tuple[str, ...] = IDENTITY_FIELDS
    album: tuple[str, ...] = ALBUM_FIELDS
    drawn: tuple[str, ...] = ()
    human: tuple[str, ...] = ()
    held_out: HeldOut = "test"
    all_faces: bool = True
    orientation: Orientation = "auto"

    def kind(self, category: str) -> Kind | None:
        """Return what kind of face a category is; None: it is no face."""
        if category in self.human:
            return "human"
        if category in self.drawn or CATEGORY in self.identity:
            return "cartoon"
        return kind_of_category(category, "cartoon")


@dataclass
class _Boxes:
    """What the annotations of a picture say."""

    faces: list[GivenFace] = field(default_factory=list)
    is_whole: bool = True


class CocoSource:
    """The pictures of one or several COCO annotation files.

    Args:
        place: an annotation file, or a folder that has some.
        reading: how they are read.

    Attributes:
        left_out: what was passed over so far, by reason, and is no fault.

    Raises:
        BadInput: there is no annotation file.
    """

    def __init__(self, place: Path, reading: Reading) -> None:
        self.left_out: Counter[str] = Counter()
        self._reading = reading
        self._root = place if place.is_dir() else place.parent
        self._files = annotation_files(place)
        self._names = Counter(each.name for each in self._files)

    def pictures(self) -> Iterator[GivenPicture | Fault]:
        """Yield the pictures of each file, in its order.

        Raises:
            BadInput: none of the files is a COCO annotation file.
        """
        wanted = *self._reading.identity, *self._reading.album
        damaged: list[BadInput] = []
        is_any = False
        for path in self._files:
            try:
                content = read_annotations(path, wanted)
            except BadInput as error:
                damaged.append(error)
                where, _, why = str(error).partition(": ")
                yield Fault(where, why)
                continue
            if content is None:
                self.left_out["a JSON file without images and annotations"] += 1
                continue
            is_any = True
            self._check(path, content)
            yield from _OfFile(self, path, content).pictures()
        if not is_any:
            raise damaged[0] if damaged else _no_coco(self._files[0])

    def _check(self, path: Path, content: Content) -> None:
        """Refuse a file of which no category is a face."""
        names = [each.name for each in content.categories.values()]
        if names and not any(self._reading.kind(name) for name in names):
            shown = ", ".join(map(repr, names[:10]))
            raise BadInput(
                f"{path}: none of its categories is a face: {shown}; name those that "
                "are with --drawn or --human, or say --identity category"
            )

    @property
    def reading(self) -> Reading:
        """How the files are read."""
        return self._reading

    @property
    def root(self) -> Path:
        """The folder of the data set."""
        return self._root

    def called(self, path: Path) -> str:
        """How a file is called in addresses: by its path, if others have its name.

        A name alone may be that of another one, which was imported by itself before.
        """
        if self._names[path.name] == 1:
            return path.name
        below = path.relative_to(self._root).as_posix()
        return below if "/" in below else f"./{below}"

    def split(self, path: Path) -> str:
        """Which split a file is: its last word, or a folder that is called like one."""
        word = path.stem.rpartition("_")[2]
        above = path.relative_to(self._root).parent.parts
        folders = *reversed(above), self._root.resolve().name
        return next((each for each in (word, *folders) if is_split(each)), word)


class _OfFile:
    """One pass over one file."""

    def __init__(self, of: CocoSource, path: Path, content: Content) -> None:
        self._reading, self._left_out = of.reading, of.left_out
        self._path, self._content = path, content
        self._called, self._split = of.called(path), of.split(path)
        self._finder = PictureFinder(path, of.root, of.reading.images)
        self._boxes: dict[Id | None, _Boxes] = {}

    def pictures(self) -> Iterator[GivenPicture | Fault]:
        source = SourceFile.of(self._path)
        images: list[tuple[int, Image]] = []
        for place, each in enumerate(self._content.images):
            if isinstance(each, Image) and _is_listed(each):
                images.append((place, each))
                self._boxes[id_of(each.id)] = _Boxes()
            else:
                why = "a picture without id or file_name"
                yield Fault(self._at("images", place), why, is_picture=True)
        yield from self._annotations()
        ids = Counter(id_of(each.id) for _, each in images)
        names = Counter(each.file_name for _, each in images)
        firsts: dict[object, int] = {}
        for place, image in images:
            first = firsts.setdefault(image.file_name, place)
            if names[image.file_name] > 1:
                # The others' boxes are of this picture, and are not taken.
                self._boxes[id_of(image.id)].is_whole = False
            file = self._finder.find(str(image.file_name))
            if ids[id_of(image.id)] > 1:
                why = f"several pictures have its id, {image.id!r}"
            elif first != place:
                why = f"the same file_name as images[{first}]"
            elif file is None:
                why = f"there is no picture {image.file_name!r}, or there are several"
            else:
                try:
                    yield self._picture(place, image, file, source)
                    continue
                except ValueError as error:
                    why = str(error)
            yield Fault(self._at("images", place), why, is_picture=True)

    def _picture(
        self, place: int, image: Image, file: Path, source: SourceFile
    ) -> GivenPicture:
        reading, boxes = self._reading, self._boxes[id_of(image.id)]
        url = f"coco://{reading.name}/{self._called}/{image.file_name}"
        licence = _entry(self._content.licences, image.licence)
        found_at = (_place(image, licence),) if image.address else ()
        stored = reading.orientation == "stored"
        turned = None if reading.orientation == "auto" else stored
        return GivenPicture(
            part_of(reading.name, self._split, reading.held_out),
            url,
            file,
            source,
            tuple(boxes.faces),
            all_faces=boxes.is_whole and reading.all_faces,
            line=place,
            places=found_at,
            licence=(licence.name or licence.url) or None if licence else None,
            licence_url=licence.url or None if licence else None,
            author=image.author,
            stated=Stated(size_of(*image.sides), turned),
            place="images[{}]",
            face_place="annotations[{}]",
        )

    def _annotations(self) -> Iterator[Fault]:
        for place, annotation in enumerate(self._content.annotations):
            where = self._at("annotations", place)
            if not isinstance(annotation, Annotation):
                yield Fault(where, "an annotation without image_id")
                continue
            of = key_in(self._boxes, id_of(annotation.image_id))
            boxes = None if of is None else self._boxes[of]
            if boxes is None:
                why = f"there is no picture with the id {annotation.image_id!r}"
                yield Fault(where, why)
            elif fault := self._take(boxes, annotation, place):
                yield Fault(where, fault)

    def _take(self, boxes: _Boxes, of: Annotation, place: int) -> str | None:
        """Take an annotation; return why it cannot be read."""
        found = _entry(self._content.categories, of.category_id)
        if found is None:
            boxes.is_whole = False
            return f"there is no category {of.category_id!r}"
        category, above = found
        kind = self._reading.kind(category)
        if kind is None:
            self._left_out["a category that is no face"] += 1
            return None
        box = box_of_sides(of.bbox)
        if box is None:
            boxes.is_whole = False
            return f"a box that is not four finite numbers: {str(of.bbox)[:80]}"
        if of.is_crowd:
            wrong: str | None = "a crowd"
        elif of.is_turned:
            wrong = "a box that is turned"
        else:
            wrong = wrong_with(box)
        if wrong is not None:
            self._left_out[wrong] += 1
            boxes.is_whole = False
            return None
        fault = owner = None
        try:
            owner = self._owner(of, category, above)
        except ValueError as error:
            fault = str(error)
        face = GivenFace(box, place, owner, kind)
        if any((each.box, each.owner) == (box, face.owner) for each in boxes.faces):
            self._left_out["the same box again"] += 1
        else:
            boxes.faces.append(face)
        return fault

    def _owner(self, of: Annotation, category: str, above: str) -> Owner | None:
        """Whom an annotation shows.

        Raises:
            ValueError: a name of it is none.
        """
        also = {CATEGORY: category, SUPERCATEGORY: above}
        character = _first(self._reading.identity, of.fields, also)
        if not character:
            return None
        album = _first(self._reading.album, of.fields, also)
        return Owner(album or self._reading.name, character)

    def _at(self, table: str, place: int) -> str:
        return f"{self._path}, {table}[{place}]"


def _no_coco(path: Path) -> BadInput:
    return BadInput(
        f"{path}: expected an object with the lists images, annotations and "
        "categories, as COCO has for detection"
    )


def _first(
    names: tuple[str, ...], fields: Mapping[str, object], also: Mapping[str, str]
) -> str:
    found = (also.get(name) or field_of(fields, name) for name in names)
    return next((each for each in map(name_of, found) if each), "")


def _place(image: Image, licence: Licence | None) -> Place:
    name = (licence.name or licence.url) if licence else ""
    return Place(
        url=image.address,
        page="",
        licence=name,
        licence_url=licence.url if licence else "",
        licence_from="list" if name else "",
        author=image.author,
    )


def _entry(table: Mapping[int | str, EntryT], value: object) -> EntryT | None:
    key = key_in(table, id_of(value))
    return None if key is None else table[key]


def _is_listed(image: Image) -> bool:
    is_named = isinstance(image.file_name, str) and image.file_name != ""
    return is_named and id_of(image.id) is not None

"""What a source of labelled pictures says: files, boxes, whom they show, licences.

A source yields `GivenPicture`, and a `Fault` for what it cannot: each picture of its
lists is one of the two, once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from icf.app.importing.described import Described
from icf.errors import BadInput
from icf.models.data.base import Box, Kind
from icf.models.data.picture_files import read_file
from icf.stores.files import hash_file


class Readable(Protocol):
    """A picture in a file that holds several; other processes get it."""

    def read(self) -> bytes:
        """Return its bytes."""


#: Where the bytes of a picture are.
PictureAt = Path | Readable


def bytes_at(place: PictureAt) -> bytes:
    """Return the bytes of a picture.

    Raises:
        BadInput: they cannot be read.
    """
    if isinstance(place, Path):
        return read_file(place)
    try:
        return place.read()
    except (OSError, ValueError) as error:
        raise BadInput(f"{place}: cannot be read: {error}") from error


@dataclass(frozen=True, slots=True)
class Owner:
    """A character, by the name of its album and its own."""

    album: str
    character: str


@dataclass(frozen=True, slots=True)
class GivenFace:
    """A face of a given picture.

    Attributes:
        box: x1, y1, x2, y2 in pixels; None: the whole picture.
        line: where it is in the source's file: a line, or a number of an annotation.
        owner: whom it shows; None: nobody is named.
        kind: a drawn face or a photographed one.
        labelled: whether the source says that people found it to be the owner; else
            it is filed under the owner alone, as a harvest does it.
        is_reference: whether it is what the owner is known by.
        found_by: the hash of the detector that found the box; None: it is given.
        score: the detector's, from 0 to 1; 1 of a given box.
        described: what else is known of it; None: nothing.
    """

    box: Box | None
    line: int
    owner: Owner | None = None
    kind: Kind = "cartoon"
    labelled: bool = True
    is_reference: bool = False
    found_by: str | None = None
    score: float = 1.0
    described: Described | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a picture was found, as its source says it; what it does not say is empty.

    Without a licence it has that of pictures whose source says none.
    """

    url: str
    page: str
    licence: str
    licence_url: str
    licence_from: str
    author: str


@dataclass(frozen=True, slots=True)
class Stated:
    """What a source says of a picture's pixels, to find boxes where they are meant.

    Attributes:
        size: width and height as the list has them; None: it does not.
        turned: whether boxes are in the picture as it is stored, before its EXIF
            orientation is applied; None: as ``size`` says.
        sha256: of the picture's bytes; None: it does not say.
    """

    size: tuple[int, int] | None = None
    turned: bool | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class SourceFile:
    """A file that says so: a list, an annotation file.

    Attributes:
        path: where it is.
        sha256: of its bytes.
    """

    path: Path
    sha256: str

    @classmethod
    def of(cls, path: Path) -> SourceFile:
        """Read the hash of a file."""
        return cls(path, hash_file(path))


@dataclass(frozen=True)
class GivenPicture:
    """A picture, and what its source says about it.

    Attributes:
        part: which part of the source it is in; the source of its image.
        url: names it wherever the folder is.
        file: where its bytes are.
        source: the file that lists it.
        faces: its faces; empty: they are to be found.
        all_faces: whether these are all its faces.
        line: where it is in the source's file.
        filed: whom the picture is of, where no face says it.
        places: where it was found; empty: under ``url``.
        licence: as its list says; None: as the user says.
        licence_url: the address of that licence.
        author: who made it, where its list has no address of it; empty: not said.
        verified: boxes of all drawn faces that people verified; None: there are none.
        stated: what the source says of its pixels.
        place, face_place: how the source's places of pictures and of faces are called.
    """

    part: str
    url: str
    file: PictureAt
    source: SourceFile
    faces: tuple[GivenFace, ...]
    all_faces: bool
    line: int
    filed: Owner | None = None
    places: tuple[Place, ...] = ()
    licence: str | None = None
    licence_url: str | None = None
    author: str = ""
    verified: tuple[Box, ...] | None = None
    stated: Stated = Stated()
    place: str = "line {}"
    face_place: str = "line {}"

    @property
    def where(self) -> str:
        """The list and the place where it begins, as in messages."""
        return f"{self.source.path}, {self.place.format(self.line)}"

    @property
    def owners(self) -> frozenset[Owner]:
        """Everybody whom it shows."""
        shown = {each.owner for each in self.faces if each.owner}
        return frozenset(shown | ({self.filed} if self.filed else set()))

    def origin(self, line: int | None = None) -> str:
        """The same for the ledger, wherever the list was then."""
        at = self.place.format(self.line)
        if line is not None:
            at = self.face_place.format(line)
        return f"{self.source.path.name}, {at}"


@dataclass(frozen=True)
class Fault:
    """What could not be imported.

    Attributes:
        where: list and line.
        why: a sentence's end.
        is_picture: whether a picture is refused with it.
    """

    where: str
    why: str
    is_picture: bool = False

    def __str__(self) -> str:
        """Return both."""
        return f"{self.where}: {self.why}"


@dataclass(frozen=True)
class Publisher:
    """Who says so: how its labels are called in the catalogue.

    Attributes:
        name: the annotator of its labels, their batch, and the source of albums.
        command: the ledger's name of the step.
        format: of the batch.
        nobodys_album: the album under which faces are that nobody named.
        licence: of its pictures, where they say none themselves.
    """

    name: str
    command: str
    format: str
    nobodys_album: str
    licence: str = "unknown"


class Source(Protocol):
    """Pictures that somebody published.

    Attributes:
        left_out: what was passed over so far, by reason, and is no fault.
    """

    left_out: Counter[str]

    def pictures(self) -> Iterator[GivenPicture | Fault]:
        """Yield the pictures, in an order that does not depend on the machine."""


@dataclass
class FilesByStatus:
    """What became of each picture: in = imported + known + withdrawn + refused.

    Attributes:
        found: pictures that the source names.
        known: imported before.
        imported: written now.
        withdrawn: removed by `icf takedown` earlier, so they stay away.
        refused: those that cannot be read, by reason.
    """

    found: int = 0
    known: int = 0
    imported: int = 0
    withdrawn: int = 0
    refused: Counter[str] = field(default_factory=Counter)

"""A list of pictures with boxes and characters as CSV, as people make for Danbooru.

A header names the columns, in any order and however it is spelled; of each line of this
table one is taken::

    picture, image, file, filename, file_name, path, img
    x1 y1 x2 y2        or  xmin ymin xmax ymax  or  left top right bottom
    x y width height   or  x y w h              or  left top width height
    character, identity, name, label, tag
    album, copyright, series, work
    kind, domain                               cartoon or human
    class, class_name, category, category_name

Only the picture is needed. Without columns of a box a picture is a crop of one face. An
identity is ALBUM/CHARACTER where there are albums: characters of two albums share
names. Classes count where one of them is a face: then rows of others are no faces.
Paths start from the folder of the file.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, get_args

from icf.errors import BadInput
from icf.models.data.base import (
    Box,
    Kind,
    LabelledFace,
    LabelledPicture,
    Reader,
    Skipped,
)
from icf.models.data.formats.box_columns import (
    are_sides,
    box_columns,
    parts_of_boxes,
)
from icf.models.data.formats.categories import is_all_faces, kind_of_category
from icf.models.data.formats.faces_by_picture import FacesByPicture
from icf.models.data.picture_files import read_file, state_of
from icf.names import normal_name
from icf.spreadsheet import BadRow, Table, number_of, read_table
from icf.text_file import open_text

_PICTURE = ("picture", "image", "file", "filename", "file_name", "path", "img")
_CHARACTER = ("character", "identity", "name", "label", "tag")
_ALBUM = ("album", "copyright", "series", "work")
_KIND = ("kind", "domain")
_CLASS = ("class", "class_name", "category", "category_name")
#: What another program wrote of several boxes where a name should be.
_NO_NAME = re.compile(r"[\[{]\s*[\[{\"]")

#: Of the header of what may be no table, in a message.
_SHOWN = 200


@dataclass(frozen=True)
class CsvReader(Reader):
    """Reads one CSV file.

    Attributes:
        domain: whether faces are drawn whose row does not say it.
    """

    kind: ClassVar[str] = "csv"

    domain: Kind = "cartoon"

    def pictures(self) -> Iterator[LabelledPicture | Skipped]:
        """Stream the pictures, in the order of their first rows.

        Raises:
            BadInput: it cannot be read, or no column names pictures.
        """
        table = self._table()
        columns = _Columns.of(table, self.path.name)
        faces = FacesByPicture(self.path.parent)
        for row in table.rows():
            where = f"{self.path.name}, line {row.line}"
            if isinstance(row, BadRow):
                yield Skipped(where, "a row that cannot be read")
                continue
            name = row.cells[columns.picture]
            if not name:
                yield Skipped(where, "a row without a picture")
                continue
            if not columns.is_face(row.cells):
                yield Skipped(where, "a category that is no face")
                continue
            face = columns.face(row.cells, self.domain)
            if isinstance(face, str):
                faces.damage(name)
                yield Skipped(where, face)
            elif skipped := faces.add(where, name, face):
                yield skipped
        yield from faces.pictures("", complete=False)

    def read(self, key: str) -> bytes:
        """Return the bytes of a picture."""
        return read_file(self.path.parent / key)

    def fingerprint(self) -> str:
        """Return a digest of sizes and times of the file and of what it names."""
        table = self._table()
        column = _Columns.of(table, self.path.name).picture
        names = (
            row.cells[column] for row in table.rows() if not isinstance(row, BadRow)
        )
        files = (self.path.parent / name for name in dict.fromkeys(names) if name)
        return state_of(self.path.parent, (self.path, *files))

    def _table(self) -> Table:
        try:
            table = read_table(open_text(self.path))
        except OSError as error:
            raise BadInput(f"{self.name}: cannot be read: {error.strerror}") from error
        if table is None:
            raise BadInput(f"{self.name}: nothing is in it")
        return table


@dataclass(frozen=True)
class _Columns:
    """Which columns of a table have what; None or () where none has."""

    picture: str
    character: str | None
    album: str | None
    kind: str | None
    category: str | None
    box: tuple[str, ...]
    decimal_comma: bool

    @classmethod
    def of(cls, table: Table, name: str) -> _Columns:
        picture = _first(_PICTURE, table.header)
        if picture is None:
            found = textwrap.shorten(", ".join(table.header), _SHOWN, placeholder="...")
            raise BadInput(
                f"{name}: no column names the pictures: expected one of "
                f"{', '.join(_PICTURE)}, found {found}"
            )
        if repeated := table.repeated(table.header):
            raise BadInput(f"{name}: several columns are called {repeated[0]!r}")
        box = box_columns(table.header)
        if not box and (some := parts_of_boxes(table.header)):
            raise BadInput(
                f"{name}: {', '.join(some)} are no whole box: expected x1, y1, x2, y2 "
                "or x, y, width, height"
            )
        category = _first(_CLASS, table.header)
        return cls(
            picture,
            _first(_CHARACTER, table.header),
            _first(_ALBUM, table.header),
            _first(_KIND, table.header),
            category if category and _has_faces(table, category) else None,
            box,
            table.delimiter != ",",
        )

    def is_face(self, cells: Mapping[str, str]) -> bool:
        """Whether a row is of a face, as far as its class says it."""
        if self.category is None:
            return True
        return kind_of_category(cells[self.category], "cartoon") is not None

    def face(self, cells: Mapping[str, str], domain: Kind) -> LabelledFace | str:
        """Return the face of a row, or what is wrong with it."""
        box = self._box(cells)
        if isinstance(box, str):
            return box
        stated = cells[self.kind].casefold() if self.kind else ""
        if stated and stated not in get_args(Kind):
            return "a kind that is neither cartoon nor human"
        if self.character and _NO_NAME.match(cells[self.character]):
            return "a list or an object of JSON in place of a name"
        kind: Kind = domain
        if self.category:
            kind = kind_of_category(cells[self.category], domain) or domain
        if stated:
            kind = "human" if stated == "human" else "cartoon"
        return LabelledFace(box, kind, self._identity(cells))

    def _box(self, cells: Mapping[str, str]) -> Box | str | None:
        texts = [cells[column] for column in self.box]
        if not texts:
            return None
        if not any(texts):
            return "a row without a box"
        comma = self.decimal_comma
        try:
            a, b, c, d = (number_of(text, decimal_comma=comma) for text in texts)
        except ValueError:
            return "a box that is not four numbers"
        return (a, b, a + c, b + d) if are_sides(self.box) else (a, b, c, d)

    def _identity(self, cells: Mapping[str, str]) -> str | None:
        character = normal_name(cells[self.character]) if self.character else ""
        album = normal_name(cells[self.album]) if self.album else ""
        return (f"{album}/{character}" if album else character) if character else None


def _first(names: Sequence[str], header: Sequence[str]) -> str | None:
    return next((name for name in names if name in header), None)


def _has_faces(table: Table, column: str) -> bool:
    """Whether a class is of faces and nothing else: then it is none of characters."""
    return any(
        is_all_faces(row.cells[column])
        for row in table.rows()
        if not isinstance(row, BadRow)
    )

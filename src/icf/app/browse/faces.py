"""Which faces are shown: filtered, sorted, a page at a time."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa

from icf.catalogue.face_character import current_character, is_of
from icf.catalogue.schema import (
    album,
    character,
    decision,
    face,
    image,
    question,
    round_,
    run,
)

#: Faces on a page.
PAGE = 60

#: What faces are sorted by, with its name for people.
SORTS: Mapping[str, tuple[sa.ColumnElement[Any], str]] = {
    "id": (face.c.id, "Number"),
    "probability": (face.c.probability, "Probability"),
    "similarity": (face.c.similarity, "Similarity to the reference"),
    "score": (face.c.score, "Detector's score"),
    "sharpness": (face.c.sharpness, "Sharpness (Laplacian)"),
    "edge_sharpness": (face.c.edge_sharpness, "Edge sharpness"),
    "resolution": (face.c.resolution, "Resolution"),
    "brightness": (face.c.brightness, "Brightness"),
    "contrast": (face.c.contrast, "Contrast"),
    "photo": (image.c.photo, "Like a photograph"),
}

#: Below every measure: faces that were not measured come last, or first.
_LOWEST = -1e300


class BadFilter(ValueError):
    """An address that asks for something that there is not; the message says what."""


@dataclass(frozen=True)
class Filter:
    """Which faces are asked for; None: all.

    Attributes:
        album, character, image: ids.
        verdict, reason: of the face.
        label: of a question about it.
        part: of the release (`icf.app.browse.parts`).
        round: number of a round that decided about it.
        sort: one of `SORTS`.
        descending: the highest first.
        after: what the last face of the page before was sorted by, and its id.
    """

    album: int | None = None
    character: int | None = None
    image: int | None = None
    verdict: str | None = None
    reason: str | None = None
    label: str | None = None
    part: str | None = None
    round: int | None = None
    sort: str = "id"
    descending: bool = False
    after: tuple[float, int] | None = None

    @staticmethod
    def read(given: Mapping[str, str]) -> Filter:
        """Read the query of an address.

        Raises:
            BadFilter: something in it has no meaning.

        >>> Filter.read({"album": "3", "order": "down"})
        ... # doctest: +ELLIPSIS
        Filter(album=3, ..., descending=True, after=None)
        """
        known = {key: value for key, value in given.items() if value}
        sort = known.get("sort", "id")
        if sort not in SORTS:
            raise BadFilter(f"faces are not sorted by {sort!r}")
        if known.get("order", "up") not in ("up", "down"):
            raise BadFilter("order must be up or down")
        return Filter(
            album=_number("album", known),
            character=_number("character", known),
            image=_number("image", known),
            verdict=known.get("verdict"),
            reason=known.get("reason"),
            label=known.get("label"),
            part=known.get("part"),
            round=_number("round", known),
            sort=sort,
            descending=known.get("order") == "down",
            after=_after(known.get("after")),
        )

    def query(self) -> str:
        """The query of an address that means the same.

        >>> Filter(album=3, after=(0.5, 9)).query()
        'album=3&after=0.5%3A9'
        """
        after = f"{self.after[0]!r}:{self.after[1]}" if self.after else None
        parts = {
            "album": self.album,
            "character": self.character,
            "image": self.image,
            "verdict": self.verdict,
            "reason": self.reason,
            "label": self.label,
            "part": self.part,
            "round": self.round,
            "sort": None if self.sort == "id" else self.sort,
            "order": "down" if self.descending else None,
            "after": after,
        }
        return urlencode({key: value for key, value in parts.items() if value})


@dataclass(frozen=True)
class Shown:
    """A face on a page.

    Attributes:
        id: its number.
        character, album: whose face it is taken for.
        verdict, reason: of the filter.
        measure: what it is sorted by; None: it was not measured.
    """

    id: int
    character: str
    album: str
    verdict: str
    reason: str
    measure: float | None


def read_page(
    connection: sa.Connection, asked: Filter, among: Collection[int] | None = None
) -> tuple[list[Shown], Filter | None]:
    """Read a page of faces, and what asks for the next one.

    Args:
        connection: to the catalogue.
        asked: which faces.
        among: only these faces; None: no more than `asked` says.
    """
    found: list[Shown] = []
    last: tuple[float, int] | None = None
    for row in _rows(connection, asked, None if among is not None else PAGE + 1):
        if among is not None and row.id not in among:
            continue
        if len(found) == PAGE:
            return found, replace(asked, after=last)
        measure = None if row.place == _LOWEST else float(row.place)
        found.append(
            Shown(row.id, row.character, row.album, row.verdict, row.reason, measure)
        )
        last = float(row.place), row.id
    return found, None


def _rows(
    connection: sa.Connection, asked: Filter, limit: int | None
) -> Iterator[sa.Row[Any]]:
    column, _ = SORTS[asked.sort]
    # Numbers are never missing, and are read in order by their index.
    place = column if asked.sort == "id" else sa.func.coalesce(column, _LOWEST)
    order = (place.desc(), face.c.id) if asked.descending else (place, face.c.id)
    query: sa.Select[Any] = (
        sa.select(
            face.c.id,
            face.c.verdict,
            face.c.reason,
            character.c.name.label("character"),
            album.c.name.label("album"),
            place.label("place"),
        )
        .join(image, image.c.id == face.c.image_id)
        .join(character, character.c.id == current_character())
        .join(album, album.c.id == character.c.album_id)
        .where(*_conditions(asked, place))
        .order_by(*order)
        .limit(limit)
    )
    yield from connection.execution_options(stream_results=True).execute(query)


def _conditions(
    asked: Filter, place: sa.ColumnElement[Any]
) -> Iterator[sa.ColumnElement[bool]]:
    if asked.character is not None:
        yield is_of(asked.character)
    if asked.album is not None:
        yield album.c.id == asked.album
    equal = (
        (face.c.image_id, asked.image),
        (face.c.verdict, asked.verdict),
        (face.c.reason, asked.reason),
    )
    yield from (column == wanted for column, wanted in equal if wanted is not None)
    if asked.label is not None:
        about = question.c.face_id == face.c.id, question.c.label == asked.label
        yield sa.exists().where(*about)
    if asked.round is not None:
        yield _decided_in(asked.round)
    if asked.after is not None:
        value, key = asked.after
        beyond = place < value if asked.descending else place > value
        yield sa.or_(beyond, sa.and_(place == value, face.c.id > key))


def _decided_in(number: int) -> sa.ColumnElement[bool]:
    return (
        sa.exists()
        .select_from(decision)
        .where(
            decision.c.subject == "face",
            decision.c.subject_id == face.c.id,
            decision.c.run_id == run.c.id,
            run.c.round_id == round_.c.id,
            round_.c.number == number,
        )
    )


def _number(name: str, given: Mapping[str, str]) -> int | None:
    text = given.get(name)
    if text is None:
        return None
    if not _is_number(text):
        raise BadFilter(f"{name} must be a number")
    return int(text)


def _is_number(text: str) -> bool:
    """Whether a text is a number that a database has room for."""
    return text.isascii() and text.isdecimal() and len(text) <= 18


def _after(text: str | None) -> tuple[float, int] | None:
    if text is None:
        return None
    value, _, key = text.partition(":")
    try:
        place = float(value)
    except ValueError:
        place = math.nan
    if not math.isfinite(place) or not _is_number(key):
        raise BadFilter("the address of this page is cut off")
    return place, int(key)

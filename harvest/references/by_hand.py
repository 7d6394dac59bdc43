"""List references, and find the characters and pictures that a person names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from icf.catalogue.confirmations import is_confirmed
from icf.catalogue.entry_steps import Entry, step_at
from icf.catalogue.find_character import check_album
from icf.catalogue.merges import survivor
from icf.catalogue.references import HAND
from icf.catalogue.schema import (
    album,
    candidate,
    character,
    face,
    image,
    image_source,
    url,
)
from icf.catalogue.tombstones import is_buried_character
from icf.codes import FetchStatus
from icf.errors import WrongUse
from icf.harvest.fault import Fault
from icf.harvest.http.urls import normalise
from icf.names import normal_name
from icf.redact import without_login
from icf.stores.files import is_sha256


@dataclass(frozen=True)
class CharacterReference:
    """A character and its reference.

    Attributes:
        by: "hand", "lead" or "medoid"; None where there is no reference.
        face_id: of the reference; None before the filter has found it.
        sha256: of the reference's picture, or of the picture it will be taken from.
        picture_url: where that picture was found.
        confirmed: whether people said that the reference is right.
        note: a remark for the user.
    """

    character_id: int
    album: str
    character: str
    page_url: str | None
    by: str | None
    face_id: int | None
    sha256: str | None
    picture_url: str | None
    note: str = ""
    confirmed: bool = False

    @property
    def missing(self) -> bool:
        """Whether there is neither a reference nor a picture to take one from."""
        return self.sha256 is None


def list_references(
    connection: sa.Connection, album_name: str | None = None
) -> list[CharacterReference]:
    """Return the reference of each character, ordered by album and name.

    Raises:
        WrongUse: there is no such album.
    """
    if album_name is not None:
        album_name = normal_name(album_name)
        check_album(connection, album_name)
    shown = face.join(image, image.c.id == face.c.image_id)
    picked, leading = image.alias("picked"), image.alias("leading")
    lead = _leads().subquery("lead")
    picture_id = sa.case(
        (character.c.reference_image_id.is_not(None), picked.c.id),
        (face.c.id.is_not(None), image.c.id),
        (character.c.reference_by.is_(None), leading.c.id),
    )
    query = (
        sa.select(
            character.c.id,
            album.c.name.label("album"),
            character.c.name.label("character"),
            character.c.page_url,
            character.c.reference_by,
            character.c.reference_face_id,
            face.c.verdict,
            face.c.reason,
            image.c.sha256,
            is_confirmed(character.c.reference_face_id, character.c.id).label(
                "confirmed"
            ),
            picked.c.sha256.label("picked"),
            picked.c.awaits.label("picked_awaits"),
            picked.c.reason.label("picked_reason"),
            leading.c.sha256.label("leading"),
            sa.select(sa.func.min(image_source.c.url))
            .where(image_source.c.image_id == picture_id)
            .scalar_subquery()
            .label("picture_url"),
        )
        .join(album, album.c.id == character.c.album_id)
        .outerjoin(shown, face.c.id == character.c.reference_face_id)
        .outerjoin(picked, picked.c.id == character.c.reference_image_id)
        .outerjoin(lead, lead.c.character_id == character.c.id)
        .outerjoin(leading, leading.c.id == lead.c.image_id)
        .where(~is_buried_character())
        .order_by(album.c.name, character.c.name)
    )
    if album_name is not None:
        query = query.where(album.c.name == album_name)
    first = step_at(connection, Entry.NEW_IMAGE)
    return [_described(row, first) for row in connection.execute(query)]


def _leads() -> sa.Select[Any]:
    """Select lead pictures on which the filter may still find a face, by character."""
    open_face = sa.exists().where(
        face.c.image_id == image.c.id, face.c.awaits.is_not(None)
    )
    return (
        sa.select(candidate.c.character_id, sa.func.min(image.c.id).label("image_id"))
        .join(image, image.c.id == candidate.c.image_id)
        .where(candidate.c.is_lead, image.c.awaits.is_not(None) | open_face)
        .group_by(candidate.c.character_id)
    )


def _described(row: Any, first: str) -> CharacterReference:
    by, sha256, note = row.reference_by, row.sha256, ""
    if row.picked is not None:
        if row.picked_awaits == first:
            by, sha256, note = HAND, row.picked, "waits for `icf-filter run`"
        else:
            note = f"no face in the picture chosen by hand ({row.picked_reason})"
    elif row.reference_face_id is not None:
        if row.verdict == "dropped":
            note = f"the filter dropped this face ({row.reason})"
        elif not row.confirmed:
            note = "not confirmed yet"
    elif by == HAND:
        note = "none, chosen by hand"
    elif row.leading is not None:
        by, sha256, note = "lead", row.leading, "waits for `icf-filter run`"
    return CharacterReference(
        row.id,
        row.album,
        row.character,
        row.page_url,
        by if sha256 is not None else None,
        row.reference_face_id,
        sha256,
        row.picture_url if sha256 is not None else None,
        note,
        bool(row.confirmed),
    )


def find_image(connection: sa.Connection, text: str) -> int:
    """Return the id of a stored image, by its SHA-256 or a URL it was found at.

    Raises:
        WrongUse: there is none; the message has the fate of a listed URL.
    """
    if is_sha256(text.lower()):
        query = sa.select(image.c.id).where(image.c.sha256 == text.lower())
        found = connection.execute(query).scalar_one_or_none()
        if found is None:
            raise WrongUse(f"the catalogue has no image {text}")
        return int(found)
    listed = sa.select(url.c.image_id, url.c.fate).where(
        sa.or_(
            url.c.url.in_({text, _normal(text)}),
            url.c.original.in_({text, without_login(text)}),
        )
    )
    row = connection.execute(listed).first()
    if row is not None and row.image_id is not None:
        return int(row.image_id)
    stored = sa.select(image_source.c.image_id).where(image_source.c.url == text)
    found = connection.execute(stored).scalars().first()
    if found is not None:
        return int(found)
    if row is not None:
        meaning = FetchStatus[row.fate.upper()].meaning
        raise WrongUse(f"{text} is not stored: {row.fate} ({meaning})")
    raise WrongUse(f"no source has listed {text}; use --file for a picture of your own")


def found_elsewhere(
    connection: sa.Connection,
    character_id: int,
    *,
    face_id: int | None = None,
    image_id: int | None = None,
) -> list[str]:
    """Return whom a picture was found under, if not under this character.

    Args:
        connection: a transaction that reads.
        character_id: the character; those merged into it count as it.
        face_id: a face on the picture.
        image_id: the picture, where no face is given.

    Returns:
        ``ALBUM/NAME`` of each, by name.
    """
    of_face = sa.select(face.c.image_id).where(face.c.id == face_id).scalar_subquery()
    picture = image_id if face_id is None else of_face
    name = (album.c.name + "/" + character.c.name).label("name")
    query = (
        sa.select(survivor().label("who"), name)
        .join(album, album.c.id == character.c.album_id)
        .join(candidate, candidate.c.character_id == character.c.id)
        .where(candidate.c.image_id == picture)
        .order_by(name)
    )
    rows = connection.execute(query).all()
    is_own = any(row.who == character_id for row in rows)
    return [] if is_own else [row.name for row in rows]


def _normal(text: str) -> str:
    try:
        return normalise(text).url
    except Fault:
        return text

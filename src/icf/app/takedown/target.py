"""Find the URLs, pictures and faces that a takedown removes."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import sqlalchemy as sa

from icf.app.takedown.addresses import (
    Address,
    Found,
    find_by_address,
    pictures_of_page,
)
from icf.catalogue import tombstones
from icf.catalogue.face_character import is_of
from icf.catalogue.find_character import PREFIX
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import (
    album,
    candidate,
    character,
    face,
    image,
    mention,
    question,
    url,
)
from icf.codes import Label
from icf.errors import WrongUse
from icf.names import normal_name
from icf.stores.files import is_sha256

_NUMBERED = re.compile(r"character:([0-9]{1,18})")
#: The kind of all pictures whose bytes are lost, which have no subject together.
LOST = "lost"
#: Pictures of a page that a message names.
_LISTED = 10


@dataclass(frozen=True)
class Target:
    """What a takedown removes.

    Attributes:
        kind: ``"url"``, ``"sha256"``, ``"character"`` or `LOST`.
        subject: as recorded in its tombstone; empty for `LOST`.
        character_id: for a character, its id.
        images: ids of the pictures to remove.
        faces: ids of the faces to remove, also on pictures that stay.
        urls: ids of the URLs that are never fetched again.
        page: the page that was asked for, where the subject is its only picture.
        lost: for `LOST`, the SHA-256 of each picture, ascending.
    """

    kind: str
    subject: str
    character_id: int | None = None
    images: Sequence[int] = field(default=())
    faces: Sequence[int] = field(default=())
    urls: Sequence[int] = field(default=())
    page: str = ""
    lost: Sequence[str] = field(default=())

    @property
    def shows_something(self) -> bool:
        """Whether copies of it may be somewhere."""
        return bool(self.images or self.faces)


def find_target(connection: sa.Connection, subject: str) -> Target:
    """Find a target by URL, SHA-256, ``character:ID`` or ``ALBUM/CHARACTER``.

    A URL or a hash that is not in the catalogue can be withdrawn beforehand.

    Raises:
        WrongUse: there is no such character, or several.
    """
    if "://" in subject:
        return _of_url(connection, subject)
    if is_sha256(subject.lower()):
        return _of_hash(connection, subject.lower())
    return _of_character(connection, subject)


def _of_url(connection: sa.Connection, text: str) -> Target:
    address = Address(text.strip())
    found = find_by_address(connection, address)
    if not found.urls and not found.images:
        shown = pictures_of_page(connection, address)
        if len(shown) > 1:
            raise WrongUse(_several(address.normal, shown))
        if shown:
            of_page = find_by_address(connection, Address(shown[0]))
            return replace(_of_found(connection, of_page), page=address.normal)
    return _of_found(connection, found)


def _of_found(connection: sa.Connection, found: Found) -> Target:
    target = Target(tombstones.URL, found.subject)
    images = _with_copies(connection, found.images)
    return with_faces_and_urls(connection, target, images, found.urls)


def _several(page: str, pictures: Sequence[str]) -> str:
    listed = "\n".join(f"  {each}" for each in pictures[:_LISTED])
    more = len(pictures) - _LISTED
    rest = f"\n  and {more:,} more" if more > 0 else ""
    return (
        f"{page} is the page of {len(pictures):,} pictures; nothing was removed. Give "
        f"the address of each that was meant, or a character:\n{listed}{rest}"
    )


def _of_hash(connection: sa.Connection, sha256: str) -> Target:
    query = sa.select(image.c.id).where(image.c.sha256 == sha256)
    images = _with_copies(connection, connection.execute(query).scalars())
    return with_faces_and_urls(
        connection, Target(tombstones.SHA256, sha256), images, ()
    )


def _with_copies(connection: sa.Connection, images: Iterable[int]) -> list[int]:
    """Add the other files with the same pixels, if they were decoded."""
    ids = sorted(images)
    query = sa.select(image.c.pixel_hash).where(image.c.pixel_hash.is_not(None))
    shown = [row.pixel_hash for row in by_ids(connection, query, image.c.id, ids)]
    same = sa.select(image.c.id).where(image.c.pixel_hash.in_(shown))
    return sorted({*ids, *connection.execute(same).scalars()})


def _of_character(connection: sa.Connection, text: str) -> Target:
    named = album.c.name.concat("/").concat(character.c.name)
    query = sa.select(character.c.id, album.c.name, character.c.name).join(
        album, album.c.id == character.c.album_id
    )
    if numbered := _NUMBERED.fullmatch(text):
        rows = connection.execute(query.where(character.c.id == int(numbered[1]))).all()
    else:
        name = normal_name(text.removeprefix(PREFIX))
        rows = connection.execute(query.where(named == name)).all()
    if len(rows) > 1:
        shown = ", ".join(f"character:{row[0]}" for row in rows)
        raise WrongUse(f"{text!r} names several characters; give one of {shown}")
    if not rows:
        raise WrongUse(_not_found(connection, text, named))
    key, album_name, name = rows[0]
    _check_alone(connection, key)
    target = Target(
        tombstones.CHARACTER, tombstones.full_name(album_name, name), character_id=key
    )
    others = candidate.alias("others")
    elsewhere = sa.exists().where(
        others.c.image_id == candidate.c.image_id, others.c.character_id != key
    )
    alone = sa.select(candidate.c.image_id).where(
        candidate.c.character_id == key, ~elsewhere
    )
    images = sorted(connection.execute(alone).scalars())
    return with_faces_and_urls(
        connection, target, images, _urls_of_only(connection, key)
    )


def _check_alone(connection: sa.Connection, key: int) -> None:
    """Raise WrongUse for a character that was merged: it shares its faces."""
    is_gone = sa.and_(character.c.id == key, character.c.merged_into.is_not(None))
    query = sa.select(character.c.id).where(
        sa.or_(is_gone, character.c.merged_into == key)
    )
    merged = list(connection.execute(query.order_by(character.c.id)).scalars())
    if merged:
        undo = ", ".join(f"`icf-filter review --undo character:{n}`" for n in merged)
        raise WrongUse(
            f"character:{key} was merged with another one, and they share their faces; "
            f"undo the merge with {undo}, then withdraw each of them"
        )


def _urls_of_only(connection: sa.Connection, key: int) -> list[int]:
    """Find URLs that are mentioned for this character only, and not for an album."""
    others = mention.alias("others")
    elsewhere = sa.exists().where(
        others.c.url_id == mention.c.url_id, others.c.character_id != key
    )
    query = (
        sa.select(mention.c.url_id)
        .join(url, url.c.id == mention.c.url_id)
        .where(mention.c.character_id == key, ~elsewhere, url.c.album_id.is_(None))
    )
    return sorted(connection.execute(query).scalars())


def with_faces_and_urls(
    connection: sa.Connection,
    target: Target,
    images: Sequence[int],
    urls: Sequence[int],
) -> Target:
    """Add the faces of pictures, and all URLs they were fetched from."""
    faces = {
        row.id
        for row in by_ids(connection, sa.select(face.c.id), face.c.image_id, images)
    }
    if target.character_id is not None:
        faces |= _faces_of(connection, target.character_id)
    found = by_ids(connection, sa.select(url.c.id), url.c.image_id, images)
    all_urls = {*urls, *(row.id for row in found)}
    return replace(
        target, images=list(images), faces=sorted(faces), urls=sorted(all_urls)
    )


def _faces_of(connection: sa.Connection, key: int) -> set[int]:
    """Find faces that the filter or people assigned to a character."""
    likely = sa.select(face.c.id).where(is_of(key))
    confirmed = sa.select(question.c.face_id).where(
        question.c.character_id == key, question.c.label == Label.SAME.value
    )
    return set(connection.execute(sa.union(likely, confirmed)).scalars())


def _not_found(
    connection: sa.Connection, text: str, named: sa.ColumnElement[str]
) -> str:
    query = sa.select(named).select_from(character.join(album))
    near = difflib.get_close_matches(text, connection.execute(query).scalars(), 1)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    return (
        f"there is no {text!r}; give a URL, an image's SHA-256, character:ID "
        f"or ALBUM/CHARACTER{meant}"
    )

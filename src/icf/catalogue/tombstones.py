"""What was withdrawn and must never come back: URLs, bytes, characters.

A tombstone outlives what it is for. Every stage that adds something checks here first;
one that gives copies away checks again while it `hold`s the tombstones. The one of an
address of the web is for all spellings of it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import sqlalchemy as sa

from icf.catalogue.rows import CHUNK, by_ids, has_rows
from icf.catalogue.schema import album, character, face, tombstone
from icf.codes import FaceReason
from icf.names import normal_name

URL, SHA256, CHARACTER = "url", "sha256", "character"

_ESCAPE = re.compile(r"%[0-9a-fA-F]{2}")
_WEB = re.compile(r"https?:", re.IGNORECASE)
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")
_ASCII = "".join(map(chr, range(33, 127)))
#: What `spelled` leaves as it is: `_ASCII` without escapes.
_NORMAL = re.compile(r"[!-$&-~]*")


@dataclass(frozen=True)
class Tombstone:
    """One thing that was withdrawn.

    Attributes:
        kind: ``"url"``, ``"sha256"`` or ``"character"``.
        subject: the URL, the hash, or ``ALBUM/CHARACTER``.
        reason: as the person who withdrew it put it.
        taken_at: UTC epoch seconds.
    """

    kind: str
    subject: str
    reason: str
    taken_at: float


def hold(connection: sa.Connection, *, shared: bool = False) -> None:
    """Let nobody else withdraw anything until the caller's transaction ends.

    A takedown holds them too, and looks for copies afterwards. So whoever publishes
    something in such a transaction either reads here that it was withdrawn, or the
    takedown finds it.

    Args:
        connection: a transaction that writes; on SQLite that alone is enough.
        shared: whether others may hold them at the same time, who withdraw nothing.
    """
    if connection.dialect.name == "postgresql":
        mode = "SHARE" if shared else "SHARE ROW EXCLUSIVE"
        connection.execute(sa.text(f"LOCK TABLE tombstone IN {mode} MODE"))


def full_name(album_name: str, character_name: str) -> str:
    """Return what a tombstone calls a character."""
    return f"{normal_name(album_name)}/{normal_name(character_name)}"


def spelled(address: str) -> str:
    """Return what all spellings of an address of the web have in common.

    The form is that of RFC 3986, 6.2.2; http and https are one.

    >>> spelled("http://a.test/%c3%a9%5F.png"), spelled("https://a.test/é_.png")
    ('//a.test/%C3%A9_.png', '//a.test/%C3%A9_.png')
    """
    rest = _WEB.sub("", address)
    if _NORMAL.fullmatch(rest):
        return rest
    return _ESCAPE.sub(_as_written, quote(rest, safe=_ASCII))


def _as_written(escape: re.Match[str]) -> str:
    letter = chr(int(escape[0][1:], 16))
    return letter if _UNRESERVED.fullmatch(letter) else escape[0].upper()


def _entries(kind: str, subject: str) -> frozenset[str]:
    """Return what is entered for a subject: itself, and an address as all spell it."""
    scheme = _WEB.match(subject)
    if kind != URL or scheme is None:
        return frozenset({subject})
    return frozenset({subject, scheme[0].lower() + spelled(subject)})


def _spellings(kind: str, subject: str) -> frozenset[str]:
    """Return the entries of which one is enough for a subject to be withdrawn."""
    if kind != URL or _WEB.match(subject) is None:
        return frozenset({subject})
    rest = spelled(subject)
    return frozenset({subject, f"http:{rest}", f"https:{rest}"})


def bury(
    connection: sa.Connection, kind: str, subjects: Iterable[str], reason: str
) -> int:
    """Enter tombstones that are not there yet; return how many are new."""
    wanted = {each for one in subjects for each in _entries(kind, one)}
    new = sorted(wanted - _entered(connection, kind, wanted))
    now = time.time()
    rows = [
        {"kind": kind, "subject": one, "reason": reason, "taken_at": now} for one in new
    ]
    if rows:
        connection.execute(sa.insert(tombstone), rows)
    return len(rows)


def buried(
    connection: sa.Connection, kind: str, subjects: Collection[str]
) -> frozenset[str]:
    """Return those of the subjects that have a tombstone, in whichever spelling."""
    of_kind = sa.select(tombstone.c.id).where(tombstone.c.kind == kind)
    if not subjects or not has_rows(connection, of_kind):
        return frozenset()
    spellings = {each: _spellings(kind, each) for each in set(subjects)}
    found = _entered(connection, kind, frozenset[str]().union(*spellings.values()))
    return frozenset(one for one, names in spellings.items() if names & found)


def _entered(
    connection: sa.Connection, kind: str, subjects: Collection[str]
) -> frozenset[str]:
    """Return those of the subjects that are in the table as they are."""
    wanted = sorted(subjects)
    found: set[str] = set()
    for start in range(0, len(wanted), CHUNK):
        query = sa.select(tombstone.c.subject).where(
            tombstone.c.kind == kind,
            tombstone.c.subject.in_(wanted[start : start + CHUNK]),
        )
        found.update(connection.execute(query).scalars())
    return frozenset(found)


def withdrawn_faces(connection: sa.Connection, ids: Collection[int]) -> frozenset[int]:
    """Return those of the faces that were withdrawn."""
    query = sa.select(face.c.id).where(face.c.reason == FaceReason.TAKEN_DOWN.value)
    rows = by_ids(connection, query, face.c.id, sorted(ids))
    return frozenset(row.id for row in rows)


def newest(connection: sa.Connection) -> int:
    """Return the id of the newest tombstone; 0 without any."""
    return connection.execute(sa.select(sa.func.max(tombstone.c.id))).scalar() or 0


def all_of_kind(connection: sa.Connection, kind: str) -> frozenset[str]:
    """Return every subject of a kind that has a tombstone."""
    query = sa.select(tombstone.c.subject).where(tombstone.c.kind == kind)
    return frozenset(connection.execute(query).scalars())


def read(
    connection: sa.Connection, subjects: Collection[str] | None = None
) -> Sequence[Tombstone]:
    """Return tombstones, oldest first: all of them, or those of some subjects."""
    query = sa.select(
        tombstone.c.kind, tombstone.c.subject, tombstone.c.reason, tombstone.c.taken_at
    ).order_by(tombstone.c.id)
    if subjects is not None:
        query = query.where(tombstone.c.subject.in_(sorted(subjects)))
    return [Tombstone(*row) for row in connection.execute(query)]


def is_buried_character() -> sa.ColumnElement[bool]:
    """Of the rows of ``character``: it has a tombstone."""
    named = (
        sa.select(album.c.name)
        .where(album.c.id == character.c.album_id)
        .correlate(character)
        .scalar_subquery()
    )
    return (
        sa.exists()
        .where(
            tombstone.c.kind == CHARACTER,
            tombstone.c.subject == named.concat("/").concat(character.c.name),
        )
        .correlate(character)
    )

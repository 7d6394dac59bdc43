"""The page of attributes: one confirmed face after another, and a head to turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import sqlalchemy as sa

from icf.annotate.attributes.queue import Found, Queue
from icf.annotate.attributes.source import CONTEXT, FACE, AttributeSource
from icf.annotate.people.people import Person, Role
from icf.annotate.tasks.addresses import picture_url
from icf.annotate.tasks.base import Lease, Task
from icf.annotate.tasks.leases import Leasing, lock_leases_and_answers
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import album, character

#: People who describe each face, at least: one person's angles cannot be checked.
LEAST_PEOPLE = 2


class AttributesTask:
    """Shows confirmed faces.

    Args:
        catalogue: where they are.
        leasing: how long they are held.
        votes: the setting ``annotate.votes``: people who describe each face, if more
            than two.
    """

    name: ClassVar[str] = "attributes"
    role: ClassVar[Role] = Role.ANNOTATOR

    def __init__(self, catalogue: Catalogue, leasing: Leasing, votes: int) -> None:
        self._catalogue = catalogue
        self._leasing = leasing
        self._queue = Queue(max(LEAST_PEOPLE, votes))

    def take(self, person: Person, count: int) -> list[Task]:
        """Lease the next faces to a person."""
        with self._catalogue.write() as connection:
            lock_leases_and_answers(connection)
            found = self._queue.next(connection, person, count)
            subjects = [(AttributeSource.name, each.face_id) for each in found]
            made = self._leasing.issue(connection, person, self.name, subjects)
            known = _characters(connection, found)
        return [
            Task(lease.handle, _payload(lease, known[each.character_id]))
            for lease, each in zip(made, found, strict=True)
        ]

    def waiting(self, person: Person) -> int:
        """Count roughly what is left for a person."""
        with self._catalogue.read() as connection:
            return self._queue.left(connection, person)


def _payload(lease: Lease, known: sa.Row[Any]) -> Mapping[str, Any]:
    return {
        "kind": "attributes",
        "character": known.name,
        "album": known.album,
        "face": picture_url(lease.handle, FACE),
        "context": picture_url(lease.handle, CONTEXT),
        # What the character's page says; people look at this drawing.
        "proposals": {"gender": known.gender},
    }


def _characters(
    connection: sa.Connection, found: Sequence[Found]
) -> dict[int, sa.Row[Any]]:
    query = sa.select(
        character.c.id,
        character.c.name,
        character.c.gender,
        album.c.name.label("album"),
    ).join(album, album.c.id == character.c.album_id)
    ids = sorted({each.character_id for each in found})
    return {row.id: row for row in by_ids(connection, query, character.c.id, ids)}

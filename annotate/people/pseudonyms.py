"""What people are called where their names are nobody's business."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from icf.annotate.people.tokens import KEY_FILE, SecretKey, read_key
from icf.catalogue.annotation.schema import person
from icf.catalogue.schema import answer

#: How all of them begin.
PREFIX = "person-"

#: What `SecretKey.pseudonym` makes.
_MADE = re.compile("person-[0-9a-f]{12}")


@dataclass(frozen=True)
class Pseudonyms:
    """The pseudonym of everybody, the same in every export of a workspace.

    Attributes:
        key: of the workspace: pseudonyms of people who were never invited are made with
            it, and without it nobody can find out who they are by trying names.
        invited: of people who were invited, by name.
    """

    key: SecretKey
    invited: dict[str, str] = field(default_factory=dict)

    def of(self, name: str) -> str:
        """The pseudonym of a person; one that is in a name's place stays as it is."""
        if name in self.invited:
            return self.invited[name]
        return name if _MADE.fullmatch(name) else self.key.pseudonym(name)


def read_pseudonyms(connection: sa.Connection, key: SecretKey) -> Pseudonyms:
    """Read the pseudonyms of a workspace's people."""
    query = sa.select(person.c.name, person.c.pseudonym)
    return Pseudonyms(key, {row[0]: row[1] for row in connection.execute(query)})


def names_by_pseudonym(connection: sa.Connection, root: Path) -> dict[str, str]:
    """The names of everybody who answered or was invited, by pseudonym.

    Args:
        connection: to the catalogue.
        root: the workspace's folder. Where it has no key, nobody who was not invited
            has a pseudonym yet.
    """
    query = sa.select(person.c.pseudonym, person.c.name)
    found = {row[0]: row[1] for row in connection.execute(query)}
    if (root / KEY_FILE).exists():
        key = read_key(root)
        invited = set(found.values())
        for name in _annotators(connection):
            if name not in invited:
                found[key.pseudonym(name)] = name
    return found


def _annotators(connection: sa.Connection) -> Iterator[str]:
    yield from connection.execute(sa.select(answer.c.annotator).distinct()).scalars()

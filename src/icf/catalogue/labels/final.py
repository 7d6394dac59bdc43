"""The final labels: what a release would contain, and what was found to be another.

The one rule of releases and of their audits. A label is a face with a character: *same*
where people confirmed it (`icf.catalogue.labels.confirmed`), where it follows another
face of its track (`icf.catalogue.labels.followers`), or where the model accepted it
(`icf.catalogue.labels.sure_faces`); *different* where people said that it is another
character, or the model rejected it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from icf.catalogue.labels.confirmed import Confirmed, read_confirmed, read_refused
from icf.catalogue.labels.sure_faces import accepted, rejected


@dataclass(frozen=True, eq=False)
class Accepts:
    """The labels *same*.

    Attributes:
        owners: the character of each face; faces that are gone are among them.
        confirmed: what people said, that they follow from.
        sure: those faces that the model accepted.
    """

    owners: Mapping[int, int]
    confirmed: Confirmed
    sure: frozenset[int]


def read_accepts(
    connection: sa.Connection,
    *,
    unasked_references: bool = True,
    risk: float = 0.0,
    followers: bool = False,
) -> Accepts:
    """Read which faces a release may contain, and as whom.

    Args:
        connection: to the catalogue.
        unasked_references: take in references that nobody was asked about.
        risk: take in faces that the model accepts at it.
        followers: take in faces that follow another one of their track.
    """
    found = read_confirmed(connection, followers=followers)
    owners = {**(found if unasked_references else found.asked()).owners}
    sure = {
        key: owner
        for key, owner in accepted(connection, risk).items()
        if key not in found.owners and key not in found.ambiguous
    }
    # A character is one because people confirmed a face of it.
    known = set(owners.values())
    owners |= {key: owner for key, owner in sure.items() if owner in known}
    return Accepts(owners, found, frozenset(sure))


def read_rejects(
    connection: sa.Connection, accepts: Accepts, risk: float = 0.0
) -> set[tuple[int, int]]:
    """Read the labels *different*: faces, each with a character that it is not.

    Where answers contradict each other, there is no label.

    Args:
        connection: to the catalogue.
        accepts: the other labels.
        risk: take in faces that the model rejects at it.
    """
    unclear = accepts.confirmed.ambiguous
    said = set(read_refused(connection)) | set(rejected(connection, risk).items())
    return {
        (key, owner)
        for key, owner in said
        if key not in unclear and accepts.owners.get(key) != owner
    }

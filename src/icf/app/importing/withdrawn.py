"""Which given pictures were withdrawn, and no bytes of theirs in the store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

import sqlalchemy as sa

from icf.app.importing.given import GivenPicture
from icf.catalogue import tombstones
from icf.catalogue.bulk_insert import among
from icf.catalogue.schema import image
from icf.codes import ImageReason
from icf.workspace import Workspace

#: The kind of a tombstone, and what it is for.
Subject = tuple[str, str]


def subjects_of(given: GivenPicture) -> frozenset[Subject]:
    """What a picture may have been withdrawn by, beside its bytes."""
    urls = {given.url, *(place.url for place in given.places)}
    names = {tombstones.full_name(each.album, each.character) for each in given.owners}
    return frozenset(
        {
            *((tombstones.URL, each) for each in urls),
            *((tombstones.CHARACTER, each) for each in names),
        }
    )


def are_withdrawn(
    connection: sa.Connection, pictures: Sequence[Collection[Subject]]
) -> list[bool]:
    """Say of each picture, by its subjects, whether one of them was withdrawn."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for kind, subject in set[Subject]().union(*pictures):
        wanted[kind].add(subject)
    buried = {
        (kind, each)
        for kind, subjects in wanted.items()
        for each in tombstones.buried(connection, kind, subjects)
    }
    return [not buried.isdisjoint(each) for each in pictures]


def remove_bytes(workspace: Workspace, hashes: Collection[str]) -> None:
    """Remove bytes that were left out, unless an image of the catalogue has them.

    Args:
        workspace: where they may have been stored.
        hashes: their SHA-256.
    """
    if not hashes:
        return
    with workspace.catalogue.read() as connection:
        query = sa.select(image.c.sha256).where(
            among(connection, image.c.sha256, sorted(hashes)),
            image.c.reason != ImageReason.TAKEN_DOWN.value,
        )
        live = set(connection.execute(query).scalars())
    for each in sorted(set(hashes) - live):
        workspace.blobs.remove(each)

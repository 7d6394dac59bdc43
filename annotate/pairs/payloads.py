"""What the browser gets of a pair: the same keys, whatever source it is from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from icf.annotate.pairs.pictures import (
    CANDIDATE,
    CONTEXT,
    confirmed_faces,
    reference_name,
)
from icf.annotate.tasks.addresses import picture_url
from icf.annotate.tasks.base import Lease, Pair
from icf.catalogue.find_character import CharacterName


def payload_of(
    connection: sa.Connection,
    lease: Lease,
    pair: Pair,
    names: Mapping[int, CharacterName],
) -> dict[str, Any]:
    """Describe a pair.

    Args:
        connection: to the catalogue.
        lease: under which it is shown.
        pair: what is asked.
        names: of the pair's character, at least.
    """
    name, album_name = names[pair.character_id]
    return {
        "kind": "pair",
        "character": name,
        "album": album_name,
        "alone": pair.face_id == pair.reference_face_id,
        "candidate": picture_url(lease.handle, CANDIDATE),
        "references": reference_urls(connection, lease, pair),
        "context": picture_url(lease.handle, CONTEXT),
    }


def reference_urls(connection: sa.Connection, lease: Lease, pair: Pair) -> list[str]:
    """Where the reference and the confirmed faces beside it are."""
    if pair.face_id == pair.reference_face_id:
        return []
    count = 1 + len(confirmed_faces(connection, pair))
    return [picture_url(lease.handle, reference_name(each)) for each in range(count)]

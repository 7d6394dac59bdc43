"""The characters of the faces that a release can contain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa

from icf.catalogue.labels.confirmed import (
    may_be_one,
    named_apart,
    pages,
    unmerged,
)
from icf.catalogue.schema import album, character
from icf.dataset.selecting.columns import IntArray
from icf.dataset.selection import Identity, Nature
from icf.errors import WrongUse


@dataclass(frozen=True)
class Cast:
    """The characters of a selection: as in `Selection`."""

    identities: Mapping[int, Identity]
    natures: Mapping[int, Nature]
    may_be_one: tuple[tuple[int, int], ...]
    named_apart: tuple[tuple[int, int], ...]


_CHARACTERS = sa.select(
    character.c.id,
    character.c.name,
    character.c.gender,
    album.c.id.label("album_id"),
    album.c.name.label("album"),
    album.c.region,
    album.c.style,
).join(album, album.c.id == character.c.album_id)


def read_cast(connection: sa.Connection, owners: IntArray) -> Cast:
    """Read the characters of some faces.

    Args:
        connection: to the catalogue.
        owners: shape (n,), the character of each face.

    Raises:
        WrongUse: people found two of them to be one, and they are not merged yet.
    """
    ids = set(np.unique(owners).tolist())
    every = pages(connection, _CHARACTERS, character.c.id)
    known = [row for row in every if row.id in ids]
    identities = {row.id: _identity(row) for row in known}
    _check_merges(connection, identities)
    return Cast(
        identities,
        {
            row.id: Nature(row.gender or "", row.region or "", row.style or "")
            for row in known
        },
        tuple(pair for pair in may_be_one(connection) if ids >= {*pair}),
        tuple(pair for pair in named_apart(connection) if ids >= {*pair}),
    )


def _identity(row: sa.Row[Any]) -> Identity:
    return Identity(row.id, row.name, row.album_id, row.album)


def _check_merges(
    connection: sa.Connection, identities: Mapping[int, Identity]
) -> None:
    """Refuse to release one character under two names."""
    pairs = [
        (one, other)
        for one, other in unmerged(connection)
        if one in identities and other in identities
    ]
    if not pairs:
        return
    one, other = (identities[each].character for each in pairs[0])
    raise WrongUse(
        f"people found that {one} and {other} are one character, and {len(pairs)} such "
        "pairs are not merged: they could be in train and in test. Run `icf-filter "
        "review --apply`, then `icf-filter run`. If they are two after all, "
        "a face is under the wrong one: `icf-filter review merges --status same` shows "
        "which faces people found to be one; correct the answers about these"
    )

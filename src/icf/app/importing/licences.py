"""Correct licences of pictures that were imported before, as their source says now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from icf.app.importing.given import GivenPicture
from icf.app.importing.places import UNKNOWN, licence_of, places_of
from icf.catalogue.bulk_insert import among
from icf.catalogue.rows import lock
from icf.catalogue.schema import image_source, url
from icf.workspace import Workspace

_STATED = ("licence", "licence_url", "licence_from")


def correct(
    workspace: Workspace,
    pictures: Sequence[GivenPicture],
    licence: str,
    *,
    dry_run: bool = False,
) -> int:
    """Give known pictures the licence that is said of them now.

    Where none is said now, what was said earlier stays; so does what another source
    said of the same picture.

    Args:
        workspace: to write to.
        pictures: that were imported before.
        licence: of pictures that say none themselves; ``"unknown"``: nobody said one.
        dry_run: only count.

    Returns:
        How many pictures have another licence than before.
    """
    given = {each.url: each for each in pictures}
    if not given:
        return 0
    with workspace.catalogue.read() as connection:
        changed = _changed(connection, given, licence)
    addresses = {address for address, _ in changed.values()}
    if changed and not dry_run:
        with workspace.catalogue.write() as connection:
            rows = {key: row for key, (_, row) in changed.items()}
            _write(connection, image_source.c.id, rows)
            own = {each: licence_of(given[each], licence) for each in addresses}
            said = {k: row for k, row in own.items() if row["licence_from"] != UNKNOWN}
            _write(connection, url.c.url, said)
    return len(addresses)


def _changed(
    connection: sa.Connection, given: Mapping[str, GivenPicture], licence: str
) -> dict[int, tuple[str, dict[str, Any]]]:
    """The sources that say otherwise now: address of the picture and row, by id."""
    columns = [image_source.c[name] for name in ("id", "url", *_STATED)]
    query = (
        sa.select(url.c.url.label("address"), *columns)
        .join(image_source, image_source.c.image_id == url.c.image_id)
        .where(
            among(connection, url.c.url, list(given)),
            image_source.c.source == url.c.source,
        )
    )
    stated = {
        (address, row["url"]): {name: row[name] for name in _STATED}
        for address, each in given.items()
        for row in places_of(each, licence)
        if row["licence_from"] != UNKNOWN
    }
    found = {}
    for known in connection.execute(query).mappings():
        new = stated.get((known["address"], known["url"]))
        if new and any(new[name] != known[name] for name in _STATED):
            found[known["id"]] = (known["address"], new)
    return found


def _write(
    connection: sa.Connection,
    key: sa.Column[Any],
    rows: Mapping[Any, Mapping[str, Any]],
) -> None:
    """Write what is stated into the rows with these keys."""
    if not rows:
        return
    lock(connection, key.table, among(connection, key, list(rows)))
    values: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in _STATED}
    connection.execute(
        sa.update(key.table).where(key == sa.bindparam("row_key")).values(values),
        [
            {"row_key": each, **{f"new_{name}": row[name] for name in _STATED}}
            for each, row in rows.items()
        ],
    )

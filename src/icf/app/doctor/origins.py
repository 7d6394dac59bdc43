"""Where lost pictures came from: what is fetched again, and what an import brought."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

import sqlalchemy as sa

from icf.catalogue.rows import by_ids
from icf.catalogue.schema import url
from icf.codes import FETCHED, FetchStatus
from icf.errors import WrongUse
from icf.harvest.run import declared_sources
from icf.workspace import Workspace

#: Schemes of the addresses that `icf import` gives to pictures.
IMPORTED = ("coco", "folder", "icartoonface", "release")


def is_imported() -> sa.ColumnElement[bool]:
    """The condition that a URL was given by an import; no source reads it."""
    schemes = [url.c.url.startswith(f"{scheme}://") for scheme in IMPORTED]
    return sa.and_(url.c.host == "", reduce(sa.or_, schemes))


def is_fetched(workspace: Workspace) -> sa.ColumnElement[bool]:
    """The condition that a harvest fetches a URL again: from the web, or by a source.

    Args:
        workspace: whose sources are declared.
    """
    read = sa.and_(url.c.source.in_(_readers(workspace)), ~is_imported())
    return sa.and_(
        url.c.fate != FetchStatus.TAKEN_DOWN.value, sa.or_(url.c.host != "", read)
    )


def imported(workspace: Workspace, lost: Mapping[int, str]) -> dict[int, str]:
    """Those of lost pictures that an import brought, or did beside a source."""
    return _with_url(workspace, lost, is_imported())


def only_imported(workspace: Workspace, lost: Mapping[int, str]) -> dict[int, str]:
    """Those of lost pictures that nothing but an import brings back."""
    found = imported(workspace, lost)
    fetched = _with_url(workspace, found, is_fetched(workspace))
    return {key: found[key] for key in found.keys() - fetched.keys()}


def not_asked_again(workspace: Workspace, lost: Mapping[int, str]) -> dict[int, str]:
    """Those of lost pictures that may be fetched again, and nobody has tried it yet."""
    if not workspace.settings.source:
        return {}
    untried = url.c.fate.in_([*FETCHED, FetchStatus.PENDING.value])
    return _with_url(workspace, lost, sa.and_(is_fetched(workspace), untried))


def _with_url(
    workspace: Workspace, lost: Mapping[int, str], where: sa.ColumnElement[bool]
) -> dict[int, str]:
    query = sa.select(url.c.image_id).where(where)
    with workspace.catalogue.read() as connection:
        rows = by_ids(connection, query, url.c.image_id, sorted(lost))
        return {row.image_id: lost[row.image_id] for row in rows}


def _readers(workspace: Workspace) -> list[str]:
    """The names of the sources that read pictures themselves."""
    try:
        sources = declared_sources(workspace)
    except WrongUse:
        return []
    return [each.name for each in sources if each.reader is not None]

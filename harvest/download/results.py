"""Write the results of leased URLs: a batch in one transaction."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from icf.catalogue import tombstones
from icf.catalogue.bulk_insert import among, insert_new
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import image, image_source, url
from icf.codes import FetchStatus
from icf.harvest.download.frontier import Leased
from icf.harvest.filing import write_candidates
from icf.harvest.http.urls import host_of
from icf.harvest.images import NewImage, insert_images


@dataclass(frozen=True)
class Stored:
    """The bytes of a URL are stored.

    Attributes:
        format, width, height: from the picture's header, if it could be read.
        headers: of the response.
        no_training: what its metadata says against training on it, or None.
        reserved: what its host says against it, or None.
    """

    leased: Leased
    sha256: str
    size: int
    headers: dict[str, str]
    http_status: int | None = None
    format: str | None = None
    width: int | None = None
    height: int | None = None
    no_training: str | None = None
    reserved: str | None = None


@dataclass(frozen=True)
class Ended:
    """A URL has a final fate, without new bytes."""

    leased: Leased
    fate: FetchStatus
    message: str | None
    http_status: int | None = None


@dataclass(frozen=True)
class Postponed:
    """A URL is to be tried again, not before a time.

    Attributes:
        address_no: of the address that is tried then.
    """

    leased: Leased
    not_before: float
    attempts: int
    message: str | None
    http_status: int | None = None
    address_no: int = 0


Result = Stored | Ended | Postponed


def write_results(
    catalogue: Catalogue, worker: str, results: Sequence[Result]
) -> frozenset[str]:
    """Write results and end the leases of their rows.

    A row that another worker has leased meanwhile does not change; stored bytes are
    recorded anyway.

    Returns:
        SHA-256 of bytes that were withdrawn while they were fetched. Nothing refers to
        them; the caller removes them.
    """
    with catalogue.write() as connection:
        tombstones.hold(connection, shared=True)
        results, unused = _without_withdrawn(connection, results)
        stored = [one for one in results if isinstance(one, Stored)]
        ids = insert_images(
            connection,
            [
                NewImage(
                    one.sha256,
                    one.size,
                    one.format,
                    one.width,
                    one.height,
                    one.no_training,
                )
                for one in stored
            ],
        )
        # In the order of `icf.catalogue.rows.lock`.
        ordered = sorted(results, key=lambda one: one.leased.id)
        changes = [_change(one, ids, worker) for one in ordered]
        connection.execute(
            sa.update(url)
            .where(
                url.c.id == sa.bindparam("row_id"),
                url.c.leased_by == sa.bindparam("holder"),
            )
            .values({name: sa.bindparam(f"new_{name}") for name in _CHANGED}),
            changes,
        )
        _insert_sources(connection, stored, ids)
        write_candidates(connection, [one.leased.id for one in stored])
    return unused


def _without_withdrawn(
    connection: sa.Connection, results: Sequence[Result]
) -> tuple[Sequence[Result], frozenset[str]]:
    """Replace results that were withdrawn; return the bytes that nothing refers to."""
    stored = [one for one in results if isinstance(one, Stored)]
    hashes = tombstones.buried(
        connection, tombstones.SHA256, {one.sha256 for one in stored}
    )
    asked = {address for one in stored for address in _addresses(one.leased)}
    urls = tombstones.buried(connection, tombstones.URL, asked)
    if not hashes and not urls:
        return results, frozenset()

    def is_withdrawn(one: Result) -> bool:
        return isinstance(one, Stored) and (
            one.sha256 in hashes or not urls.isdisjoint(_addresses(one.leased))
        )

    kept = [
        Ended(one.leased, FetchStatus.TAKEN_DOWN, None, one.http_status)
        if is_withdrawn(one)
        else one
        for one in results
    ]
    elsewhere = {one.sha256 for one in kept if isinstance(one, Stored)}
    of_urls = {one.sha256 for one in stored if is_withdrawn(one)} - hashes
    known = sa.select(image.c.sha256).where(among(connection, image.c.sha256, of_urls))
    elsewhere |= set(connection.execute(known).scalars())
    return kept, hashes | (of_urls - elsewhere)


def _addresses(leased: Leased) -> set[str]:
    return {leased.url, leased.address}


#: Columns of ``url`` that ``image_source`` repeats.
_AS_LISTED = ("page_url", "licence_url", "author", "seconds", "shot", "tracks")

_CHANGED = (
    "host",
    "address_no",
    "fate",
    "message",
    "http_status",
    "attempts",
    "not_before",
    "image_id",
    "finished_at",
    "leased_by",
    "leased_until",
)


def _change(result: Result, ids: dict[str, int], worker: str) -> dict[str, Any]:
    leased = result.leased
    # What has ended begins with its first address, should it be fetched again.
    number = result.address_no if isinstance(result, Postponed) else 0
    is_same = number == leased.address_no
    values: dict[str, Any] = {
        "host": leased.host if is_same else host_of(leased.address_at(number)),
        "address_no": number,
        "message": None,
        "http_status": result.http_status,
        "attempts": leased.attempts + 1,
        "not_before": 0.0,
        "image_id": leased.image_id,
        "finished_at": time.time(),
        "leased_by": None,
        "leased_until": 0.0,
    }
    if isinstance(result, Stored):
        values |= {"fate": FetchStatus.STORED.value, "image_id": ids[result.sha256]}
        if leased.address_no:
            values["message"] = f"from {leased.address}; before it: {leased.before}"
    elif isinstance(result, Ended):
        values |= {"fate": result.fate.value, "message": result.message}
    else:
        values |= {
            "fate": FetchStatus.PENDING.value,
            "message": result.message,
            "attempts": result.attempts,
            "not_before": result.not_before,
            "finished_at": None,
        }
    changed = {f"new_{name}": values[name] for name in _CHANGED}
    return {"row_id": leased.id, "holder": worker, **changed}


def _insert_sources(
    connection: sa.Connection, stored: Sequence[Stored], ids: dict[str, int]
) -> None:
    query = sa.select(url).where(
        among(connection, url.c.id, [one.leased.id for one in stored])
    )
    listed = {row["id"]: row for row in connection.execute(query).mappings()}
    now = time.time()
    rows = [
        {
            **{name: listed[one.leased.id][name] for name in _AS_LISTED},
            "image_id": ids[one.sha256],
            "url": one.leased.url,
            "fetched_from": one.leased.address if one.leased.address_no else None,
            "source": one.leased.source,
            "licence": listed[one.leased.id]["licence"] or "unknown",
            "licence_from": listed[one.leased.id]["licence_from"] or "unknown",
            "headers": json.dumps(one.headers) if one.headers else None,
            "reserved": one.reserved,
            "fetched_at": now,
        }
        for one in stored
        if one.leased.id in listed
    ]
    insert_new(connection, image_source, ["image_id", "url"], rows)

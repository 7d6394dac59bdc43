"""Download the pictures of a release with the harvest's own worker.

The downloads have a catalogue of their own beside the new release: it knows what every
address gave, so a killed run goes on where it was, and a blob store has the bytes under
their hash. All that a harvest minds is minded here: addresses, robots.txt,
opt-outs, limits, pauses of hosts, attempts.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from icf.app.relink.listed import Wanted
from icf.catalogue.bulk_insert import insert_new
from icf.catalogue.catalogue import Catalogue, sqlite_url
from icf.catalogue.schema import image, url
from icf.codes import FETCHED, FetchStatus, RelinkStatus
from icf.harvest.download.attempt import Attempt
from icf.harvest.download.fetch import Fetcher
from icf.harvest.download.frontier import Frontier
from icf.harvest.download.worker import Worker
from icf.harvest.fault import Fault
from icf.harvest.http.addresses import AllowList
from icf.harvest.http.robots import Robots
from icf.harvest.http.session import Web
from icf.harvest.http.urls import normalise
from icf.harvest.http.user_agent import user_agent
from icf.harvest.run import limits_of
from icf.settings import HarvestSettings
from icf.stores.blobs import BlobStore

_SOURCE = "relink"
_FATES = {each.value: each for each in FetchStatus}


@dataclass(frozen=True)
class Fate:
    """How far a picture is.

    Attributes:
        status: whether it is there, and if not, why.
        fate: what the last address that was asked gave; None where none was.
        url: that address.
        message: the reason in words.
    """

    status: RelinkStatus
    fate: FetchStatus | None = None
    url: str = ""
    message: str = ""


@dataclass(frozen=True)
class _Row:
    """What an address gave."""

    fate: FetchStatus
    sha256: str | None
    message: str


class Downloads:
    """The downloads of one release.

    Args:
        folder: for their catalogue and blobs, which may be there from an earlier run.
        settings: of the harvest.
    """

    def __init__(self, folder: Path, settings: HarvestSettings) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._catalogue = Catalogue(sqlite_url(folder.resolve() / "catalogue.sqlite"))
        self._catalogue.upgrade()
        self._settings = settings
        self.blobs = BlobStore(folder / "blobs")

    def close(self) -> None:
        """Close the catalogue."""
        self._catalogue.close()

    def fetch(
        self,
        pictures: Sequence[Wanted],
        finished: Callable[[int], None] = lambda count: None,
    ) -> dict[str, Fate]:
        """Download each picture from the first of its addresses that has its bytes.

        Args:
            pictures: to download; those that were before are not again.
            finished: called with the number of addresses of each finished batch.

        Returns:
            How far each is, by SHA-256.

        Raises:
            WrongUse: the contact cannot be part of a header.
            BrokenMachine: the disk or the name service does not work.
        """
        agent = user_agent(self._settings)
        self.blobs.sweep()
        self._pending_again(pictures)
        rest, number = list(pictures), 0
        while rest:
            asked = [each for each in rest if number < len(each.urls)]
            self._list([each.urls[number] for each in asked])
            asyncio.run(self._run(agent, finished))
            found = self._found()
            rest = [each for each in asked if _fate(each, found).status is not _THERE]
            number += 1
        found = self._found()
        return {each.sha256: _fate(each, found) for each in pictures}

    def _pending_again(self, pictures: Sequence[Wanted]) -> None:
        """Ask again for what an earlier run did not get.

        A page that was gone for a day, or had other bytes, may have them today.
        """
        found = self._found()
        missing = [
            address
            for each in pictures
            if _fate(each, found).status is not _THERE
            for address in map(_normal, each.urls)
            if address is not None and found.get(address, _NEW).fate not in _FINAL
        ]
        again = sa.update(url).where(url.c.url == sa.bindparam("address"))
        values = {
            **{"fate": FetchStatus.PENDING.value, "attempts": 0, "not_before": 0.0},
            # Or the server would say that nothing has changed.
            "image_id": None,
        }
        with self._catalogue.write() as connection:
            for address in missing:
                connection.execute(again.values(values), {"address": address})

    def _list(self, addresses: Sequence[str]) -> None:
        """Put addresses into the frontier that are not there yet."""
        rows = []
        for each in addresses:
            try:
                good = normalise(each)
            except Fault:
                continue  # `_fate` says so
            rows.append(
                {
                    "url": good.url,
                    "host": good.host,
                    "source": _SOURCE,
                    "fate": FetchStatus.PENDING.value,
                    "found_at": time.time(),
                }
            )
        with self._catalogue.write() as connection:
            insert_new(connection, url, ["url"], rows)

    async def _run(self, agent: str, finished: Callable[[int], None]) -> None:
        settings = self._settings
        allow = AllowList(settings.allow_hosts)
        async with Web(
            agent,
            allow,
            connections=settings.concurrency + 4,
            proxy=settings.proxy,
        ) as web:
            robots = Robots(web, obey=settings.respect_robots)
            fetcher = Fetcher(
                web,
                robots,
                limits_of(settings),
                refuse_reserved=settings.no_training == "refuse",
            )
            attempt = Attempt(
                fetcher,
                robots,
                self.blobs,
                {},
                max_pixels=settings.max_pixels,
                refuse_marked=settings.no_training == "refuse",
            )
            frontier = Frontier(self._catalogue, settings.lease)
            worker = Worker(self._catalogue, frontier, attempt, settings, finished)
            await worker.run(lambda: False)

    def _found(self) -> dict[str, _Row]:
        """What every address gave so far."""
        query = sa.select(
            url.c.url, url.c.fate, url.c.message, image.c.sha256
        ).outerjoin(image, image.c.id == url.c.image_id)
        with self._catalogue.read() as connection:
            return {
                row.url: _Row(_FATES[row.fate], row.sha256, row.message or "")
                for row in connection.execute(query)
            }


_THERE = RelinkStatus.THERE
_NEW = _Row(FetchStatus.PENDING, None, "")
#: What another day does not change.
_FINAL = (FetchStatus.DISALLOWED, FetchStatus.OPTED_OUT, FetchStatus.PENDING)


def _normal(address: str) -> str | None:
    """An address as the frontier has it; None if it is none."""
    try:
        return normalise(address).url
    except Fault:
        return None


def _fate(picture: Wanted, found: Mapping[str, _Row]) -> Fate:
    """Judge a picture by what its addresses gave."""
    last = Fate(RelinkStatus.NO_ADDRESS, message="no address on the web is known")
    for each in picture.urls:
        try:
            address = normalise(each).url
        except Fault as fault:
            last = Fate(RelinkStatus.NO_ADDRESS, fault.fate, each, str(fault))
            continue
        row = found.get(address)
        if row is None:
            continue
        if row.fate in FETCHED and row.sha256 == picture.sha256:
            return Fate(_THERE, row.fate, address)
        if row.fate in FETCHED:
            said = f"it has the SHA-256 {row.sha256} now"
            last = Fate(RelinkStatus.CHANGED, row.fate, address, said)
        else:
            last = Fate(RelinkStatus.NOT_FETCHED, row.fate, address, row.message)
    return last

"""Harvest what gallery-dl can list: galleries of some 250 sites.

gallery-dl only lists; the files are fetched by our own workers, which obey robots.txt
and check every address. It ends a listing at the first error of a site: earlier files
are stored by then, and the task is stored as failed with the site's message. When it is
retried, the frontier skips the URLs that it has.
"""

from __future__ import annotations

import asyncio
import importlib.util
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import pydantic

from icf.codes import FetchStatus
from icf.errors import WrongUse
from icf.harvest.attributes.licence import UNKNOWN, Licence
from icf.harvest.fault import Fault
from icf.harvest.http.session import Web
from icf.harvest.http.user_agent import user_agent
from icf.harvest.sources.base import (
    Album,
    Character,
    ListingPage,
    Picture,
    Sink,
    SourceTable,
    Task,
    read_table,
)
from icf.harvest.sources.gallery_dl.listing import Line, Lister, is_last
from icf.settings import HarvestSettings

_FILES_A_STEP = 100
_PATIENCE = 600.0


class Filed(pydantic.BaseModel):
    """Album and character of the files of one URL."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    album: str | None = None
    character: str | None = None


class GalleryTable(SourceTable):
    """The keys of a source of kind ``gallery-dl``.

    Attributes:
        urls: what to list: a list, or a table of each with its album and character.
        album: of URLs that name none.
        character: of URLs that name none.
        options: the ``extractor`` part of gallery-dl's own configuration.
        patience: seconds without a message after which a listing fails.
    """

    urls: tuple[str, ...] | dict[str, Filed] = pydantic.Field(min_length=1)
    album: str | None = None
    character: str | None = None
    options: dict[str, Any] = pydantic.Field(default_factory=dict)
    patience: Annotated[float, pydantic.Field(gt=0)] = _PATIENCE

    def filed(self, url: str) -> Filed:
        """Return album and character of the files of a URL."""
        own = self.urls[url] if isinstance(self.urls, dict) else Filed()
        album = own.album or self.album
        return Filed(album=album, character=own.character or self.character)


class GallerySource:
    """Lists files with gallery-dl.

    Raises:
        WrongUse: gallery-dl is not installed, or the table is wrong.
    """

    def __init__(
        self, table: Mapping[str, Any], root: Path, settings: HarvestSettings
    ) -> None:
        self._table = read_table(GalleryTable, table)
        self.name = self._table.name
        if importlib.util.find_spec("gallery_dl") is None:
            raise WrongUse(
                f"[[source]] {self.name!r}: kind gallery-dl needs the extra `gallery`: "
                "pip install 'icf-toolkit[gallery]'"
            )
        for url in self._table.urls:
            filed = self._table.filed(url)
            if filed.character and not filed.album:
                raise WrongUse(
                    f"[[source]] {self.name!r}: {url} has a character and no album"
                )
        options = {
            "options": self._table.options,
            "agent": user_agent(settings),
            "allow_hosts": list(settings.allow_hosts),
            "proxy": settings.proxy,
        }
        self.reader = Listings(Lister(options, self._table.patience))

    def first_tasks(self) -> Iterable[Task]:
        """Return the listing of each URL."""
        for url in self._table.urls:
            yield Task("gallery", url)

    async def step(self, task: Task, web: Web) -> ListingPage:
        """List the next files of a URL.

        Raises:
            Fault: gallery-dl knows no such site, or the listing broke off.
        """
        url = task.subject
        if url not in self._table.urls:
            raise Fault(FetchStatus.MISSING_PAGE, f"{url} is no longer in icf.toml")
        listing = self.reader.open(url)
        if listing.cursor == task.cursor:
            listing.sent = []  # the last answer is stored
        try:
            done = await asyncio.to_thread(listing.read_more)
        except Fault:
            self.reader.forget()
            raise
        return self._answer(task, listing, done)

    def _answer(self, task: Task, listing: OpenListing, done: bool) -> ListingPage:
        filed = self._table.filed(task.subject)
        album, character = filed.album, filed.character
        lines = listing.sent
        if not done:
            # Unique: if this cursor is stored, so is this answer.
            listing.cursor = secrets.token_hex(8)
        return ListingPage(
            albums=(Album(album),) if album else (),
            characters=(Character(album, character),) if album and character else (),
            pictures=tuple(_picture(line, filed) for line in lines if "url" in line),
            cursor=None if done else listing.cursor,
            done=done,
            faults=tuple(str(line["fault"]) for line in lines if "fault" in line),
        )


@dataclass
class OpenListing:
    """A listing in progress, with the lines that may not be stored yet.

    Another runner that lists the same URL may store its answer first; then ours is not
    stored, and its lines are returned again with the next ones.

    Attributes:
        cursor: of the last answer; it is stored when the task has this cursor.
        sent: the lines of that answer.
    """

    url: str
    lister: Lister
    cursor: str | None = None
    sent: list[Line] = field(default_factory=list)
    ended: bool = False

    def read_more(self) -> bool:
        """Read the next lines; return whether the listing has ended.

        Raises:
            Fault: it broke off, or gallery-dl knows no such site.
        """
        if self.ended:
            return True
        lines = self.lister.read(_FILES_A_STEP)
        if is_last(lines[0]):
            _check_end(lines[0])
            self.ended = True
        else:
            self.sent = [*self.sent, *lines]
        return self.ended


class Listings:
    """The listing in progress; its process is ended with the run.

    As a reader it reads nothing: all files are on the web.
    """

    def __init__(self, lister: Lister) -> None:
        self._lister = lister
        self._listing: OpenListing | None = None

    def open(self, url: str) -> OpenListing:
        """Return the listing of a URL; begin it if it is not in progress."""
        if self._listing is None or self._listing.url != url:
            self._lister.begin(url)
            self._listing = OpenListing(url, self._lister)
        return self._listing

    def forget(self) -> None:
        """Make the next call start from the beginning."""
        self._listing = None

    def read(self, url: str, sink: Sink) -> None:
        """Refuse: no file is read from here.

        Raises:
            Fault: always.
        """
        raise Fault(FetchStatus.UNSUPPORTED, f"{url} is on the web")

    def close(self) -> None:
        """End the process."""
        self._lister.close()


def _check_end(last: Line) -> None:
    """Make sure that a listing ended well.

    Raises:
        Fault: it did not.
    """
    if "unsupported" in last:
        raise Fault(
            FetchStatus.UNSUPPORTED,
            "gallery-dl knows no such site; with generic: before the URL it takes the "
            "pictures of any page",
        )
    if last["status"]:
        text = last["message"] or f"status {last['status']}"
        raise Fault(FetchStatus.HTTP_ERROR, f"the listing broke off: {text}")


def _picture(line: Line, filed: Filed) -> Picture:
    name, author = line["licence"], line["author"]
    licence = Licence(
        name or UNKNOWN.name,
        line["licence_url"],
        "site" if name else UNKNOWN.read_from,
        author,
    )
    return Picture(
        str(line["url"]),
        filed.album,
        filed.character,
        page_url=line["page"],
        licence=licence,
        fallbacks=tuple(line["fallbacks"]),
    )

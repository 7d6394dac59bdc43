"""Harvest a wiki: Wikipedia, Fandom, or any other site with an ``api.php``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from icf.codes import FetchStatus
from icf.harvest.fault import Fault
from icf.harvest.http.body import Limits
from icf.harvest.http.requests_session import GuardedSession
from icf.harvest.http.session import Web
from icf.harvest.sources.base import UNREADABLE, ListingPage, Task, read_table
from icf.harvest.sources.mediawiki import albums, characters, pictures
from icf.harvest.sources.mediawiki.api import MediaWikiApi
from icf.harvest.sources.mediawiki.config import MediaWikiTable
from icf.harvest.sources.mediawiki.site import Wiki
from icf.settings import HarvestSettings

_LISTERS: dict[str, Callable[[Wiki, Task], Awaitable[ListingPage]]] = {
    albums.CATEGORY: albums.list_category,
    albums.PAGE: albums.list_page,
    albums.TITLES: albums.list_titles,
    characters.CATEGORY: characters.list_category,
    characters.PAGE: characters.list_page,
    characters.INFOBOX: characters.list_infobox,
    characters.TITLES: characters.list_titles,
    pictures.PAGE: pictures.list_page,
    pictures.GALLERY: pictures.list_gallery,
    pictures.CATEGORY: pictures.list_category,
    pictures.FILES: pictures.list_files,
}


class MediaWikiSource:
    """Lists the albums, characters and pictures of one wiki, one call at a time."""

    reader = None

    def __init__(
        self, table: Mapping[str, Any], root: Path, settings: HarvestSettings
    ) -> None:
        self._table = read_table(MediaWikiTable, table)
        self.name = self._table.name
        self._settings = settings
        self._asked: tuple[Web, Wiki] | None = None

    def first_tasks(self) -> Iterable[Task]:
        """Return the listing of the albums."""
        return albums.first_tasks(self._table.albums)

    async def step(self, task: Task, web: Web) -> ListingPage:
        """Answer one batch of a listing.

        Raises:
            Fault: the wiki does not answer, refuses, or answers something else.
        """
        lister = _LISTERS.get(task.kind)
        if lister is None:
            text = f"{self.name}: nothing lists {task.kind!r} any more"
            raise Fault(FetchStatus.MISSING_PAGE, text)
        try:
            return await lister(self._wiki(web), task)
        except UNREADABLE as error:
            text = f"not an answer of an api.php ({type(error).__name__}: {error})"
            raise Fault(FetchStatus.HTTP_ERROR, f"{self._table.api}: {text}") from error

    def _wiki(self, web: Web) -> Wiki:
        """Return the wiki, with one session for as long as ``web`` is open."""
        if self._asked is None or self._asked[0] is not web:
            session = GuardedSession(web.agent, web.allow, proxy=web.proxy)
            web.at_exit(session.close)
            self._asked = web, Wiki(self._table, self._api(session))
        return self._asked[1]

    def _api(self, session: GuardedSession) -> MediaWikiApi:
        settings = self._settings
        limits = Limits(
            max_bytes=settings.max_bytes,
            deadline=settings.deadline,
            min_rate=settings.min_rate,
            longest_wait=settings.retry_after_cap,
        )
        return MediaWikiApi(
            self._table.api,
            session,
            limits=limits,
            attempts=settings.attempts,
            backoff=settings.backoff,
        )

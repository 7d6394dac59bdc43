"""Harvest a web site by rules: a source of kind ``web``."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from icf.harvest.http.session import Web
from icf.harvest.sources.base import ListingPage, Listings, Task, read_table
from icf.harvest.sources.web_rules.feed import Feed
from icf.harvest.sources.web_rules.messages import Setup
from icf.harvest.sources.web_rules.page import first_tasks
from icf.harvest.sources.web_rules.tables import WebTable
from icf.settings import HarvestSettings


class WebSource:
    """Finds albums, characters and pictures by the rules of a site."""

    reader = None

    def __init__(
        self, table: Mapping[str, Any], root: Path, settings: HarvestSettings
    ) -> None:
        self._rules = read_table(WebTable, table)
        self._table = table
        self._settings = settings
        self.name = self._rules.name

    def first_tasks(self) -> Iterable[Task]:
        """Return the first listings."""
        return first_tasks(self._rules)

    async def step(self, task: Task, web: Web) -> ListingPage:
        """Not used: `crawl` requests the pages."""
        raise NotImplementedError("a web source lists by itself")

    async def crawl(self, listings: Listings, web: Web) -> None:
        """Have Scrapy process listings until none waits."""
        level = logging.getLogger().getEffectiveLevel()
        setup = Setup(self._table, self._settings, web.agent, level)
        await Feed(listings, setup).run()

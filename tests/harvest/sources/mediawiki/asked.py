"""Ask a source of kind ``mediawiki`` what a test's wiki answers."""

import asyncio
import json
from pathlib import Path
from typing import Any

from icf.harvest.http.addresses import AllowList
from icf.harvest.http.session import Web
from icf.harvest.sources.base import ListingPage, Task
from icf.harvest.sources.mediawiki.source import MediaWikiSource
from icf.settings import HarvestSettings
from tests.harvest.wire import Site, answer

TABLE = {
    "name": "wiki",
    "kind": "mediawiki",
    "albums": {"category": "Series"},
    "characters": {"category": "{album} characters"},
    "images": {"max_uses": 0},
}
RIGHTS = {"query": {"rightsinfo": {"text": "CC-BY-SA", "url": "http://cc"}}}


def source(api: str, **keys: object) -> MediaWikiSource:
    table = {**TABLE, "api": api, **keys}
    return MediaWikiSource(table, Path(), HarvestSettings(backoff=0.0))


def step(site: Site, task: Task, *answers: object, **keys: object) -> ListingPage:
    """Answer a task from a wiki that says these things, one after another."""
    said = [answer(json.dumps(one).encode()) for one in answers]
    wiki = source(site.route("/api.php", *said), **keys)

    async def once() -> ListingPage:
        async with Web("icf/test", AllowList([site.host])) as web:
            return await wiki.step(task, web)

    return asyncio.run(once())


def members(*titles: str, rest: dict[str, str] | None = None) -> dict[str, Any]:
    found = [
        {"ns": 14 if title.startswith("Category:") else 0, "title": title}
        for title in titles
    ]
    more = {"continue": rest} if rest else {}
    return {"batchcomplete": True, "query": {"categorymembers": found}, **more}


def described(*pages: dict[str, Any]) -> dict[str, Any]:
    return {"batchcomplete": True, "query": {"pages": list(pages)}}


def file(name: str, **info: object) -> dict[str, Any]:
    url = f"http://w/images/{name.replace(' ', '_')}"
    return {"title": f"File:{name}", "imageinfo": [{"url": url, **info}]}

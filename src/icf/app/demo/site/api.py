"""``/w/api.php``: the part of MediaWiki's API that a harvester needs.

The shapes follow MediaWiki 1.39, in both format versions. Errors come on HTTP 200.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from icf.app.demo.site import parse
from icf.app.demo.site.params import Params, Refused
from icf.app.demo.site.query import Query
from icf.app.demo.site.wiki import Wiki


@dataclass(frozen=True)
class Answer:
    """The JSON of an answer and the HTTP headers that go with it."""

    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)


class Api:
    """Answers API calls; like a real wiki it is lagged for a moment at its start."""

    def __init__(self, wiki: Wiki, base: str) -> None:
        """Serve ``wiki``; ``base`` is the site's address without a last slash."""
        self._wiki, self._base = wiki, base
        self._lagged = True
        self._lock = threading.Lock()

    def answer(self, given: Mapping[str, str]) -> Answer:
        """Answer one call, given its parameters."""
        params = Params(given)
        version = given.get("formatversion", "1")
        for name in ("format", "formatversion", "utf8", "assert", "origin", "maxage"):
            params.text(name)
        try:
            if version not in ("1", "2", "latest"):
                raise _bad_value("formatversion", version)
            self._lag(params.text("maxlag"))
            body = self._body(params)
            params.unread()
        except Refused as refusal:
            return _error(refusal, self._base, version)
        if params.warnings:
            texts = {name: "\n".join(t) for name, t in params.warnings.items()}
            told = {name: {"warnings": text} for name, text in texts.items()}
            body = {**body, "warnings": told}
        return Answer(body if version != "1" else as_version_1(body))

    def _body(self, params: Params) -> dict[str, Any]:
        action = params.text("action", "help")
        if action == "query":
            return Query(self._wiki, self._base, params).answer()
        if action == "parse":
            return {"parse": parse.answer(self._wiki, self._base, params)}
        raise _bad_value("action", action)

    def _lag(self, allowed: str) -> None:
        """Refuse the first call that says how much lag it stands."""
        if not allowed.isdigit():
            return
        with self._lock:
            lagged, self._lagged = self._lagged, False
        if lagged:
            lag = int(allowed) + 1
            raise Refused(
                "maxlag",
                f"Waiting for a database server: {lag} seconds lagged.",
                host="127.0.0.1",
                lag=lag,
                type="db",
            )


def _bad_value(name: str, value: str) -> Refused:
    return Refused("badvalue", f'Unrecognized value for parameter "{name}": {value}.')


def _error(refusal: Refused, base: str, version: str) -> Answer:
    see = f"See {base}/w/api.php for API usage."
    told = {"code": refusal.code, "info": refusal.info, **refusal.more}
    told["*" if version == "1" else "docref"] = see
    headers = {"MediaWiki-API-Error": refusal.code}
    if refusal.code == "maxlag":
        # A real wiki asks for five seconds; one is enough for a demo.
        headers |= {"Retry-After": "1", "X-Database-Lag": str(refusal.more["lag"])}
    return Answer({"error": told}, headers)


def as_version_1(body: dict[str, Any]) -> dict[str, Any]:
    """Put an answer in the older shape: pages by number, true flags as "".

    >>> as_version_1({"batchcomplete": True, "query": {"pages": [{"missing": True}]}})
    {'batchcomplete': '', 'query': {'pages': {'-1': {'missing': ''}}}}
    """
    old: dict[str, Any] = _flags(body)
    if "warnings" in old:
        told = old["warnings"].items()
        old["warnings"] = {name: {"*": one["warnings"]} for name, one in told}
    query = old.get("query", {})
    if "pages" in query:
        numbers = iter(range(-1, -1000, -1))
        query["pages"] = {
            str(page.get("pageid") or next(numbers)): page for page in query["pages"]
        }
    for page in query.get("pages", {}).values():
        for revision in page.get("revisions", ()):
            main = revision.get("slots", {}).get("main", {})
            if "content" in main:
                main["*"] = main.pop("content")
    parsed = old.get("parse", {})
    for name in ("text", "wikitext"):
        if name in parsed:
            parsed[name] = {"*": parsed[name]}
    for link in parsed.get("links", ()):
        link["*"] = link.pop("title")
    return old


def _flags(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {key: one for key, one in value.items() if one is not False}
        return {key: _flags(one) for key, one in kept.items()}
    if isinstance(value, list):
        return [_flags(one) for one in value]
    return "" if value is True else value

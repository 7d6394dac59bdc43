"""A client for MediaWiki's ``api.php`` that limits its rate and checks every answer.

It sends one request at a time, each with ``maxlag``, and waits as long as the site asks
for. An answer can be an error with status 200, HTML instead of JSON, or a batch whose
properties come only with the next ``continue``: this module handles all of these.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from icf.codes import FetchStatus
from icf.harvest.fault import Fault
from icf.harvest.http.body import Limits
from icf.harvest.http.requests_session import GuardedSession, Reply
from icf.harvest.http.retry_after import wait_seconds
from icf.harvest.http.statuses import fault_of_status, is_whole

#: Titles that one call may name.
TITLES_A_CALL = 50

#: Longest address that every server takes; beyond it the call is a POST.
_LONGEST_GET = 1500

_MAXLAG = "5"
_WAITING_ERRORS = frozenset({"maxlag", "ratelimited", "readonly"})
_MOST_CONTINUES = 1000
#: What wikis before 1.26 send in place of "continue", unless they are asked for that.
_OLDER_TOKEN = "query-continue"

Continue = dict[str, str]


class ApiError(Fault):
    """The site refuses a call.

    Args:
        code: the error code of the site, such as "missingtitle".
        message: with the request.
        again: whether another attempt may end better.
        wait: seconds for which the site asks to be left alone.
    """

    def __init__(
        self, code: str, message: str, *, again: bool, wait: float | None
    ) -> None:
        super().__init__(FetchStatus.HTTP_ERROR, message, again=again, wait=wait)
        self.code = code


@dataclass(frozen=True)
class Batch:
    """One complete batch of an answer.

    Attributes:
        query: the ``query`` object, its ``pages`` merged over all continues.
        rest: the token for the next batch; None after the last.
    """

    query: dict[str, Any]
    rest: Continue | None

    @property
    def pages(self) -> list[dict[str, Any]]:
        """The pages of the batch."""
        return list(self.query.get("pages", []))


class MediaWikiApi:
    """A client of one ``api.php``.

    Args:
        endpoint: its URL.
        session: the guarded session.
        limits: bytes and seconds of one answer.
        attempts: how often a failing call is made; three times that if it only waits.
        backoff: seconds before the second attempt; doubles each time.
    """

    def __init__(
        self,
        endpoint: str,
        session: GuardedSession,
        *,
        limits: Limits,
        attempts: int = 4,
        backoff: float = 1.0,
    ) -> None:
        self.endpoint = endpoint
        self._session = session
        self._limits = limits
        self._attempts = attempts
        self._backoff = backoff

    async def batch(
        self, parameters: Mapping[str, str], rest: Continue | None = None
    ) -> Batch:
        """Ask ``action=query`` until one batch is complete.

        Args:
            parameters: of the query, without those of `Batch.rest`.
            rest: where an earlier batch ended.

        Raises:
            Fault: the site does not answer, or refuses.
        """
        query: dict[str, Any] = {}
        pages: dict[str, dict[str, Any]] = {}
        async for batch, is_complete in self._parts(parameters, rest):
            found = dict(batch.query)
            _merge(pages, found.pop("pages"))
            _add(query, found)
            if is_complete:
                break
        return Batch({**query, "pages": list(pages.values())}, batch.rest)

    async def parts(
        self, parameters: Mapping[str, str], rest: Continue | None = None
    ) -> AsyncIterator[Batch]:
        """Ask ``action=query`` to its end; yield each answer as it came.

        Raises:
            Fault: the site does not answer, refuses, or leads in a circle.
        """
        async for batch, _ in self._parts(parameters, rest):
            yield batch

    async def _parts(
        self, parameters: Mapping[str, str], rest: Continue | None
    ) -> AsyncIterator[tuple[Batch, bool]]:
        """Yield each answer, and whether a batch is complete with it."""
        seen = {_written(rest)}
        for _ in range(_MOST_CONTINUES):
            answer = await self._queried({**parameters, **(rest or {})})
            found = object_of(answer.get("query"))
            pages: dict[str, dict[str, Any]] = {}
            _merge(pages, found.get("pages"))
            rest = _token(answer.get("continue"))
            if rest is not None and (token := _written(rest)) in seen:
                raise self._fault(f"continue={token} came twice")
            query = {**found, "pages": list(pages.values())}
            yield Batch(query, rest), rest is None or bool(answer.get("batchcomplete"))
            if rest is None:
                return
            seen.add(_written(rest))
        raise self._fault(f"no complete batch in {_MOST_CONTINUES} answers")

    async def _queried(self, parameters: Mapping[str, str]) -> dict[str, Any]:
        """Ask ``action=query``; a wiki before 1.26 has to be asked for ``continue``."""
        asked = {"action": "query", **parameters}
        answer = await self.call(asked)
        if _OLDER_TOKEN in answer and "continue" not in asked:
            answer = await self.call({**asked, "continue": ""})
        if _OLDER_TOKEN in answer:
            raise self._fault(
                "a wiki of before MediaWiki 1.21, whose long lists cannot be read to "
                "their end"
            )
        return answer

    async def call(self, parameters: Mapping[str, str]) -> dict[str, Any]:
        """Make one call; return its JSON object, waiting and trying again as needed.

        Raises:
            Fault: every attempt failed, or the site refuses the call.
        """
        failed = waited = 0
        while True:
            try:
                return await self._once(parameters)
            except Fault as fault:
                if not fault.again or fault.names_down:
                    raise
                if fault.wait is not None:
                    waited += 1
                    if waited >= 3 * self._attempts:
                        raise
                    await asyncio.sleep(fault.wait)
                else:
                    failed += 1
                    if failed >= self._attempts:
                        raise
                    await asyncio.sleep(self._backoff * 2 ** (failed - 1))

    async def _once(self, parameters: Mapping[str, str]) -> dict[str, Any]:
        asked = {"format": "json", "formatversion": "2", "maxlag": _MAXLAG}
        asked.update(parameters)
        address = f"{self.endpoint}?{urlencode(asked)}"
        form = None if len(address) <= _LONGEST_GET else asked
        try:
            reply = await asyncio.to_thread(
                self._session.ask,
                address if form is None else self.endpoint,
                self._limits,
                form=form,
            )
        except asyncio.CancelledError:
            self._session.cut()
            raise
        _check_status(reply, self._limits)
        return self._read(reply)

    def _read(self, reply: Reply) -> dict[str, Any]:
        try:
            answer = json.loads(reply.body)
        except (ValueError, RecursionError) as error:
            kind = reply.headers.get("Content-Type", "something")
            raise self._fault(
                f"{kind} came where JSON was due: {reply.body[:60]!r}", again=True
            ) from error
        if not isinstance(answer, dict):
            raise self._fault("its JSON is not an object", again=True)
        refusal = object_of(answer.get("error"))
        if not refusal:
            return answer
        code, info = str(refusal.get("code")), str(refusal.get("info"))
        wait = None
        if code in _WAITING_ERRORS:
            header = reply.headers.get("Retry-After")
            wait = wait_seconds(header, time.time(), self._limits.longest_wait)
        again = wait is not None or code.startswith("internal_api_error")
        text = f"{self.endpoint}: {code}: {info}"
        raise ApiError(code, text, again=again, wait=wait)

    def _fault(self, text: str, *, again: bool = False) -> Fault:
        return Fault(FetchStatus.HTTP_ERROR, f"{self.endpoint}: {text}", again=again)


def split_titles(titles: Iterable[str]) -> Iterable[list[str]]:
    """Yield the titles in groups that one call may name.

    >>> [len(group) for group in split_titles("x" * 120)]
    [50, 50, 20]
    """
    group: list[str] = []
    for title in titles:
        group.append(title)
        if len(group) == TITLES_A_CALL:
            yield group
            group = []
    if group:
        yield group


def _check_status(reply: Reply, limits: Limits) -> None:
    if not is_whole(reply.status):
        raise fault_of_status(
            reply.url.partition("?")[0],
            reply.status,
            f"{reply.reason} where an api.php should be",
            reply.headers.get("Retry-After"),
            limits.longest_wait,
        )


def object_of(value: object) -> dict[str, Any]:
    """Return an object of an answer; PHP writes an empty one as a list."""
    return value if isinstance(value, dict) else {}


def objects_of(value: object) -> list[dict[str, Any]]:
    """Return the objects of a list of an answer; none where it is left out."""
    found = value if isinstance(value, list) else []
    return [one for one in found if isinstance(one, dict)]


def _token(value: object) -> Continue | None:
    token = object_of(value)
    return {str(k): str(v) for k, v in token.items()} if token else None


def _written(rest: Continue | None) -> str:
    return json.dumps(rest, sort_keys=True)


def _merge(pages: dict[str, dict[str, Any]], found: object) -> None:
    """Merge the properties of a page from a further answer."""
    if isinstance(found, dict):  # formatversion=1: {"17": {...}}
        found = list(found.values())
    for page in found if isinstance(found, list) else []:
        _add(pages.setdefault(str(page.get("title")), {}), page)


def _add(known: dict[str, Any], more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, list) and isinstance(known.get(key), list):
            known[key] = known[key] + value
        else:
            known[key] = value

"""What handlers need of a request: the desk, who asks, and the JSON that was sent."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request

from icf.annotate.answers import all_storable
from icf.annotate.page.desk import Desk
from icf.annotate.page.guard import MOST_BYTES
from icf.annotate.people.people import Person, Role
from icf.annotate.people.preferences import Preferences, read_preferences
from icf.annotate.people.sessions import find_session, touch_session

#: Seconds between two notes of when somebody was there last.
NOTED = 300.0


@dataclass(frozen=True)
class Visit:
    """Who asks.

    Attributes:
        person: whose session it is.
        csrf: what the pages of this session send with whatever changes something.
        preferences: keys and colours.
    """

    person: Person
    csrf: str
    preferences: Preferences


def desk_of(request: Request) -> Desk:
    """The desk of the server."""
    found: Desk = request.app.state.desk
    return found


def session_token(request: Request) -> str | None:
    """The token in the request's cookie."""
    name: str = request.app.state.cookie
    return request.cookies.get(name)


async def visit_of_request(request: Request, least: Role = Role.ANNOTATOR) -> Visit:
    """Who asks, with what a page needs to know of the person.

    Raises:
        HTTPException: 401 without a valid session, 403 for too small a role.
    """
    someone = await person_of_request(request, least)
    desk = desk_of(request)

    def look() -> Preferences:
        with desk.workspace.catalogue.read() as connection:
            return read_preferences(connection, someone)

    csrf = desk.key.csrf_token(session_token(request) or "")
    return Visit(someone, csrf, await run_in_threadpool(look))


async def _note_seen(request: Request, someone: Person, token: str) -> None:
    """Note every few minutes that somebody is there."""
    seen: dict[int, float] = request.app.state.seen
    now = time.monotonic()
    if now < seen.get(someone.id, now - NOTED) + NOTED:
        return
    seen[someone.id] = now
    desk = desk_of(request)

    def note() -> None:
        with desk.workspace.catalogue.write() as connection:
            touch_session(connection, desk.key, token)

    await run_in_threadpool(note)


async def person_of_request(request: Request, least: Role = Role.ANNOTATOR) -> Person:
    """Who asks.

    Raises:
        HTTPException: 401 without a valid session, 403 for too small a role.
    """
    token = session_token(request)
    desk = desk_of(request)

    def look() -> Person | None:
        with desk.workspace.catalogue.read() as connection:
            return find_session(connection, desk.key, token or "")

    someone = await run_in_threadpool(look) if token else None
    if someone is None:
        raise HTTPException(401, "open your invite link again")
    await _note_seen(request, someone, token or "")
    if someone.role < least:
        raise HTTPException(403, f"this needs the role {least}")
    return someone


async def json_of(request: Request, *, checked: bool = True) -> Mapping[str, Any]:
    """The JSON object in the request's body.

    Args:
        request: the request.
        checked: whether it is refused for a text that no database can store.

    Raises:
        HTTPException: 413 where it is too long, 400 where it is none.
    """
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            raise HTTPException(413, "too much at once")
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise HTTPException(400, "the body is no JSON") from None
    if not isinstance(found, dict):
        raise HTTPException(400, "the body is no JSON object")
    if checked and not all_storable(found):
        raise HTTPException(400, "the body has a character that cannot be stored")
    return found

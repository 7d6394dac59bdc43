"""What handlers need of a request: the desk, who asks, and the JSON that was sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request

from icf.annotate.page.desk import Desk
from icf.annotate.people.people import Person, Role
from icf.annotate.people.sessions import find_session

COOKIE = "icf_session"
#: Bytes of a request's body.
MOST_BYTES = 2_000_000


def desk_of(request: Request) -> Desk:
    """The desk of the server."""
    found: Desk = request.app.state.desk
    return found


async def person_of_request(request: Request, least: Role = Role.ANNOTATOR) -> Person:
    """Who asks.

    Raises:
        HTTPException: 401 without a valid session, 403 for too small a role.
    """
    token = request.cookies.get(COOKIE)
    desk = desk_of(request)

    def look() -> Person | None:
        with desk.workspace.catalogue.read() as connection:
            return find_session(connection, desk.key, token or "")

    someone = await run_in_threadpool(look) if token else None
    if someone is None:
        raise HTTPException(401, "open your invite link again")
    if someone.role < least:
        raise HTTPException(403, f"this needs the role {least}")
    return someone


async def json_of(request: Request) -> Mapping[str, Any]:
    """The JSON object in the request's body.

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
    return found

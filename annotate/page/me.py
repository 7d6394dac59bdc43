"""A person's own page: how it goes, keys and colours."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from icf.annotate.page.requests import desk_of, json_of, visit_of_request
from icf.annotate.people.preferences import (
    RefusedPreference,
    changed,
    write_preferences,
)


async def preferences(request: Request) -> JSONResponse:
    """``{"keys": {action: key}, "theme": ...}``."""
    return JSONResponse((await visit_of_request(request)).preferences.as_json())


async def set_preferences(request: Request) -> JSONResponse:
    """Change some of them; answers with all."""
    visit = await visit_of_request(request)
    desk = desk_of(request)
    try:
        chosen = changed(visit.preferences, await json_of(request))
    except RefusedPreference as error:
        raise HTTPException(400, str(error)) from None

    def work() -> None:
        with desk.workspace.catalogue.write() as connection:
            write_preferences(connection, visit.person, chosen)

    await run_in_threadpool(work)
    return JSONResponse(chosen.as_json())


ROUTES = [
    Route("/api/preferences", preferences),
    Route("/api/preferences", set_preferences, methods=["POST"]),
]

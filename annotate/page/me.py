"""A person's own page: how it goes, keys and colours, a pause."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route

from icf.annotate.gold.score import LEAST
from icf.annotate.page.html import render
from icf.annotate.page.requests import (
    desk_of,
    json_of,
    person_of_request,
    visit_of_request,
)
from icf.annotate.page.statistics import work_of
from icf.annotate.people.people import BY_ONESELF, pause, resume
from icf.annotate.people.preferences import (
    DEFAULT_KEYS,
    THEMES,
    RefusedPreference,
    changed,
    write_preferences,
)

#: What the page calls each action that has a key.
ACTIONS = {
    "same": "The same character",
    "different": "Another character",
    "unsure": "Cannot tell",
    "not_a_face": "This is no face",
    "wrong_reference": "The reference is wrong",
    "context": "Show the whole picture",
    "undo": "Undo",
    "pause": "Pause",
}


async def me_page(request: Request) -> HTMLResponse:
    """How it goes, and what can be chosen."""
    visit = await visit_of_request(request)
    desk = desk_of(request)

    def work() -> HTMLResponse:
        with desk.workspace.catalogue.read() as connection:
            done = work_of(connection, visit.person.name)
        values = {
            "work": done,
            "least_gold": LEAST,
            "actions": ACTIONS,
            "defaults": DEFAULT_KEYS,
            "themes": THEMES,
            "by_oneself": visit.person.paused == BY_ONESELF,
        }
        return render("me", visit=visit, desk=desk, values=values)

    return await run_in_threadpool(work)


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


async def set_pause(request: Request) -> JSONResponse:
    """``{"paused": true or false}``: rest, or go on.

    Whoever was paused by others goes on when they say so.
    """
    someone = await person_of_request(request)
    desk = desk_of(request)
    wanted = (await json_of(request)).get("paused")
    if not isinstance(wanted, bool):
        raise HTTPException(400, "paused must be true or false")
    if not wanted and someone.paused not in (None, BY_ONESELF):
        raise HTTPException(403, "you did not pause yourself: ask an admin")

    def work() -> None:
        with desk.workspace.catalogue.write() as connection:
            if wanted:
                pause(connection, someone, BY_ONESELF)
            else:
                resume(connection, someone)

    await run_in_threadpool(work)
    return JSONResponse({"paused": wanted})


ROUTES = [
    Route("/me", me_page),
    Route("/api/preferences", preferences),
    Route("/api/preferences", set_preferences, methods=["POST"]),
    Route("/api/pause", set_pause, methods=["POST"]),
]

"""The first page: which tasks there are, and how much waits in each."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from icf.annotate.page.html import TITLES, WHAT, further, offered, page, render
from icf.annotate.page.requests import desk_of, person_of_request, visit_of_request


async def home_page(request: Request) -> Response:
    """What there is to do; where there are no tasks at all, the first other page."""
    visit = await visit_of_request(request)
    desk = desk_of(request)
    others = further(desk, visit.person)
    if others and not desk.tasks:
        return RedirectResponse(f"/{others[0][0]}", 303)
    tasks = [
        (name, title, WHAT.get(name, "")) for name, title in offered(desk, visit.person)
    ]
    return await run_in_threadpool(
        render, "home", visit=visit, desk=desk, values={"tasks": tasks}
    )


async def waiting(request: Request) -> JSONResponse:
    """How much waits for a person: ``{"waiting": n}``.

    The page asks for it when it is shown, so no task that has to look for its things
    keeps it from coming.
    """
    someone = await person_of_request(request)
    kind = desk_of(request).tasks.get(request.path_params["task"])
    if kind is None or someone.role < kind.role:
        raise HTTPException(404, "there is no such task")
    return JSONResponse({"waiting": await run_in_threadpool(kind.waiting, someone)})


async def task_page(request: Request) -> HTMLResponse:
    """The page of a task: its template, if it is offered."""
    await person_of_request(request)
    name = request.path_params["task"]
    kind = desk_of(request).tasks.get(name)
    if kind is None:
        raise HTTPException(404, "there is no such page")
    return await page(request, name, kind.role, {"title": TITLES.get(name, name)})


ROUTES = [
    Route("/", home_page),
    Route("/api/{task}/waiting", waiting),
    # The last of all: any other address.
    Route("/{task}", task_page),
]

"""The admin's page: how far everything is, who does what; invites and pauses."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route

from icf.annotate.boxes.page_run import COMMAND
from icf.annotate.boxes.settle_again import settle_again
from icf.annotate.gold.pauses import go_on
from icf.annotate.gold.score import LEAST
from icf.annotate.page.desk import Desk
from icf.annotate.page.html import TITLES, render
from icf.annotate.page.limits import Limit
from icf.annotate.page.remembered import Remembered
from icf.annotate.page.requests import (
    desk_of,
    json_of,
    person_of_request,
    visit_of_request,
)
from icf.annotate.page.serve import remembered_address
from icf.annotate.page.serving import Serving
from icf.annotate.page.statistics import Overview, overview
from icf.annotate.people.people import (
    BY_ADMIN,
    Person,
    Role,
    find_person,
    pause,
)
from icf.annotate.people.sessions import make_invite, revoke
from icf.catalogue.annotation.pauses import DISCOUNTED
from icf.names import LONGEST_NAME, normal_name
from icf.workspace import Workspace

#: Seconds for which the page's numbers are kept.
KEPT = 5.0
#: Invites that one address, or all, may make in an hour.
INVITES = 60
INVITES_SECONDS = 3600.0
#: Days for which a link from the page works, unless it says otherwise, and at most.
DAYS = 14.0
MOST_DAYS = 366.0


def overview_of(desk: Desk) -> Remembered[Overview]:
    """The numbers of the page, which many may ask for at once."""

    def make() -> Overview:
        with desk.workspace.catalogue.read() as connection:
            return overview(connection)

    return Remembered(make, KEPT)


async def admin_page(request: Request) -> HTMLResponse:
    """How far everything is, and who does what."""
    visit = await visit_of_request(request, Role.ADMIN)
    desk = desk_of(request)
    numbers: Remembered[Overview] = request.app.state.overview

    def work() -> HTMLResponse:
        values = {
            "found": numbers.get(),
            "titles": {**TITLES, "audit": "Audit"},
            "least_gold": LEAST,
            "days": DAYS,
            "roles": [str(role) for role in Role],
            "ago": ago,
            "day": lambda at: datetime.fromtimestamp(at).strftime("%Y-%m-%d"),
        }
        return render("admin", visit=visit, desk=desk, values=values)

    return await run_in_threadpool(work)


async def invite_somebody(request: Request) -> JSONResponse:
    """``{"name", "role", "days"}`` to ``{"url", "name", "role"}``."""
    await person_of_request(request, Role.ADMIN)
    desk = desk_of(request)
    limit: Limit = request.app.state.invites
    address = request.client.host if request.client else ""
    if not limit.allows(address):
        raise HTTPException(
            429, "too many invites in an hour; wait, or use the command"
        )
    asked = await json_of(request)
    name = normal_name(asked["name"]) if isinstance(asked.get("name"), str) else ""
    role, days = asked.get("role", str(Role.ANNOTATOR)), asked.get("days", DAYS)
    if not 0 < len(name) <= LONGEST_NAME:
        raise HTTPException(400, "a name is needed")
    if role not in [str(each) for each in Role]:
        raise HTTPException(400, "there is no such role")
    number = isinstance(days, (int, float)) and not isinstance(days, bool)
    if not number or not 0 < days <= MOST_DAYS:
        raise HTTPException(400, f"days must be above 0, and at most {MOST_DAYS:g}")
    limit.count(address)

    def work() -> str:
        with desk.workspace.catalogue.write() as connection:
            return make_invite(
                connection, desk.key, name, Role[role.upper()], float(days)
            )[0]

    token = await run_in_threadpool(work)
    request.app.state.overview.forget()
    serving: Serving = request.app.state.serving
    base = serving.address_for_others(request.headers["host"])
    base = base or remembered_address(desk.workspace.root)
    return JSONResponse({"url": f"{base}/join/{token}", "name": name, "role": role})


async def pause_somebody(request: Request) -> JSONResponse:
    """``{"name"}``: the person gets no questions until an admin says so."""
    return await _change(request, lambda c, someone: pause(c, someone, BY_ADMIN))


async def resume_somebody(request: Request) -> JSONResponse:
    """``{"name"}``: the person gets questions again."""
    return await _change(request, go_on, _settle_boxes)


async def revoke_somebody(request: Request) -> JSONResponse:
    """``{"name"}``: the person is shut out at once."""
    return await _change(request, revoke)


def _settle_boxes(workspace: Workspace, someone: Person) -> None:
    """Let the boxes of somebody who was discounted count again."""
    if someone.paused == DISCOUNTED:
        settle_again(workspace, someone.name, COMMAND)


async def _change(
    request: Request,
    change: Callable[[sa.Connection, Person], None],
    then: Callable[[Workspace, Person], None] | None = None,
) -> JSONResponse:
    await person_of_request(request, Role.ADMIN)
    desk = desk_of(request)
    name = (await json_of(request)).get("name")

    def work() -> bool:
        with desk.workspace.catalogue.write() as connection:
            someone = find_person(connection, name) if isinstance(name, str) else None
            if someone is not None:
                change(connection, someone)
        if someone is not None and then is not None:
            then(desk.workspace, someone)
        return someone is not None

    if not await run_in_threadpool(work):
        raise HTTPException(404, "there is nobody of that name")
    request.app.state.overview.forget()
    return JSONResponse({})


def ago(at: float | None, now: float | None = None) -> str:
    """Say how long ago something was.

    >>> ago(0.0, 30.0), ago(0.0, 7200.0), ago(None)
    ('now', '2 h ago', 'never')
    """
    if at is None:
        return "never"
    seconds = (time.time() if now is None else now) - at
    for length, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= length:
            return f"{seconds // length:.0f} {unit} ago"
    return "now"


ROUTES = [
    Route("/admin", admin_page),
    Route("/api/admin/invite", invite_somebody, methods=["POST"]),
    Route("/api/admin/pause", pause_somebody, methods=["POST"]),
    Route("/api/admin/resume", resume_somebody, methods=["POST"]),
    Route("/api/admin/revoke", revoke_somebody, methods=["POST"]),
]

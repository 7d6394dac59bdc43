"""The web application: every route, behind the security of `icf.annotate.page`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Scope

from icf.annotate.page import admin, api, home, html, join, me, pictures, static
from icf.annotate.page.desk import Desk
from icf.annotate.page.guard import Guard
from icf.annotate.page.limits import Limit
from icf.annotate.page.serving import Serving


def make_app(
    desk: Desk, serving: Serving | None = None, more: Sequence[Route] = ()
) -> Starlette:
    """Make the application of a desk.

    Args:
        desk: what it works with.
        serving: how browsers reach it; None: on this machine alone.
        more: routes of the desk's further pages.
    """
    serving = serving or Serving()
    cookie = join.cookie_name(desk.key, serving)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        desk.background.start()
        try:
            yield
        finally:
            await run_in_threadpool(desk.background.stop)

    app = Starlette(
        routes=[
            *more,
            *static.ROUTES,
            *join.ROUTES,
            *me.ROUTES,
            *admin.ROUTES,
            *api.ROUTES,
            *pictures.ROUTES,
            *home.ROUTES,
        ],
        middleware=[Middleware(Guard, desk.key, serving, cookie, _failed)],
        exception_handlers={HTTPException: _refused},
        lifespan=lifespan,
    )
    app.state.desk = desk
    app.state.serving = serving
    app.state.cookie = cookie
    app.router.redirect_slashes = False
    app.state.seen = {}
    app.state.overview = admin.overview_of(desk)
    app.state.invites = Limit(admin.INVITES, admin.INVITES, admin.INVITES_SECONDS)
    app.state.tries = Limit(join.TRIES, join.TRIES_IN_ALL, join.TRIES_SECONDS)
    return app


async def _refused(request: Request, error: Exception) -> Response:
    """Say why: as JSON to scripts, as a page to people."""
    assert isinstance(error, HTTPException)
    if _is_for_scripts(request.url.path):
        return JSONResponse({"error": error.detail}, error.status_code)
    if error.status_code == 401 and request.method in ("GET", "HEAD"):
        return join.without_session(request)
    return html.render(
        "refused", status=error.status_code, values={"why": error.detail}
    )


def _failed(scope: Scope, status: int) -> Response:
    """Say nothing of what went wrong to the browser."""
    if _is_for_scripts(scope["path"]):
        return JSONResponse({"error": "the server failed; try again"}, status)
    why = "the server failed; what you answered is kept; try again in a moment"
    return html.render("refused", status=status, values={"why": why})


def _is_for_scripts(path: str) -> bool:
    return path.startswith(("/api/", "/picture/", "/static/"))

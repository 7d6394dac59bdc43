"""From an invite link to a session, and its end.

A link may be opened on several devices until it expires. Opening it shows a button, and
only the button begins a session: so a preview that a chat program makes of a link does
nothing.
"""

from __future__ import annotations

from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from icf.annotate.page.desk import Desk
from icf.annotate.page.html import render
from icf.annotate.page.limits import Limit
from icf.annotate.page.requests import (
    desk_of,
    person_of_request,
    session_token,
    visit_of_request,
)
from icf.annotate.page.serving import Serving
from icf.annotate.people.people import Person
from icf.annotate.people.sessions import (
    SESSION_SECONDS,
    begin_session,
    end_session,
    find_invited,
)
from icf.annotate.people.tokens import SecretKey

#: Failed tries of ten minutes, of one address and of all: links are not mistyped.
TRIES = 10
TRIES_IN_ALL = 500
TRIES_SECONDS = 600.0
#: Put at the end of an address when a page loads itself again.
AGAIN = "again"


def cookie_name(key: SecretKey, serving: Serving) -> str:
    """The name of the session's cookie.

    Browsers send cookies of one host to all its ports, so two workspaces need two
    names. With TLS the prefix ``__Host-`` keeps other hosts of the domain from setting
    it.
    """
    name = f"icf-{key.hash_of('cookie')[:8]}"
    return f"__Host-{name}" if serving.secure else name


async def join_page(request: Request) -> Response:
    """What an invite link shows: who is invited, and a button."""
    someone = await _invited(request)
    values = {"name": someone.name, "token": request.path_params["token"]}
    return render("join", values=values)


async def join(request: Request) -> Response:
    """Begin a session, a new one whatever cookie the browser has."""
    someone = await _invited(request)
    desk = desk_of(request)
    earlier = session_token(request)

    def work() -> str:
        with desk.workspace.catalogue.write() as connection:
            if earlier:
                end_session(connection, desk.key, earlier)
            return begin_session(connection, desk.key, someone)

    token = await run_in_threadpool(work)
    response = RedirectResponse("/", 303)
    _set_cookie(request, response, token, int(SESSION_SECONDS))
    return response


async def session(request: Request) -> JSONResponse:
    """Who is logged in, and the CSRF token: for pages opened before a new login."""
    visit = await visit_of_request(request)
    return JSONResponse({"name": visit.person.name, "csrf": visit.csrf})


async def leave(request: Request) -> Response:
    """End this session, and forget its cookie."""
    await person_of_request(request)
    desk, token = desk_of(request), session_token(request)

    def work() -> None:
        with desk.workspace.catalogue.write() as connection:
            end_session(connection, desk.key, token or "")

    await run_in_threadpool(work)
    response = render("left")
    _set_cookie(request, response, "", 0)
    return response


def without_session(request: Request) -> HTMLResponse:
    """What is shown where nobody is logged in.

    Browsers send no ``SameSite=Strict`` cookie when a link on another site, or in a
    chat, leads here. So the page first loads itself again: that comes from this site,
    and has the cookie.
    """
    if AGAIN in request.query_params:
        return render("no_session", status=401, values={"again": None})
    # One slash, or it would be the address of another host.
    address = "/" + quote(request.url.path.lstrip("/"))
    asked = quote(request.url.query, safe="%=&+")
    address += f"?{asked}&{AGAIN}" if asked else f"?{AGAIN}"
    return render("no_session", status=401, values={"again": address})


async def _invited(request: Request) -> Person:
    """Whom a link is of.

    Raises:
        HTTPException: 404 for a wrong or old link, 429 after too many of these.
    """
    limit: Limit = request.app.state.tries
    address = request.client.host if request.client else ""
    if not limit.allows(address):
        raise HTTPException(429, "too many links that do not work; wait ten minutes")
    desk = desk_of(request)
    someone = await run_in_threadpool(_find, desk, request.path_params["token"])
    if someone is None:
        limit.count(address)
        raise HTTPException(
            404, "this link does not work any more: ask for another one"
        )
    return someone


def _find(desk: Desk, token: str) -> Person | None:
    with desk.workspace.catalogue.read() as connection:
        return find_invited(connection, desk.key, token)


def _set_cookie(request: Request, response: Response, value: str, age: int) -> None:
    serving: Serving = request.app.state.serving
    response.set_cookie(
        request.app.state.cookie,
        value,
        max_age=age,
        path="/",
        secure=serving.secure,
        httponly=True,
        samesite="strict",
    )


ROUTES = [
    Route("/join/{token}", join_page),
    Route("/join/{token}", join, methods=["POST"]),
    Route("/leave", leave, methods=["POST"]),
    Route("/api/session", session),
]

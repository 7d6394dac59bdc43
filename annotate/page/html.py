"""Pages: templates with what all of them need to know."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse

from icf.annotate.page.desk import Desk
from icf.annotate.page.requests import Visit, desk_of, visit_of_request
from icf.annotate.page.static import static_url
from icf.annotate.people.people import Person, Role
from icf.annotate.people.preferences import Preferences
from icf.pages.templates import html_templates

_FOLDER = Path(__file__).parent / "templates"

#: What the menu calls each task.
TITLES = {
    "pairs": "Pairs",
    "grid": "Grid",
    "boxes": "Boxes",
    "attributes": "Attributes",
    "review": "Review",
    "box-review": "Disputed boxes",
}
WHAT = {
    "pairs": "Is this the same character? One key an answer.",
    "grid": "Tap all that are not the same character.",
    "boxes": "Is every drawn face in this picture boxed, and well?",
    "attributes": "Gender, pose and occlusion of a face.",
    "review": "What others could not settle.",
    "box-review": "Pictures whose boxes people differ about.",
}
#: When a page is dark, as a media query, by the theme that the person chose.
_WHEN_DARK = {
    "system": "(prefers-color-scheme: dark)",
    "light": "not all",
    "dark": "all",
}


@cache
def _templates() -> jinja2.Environment:
    made = html_templates(_FOLDER)
    made.globals["static"] = static_url
    made.globals["when_dark"] = _WHEN_DARK
    return made


def has_template(name: str) -> bool:
    """Whether there is a page of that name."""
    return (_FOLDER / f"{name}.html").is_file()


def offered(desk: Desk, someone: Person) -> list[tuple[str, str]]:
    """The name and the title of each task that a person may open, in order."""
    return [
        (name, TITLES.get(name, name.title()))
        for name, kind in desk.tasks.items()
        if someone.role >= kind.role and has_template(name)
    ]


def further(desk: Desk, someone: Person) -> list[tuple[str, str]]:
    """The name and the title of each page besides tasks that a person may open."""
    return list(desk.pages.items()) if someone.role >= Role.REVIEWER else []


def render(
    name: str,
    *,
    visit: Visit | None = None,
    desk: Desk | None = None,
    status: int = 200,
    values: Mapping[str, Any] | None = None,
) -> HTMLResponse:
    """Make a page.

    Args:
        name: of its template, without ``.html``.
        visit: whose page it is; None: somebody without a session.
        desk: of the server, for the menu.
        status: of HTTP.
        values: what the template needs besides.
    """
    menu = []
    if visit and desk:
        menu = [*offered(desk, visit.person), *further(desk, visit.person)]
    html = (
        _templates()
        .get_template(f"{name}.html")
        .render(
            page=name,
            person=visit.person if visit else None,
            is_admin=visit is not None and visit.person.role >= Role.ADMIN,
            csrf=visit.csrf if visit else "",
            preferences=visit.preferences if visit else Preferences(),
            menu=menu,
            **(values or {}),
        )
    )
    return HTMLResponse(html, status)


async def page(
    request: Request,
    name: str,
    least: Role = Role.ANNOTATOR,
    values: Mapping[str, Any] | None = None,
) -> HTMLResponse:
    """Make a page of somebody who has a session.

    Raises:
        HTTPException: 401 without a session, 403 for too small a role.
    """
    visit = await visit_of_request(request, least)
    return await run_in_threadpool(
        render, name, visit=visit, desk=desk_of(request), values=values
    )

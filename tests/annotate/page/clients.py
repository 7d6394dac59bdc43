"""Browsers without a screen: clients of the page's application, logged in or not."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.testclient import TestClient

from icf.annotate.page.app import make_app
from icf.annotate.page.desk import TASKS, Desk, open_desk
from icf.annotate.page.serving import Serving
from icf.annotate.people.people import Role
from icf.annotate.people.sessions import begin_session, find_invited, make_invite
from icf.workspace import Workspace

ORIGIN = "http://127.0.0.1:8765"


def app_of(workspace: Workspace, serving: Serving | None = None) -> Starlette:
    """The application of a workspace, with all tasks."""
    return make_app(open_desk(workspace, TASKS), serving)


def stranger(app: Starlette) -> TestClient:
    """A browser that is not logged in; it follows no redirects."""
    return TestClient(app, ORIGIN, headers={"Origin": ORIGIN}, follow_redirects=False)


def signed_in(
    app: Starlette, name: str = "Ann", role: Role = Role.ANNOTATOR
) -> TestClient:
    """A browser of somebody who opened an invite link; it sends the CSRF token."""
    desk: Desk = app.state.desk
    with desk.workspace.catalogue.write() as connection:
        token, _ = make_invite(connection, desk.key, name, role, days=1)
        someone = find_invited(connection, desk.key, token)
        assert someone is not None
        session = begin_session(connection, desk.key, someone)
    client = stranger(app)
    client.cookies.set(app.state.cookie, session, domain="127.0.0.1")
    client.headers["X-CSRF-Token"] = desk.key.csrf_token(session)
    return client

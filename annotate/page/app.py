"""The web application: every route, behind the security of `icf.annotate.page`."""

from __future__ import annotations

from starlette.applications import Starlette

from icf.annotate.page import api, pictures
from icf.annotate.page.desk import Desk


def make_app(desk: Desk) -> Starlette:
    """Make the application of a desk."""
    app = Starlette(routes=[*api.ROUTES, *pictures.ROUTES])
    app.state.desk = desk
    return app

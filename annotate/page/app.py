"""The web application: every route, behind the security of `icf.annotate.page`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool

from icf.annotate.page import api, pictures
from icf.annotate.page.desk import Desk


def make_app(desk: Desk) -> Starlette:
    """Make the application of a desk."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        desk.background.start()
        try:
            yield
        finally:
            await run_in_threadpool(desk.background.stop)

    app = Starlette(routes=[*api.ROUTES, *pictures.ROUTES], lifespan=lifespan)
    app.state.desk = desk
    return app

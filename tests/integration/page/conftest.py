"""A browser for the tests of the page, and workspaces with something to answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from icf.annotate.people.people import Role
from tests.annotate.place import Place
from tests.integration.page.server import CHROMIUM, AnyServer

#: Milliseconds that a test waits for something on a page: longer than any pause after
#: which the page tries again.
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A real Chromium, of one module: what steers it has an event loop of its own.

    No other test of this process can run one meanwhile.
    """
    if CHROMIUM is None:
        pytest.skip("no chromium here")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        )
        yield started
        started.close()


@pytest.fixture
def contexts(chromium: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Makes profiles of the browser, by the options of `Browser.new_context`."""
    with ExitStack() as stack:

        def make(**options: Any) -> BrowserContext:
            made = chromium.new_context(**{"viewport": LAPTOP, **options})
            made.set_default_timeout(PATIENCE)
            stack.callback(made.close)
            return made

        yield make


#: Sizes of windows.
LAPTOP = {"width": 1366, "height": 768}
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def place(plain: Place) -> Place:
    """The database makes no difference to the pages."""
    return plain


@pytest.fixture
def sign_in(
    contexts: Callable[..., BrowserContext],
) -> Callable[..., Page]:
    """Opens an invite link in a new profile, and then a page."""

    def open_page(
        server: AnyServer,
        path: str,
        name: str = "Ann",
        role: Role = Role.ANNOTATOR,
        **options: Any,
    ) -> Page:
        page = contexts(**options).new_page()
        join(page, server.invite(name, role))
        page.goto(f"{server.url}{path}")
        return page

    return open_page


def join(page: Page, link: str) -> None:
    """Open an invite link as a person does."""
    page.goto(link)
    page.get_by_role("button", name="Begin").click()
    page.wait_for_url("**/")

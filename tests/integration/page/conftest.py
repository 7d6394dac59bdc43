"""A browser for the tests of the page, and workspaces with something to answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
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


#: The modules of this folder are divided among so many browsers, and workers.
_BROWSERS = 3
_MODULES = sorted(each.name for each in Path(__file__).parent.glob("test_*.py"))


@pytest.hookimpl(tryfirst=True)
def pytest_itemcollected(item: pytest.Item) -> None:
    """Keep the modules that share a browser in one worker, one after another."""
    if not isinstance(item, pytest.Function) or "filtered_demo" in item.fixturenames:
        return  # with the others that use the demo
    number = _MODULES.index(item.path.name) % _BROWSERS
    item.add_marker(pytest.mark.xdist_group(f"pages {number}"))


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """A real Chromium, of this folder: what steers it has an event loop of its own.

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
            made = chromium.new_context(**{**_USUAL, **options})
            made.set_default_timeout(PATIENCE)
            stack.callback(made.close)
            return made

        yield make


#: Sizes of windows.
LAPTOP = {"width": 1366, "height": 768}
PHONE = {"width": 390, "height": 844}
#: A profile that nothing was chosen for. What moves is drawn sixty times a second.
_USUAL = {"viewport": LAPTOP, "reduced_motion": "reduce"}


@pytest.fixture
def place(plain: Place) -> Place:
    """The database makes no difference to the pages."""
    return plain


@pytest.fixture
def sign_in(
    contexts: Callable[..., BrowserContext],
) -> Callable[..., Page]:
    """Opens a page in a new profile of somebody who is logged in."""

    def open_page(
        server: AnyServer,
        path: str,
        name: str = "Ann",
        role: Role = Role.ANNOTATOR,
        **options: Any,
    ) -> Page:
        profile = contexts(**options)
        log_in(profile, server, name, role)
        page = profile.new_page()
        page.goto(f"{server.url}{path}")
        return page

    return open_page


def log_in(
    profile: BrowserContext,
    server: AnyServer,
    name: str = "Ann",
    role: Role = Role.ANNOTATOR,
) -> None:
    """Send what the button behind an invite link sends, and show none of its pages."""
    link, here = server.invite(name, role), {"Origin": server.url}
    answer = profile.request.post(link, headers=here, max_redirects=0)
    assert answer.status == 303, answer.text()


def join(page: Page, link: str) -> None:
    """Open an invite link as a person does."""
    page.goto(link)
    page.get_by_role("button", name="Begin").click()
    page.wait_for_url("**/")

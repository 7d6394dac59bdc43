"""Pages that are left before they got what they asked for, in a real browser."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, Route, expect

from icf.catalogue.annotation.schema import lease
from tests.annotate.pairs.asked import ask_about
from tests.annotate.place import Place
from tests.integration.page.server import PageServer


@pytest.mark.parametrize(("task", "leases"), [("pairs", 12), ("grid", 16)])
def test_what_a_page_did_not_wait_for_is_asked_at_once_again(
    place: Place, sign_in: Callable[..., Page], task: str, leases: int
) -> None:
    ask_about(place, leases, probability=0.95)
    with PageServer(place, task) as server:
        page = sign_in(server, "/me")
        with place.workspace.catalogue.write():  # the server cannot lease meanwhile
            with page.expect_request(f"**/api/{task}/next"):
                page.goto(f"{server.url}/{task}", wait_until="commit")
            page.goto(f"{server.url}/me")
        until_given_back(place, leases)
        page.goto(f"{server.url}/{task}")
        expect(page.locator("#work")).to_have_attribute("data-state", "asking")


def test_a_page_that_is_left_asks_for_nothing_more(
    place: Place, sign_in: Callable[..., Page]
) -> None:
    ask_about(place, 2)
    with PageServer(place, "pairs") as server:
        page = sign_in(server, "/me")
        held: list[Route] = []
        page.route("**/api/pairs/next", lambda route: held.append(route))
        with page.expect_request("**/api/pairs/next"):
            page.goto(f"{server.url}/pairs")
        page.evaluate("void dispatchEvent(new PageTransitionEvent('pagehide'))")
        with page.expect_event("requestfailed"):
            held[0].abort()
        page.evaluate("new Promise((done) => setTimeout(done))")
        assert len(held) == 1


def until_given_back(place: Place, count: int) -> None:
    """Wait until so many leases were made, and all of them ended."""
    query = sa.select(sa.func.count(), sa.func.count(lease.c.ended_at))
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with place.workspace.catalogue.read() as connection:
            made, ended = connection.execute(query).one()
        if made == ended == count:
            return
        time.sleep(0.02)
    raise AssertionError(f"{ended} of {made} leases ended; {count} were to be made")

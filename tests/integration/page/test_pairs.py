"""A session of pairs in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.annotate.pairs.asked import ask_about
from tests.annotate.place import Place
from tests.integration.page.server import PageServer, answers_of


def shown(page: Page, number: int) -> None:
    """Wait until so many pairs were shown, the last of them now."""
    expect(page.locator("#work")).to_have_attribute("data-shown", str(number))


def sent(page: Page) -> None:
    """Wait until the server has every answer."""
    expect(page.locator("#banner")).to_have_attribute("data-waiting", "0")
    expect(page.locator("#banner")).to_have_attribute("data-state", "sent")


def test_a_session_by_keyboard(place: Place, sign_in: Callable[..., Page]) -> None:
    ids = ask_about(place, 6)
    with PageServer(place, "pairs") as server:
        page = sign_in(server, "/pairs")
        for number, key in enumerate("fjunr", 1):
            shown(page, number)
            page.keyboard.press(key)
        shown(page, 6)
        sent(page)
        choices = ("true", "false", "unsure", "not_a_face", "wrong_reference")
        assert answers_of(place) == [
            (key, "Ann", choice) for key, choice in zip(ids, choices, strict=False)
        ]

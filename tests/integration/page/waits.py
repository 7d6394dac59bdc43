"""Waits for what only the awaited event can bring about.

A banner that is empty at first, or a state from before a key was pressed, is no sign
that something happened.
"""

from __future__ import annotations

from playwright.sync_api import ConsoleMessage, Page, expect


def everything_is_sent(page: Page) -> None:
    """Wait until the outbox was looked at, and the server has all that was in it.

    Wait before this for what the page shows once it has kept the last answer.
    """
    done = page.locator('#banner[data-state="sent"][data-waiting="0"]')
    expect(done).to_have_count(1)


def sent(page: Page, stored: int) -> None:
    """Wait until so many answers were given since it was loaded, and all are sent."""
    expect(page.locator("#work")).to_have_attribute("data-stored", str(stored))
    everything_is_sent(page)


def kept(page: Page, number: int) -> None:
    """Wait until so many answers wait in the browser; some must."""
    assert number > 0
    expect(page.locator("#banner")).to_have_attribute("data-waiting", str(number))


def shown(page: Page, number: int) -> None:
    """Wait until so many things were shown, and the last one can be answered."""
    expect(page.locator("#work")).to_have_attribute("data-shown", str(number))


def loaded(page: Page, ahead: int) -> None:
    """Wait until so many can be answered without a network, after the one shown."""
    expect(page.locator("#work")).to_have_attribute("data-ahead", str(ahead))


def seen(page: Page, pictures: str) -> None:
    """Wait until all of some pictures are there: nobody answers before that."""
    page.wait_for_function(
        "(which) => [...document.querySelectorAll(which)]"
        ".every((each) => each.naturalWidth > 0)",
        arg=pictures,
    )


def complaints_of(page: Page) -> list[str]:
    """What the browser will complain about from now on: blocked or failed things."""
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return complaints

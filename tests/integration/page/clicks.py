"""What people do that a steered browser does too fast or too slowly to be relied on."""

from __future__ import annotations

from playwright.sync_api import Locator, Page

_FIRST = """(button) => {
  const click = (detail) =>
    new MouseEvent("click", { detail, bubbles: true, cancelable: true });
  const first = click(1);
  window.second = click(2);
  button.dispatchEvent(first);
}"""
_SECOND = "(button) => button.dispatchEvent(window.second)"
_AWAY = """() => {
  const now = Date.now;
  let state = "hidden";
  Object.defineProperty(document, "visibilityState", { get: () => state });
  document.dispatchEvent(new Event("visibilitychange"));
  Date.now = () => now() + 660000;
  state = "visible";
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def first_click(button: Locator) -> None:
    """Begin a double click; the second click of it happens at the same moment."""
    button.evaluate(_FIRST)


def second_click(button: Locator) -> None:
    """End it, whatever the page shows by now."""
    button.evaluate(_SECOND)


def be_away(page: Page) -> None:
    """Come back to a page that was hidden for eleven minutes; once a page."""
    page.evaluate(_AWAY)

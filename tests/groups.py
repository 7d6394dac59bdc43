"""Which tests run together, and in which order: a plugin of pytest.

Tests that share something costly run in one worker, one after another, so that it is
made once; the slow ones begin first, so that no worker is left with one at the end.
"""

from __future__ import annotations

import pytest

#: Fixtures of a session that take long to make; who uses one is in its group.
COSTLY = ("undisturbed", "wiki")

#: A string that has more characters is a document.
LONGEST_NAME = 80


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a case by its argument, and pytest numbers it, where its value is no name.

    Bytes may hold the time at which they were packed, and then two workers would not
    agree on what the tests are.
    """
    long = isinstance(val, str) and len(val) > LONGEST_NAME
    return argname if long or isinstance(val, bytes) else None


def pytest_itemcollected(item: pytest.Item) -> None:
    group = _group(item)
    if group and not item.get_closest_marker("xdist_group"):
        item.add_marker(pytest.mark.xdist_group(group))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def _group(item: pytest.Item) -> str | None:
    """The costly fixture of the session that a test uses, or its module."""
    if not isinstance(item, pytest.Function):
        return None
    names = item.fixturenames
    costly = next((name for name in COSTLY if name in names), None)
    if costly:
        return costly
    known = item._fixtureinfo.name2fixturedefs
    shared = any(
        each.scope == "module" for name in names for each in known.get(name, ())
    )
    return item.module.__name__ if shared else None

"""Which tests run together, and in which order: a plugin of pytest.

Tests that share something costly run in one worker, one after another, so that it is
made once; the slow ones begin, so that no worker is left with one at the end.
"""

from __future__ import annotations

import pytest

#: Fixtures of a session that take long to make; who uses one is in its group.
COSTLY = ("filtered_demo", "wiki")

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
    if group in COSTLY or "integration" in item.path.parts or _asks_postgres(item):
        item.add_marker("slow")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    """The long groups first, then what is slow."""
    marks = item.iter_markers("xdist_group")
    if any(each in COSTLY for mark in marks for each in mark.args):
        return 0
    return 1 if item.get_closest_marker("slow") else 2


def _group(item: pytest.Item) -> str | None:
    """The costly fixture of the session that a test uses, or its module."""
    if not isinstance(item, pytest.Function):
        return None
    known = item._fixtureinfo.name2fixturedefs
    scopes = {n: {each.scope for each in known.get(n, ())} for n in item.fixturenames}
    for name in COSTLY:
        if "session" in scopes.get(name, ()):
            return name
    shared = any("module" in each for each in scopes.values())
    return item.module.__name__ if shared else None


def _asks_postgres(item: pytest.Item) -> bool:
    """Whether a test, or this case of it, starts the server."""
    if not isinstance(item, pytest.Function):
        return False
    cases = item.callspec.params.values() if hasattr(item, "callspec") else ()
    chosen = any(isinstance(each, str) and each == "postgresql" for each in cases)
    return chosen or "postgres_url" in item.fixturenames

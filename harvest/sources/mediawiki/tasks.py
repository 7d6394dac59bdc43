"""What a task of a wiki keeps in its cursor, and how long lists become tasks."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from icf.codes import FetchStatus
from icf.harvest.fault import Fault
from icf.harvest.sources.base import Task
from icf.harvest.sources.mediawiki.api import TITLES_A_CALL, Continue
from icf.names import normal_name


def cursor(**state: Any) -> str:
    """Write a cursor; what is None is left out.

    >>> cursor(depth=0, rest=None)
    '{"depth": 0}'
    """
    return json.dumps({k: v for k, v in state.items() if v is not None})


def state_of(task: Task) -> dict[str, Any]:
    """Read a task's cursor."""
    found = json.loads(task.cursor or "{}")
    return found if isinstance(found, dict) else {}


def moved_on(
    endpoint: str,
    state: Mapping[str, Any],
    rest: Continue | None,
    titles: Sequence[str],
) -> dict[str, Any]:
    """Return a task's state after a batch; a list that leads in a circle is a fault.

    One earlier batch is remembered, another one at each power of two (Brent 1980). So a
    cursor stays short, and a circle is found within three of its rounds.

    Args:
        endpoint: the ``api.php``.
        state: before the batch.
        rest: the site's token for the next one; None after the last.
        titles: what the batch lists.

    Raises:
        Fault: the token or the titles are those of the remembered batch.
    """
    after = {k: v for k, v in state.items() if k not in ("continue", "batches", "seen")}
    if rest is None:
        return after
    # Where a batch is empty, only its token tells it from others.
    here = [_digest(sorted(rest.items())), _digest(titles) if titles else None]
    seen, batches = state.get("seen") or [None, None], state.get("batches", 0) + 1
    for what, mine, earlier in zip(("token", "titles"), here, seen, strict=True):
        if mine is not None and mine == earlier:
            text = f"continue={json.dumps(rest)}: the same {what} came twice"
            raise Fault(FetchStatus.HTTP_ERROR, f"{endpoint}: {text}")
    is_power = batches & (batches - 1) == 0
    seen = here if is_power else seen
    return {**after, "continue": rest, "batches": batches, "seen": seen}


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:12]


def own_titles(task: Task) -> tuple[str, str]:
    r"""Return the album's title and what else a task's subject names.

    Both are as the wiki spells them. The names of a task are in their normal form,
    which can be another title.

    >>> own_titles(Task("images", "Moon: Sun: Lu\u00adna", "Moon: Sun", "Luna"))
    ('Moon: Sun', 'Lu\xadna')
    """
    name = normal_name(task.album or "")
    for mark in re.finditer(": ", task.subject):
        if normal_name(task.subject[: mark.start()]) == name:
            return task.subject[: mark.start()], task.subject[mark.end() :]
    return task.album or "", task.character or task.subject


def in_groups(
    like: Task, listed: Sequence[Any], state: Mapping[str, Any]
) -> Iterable[Task]:
    """Yield tasks that each ask for as many titles as one call may name.

    Args:
        like: their kind, album, character and level, and how their subjects begin.
        listed: what is asked for, as it is put into the cursors under "listed".
        state: what else the cursors keep.
    """
    for start in range(0, len(listed), TITLES_A_CALL):
        group = listed[start : start + TITLES_A_CALL]
        # Another list under the same heading is another task.
        yield Task(
            like.kind,
            f"{like.subject}: {start + 1} to {start + len(group)} ({_digest(group)})",
            like.album,
            like.character,
            cursor(listed=group, **state),
            like.level,
        )

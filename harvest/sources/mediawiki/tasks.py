"""What a task of a wiki keeps in its cursor, and how long lists become tasks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from icf.harvest.sources.base import Task
from icf.harvest.sources.mediawiki.api import TITLES_A_CALL


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
        digest = hashlib.sha256(json.dumps(group).encode()).hexdigest()[:12]
        yield Task(
            like.kind,
            f"{like.subject}: {start + 1} to {start + len(group)} ({digest})",
            like.album,
            like.character,
            cursor(listed=group, **state),
            like.level,
        )

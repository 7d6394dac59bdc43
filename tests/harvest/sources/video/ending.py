"""A harvest that ends itself, without a word to anybody, around an answer it stores."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from icf import workspace
from icf.harvest.listing import discover
from icf.harvest.run import harvest


def harvest_and_end(root: Path, answers: int, when: str) -> None:
    """Harvest until an answer is stored; `tests.app.forked.PROCESSES` runs it.

    Args:
        root: of the workspace.
        answers: which answer it is, from 1.
        when: "before" or "after" it is stored.
    """
    store, left = discover.store, answers

    def stores(*words: Any, **named: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0 and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = store(*words, **named)
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    discover.store = stores
    harvest(workspace.find(root))

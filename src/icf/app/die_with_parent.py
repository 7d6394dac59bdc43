"""Have Linux kill a command with the one that started it: no two run at once."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

_SET_PARENT_DEATH_SIGNAL = 1


def die_with_parent() -> Callable[[], None] | None:
    """Return what a new process calls first (``preexec_fn``); None elsewhere."""
    if not sys.platform.startswith("linux"):
        return None
    import ctypes
    import signal

    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def follow() -> None:
        libc.prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)

    return follow

"""End a process with its parent, however the parent ends."""

from __future__ import annotations

import fcntl
import os
import select
import signal


def end_with_the_parent(lifeline: int) -> None:
    """Have the kernel end this process when the other end of a pipe closes.

    That works also while native code is stuck: nothing here has to run for it. And it
    minds the process, not the thread, that holds the other end.

    Args:
        lifeline: the reading end of a pipe into which nobody ever writes.
    """
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    flags = fcntl.fcntl(lifeline, fcntl.F_GETFL)
    fcntl.fcntl(lifeline, fcntl.F_SETFL, flags | os.O_ASYNC)
    if select.select([lifeline], [], [], 0)[0]:
        os._exit(1)  # it closed before we looked

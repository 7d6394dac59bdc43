"""Run a server that ends with these tests, however they end: killed, too.

Started as a program, this file ties itself to a pipe and becomes the server; so no code
has to run between the death of the tests and that of the server.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import pwd
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

#: From Linux's ``linux/prctl.h``.
PR_SET_PDEATHSIG = 1


@contextmanager
def tethered(
    words: Sequence[object],
    *,
    end: signal.Signals = signal.SIGKILL,
    cwd: Path = Path("/"),
    env: Mapping[str, str] | None = None,
    log: IO[bytes] | None = None,
    user: str | None = None,
    inherit: Sequence[int] = (),
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program and what it starts until the block ends or this process does.

    Args:
        words: the program by its full path, and its arguments.
        end: the signal that ends it; its whole process group gets it.
        cwd: the folder it runs in.
        env: its environment; this process's own when None.
        log: where its output goes; nowhere when None.
        user: who it runs as.
        inherit: open files of this process that it keeps.
    """
    tied, held = os.pipe()
    how = [str(tied), str(int(end)), user or ""]
    try:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, *how, *map(str, words)],
            stdin=subprocess.DEVNULL,
            stdout=log or subprocess.DEVNULL,
            stderr=log or subprocess.DEVNULL,
            cwd=cwd,
            env=env,
            start_new_session=True,
            pass_fds=(tied, *inherit),
        )
    finally:
        os.close(tied)
    try:
        yield process
    finally:
        os.close(held)  # this is what ends it
        process.wait()


def end_with_the_parent() -> None:
    """Have the kernel kill this process when the one that started it ends.

    For a process whose start is not ours, as that of a worker of pytest.
    """
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))


def _become(tied: int, end: int, user: str, words: list[str]) -> None:
    """Have the kernel signal this process group when the pipe closes; run ``words``."""
    if user:
        # Not by Popen: that user need not be able to read this Python.
        entry = pwd.getpwnam(user)
        os.initgroups(user, entry.pw_gid)
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
    fcntl.fcntl(tied, fcntl.F_SETOWN, -os.getpgrp())
    fcntl.fcntl(tied, fcntl.F_SETSIG, end)
    flags = fcntl.fcntl(tied, fcntl.F_GETFL)
    fcntl.fcntl(tied, fcntl.F_SETFL, flags | os.O_ASYNC)
    if select.select([tied], [], [], 0)[0]:
        os._exit(1)  # it closed before we looked
    os.set_inheritable(tied, True)
    os.execv(words[0], words)


if __name__ == "__main__":
    _become(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])

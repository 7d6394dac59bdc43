"""Let one program at a time do something in a workspace; the others wait."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_log = logging.getLogger(__name__)

#: A disk that cannot lock files: some that are mounted over a network.
_CANNOT_LOCK = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS)


def this_process() -> str:
    """Say which process this is, and on which machine."""
    return f"(process {os.getpid()} on {socket.gethostname()})"


@contextmanager
def one_at_a_time(path: Path, command: str) -> Iterator[None]:
    """Wait, and say so, until no other program has the lock; then hold it.

    The lock ends with the process, however it ends. Where a disk cannot lock files
    there is no lock.

    Args:
        path: the lock file; it stays.
        command: what this program is, for those that wait for it.
    """
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            _log.warning("%s is at work here; waiting until it ends", file.read())
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError as error:
            if error.errno not in _CANNOT_LOCK:
                raise
        file.truncate(0)
        file.write(f"{command} {this_process()}")
        file.flush()
        yield

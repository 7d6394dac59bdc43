"""A folder that cannot be read, for root too."""

import contextlib
import ctypes
import os
from collections.abc import Iterator
from pathlib import Path

_VERSION_3 = 0x20080522
#: CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH: to read whatever the mode says.
_READS_ALL = 0b110


@contextlib.contextmanager
def unreadable(folder: Path) -> Iterator[None]:
    """Let this thread, and those that it starts, not read a folder."""
    mode = folder.stat().st_mode
    folder.chmod(0)
    with contextlib.ExitStack() as stack:
        stack.callback(folder.chmod, mode)
        if os.geteuid() == 0:
            stack.enter_context(_as_anybody())
        yield


@contextlib.contextmanager
def _as_anybody() -> Iterator[None]:
    """Take root's right to read everything from this thread for a while."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(_VERSION_3, 0)
    rights = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; twice
    assert libc.capget(header, rights) == 0
    effective = rights[0]
    rights[0] = effective & ~_READS_ALL
    assert libc.capset(header, rights) == 0
    try:
        yield
    finally:
        rights[0] = effective
        assert libc.capset(header, rights) == 0

"""Check a file that only its owner may read."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

from icf.app.doctor.check import Check, attempt

#: Permissions of a file that others than its owner have.
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def check_secret(name: str, path: Path, read: Callable[[], object]) -> Check:
    """Check a key: that it is whole, and nobody else may read it.

    Args:
        name: of the check.
        path: the file; it exists.
        read: reads it, and raises an `icf.errors.IcfError` or OSError if it is none.
    """

    def found() -> str:
        read()
        return "as stored"

    key = attempt(name, found)
    if key.state == "ok" and path.stat().st_mode & _OTHERS:
        open_to = f"others on this machine may read it: chmod 600 {path}"
        return Check(name, "warning", open_to)
    return key

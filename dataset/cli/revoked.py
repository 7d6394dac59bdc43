"""Say that a release is revoked, before it is used."""

from __future__ import annotations

from pathlib import Path

from icf.command import Invocation
from icf.icartoonface.revoked import warning_of


def say_if_revoked(invocation: Invocation, file: Path | None) -> None:
    """Warn where a file, or a folder, is of a release that was revoked."""
    warning = None if file is None else warning_of(file)
    if warning is not None:
        invocation.say(f"warning: {warning}")

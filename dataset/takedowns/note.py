"""``taken_down.json``: what takedowns deleted from a release, and why."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path

from icf.dataset.release.files import TAKEN_DOWN


def note_with(folder: Path, files: Sequence[str], reason: str) -> bytes:
    """Return the note of a release with one more entry.

    Args:
        folder: the release.
        files: those that are deleted, relative to it.
        reason: why.
    """
    note = folder / TAKEN_DOWN
    known = json.loads(note.read_text(encoding="utf-8")) if note.exists() else []
    entry = {"files": list(files), "reason": reason, "taken_at": time.time()}
    return (json.dumps([*known, entry], indent=2) + "\n").encode()

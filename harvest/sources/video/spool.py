"""Frames that were found and are not stored yet, so that they are decoded once.

They are in a folder that is removed at the end of the run. A frame that is not there,
after a kill or because the folder was full, is decoded again.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

_PREFIX = ".icf-frames-"
#: Bytes above which no more frames are added.
_FULL = 2_000_000_000
#: Seconds after which a folder is considered to be from a run that was killed.
_STALE = 86_400.0


class Spool:
    """A folder of frames.

    Args:
        root: the workspace.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folder: Path | None = None

    def folder(self, video: str) -> str | None:
        """Return where the frames of a video may be put; None when there is no room."""
        try:
            if self._folder is None:
                self._sweep()
                self._folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=self._root))
            held = sum(f.stat().st_size for f in self._folder.rglob("*") if f.is_file())
        except OSError:
            return None  # a frame was taken while we looked, or the disk is full
        return None if held >= _FULL else str(self._folder / video)

    def take(self, video: str, name: str) -> bytes | None:
        """Return a frame and delete it; None if it is not there."""
        if self._folder is None:
            return None
        path = self._folder / video / name
        try:
            data = path.read_bytes()
            path.unlink()
        except OSError:
            return None
        return data

    def close(self) -> None:
        """Remove the folder."""
        folder, self._folder = self._folder, None
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def _sweep(self) -> None:
        for folder in self._root.glob(f"{_PREFIX}*"):
            if folder.stat().st_mtime < time.time() - _STALE:
                shutil.rmtree(folder, ignore_errors=True)

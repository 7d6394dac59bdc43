"""The log of a run: a line of JSON each time, in ``log.jsonl``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from icf.models.training.trackers.base import Tracker
from icf.stores.files import replace_file

FILE = "log.jsonl"


class JsonLines(Tracker):
    """Appends a line each time.

    Args:
        folder: of the run.
        step: from which the run goes on. Lines after it, and a last one that was cut
            off, were written by a run that was killed before its next checkpoint.
    """

    def __init__(self, folder: Path, step: int = 0) -> None:
        super().__init__(folder, {})
        path = folder / FILE
        if path.exists():
            kept = [row for row in read_log(folder) if row["step"] <= step]
            replace_file(path, [_line(row) for row in kept])
        self._file = path.open("ab")

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Append a line."""
        self._file.write(_line({"step": step, **values}))
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_log(folder: Path) -> list[dict[str, float]]:
    """Return the whole lines of a log; none where there is no log."""
    path = folder / FILE
    rows: list[dict[str, float]] = []
    for line in path.read_bytes().split(b"\n") if path.exists() else ():
        try:
            rows.append(json.loads(line))
        except ValueError:
            continue
    return rows


def _line(row: Mapping[str, float]) -> bytes:
    return json.dumps(dict(row)).encode() + b"\n"

"""The releases that a workspace's catalogue knows, and their revocation."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from icf.catalogue.schema import release
from icf.dataset.formats.registry import format_folders
from icf.dataset.release.files import SUMMARY
from icf.dataset.release.sums import is_below, unreadable
from icf.errors import BadInput, BrokenMachine, WrongUse
from icf.icartoonface.revoked import REVOKED
from icf.stores.files import replace_file
from icf.workspace import Workspace

#: What is an object in a ``release.json``, where it is there.
_OBJECTS = (
    *("audit", "cleaned", "counts", "formats", "leaks", "models", "settings"),
    "unused",
)

#: What a release is known by: its id, and how that was written.
_MADE_FROM = ("inputs", "seed", "formats")


@dataclass(frozen=True)
class Known:
    """A release, as the catalogue or its folder tells of it.

    Attributes:
        path: its folder.
        summary: its ``release.json``.
        created_at: when it was written, in UTC epoch seconds; None: not known.
        revoked_at: when it was revoked; None: it was not.
        revoked_because: why.
        is_there: whether the folder holds this very release.
    """

    path: Path
    summary: Mapping[str, Any]
    created_at: float | None = None
    revoked_at: float | None = None
    revoked_because: str | None = None
    is_there: bool = True

    @property
    def as_json(self) -> dict[str, Any]:
        """Return what commands print of it."""
        return {
            "path": str(self.path),
            "id": self.summary.get("inputs"),
            "seed": self.summary.get("seed"),
            "formats": list(format_folders(self.summary)),
            "version": self.summary.get("version"),
            "counts": self.summary.get("counts", {}),
            "created": date_of(self.created_at),
            "revoked": date_of(self.revoked_at),
            "revoked_because": self.revoked_because,
            "is_there": self.is_there,
        }


def date_of(seconds: float | None) -> str | None:
    """Return a moment as ISO 8601 in UTC."""
    if seconds is None:
        return None
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return moment.isoformat(timespec="seconds")


def known_releases(workspace: Workspace) -> list[Known]:
    """Return every release of the catalogue, oldest first."""
    query = sa.select(release).order_by(release.c.id)
    with workspace.catalogue.read() as connection:
        rows = connection.execute(query).all()
    return [
        Known(
            workspace.root / row.path,
            json.loads(row.summary),
            row.created_at,
            row.revoked_at,
            row.revoked_because,
            is_same_release(summary_text(workspace.root / row.path), row),
        )
        for row in rows
    ]


def is_same_release(text: str | None, row: sa.Row[Any]) -> bool:
    """Whether a ``release.json`` is of a release of the catalogue.

    A release that was cleaned has other counts, and is the same.

    Args:
        text: the file; None: there is none.
        row: of the table ``release``.
    """
    if text is None or text == row.summary:
        return text is not None
    try:
        found, known = parse_summary(text), parse_summary(row.summary)
    except (ValueError, RecursionError):
        return False
    same = all(found.get(name) == known.get(name) for name in _MADE_FROM)
    return same and found.get("inputs") is not None


def read_summary(folder: Path) -> dict[str, Any]:
    """Read the ``release.json`` of a folder.

    Raises:
        WrongUse: there is none.
        BadInput: it is damaged, or cannot be read.
    """
    try:
        return parse_summary((folder / SUMMARY).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise WrongUse(
            f"{folder} is no release: it has no {SUMMARY}; name the folder that "
            "`icf-build-splits` wrote"
        ) from error
    except OSError as error:
        raise unreadable(folder / SUMMARY, error) from error
    except (ValueError, RecursionError) as error:
        raise BadInput(
            f"{folder / SUMMARY} is damaged: {error}; `icf release verify {folder}` "
            "says what else is"
        ) from error


def parse_summary(text: str) -> dict[str, Any]:
    """Parse a ``release.json``, which may have been edited.

    Raises:
        ValueError: it is no JSON, or has something else where objects are written.
        RecursionError: it is nested too deeply.
    """
    read = json.loads(text)
    if not isinstance(read, dict):
        raise ValueError("it is no object")
    settings = read.get("settings")
    parts = {name: read[name] for name in _OBJECTS if name in read}
    parts |= settings if isinstance(settings, dict) else {}
    for name, part in parts.items():
        if not isinstance(part, dict):
            raise ValueError(f"its {name!r} is no object")
    for place in read.get("formats", {}).values():
        if not isinstance(place, str) or not is_below(place):
            raise ValueError("its formats are no names of folders inside it")
    return read


def revoke(workspace: Workspace, folder: Path, reason: str) -> Known:
    """Record that nobody should use a release any more, in the catalogue and in it.

    Again with another reason, the catalogue has that reason and the folder both. A
    killed revocation is completed by running it again.

    Raises:
        WrongUse: the catalogue does not know it, or there is no reason.
        BrokenMachine: its folder cannot be written.
    """
    if not reason.strip():
        raise WrongUse("give a reason: icf release revoke DIR --reason TEXT")
    folder = folder.resolve()
    text = summary_text(folder)
    place = workspace.stored_path(folder)
    now = time.time()
    with workspace.catalogue.write() as connection:
        rows = connection.execute(sa.select(release)).all()
        # A release that was moved is the same release.
        same = release.c.id.in_(
            [
                row.id
                for row in rows
                if row.path in (place, str(folder)) or is_same_release(text, row)
            ]
        )
        values = {"revoked_at": now, "revoked_because": reason.strip()}
        done = connection.execute(sa.update(release).where(same).values(values))
        if not done.rowcount:
            raise WrongUse(
                f"the catalogue knows no release {folder}; `icf release list` names "
                "those that it knows"
            )
    if text is not None:
        _mark(folder, now, reason.strip())
    return Known(
        folder, json.loads(text or "{}"), None, now, reason.strip(), text is not None
    )


def _mark(folder: Path, now: float, reason: str) -> None:
    file, said = folder / REVOKED, f": {reason}\n".encode()
    try:
        earlier = file.read_bytes() if file.exists() else b""
        if said not in earlier:
            line = f"Revoked at {date_of(now)}".encode() + said
            replace_file(file, [earlier, line])
    except OSError as error:
        raise BrokenMachine(
            f"{folder} was revoked in the catalogue, and its folder cannot say so: "
            f"{error}; make it writable, and run the same command again"
        ) from error


def summary_text(folder: Path) -> str | None:
    """Return what a release's summary says; None where it cannot be read."""
    try:
        return (folder / SUMMARY).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None

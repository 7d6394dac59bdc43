"""Copies of withdrawn pictures outside the workspace's stores: releases, reports."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from icf.catalogue.schema import release
from icf.dataset.formats.registry import DEFAULT, format_folders
from icf.dataset.licences import FILE as LICENCES
from icf.errors import BrokenMachine
from icf.stores.files import replace_file
from icf.workspace import Workspace

#: The file in a release that lists the pictures deleted from it.
NOTE = "taken_down.json"


@dataclass(frozen=True)
class HeldCopies:
    """A release on this disk that contains withdrawn pictures.

    Attributes:
        folder: the release.
        seed: the random seed it was made with.
        formats: the formats it was made in.
        files: the copies, relative to the folder.
    """

    folder: Path
    seed: int
    formats: tuple[str, ...]
    files: tuple[str, ...]

    @property
    def remedy(self) -> str:
        """The command that makes the release again without them."""
        again = self.folder.with_name(f"{self.folder.name}-without")
        words = ["icf-build-splits", str(again), "--seed", str(self.seed)]
        if self.formats != (DEFAULT,):
            words += [word for name in self.formats for word in ("--format", name)]
        return " ".join(words)


def find_copies(workspace: Workspace, hashes: Collection[str]) -> list[HeldCopies]:
    """Return the releases of this workspace with pictures of these hashes."""
    query = sa.select(release).order_by(release.c.id)
    with workspace.catalogue.read() as connection:
        last = {Path(row.path): row for row in connection.execute(query)}
    found = []
    for folder, row in last.items():
        files = tuple(
            name
            for name, sha256 in _pictures(folder)
            if sha256 in hashes and _inside(folder, name).is_file()
        )
        if files:
            formats = tuple(format_folders(json.loads(row.summary)))
            found.append(HeldCopies(folder, row.seed, formats, files))
    return found


def remove_copies(held: HeldCopies, reason: str) -> None:
    """Delete the copies in a release, and list them in its `NOTE`.

    Raises:
        BrokenMachine: they cannot be deleted.
    """
    note = held.folder / NOTE
    try:
        known = json.loads(note.read_text(encoding="utf-8")) if note.exists() else []
        entry = {"files": list(held.files), "reason": reason, "taken_at": time.time()}
        text = json.dumps([*known, entry], indent=2) + "\n"
        replace_file(note, [text.encode("utf-8")])
        for name in held.files:
            _inside(held.folder, name).unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        raise BrokenMachine(
            f"cannot delete pictures in {held.folder}: {error}; check who may write "
            "there, and run the same command again"
        ) from error


def find_reports(workspace: Workspace) -> list[Path]:
    """Return the reports of this workspace; each may show thumbnails of anything."""
    return sorted((workspace.root / "reports").glob("*.html"))


def _pictures(folder: Path) -> list[tuple[str, str]]:
    try:
        with (folder / LICENCES).open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            return sorted({(row["file"], row["sha256"]) for row in rows})
    except (OSError, KeyError):
        return []


def _inside(folder: Path, name: str) -> Path:
    """Resolve a file of a release; never one outside of the release."""
    path = (folder / name).resolve()
    return path if path.is_relative_to(folder.resolve()) else folder / LICENCES / "no"

"""What a takedown finds outside of the workspace's stores, and where it looks."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from icf.dataset.formats.registry import DEFAULT
from icf.dataset.licences import FILE as LICENCES

RELEASE, BATCH, EXPORT, CACHE = "release", "batch", "export", "cache"
BLOBS = "blob store"

NOT_THERE = "it is not there"

#: Folders of a workspace that have no releases, and may have very many files.
_STORES = {"blobs", "vectors", "hashes", "models", "warc", "cache"}


@dataclass(frozen=True)
class HeldCopies:
    """A release, batch or export on this disk that contains what was withdrawn.

    Attributes:
        folder: where it is.
        kind: `RELEASE`, `BATCH` or `EXPORT`.
        inside: whether it is in the workspace.
        files: those with copies, relative to the folder.
        pictures: how many withdrawn pictures a release has.
        faces: how many withdrawn faces it has of pictures that stay.
        members: whether files have other pictures as well, as shards do.
        seed: the random seed that a release was made with.
        formats: the formats that a release was made in.
        crops: the rate at which its faces were cut out; None: it has whole pictures.
        options: what else it was made with, as `icf-build-splits` takes it.
        cut_short: whether a cleaning of a release is promised, and not made yet.
    """

    folder: Path
    kind: str
    inside: bool
    files: tuple[str, ...]
    pictures: int = 0
    faces: int = 0
    members: bool = False
    seed: int = 0
    formats: tuple[str, ...] = ()
    crops: float | None = None
    options: tuple[str, ...] = ()
    cut_short: bool = False

    @property
    def remedy(self) -> str:
        """The command that makes a release again without them."""
        again = self.folder.with_name(f"{self.folder.name}-without")
        words = ["icf-build-splits", str(again), "--seed", str(self.seed)]
        if self.formats != (DEFAULT,):
            words += [word for name in self.formats for word in ("--format", name)]
        if self.crops is not None:
            words += ["--crops", f"{self.crops:g}"]
        return shlex.join([*words, *self.options])

    @property
    def size(self) -> str:
        """How much there is, in words."""
        if self.kind != RELEASE:
            return f"{len(self.files):,} files of what was withdrawn"
        counts = (self.pictures, "pictures"), (self.faces, "faces")
        parts = [f"{n:,} withdrawn {what}" for n, what in counts if n]
        if self.cut_short:
            parts.append("the rest of a deletion that was cut short")
        return " and ".join(parts)


@dataclass(frozen=True)
class Unreached:
    """What may contain withdrawn pictures, and cannot be looked at or changed.

    Attributes:
        kind: `RELEASE`, `BATCH`, `EXPORT`, `CACHE` or `BLOBS`.
        path: where it should be.
        why: why it cannot be.
    """

    kind: str
    path: str
    why: str


@dataclass(frozen=True)
class Copies:
    """What was found, and what was not.

    Attributes:
        held: the copies.
        unreached: where there may be more.
        moved: the table, the key and the new place of what was moved.
    """

    held: list[HeldCopies] = field(default_factory=list)
    unreached: list[Unreached] = field(default_factory=list)
    moved: list[tuple[sa.Table, object, Path]] = field(default_factory=list)


def own_folders(root: Path) -> Iterator[Path]:
    """Yield the folders of a workspace that people and commands write into."""
    for folder in sorted(root.iterdir()):
        hidden = folder.name.startswith(".") or folder.is_symlink()
        if folder.is_dir() and not hidden and folder.name not in _STORES:
            yield folder


def inside(folder: Path, name: str) -> Path:
    """Resolve a file of a release; never one outside of the release."""
    path = (folder / name).resolve()
    return path if path.is_relative_to(folder.resolve()) else folder / LICENCES / "no"

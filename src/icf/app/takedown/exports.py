"""Pictures that were exported below a workspace and are in no batch of the catalogue.

Boxing writes whole pictures, pages of references write crops and thumbnails. Their
names say what they show.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from icf.annotate.batch import PICTURE_FOLDER
from icf.annotate.boxes.exchange.rows import parse_picture
from icf.app.takedown.held import EXPORT, Copies, HeldCopies, own_folders

_FACE = re.compile(r"face-([0-9]{1,18})")
_THUMBNAIL = re.compile(r"image-([0-9a-f]{64})")
#: Beside a page of references; see `icf.harvest.references.page`.
_OF_PAGES = "*_pictures"


@dataclass(frozen=True)
class Exported:
    """What exported files may show of what was withdrawn.

    Attributes:
        images: the SHA-256 of each picture, by its id.
        faces: ids of the faces.
    """

    images: Mapping[int, str]
    faces: Collection[int]

    @cached_property
    def _hashes(self) -> frozenset[str]:
        return frozenset(self.images.values())

    def pictures(self, folder: Path) -> Iterator[str]:
        """Yield the files of a folder that are one of the pictures."""
        for path in sorted(folder.iterdir()):
            key, start = parse_picture(path.name) or (0, "")
            if key in self.images and self.images[key].startswith(start):
                yield path.name

    def crops(self, folder: Path) -> Iterator[str]:
        """Yield the files of a folder that show one of the faces or pictures.

        The numbers of faces mean nothing in a folder that is not the workspace's.
        """
        for path in sorted(folder.glob("*.jpg")):
            face, thumbnail = (
                each.fullmatch(path.stem) for each in (_FACE, _THUMBNAIL)
            )
            is_hit = face is not None and int(face[1]) in self.faces
            if is_hit or (thumbnail is not None and thumbnail[1] in self._hashes):
                yield path.name


def find_in_exports(
    root: Path, moved: Collection[Path], exported: Exported, found: Copies
) -> set[Path]:
    """Look into every folder of exported pictures; return those of ``moved``.

    Args:
        root: of the workspace.
        moved: other folders to look into; only what has such pictures is an export.
        exported: what was withdrawn.
        found: gets what is held, unless it is held as a batch.
    """
    known = {each.folder for each in found.held}
    seen = set()
    for folder in sorted({*_own_exports(root), *moved} - known):
        files: list[str] = []
        if (folder / PICTURE_FOLDER).is_dir():
            names = exported.pictures(folder / PICTURE_FOLDER)
            files += (f"{PICTURE_FOLDER}/{name}" for name in names)
        if _is_of_page(folder):
            files += exported.crops(folder)
        if files:
            seen.add(folder)
            is_inside = folder.is_relative_to(root)
            found.held.append(HeldCopies(folder, EXPORT, is_inside, tuple(files)))
    return seen & set(moved)


def _own_exports(root: Path) -> Iterator[Path]:
    """The folders in a workspace that may be one, up to two folders deep."""
    for folder in own_folders(root):
        yield folder.resolve()
        for path in folder.iterdir():
            # A hidden one is being written: whoever does so looks at tombstones.
            hidden = path.name.startswith(".") or path.is_symlink()
            if path.is_dir() and not hidden:
                yield path.resolve()


def _is_of_page(folder: Path) -> bool:
    """Whether a folder has what a page of references writes, and nothing else."""
    return folder.match(_OF_PAGES) and all(
        path.suffix == ".jpg"
        and (_FACE.fullmatch(path.stem) or _THUMBNAIL.fullmatch(path.stem))
        for path in folder.iterdir()
    )

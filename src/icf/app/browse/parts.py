"""Which part of the newest release each face is in, by the release's own contents."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import sqlalchemy as sa

from icf.catalogue.rows import by_ids
from icf.catalogue.schema import face, image, release
from icf.dataset import contents
from icf.errors import IcfError
from icf.workspace import Workspace

#: What is shown of a face that the release does not have.
UNUSED = "unused"


@dataclass(frozen=True)
class Parts:
    """The faces of a release.

    Attributes:
        path: its folder, as the catalogue has it.
        part: of each face of it, by the face's id.
    """

    path: str
    part: dict[int, str]

    def among(self, name: str) -> Collection[int]:
        """The faces in a part."""
        return {key for key, part in self.part.items() if part == name}


class NewestRelease:
    """Reads the newest release that is there; again when there is a newer one.

    Args:
        workspace: whose releases.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._read: tuple[int, Parts | None] = (0, None)
        self._lock = Lock()

    def get(self) -> Parts | None:
        """The faces of it; None: there is none, or it does not list its contents."""
        with self._lock, self._workspace.catalogue.read() as connection:
            query = sa.select(release.c.id, release.c.path).order_by(
                release.c.id.desc()
            )
            newest = connection.execute(query.limit(1)).first()
            if newest is None:
                return None
            if self._read[0] != newest.id:
                folder = self._workspace.root / newest.path
                self._read = newest.id, _parts(connection, newest.path, folder)
            return self._read[1]


def _parts(connection: sa.Connection, path: str, folder: Path) -> Parts | None:
    try:
        listed = dict(contents.read_parts(folder / contents.FILE))
    except (IcfError, OSError):
        return None
    query = sa.select(
        face.c.id, image.c.sha256, face.c.x1, face.c.y1, face.c.x2, face.c.y2
    ).join(image, image.c.id == face.c.image_id)
    pictures = sorted({sha256 for sha256, *_ in listed})
    made = {}
    for row in by_ids(connection, query, image.c.sha256, pictures):
        part = listed.get((row.sha256, row.x1, row.y1, row.x2, row.y2))
        if part is not None:
            made[row.id] = part
    return Parts(path, made)

"""What frames and pages came from: tracks, shots, videos and books.

A frame of a video has its shot in the catalogue, and the address of a frame or page
begins with that of its file. The faces of one track are linked (``face_link``).
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from icf.catalogue.merges import connected_components
from icf.catalogue.schema import face_link, image_source
from icf.dataset.splits.keys import WordArray

IntArray = npt.NDArray[np.int64]

#: What the address of a page of a comic has behind that of its file.
_PAGE = "#page="


@dataclass(frozen=True, eq=False)
class Origins:
    """Where faces and pictures of a selection came from; -1 stands for nowhere.

    Attributes:
        track: shape (n,), numbers of the tracks of faces.
        shot: shape (m,), numbers of the shots of pictures.
        file: shape (m,), numbers of their videos or books.
        tracks, shots, files: a key of each number.
        in_shots, in_files: shape (k, 2), a row of pictures and a number, for each of
            all places where a picture was found.
    """

    track: IntArray
    shot: IntArray
    file: IntArray
    tracks: tuple[str, ...]
    shots: tuple[str, ...]
    files: tuple[str, ...]
    in_shots: IntArray
    in_files: IntArray

    @classmethod
    def nowhere(cls, faces: int, pictures: int) -> Origins:
        """Return the origins of pictures that are neither frames nor pages."""
        none = np.empty((0, 2), np.int64)
        return cls(
            np.full(faces, -1),
            np.full(pictures, -1),
            np.full(pictures, -1),
            (),
            (),
            (),
            none,
            none,
        )


def read_origins(
    connection: sa.Connection, face: IntArray, key: WordArray, image: IntArray
) -> Origins:
    """Read the origins of some faces and pictures.

    Args:
        connection: to the catalogue.
        face: shape (n,), the ids of faces, ascending.
        key: content keys of the faces; a track is called by the smallest of its faces.
        image: shape (m,), the ids of pictures, ascending.
    """
    shots_of, files_of = _Named(), _Named()
    for row in connection.execute(_PARTS_OF_FILES):
        picture = int(np.searchsorted(image, row.image_id))
        if picture == len(image) or image[picture] != row.image_id:
            continue
        file = row.url.rpartition("#")[0]
        files_of.add(picture, file)
        if row.shot is not None:
            shots_of.add(picture, f"{file}#shot={row.shot}")
    shots, shot_rows, shot = shots_of.numbered(len(image))
    files, file_rows, file = files_of.numbered(len(image))
    tracks, track = _tracks(connection, face, key)
    return Origins(track, shot, file, tracks, shots, files, shot_rows, file_rows)


_PARTS_OF_FILES = (
    sa.select(image_source.c.image_id, image_source.c.url, image_source.c.shot)
    .where(
        sa.or_(
            image_source.c.seconds.is_not(None),
            image_source.c.url.contains(_PAGE, autoescape=True),
        )
    )
    .order_by(image_source.c.id)
)


class _Named:
    """Pictures, each with a key that many of them share."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}
        self._pictures, self._keys = array("q"), array("q")

    def add(self, picture: int, key: str) -> None:
        """Add a row of pictures and its key."""
        self._pictures.append(picture)
        self._keys.append(self._known.setdefault(key, len(self._known)))

    def numbered(self, pictures: int) -> tuple[tuple[str, ...], IntArray, IntArray]:
        """Number keys in their order; each picture has the smallest of its numbers."""
        keys = tuple(sorted(self._known))
        number = np.empty(len(keys), np.int64)
        number[[self._known[key] for key in keys]] = np.arange(len(keys))
        numbers = number[np.array(self._keys, np.int64)]
        rows = np.column_stack((np.array(self._pictures, np.int64), numbers))
        first = np.full(pictures, len(keys), np.int64)
        np.minimum.at(first, rows[:, 0], rows[:, 1])
        return keys, rows, np.where(first < len(keys), first, -1)


def _tracks(
    connection: sa.Connection, face: IntArray, key: WordArray
) -> tuple[tuple[str, ...], IntArray]:
    pairs = connection.execute(
        sa.select(face_link.c.face_id, face_link.c.other_id).where(face_link.c.same)
    )
    first = connected_components((row[0], row[1]) for row in pairs)
    members: dict[int, list[int]] = defaultdict(list)
    for row, each in enumerate(face.tolist()):
        if each in first:
            members[first[each]].append(row)
    named = sorted((f"{int(key[rows].min()):016x}", rows) for rows in members.values())
    track = np.full(len(face), -1, np.int64)
    for number, (_, rows) in enumerate(named):
        track[rows] = number
    return tuple(name for name, _ in named), track

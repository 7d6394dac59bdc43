"""What frames and pages came from: tracks, shots, videos and books.

A frame of a video has its shot in the catalogue, and the address of a frame or page
begins with that of its file. The faces of one track are linked (``face_link``).
"""

from __future__ import annotations

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
    in_shots: list[tuple[int, str]] = []
    in_files: list[tuple[int, str]] = []
    place = {each: row for row, each in enumerate(image.tolist())}
    for row in connection.execute(_PARTS_OF_FILES):
        picture = place.get(row.image_id)
        if picture is None:
            continue
        file = row.url.rpartition("#")[0]
        in_files.append((picture, file))
        if row.shot is not None:
            in_shots.append((picture, f"{file}#shot={row.shot}"))
    shots, shot_rows, shot = _numbered(in_shots, len(image))
    files, file_rows, file = _numbered(in_files, len(image))
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


def _numbered(
    found: list[tuple[int, str]], pictures: int
) -> tuple[tuple[str, ...], IntArray, IntArray]:
    """Number keys in their order; each picture has the smallest of its numbers."""
    keys = tuple(sorted({key for _, key in found}))
    number = {key: place for place, key in enumerate(keys)}
    rows = np.array(
        [(picture, number[key]) for picture, key in found], np.int64
    ).reshape(-1, 2)
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
    place = {each: row for row, each in enumerate(face.tolist()) if each in first}
    members: dict[int, list[int]] = defaultdict(list)
    for each, row in place.items():
        members[first[each]].append(row)
    named = sorted((f"{int(key[rows].min()):016x}", rows) for rows in members.values())
    track = np.full(len(face), -1, np.int64)
    for number, (_, rows) in enumerate(named):
        track[rows] = number
    return tuple(name for name, _ in named), track

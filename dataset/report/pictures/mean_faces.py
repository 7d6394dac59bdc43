"""Mean faces, as in figure 7 of the paper: of all faces, of albums and of regions.

Each face is cut by its box, with a margin, and scaled to the same square; the mean is
taken in float. How sharp it is tells how alike the faces are in place and shape.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from icf.catalogue import schema
from icf.dataset.report.pictures.thumbnails import as_url, crop, read_pixels
from icf.dataset.report.statistics.faces import Faces
from icf.models.face_crops import read_boxes
from icf.stores.blobs import BlobStore

IntArray = npt.NDArray[np.int64]

#: Side of a mean face in pixels, and the margin of the cut around the box.
SIDE, MARGIN = 112, 0.1
#: Faces of a mean, albums that have one, and regions.
SAMPLE, ALBUMS, REGIONS = 96, 8, 6
#: A mean of fewer faces would show these faces.
LEAST = 5


@dataclass(frozen=True)
class MeanFace:
    """The mean of some faces.

    Attributes:
        kind: "all", "album" or "region".
        name: which album or region; "" of all.
        faces: how many were averaged.
        of: of how many.
        picture: a ``data:`` URL.
    """

    kind: str
    name: str
    faces: int
    of: int
    picture: str


def read_mean_faces(
    connection: sa.Connection, blobs: BlobStore, faces: Faces
) -> list[MeanFace]:
    """Compute them: of all first, then of the largest albums, then of regions."""
    groups = _groups(connection, faces)
    chosen = {key: _spread(faces, rows) for key, rows in groups.items()}
    wanted = sorted({int(row) for rows in chosen.values() for row in rows})
    squares = _squares(connection, blobs, faces.face[wanted].tolist())
    made = []
    for (kind, name), rows in chosen.items():
        ids = faces.face[rows].tolist()
        mean, count = _mean([squares[each] for each in ids if each in squares])
        if count >= LEAST:
            of = len(groups[kind, name])
            made.append(MeanFace(kind, name, count, of, as_url(mean, 88)))
    return made


def _groups(connection: sa.Connection, faces: Faces) -> dict[tuple[str, str], IntArray]:
    """The rows of the faces of each group, the largest albums and regions first."""
    character, album = schema.character, schema.album
    query = sa.select(character.c.id, album.c.name, album.c.region).select_from(
        character.join(album)
    )
    known = {
        identity: (name, region) for identity, name, region in connection.execute(query)
    }
    owners, place = np.unique(faces.identity, return_inverse=True)
    counts = np.bincount(place, minlength=len(owners))
    found: dict[tuple[str, str], IntArray] = {
        ("all", ""): np.arange(len(faces), dtype=np.int64)
    }
    for at, (kind, most) in enumerate((("album", ALBUMS), ("region", REGIONS))):
        named = [known[each][at] for each in owners.tolist()]
        sizes: dict[str, int] = defaultdict(int)
        for name, count in zip(named, counts.tolist(), strict=True):
            if name:
                sizes[name] += count
        largest = sorted(sizes, key=lambda name: (-sizes[name], name))[:most]
        for name in largest:
            mine = np.array([each == name for each in named], np.bool_)
            found[kind, name] = np.flatnonzero(mine[place])
    return found


def _spread(faces: Faces, rows: IntArray) -> IntArray:
    """Some of the rows, of as many identities as possible, evenly from each."""
    owner = faces.identity[rows]
    order = np.argsort(owner, kind="stable")
    begins = np.flatnonzero(np.diff(owner[order], prepend=-1))
    sizes = np.diff(np.append(begins, len(order)))
    turn = np.arange(len(order)) - np.repeat(begins, sizes)
    by_turn = np.lexsort((owner[order], turn))
    chosen = rows[order[by_turn]]
    first = int((turn == 0).sum())
    if first > SAMPLE:  # one of every so many identities
        chosen = chosen[np.arange(SAMPLE) * first // SAMPLE]
    return np.asarray(chosen[:SAMPLE], np.int64)


def _squares(
    connection: sa.Connection, blobs: BlobStore, ids: Sequence[int]
) -> Mapping[int, npt.NDArray[np.float32]]:
    """Cut and scale each face: shape (side, side, 3), from 0 to 255."""
    found = {}
    for face in read_boxes(connection, ids):
        pixels = read_pixels(blobs, face.sha256)
        if pixels is not None:
            cut = crop(pixels, face.box, MARGIN).astype(np.float32)
            square = cv2.resize(cut, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
            found[face.id] = np.asarray(square, np.float32)
    return found


def _mean(
    squares: Sequence[npt.NDArray[np.float32]],
) -> tuple[npt.NDArray[np.uint8], int]:
    total = np.zeros((SIDE, SIDE, 3), np.float64)
    for square in squares:
        total += square
    mean = total / max(1, len(squares))
    return np.clip(np.rint(mean), 0, 255).astype(np.uint8), len(squares)

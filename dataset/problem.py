"""Turn a selection into what is divided: numbers that depend on content alone.

Each harvest stores pictures in another order; the same pictures and answers get the
same splits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from icf.catalogue.merges import connected_components
from icf.dataset.origins import Origins
from icf.dataset.selection import Selection
from icf.dataset.splits.keys import keys_of_digests, keys_of_faces, keys_of_texts
from icf.dataset.splits.make import Problem
from icf.dataset.splits.parts import (
    Cast,
    ConfirmedFaces,
    DetectionPictures,
    Fixed,
    Part,
    Role,
    Undivided,
)

IntArray = npt.NDArray[np.int64]


def make_problem(
    selection: Selection, *, files_apart: bool = False
) -> tuple[Problem, IntArray, IntArray]:
    """Describe identities, faces and pictures by numbers.

    Args:
        selection: what a release can contain.
        files_apart: whether the frames or pages of one file are close.

    Returns:
        The problem; the characters' ids of its cast; and the rows of
        `icf.dataset.selection.Pictures` of its detection pictures.
    """
    faces, pictures = selection.faces, selection.pictures
    origins = selection.origins or Origins.nowhere(len(faces.face), len(pictures.image))
    _, group = np.unique(pictures.pixel_hash, return_inverse=True)
    close = _close(selection, origins, group, files_apart=files_apart)
    key = keys_of_digests(pictures.pixel_hash)
    bytes_key = keys_of_digests(pictures.sha256)
    ids, identity = np.unique(faces.identity, return_inverse=True)
    complete = np.flatnonzero(pictures.complete)
    problem = Problem(
        _cast(selection, ids),
        ConfirmedFaces(
            key=keys_of_faces(bytes_key[faces.picture], faces.corners),
            identity=identity,
            picture=group[faces.picture],
            close=close[faces.picture],
            track=origins.track,
            shot=origins.shot[faces.picture],
            file=origins.file[faces.picture]
            if files_apart
            else np.full(len(faces.face), -1),
            by_people=selection.by_people,
            hashes=faces.hashes,
            picture_hashes=pictures.hashes[faces.picture],
            before=np.full(len(faces.face), Part.NONE.value),
        ),
        DetectionPictures(
            key=key[complete],
            picture=group[complete],
            close=close[complete],
            hashes=pictures.hashes[complete],
            before=np.full(len(complete), Part.NONE.value),
            held_out=np.zeros(len(complete), np.bool_),
        ),
        Fixed.nothing(len(faces.face), len(complete)),
        _undivided(selection, ids, group),
        boxes_alone=selection.verified is not None and len(complete) > 0,
    )
    return problem, ids, complete


def _cast(selection: Selection, ids: IntArray) -> Cast:
    known = [selection.identities[each] for each in ids.tolist()]
    count = len(ids)
    return Cast(
        key=keys_of_texts(f"{each.album}/{each.character}" for each in known),
        family=families(ids, selection.may_be_one),
        stratum=np.zeros(count, np.int64),
        held_out=np.zeros(count, np.bool_),
        before=np.full(count, Role.NEW.value),
    )


def families(ids: IntArray, pairs: Iterable[tuple[int, int]]) -> IntArray:
    """Give characters that may be one, directly or by a chain, the same number.

    Args:
        ids: shape (c,), of the characters.
        pairs: of ids that may be one.

    Returns:
        Shape (c,).
    """
    place = {each: row for row, each in enumerate(ids.tolist())}
    first = connected_components(
        (place[one], place[other])
        for one, other in pairs
        if one in place and other in place
    )
    return np.array([first.get(row, row) for row in range(len(ids))], np.int64)


def _undivided(selection: Selection, ids: IntArray, group: IntArray) -> Undivided:
    """Find the faces that can be in no part, on pictures that others can be in.

    Args:
        selection: what a release can contain.
        ids: the characters of the cast.
        group: the number of each picture's group of equal pictures.
    """
    out, known = selection.excluded, selection.identities
    of_name = {
        (known[each].album, known[each].character): row
        for row, each in enumerate(ids.tolist())
    }
    of_picture = dict(
        zip(selection.pictures.sha256.tolist(), group.tolist(), strict=True)
    )
    shown = zip(out.sha256.tolist(), out.album, out.character, strict=True)
    rows = [
        (of_picture[sha256], of_name[album, character])
        for sha256, album, character in shown
        if sha256 in of_picture and (album, character) in of_name
    ]
    return Undivided(*np.array(rows, np.int64).reshape(-1, 2).T)


def _close(
    selection: Selection, origins: Origins, group: IntArray, *, files_apart: bool
) -> IntArray:
    """Number the groups of pictures that no two parts may share.

    Args:
        selection: what a release can contain.
        origins: of its faces and pictures.
        group: the number of each picture's group of equal pictures.
        files_apart: whether the frames or pages of one file are close.
    """
    kinds = [
        origins.in_shots,
        np.column_stack((selection.faces.picture, origins.track)),
    ]
    if files_apart:
        kinds.append(origins.in_files)
    first = connected_components(
        pair for rows in kinds for pair in _chained(rows[rows[:, 1] >= 0], group)
    )
    close = group.copy()
    if first:
        place = np.array(list(first), np.int64)
        table = np.arange(int(group.max()) + 1)
        table[place] = np.array(list(first.values()), np.int64)
        close = table[group]
    return close


def _chained(rows: IntArray, group: IntArray) -> Iterator[tuple[int, int]]:
    """Link the pictures that share a number, each with the next one."""
    order = np.lexsort((rows[:, 0], rows[:, 1]))
    picture, number = group[rows[order, 0]], rows[order, 1]
    same = np.flatnonzero(number[1:] == number[:-1])
    yield from zip(picture[same].tolist(), picture[same + 1].tolist(), strict=True)

"""The rows of ``contents.csv`` of a plan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from icf.dataset.contents import (
    CONFIRMED_BY,
    DETECTION_TEST,
    DETECTION_TRAIN,
    DISTRACTOR,
    PROBE,
    TRAIN,
    Contents,
    texts,
)
from icf.dataset.formats.box_cells import TrueBox, cell_of
from icf.dataset.origins import Origins
from icf.dataset.plan import Plan
from icf.dataset.selection import Selection

IntArray = npt.NDArray[np.int64]


def contents_of(plan: Plan) -> Contents:
    """Return every picture and face of a plan, in the order of its parts."""
    placed = list(plan.placed())
    selection = plan.selection
    picture = np.array([each.picture for each in placed], np.int64)
    face = np.array([each.face for each in placed], np.int64)
    faces, pictures = selection.faces, selection.pictures
    width, height = pictures.size[picture].reshape(-1, 2).T
    return Contents(
        part=texts(_parts(plan)),
        name=texts([each.path for each in placed]),
        sha256=pictures.sha256[picture],
        pixel_hash=pictures.pixel_hash[picture],
        phash=pictures.hashes.phash[picture],
        dhash=pictures.hashes.dhash[picture],
        corners=_of(face, faces.corners, np.nan),
        face_pixel_hash=_of(face, faces.pixel_hash, b""),
        face_phash=_of(face, faces.hashes.phash, 0),
        face_dhash=_of(face, faces.hashes.dhash, 0),
        label=np.array([each.label for each in placed], np.int64),
        width=width.astype(np.int64),
        height=height.astype(np.int64),
        boxes=texts(_boxes(plan)),
        **_names(selection, face),
        **_origins(selection, face, picture),
    )


def _of(face: IntArray, column: npt.NDArray[Any], nothing: object) -> npt.NDArray[Any]:
    """The values of some rows of a column; of the row -1 nothing."""
    values = np.full((len(face), *column.shape[1:]), nothing, column.dtype)
    values[face >= 0] = column[face[face >= 0]]
    return values


def _boxes(plan: Plan) -> list[str]:
    """The cell ``boxes`` of each row."""
    cells = [""] * (len(plan.train) + len(plan.test))
    ids = plan.selection.faces.face
    boxes = plan.selection.pictures.boxes
    for faces, pictures in (
        (plan.train, plan.detection_train),
        (plan.test, plan.detection_test),
    ):
        names = {int(ids[each.face]): each.path for each in faces if each.label >= 0}
        cells += [
            cell_of(
                TrueBox(box.corners, names.get(box.face_id or 0, ""))
                for box in boxes[each.picture]
            )
            for each in pictures
        ]
    return cells


def _origins(
    selection: Selection, face: IntArray, picture: IntArray
) -> dict[str, npt.NDArray[np.object_]]:
    """The keys of tracks, shots and files; empty where there is none."""
    faces, pictures = selection.faces.face, selection.pictures.image
    found = selection.origins or Origins.nowhere(len(faces), len(pictures))

    def named(numbers: IntArray, keys: Sequence[str]) -> npt.NDArray[np.object_]:
        return texts([keys[each] if each >= 0 else "" for each in numbers.tolist()])

    return {
        "track": named(_of(face, found.track, -1), found.tracks),
        "shot": named(found.shot[picture], found.shots),
        "source_file": named(found.file[picture], found.files),
    }


def _parts(plan: Plan) -> list[str]:
    test = [PROBE if each.label >= 0 else DISTRACTOR for each in plan.test]
    return [
        *[TRAIN] * len(plan.train),
        *test,
        *[DETECTION_TRAIN] * len(plan.detection_train),
        *[DETECTION_TEST] * len(plan.detection_test),
    ]


def _names(selection: Selection, face: IntArray) -> dict[str, npt.NDArray[np.object_]]:
    """Who each face shows, and who says so; empty where there is no face."""
    owner = _of(face, selection.faces.identity, -1).tolist()
    identities = [selection.identities.get(each) for each in owner]
    return {
        "character": texts([each.character if each else "" for each in identities]),
        "album": texts([each.album if each else "" for each in identities]),
        "confirmed_by": texts(_who(selection, face)),
    }


def _who(selection: Selection, face: IntArray) -> Sequence[str]:
    people, reference, model, track = CONFIRMED_BY
    who = dict.fromkeys(selection.unasked, reference)
    who |= dict.fromkeys(selection.accepted, model)
    who |= dict.fromkeys(selection.followers, track)
    ids = _of(face, selection.faces.face, -1).tolist()
    return [who.get(each, people) if each >= 0 else "" for each in ids]

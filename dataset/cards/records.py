"""``records/``: what a release has, as typed tables with a header; one file a part.

The published lists have no header, and no two of them the same shape. These tables have
the same rows whatever the formats, in Parquet, so that pandas, `datasets` and Croissant
read them without being told anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from icf.dataset.cards.columns import numbers, texts
from icf.dataset.formats.base import ReleaseData
from icf.dataset.plan import Placed, Plan

FOLDER = "records"

TRAIN, TEST = "recognition_train", "recognition_test"
DETECTION_TRAIN, DETECTION_TEST = "detection_train", "detection_test"
IDENTITIES = "identities"

_BOX = [(name, pa.int32()) for name in ("x1", "y1", "x2", "y2")]
_PICTURE = [(name, pa.string()) for name in ("file", "member", "sha256")]
_WHO = [("label", pa.int32()), ("role", pa.string())]
_NAMES = [("character", pa.string()), ("album", pa.string())]
_FACES = pa.schema([*_PICTURE, *_BOX, *_WHO, *_NAMES])
_BOXES = pa.schema([*_PICTURE, ("width", pa.int32()), ("height", pa.int32()), *_BOX])

#: The columns of each table.
SCHEMAS: Mapping[str, pa.Schema] = {
    TRAIN: _FACES,
    TEST: _FACES,
    DETECTION_TRAIN: _BOXES,
    DETECTION_TEST: _BOXES,
    IDENTITIES: pa.schema([*_WHO, *_NAMES]),
}

#: What a row of each table is.
MEANINGS: Mapping[str, str] = {
    TRAIN: "A face to train on, with its identity.",
    TEST: "A face of the test: a probe, or a distractor whose label is -1.",
    DETECTION_TRAIN: "A drawn face in a picture to train on.",
    DETECTION_TEST: "A drawn face in a picture of the test.",
    IDENTITIES: "An identity, or the character of a distractor.",
}

#: What a column means.
COLUMNS: Mapping[str, str] = {
    "file": "the file that has the picture, relative to the release",
    "member": "the picture's name in that file, where it holds several",
    "sha256": "SHA-256 of the picture as it was fetched, whole",
    "x1": "left edge of the face, in pixels of the upright picture or crop",
    "y1": "upper edge",
    "x2": "right edge",
    "y2": "lower edge",
    "label": "number of the identity; -1: a distractor",
    "role": "train, seen (in train and test), unseen (only test) or distractor",
    "character": "name of the character",
    "album": "name of the cartoon",
    "width": "of the upright picture, in pixels",
    "height": "of the upright picture, in pixels",
}


def file_of(table: str) -> str:
    """The file of a table, relative to the release.

    >>> file_of("identities")
    'records/identities.parquet'
    """
    return f"{FOLDER}/{table}.parquet"


#: The file of each thing of a plan, and its name there where it holds several.
Places = Mapping[Placed, tuple[str, str]]


def write_records(folder: Path, data: ReleaseData, places: Places) -> Mapping[str, int]:
    """Write every table that has rows.

    Args:
        folder: the release.
        data: what it contains.
        places: where a format has each thing; what none has keeps its own name.

    Returns:
        Number of rows of each table that was written.
    """
    (folder / FOLDER).mkdir(exist_ok=True)
    plan = data.plan
    roles = _roles(plan)
    tables = {
        TRAIN: _faces(data, plan.train, places, roles),
        TEST: _faces(data, plan.test, places, roles),
        DETECTION_TRAIN: _boxes(plan, plan.detection_train, places),
        DETECTION_TEST: _boxes(plan, plan.detection_test, places),
        IDENTITIES: _identities(plan, roles),
    }
    written = {}
    for name, table in tables.items():
        if table.num_rows:
            pq.write_table(table, folder / file_of(name), compression="zstd")
            written[name] = int(table.num_rows)
    return written


def _roles(plan: Plan) -> dict[int, str]:
    """The role of every labelled identity."""
    owner = plan.selection.faces.identity
    train = set(owner[plan.splits.train].tolist())
    probes = set(owner[plan.splits.probes].tolist())
    return {
        each: "unseen" if each not in train else "seen" if each in probes else "train"
        for each in plan.labels
    }


def _faces(
    data: ReleaseData,
    placed: Sequence[Placed],
    places: Places,
    roles: Mapping[int, str],
) -> pa.Table:
    selection = data.plan.selection
    rows = [each.face for each in placed]
    owners = selection.faces.identity[rows].tolist()
    known = [selection.identities[each] for each in owners]
    labels = [each.label for each in placed]
    held = [
        "distractor" if label < 0 else roles[owner]
        for label, owner in zip(labels, owners, strict=True)
    ]
    return pa.Table.from_arrays(
        [
            *_pictures(data.plan, placed, places),
            *map(numbers, _face_corners(data, placed).T),
            numbers(labels),
            texts(held),
            texts([each.character for each in known]),
            texts([each.album for each in known]),
        ],
        schema=_FACES,
    )


def _face_corners(data: ReleaseData, placed: Sequence[Placed]) -> npt.NDArray[np.int32]:
    """Boxes of labelled faces, shape (n, 4): in the crop, where that is written."""
    if data.plan.crops is not None:
        boxes = [data.box(each) for each in placed]
        return np.array(boxes, np.int32).reshape(-1, 4)
    selection = data.plan.selection
    size = selection.pictures.size[[each.picture for each in placed]].reshape(-1, 2)
    return _whole(selection.faces.corners[[each.face for each in placed]], size)


def _boxes(plan: Plan, placed: Sequence[Placed], places: Places) -> pa.Table:
    pictures = plan.selection.pictures
    each_box = [each for each in placed for _ in pictures.boxes[each.picture]]
    size = pictures.size[[each.picture for each in each_box]].reshape(-1, 2)
    boxes = [box.corners for each in placed for box in pictures.boxes[each.picture]]
    corners = _whole(np.array(boxes, np.float64).reshape(-1, 4), size)
    columns = [*_pictures(plan, each_box, places), *map(numbers, (*size.T, *corners.T))]
    return pa.Table.from_arrays(columns, schema=_BOXES)


def _identities(plan: Plan, roles: Mapping[int, str]) -> pa.Table:
    owner = plan.selection.faces.identity
    rows = [(label, roles[each], each) for each, label in plan.labels.items()]
    rows += [
        (-1, "distractor", int(owner[each.face]))
        for each in plan.test
        if each.label < 0
    ]
    known = [plan.selection.identities[each] for _, _, each in rows]
    return pa.Table.from_arrays(
        [
            numbers([label for label, _, _ in rows]),
            texts([role for _, role, _ in rows]),
            texts([each.character for each in known]),
            texts([each.album for each in known]),
        ],
        schema=SCHEMAS[IDENTITIES],
    )


def _pictures(
    plan: Plan, placed: Sequence[Placed], places: Places
) -> tuple[pa.Array, pa.Array, pa.Array]:
    """The columns ``file``, ``member`` and ``sha256``."""
    sha256 = plan.selection.pictures.sha256
    found = [places.get(each, (each.path, "")) for each in placed]
    return (
        texts([file for file, _ in found]),
        texts([member for _, member in found]),
        texts([sha256[each.picture].decode() for each in placed]),
    )


def _whole(
    corners: npt.NDArray[np.float64], size: npt.NDArray[np.int64]
) -> npt.NDArray[np.int32]:
    """Boxes as the lists have them: whole pixels, inside their picture."""
    limits = np.concatenate([size, size], axis=-1)
    return np.asarray(np.clip(np.rint(corners), 0, limits), np.int32)

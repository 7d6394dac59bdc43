"""The lists of an iCartoonFace release without some of its pictures and faces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from icf.icartoonface.detection import (
    DetectionBoxes,
    Detections,
    read_dettest_csv,
    read_dettrain_csv,
    read_submission_csv,
    write_dettest_csv,
    write_dettrain_csv,
    write_submission_csv,
)
from icf.icartoonface.features import read_features, write_features
from icf.icartoonface.recognition import (
    read_rectest_info,
    read_rectrain_det,
    write_rectest_info,
    write_rectest_labels,
    write_rectrain_det,
)
from icf.icartoonface.release_files import (
    DETTEST_BOXES,
    DETTEST_FOLDER,
    DETTEST_FOUND,
    DETTRAIN_BOXES,
    DETTRAIN_BOXES_BEFORE,
    DETTRAIN_FOLDER,
    FEATURES,
    RECTEST_FOLDER,
    RECTEST_INFO,
    RECTEST_LABELS,
    RECTRAIN_FOLDER,
    RECTRAIN_LIST,
)

B = TypeVar("B", bound=DetectionBoxes)


def write_lists_without(old: Path, new: Path, gone: frozenset[str]) -> None:
    """Write every list that is there again, without some files.

    Args:
        old: the folder of the format.
        new: where to write them, under the same names.
        gone: the files, relative to the folder.
    """
    for path in (RECTRAIN_LIST, RECTEST_LABELS, DETTRAIN_BOXES):
        (new / path).parent.mkdir(parents=True, exist_ok=True)
    if (old / RECTRAIN_LIST).is_file():
        train = read_rectrain_det(old / RECTRAIN_LIST)
        kept = [
            row
            for row, name in enumerate(train.paths)
            if (RECTRAIN_FOLDER / name).as_posix() not in gone
        ]
        paths = tuple(train.paths[row] for row in kept)
        train = replace(train, paths=paths, boxes=train.boxes[kept])
        write_rectrain_det(new / RECTRAIN_LIST, train)
    if (old / RECTEST_INFO).is_file():
        _write_test(old, new, gone)
    for path in (DETTRAIN_BOXES, DETTRAIN_BOXES_BEFORE):
        train_set = (path, DETTRAIN_FOLDER)
        _write_boxes(old, new, *train_set, gone, read_dettrain_csv, write_dettrain_csv)
    test_set = (DETTEST_BOXES, DETTEST_FOLDER)
    _write_boxes(old, new, *test_set, gone, read_dettest_csv, write_dettest_csv)
    found = (DETTEST_FOUND, DETTEST_FOLDER)
    _write_boxes(old, new, *found, gone, read_submission_csv, write_submission_csv)


def _write_test(old: Path, new: Path, gone: frozenset[str]) -> None:
    info = read_rectest_info(old / RECTEST_INFO)
    kept = np.array(
        [
            row
            for row, name in enumerate(info.files)
            if (RECTEST_FOLDER / name).as_posix() not in gone
        ],
        np.int64,
    )
    number = np.full(len(info.files), -1, np.int64)
    number[kept] = np.arange(len(kept))
    pairs = number[info.pairs]
    rest = replace(
        info,
        files=tuple(info.files[row] for row in kept.tolist()),
        boxes=info.boxes[kept],
        labels=info.labels[kept],
        pairs=pairs[(pairs >= 0).all(axis=1)].reshape(-1, 2),
    )
    write_rectest_info(new / RECTEST_INFO, rest)
    if (old / RECTEST_LABELS).is_file():
        write_rectest_labels(new / RECTEST_LABELS, rest)
    if (old / FEATURES).is_file():
        features = read_features(old / FEATURES, len(info.files))
        write_features(new / FEATURES, np.asarray(features)[kept])


def _write_boxes(
    old: Path,
    new: Path,
    path: Path,
    folder: Path,
    gone: frozenset[str],
    read: Callable[[Path], B],
    write: Callable[[Path, B], None],
) -> None:
    if not (old / path).is_file():
        return
    boxes = read(old / path)
    kept = [
        row
        for row, name in enumerate(boxes.pictures)
        if (folder / name).as_posix() not in gone
    ]
    number = np.full(len(boxes.pictures), -1, np.int64)
    number[kept] = np.arange(len(kept))
    rows = number[boxes.picture] >= 0
    changed: dict[str, Any] = {
        "pictures": tuple(boxes.pictures[row] for row in kept),
        "picture": number[boxes.picture][rows],
        "corners": boxes.corners[rows],
    }
    if isinstance(boxes, Detections):
        changed["scores"] = boxes.scores[rows]
    write(new / path, replace(boxes, **changed))

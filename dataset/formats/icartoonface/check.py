"""Check the files of an iCartoonFace release against its contents."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from icf.dataset.contents import (
    DETECTION_TEST,
    DETECTION_TRAIN,
    DISTRACTOR,
    FACES,
    PROBE,
    TRAIN,
    Contents,
)
from icf.dataset.formats.base import whole_corners
from icf.dataset.formats.checked import MISSING, Fault, ReleaseFiles
from icf.dataset.formats.icartoonface.tables import check_identities, check_unconfirmed
from icf.errors import BadInput
from icf.icartoonface.detection import (
    DetectionBoxes,
    read_dettest_csv,
    read_dettrain_csv,
    read_submission_csv,
)
from icf.icartoonface.features import read_features
from icf.icartoonface.recognition import (
    make_pairs,
    read_rectest_info,
    read_rectrain_det,
)
from icf.icartoonface.release_files import (
    DETTEST_BOXES,
    DETTEST_FOLDER,
    DETTEST_FOUND,
    DETTRAIN_BOXES,
    DETTRAIN_FOLDER,
    FEATURES,
    RECTEST_FOLDER,
    RECTEST_INFO,
    RECTRAIN_FOLDER,
    RECTRAIN_LIST,
)
from icf.images.decoder import decode
from icf.images.header import Undecodable

IntArray = npt.NDArray[np.int64]

#: The folder of each part.
FOLDERS = {
    TRAIN: RECTRAIN_FOLDER,
    PROBE: RECTEST_FOLDER,
    DISTRACTOR: RECTEST_FOLDER,
    DETECTION_TRAIN: DETTRAIN_FOLDER,
    DETECTION_TEST: DETTEST_FOLDER,
}

#: How far from 1 the length of a feature may be: of float32, in several hundred terms.
_UNIT = 1e-3
_ROWS = 4096


def check_lists(files: ReleaseFiles) -> Iterator[Fault]:
    """Yield every difference of the lists, list by list."""
    contents = files.contents
    train = contents.take(contents.rows(TRAIN))
    test = contents.take(contents.rows(PROBE, DISTRACTOR))
    for path, look in (
        (RECTRAIN_LIST, lambda path: _check_train(files, path, train)),
        (RECTEST_INFO, lambda path: _check_test(files, path, test)),
        (FEATURES, lambda path: _check_features(path, len(test))),
        (DETTRAIN_BOXES, lambda path: _check_boxes(files, path, DETECTION_TRAIN)),
        (DETTEST_BOXES, lambda path: _check_boxes(files, path, DETECTION_TEST)),
        (DETTEST_FOUND, lambda path: _check_found(files, path)),
    ):
        yield from _checked(files, path, look)
    yield from check_identities(files)
    yield from check_unconfirmed(files, FOLDERS)


Look = Callable[[Path], Iterator[str]]


def _checked(files: ReleaseFiles, path: Path, look: Look) -> Iterator[Fault]:
    """Yield what is wrong with a file, and that it cannot be read."""
    if path.as_posix() not in files.hashes:
        yield Fault(path.as_posix(), MISSING)
        return
    try:
        for what in look(files.folder / path):
            yield Fault(path.as_posix(), what)
    except BadInput as error:
        text = str(error).removeprefix(f"{files.folder / path}").lstrip(":, ")
        yield Fault(path.as_posix(), text)


def check_pictures(files: ReleaseFiles) -> Iterator[Fault]:
    """Yield the pictures that are missing, added, or not those of the contents."""
    contents = files.contents
    known: dict[str, int] = {}
    names: set[str] = set()
    sha256 = contents.sha256.astype("U64").tolist()
    for row, each in enumerate(sha256):
        known.setdefault(each, row)
    folders = {part: folder.as_posix() for part, folder in FOLDERS.items()}
    parts, listed = contents.part.tolist(), contents.name.tolist()
    for row, (part, name) in enumerate(zip(parts, listed, strict=True)):
        file = f"{folders[part]}/{name}"
        names.add(file)
        found = files.hashes.get(file)
        if found is None:
            yield Fault(file, MISSING)
        elif found != sha256[row] and not (files.crops and part in FACES):
            other = known.get(found)
            whose = "another picture"
            if other is not None:
                whose = f"the picture {listed[other]} of {parts[other]}"
            yield Fault(file, f"is {whose}, and not the one that contents.csv has")
    for file in sorted(files.hashes.keys() - names):
        if file.startswith(tuple(f"{folder}/" for folder in folders.values())):
            yield Fault(file, "is in no row of contents.csv")


def _check_train(files: ReleaseFiles, path: Path, train: Contents) -> Iterator[str]:
    listed = read_rectrain_det(path)
    yield from _check_rows(files, train, listed.paths, listed.boxes)


def _check_test(files: ReleaseFiles, path: Path, test: Contents) -> Iterator[str]:
    info = read_rectest_info(path)
    yield from _check_rows(files, test, info.files, info.boxes)
    if len(info.labels) == len(test):
        for row in np.flatnonzero(info.labels != test.label).tolist():
            yield (
                f"line {row + 1}: {info.files[row]} has the label {info.labels[row]}, "
                f"and {test.label[row]} in contents.csv"
            )
    expected = make_pairs(info.labels)
    if not np.array_equal(info.pairs, expected):
        yield (
            f"has {len(info.pairs):,} pairs, which are not the {len(expected):,} of "
            "its labels in their order"
        )


def _check_rows(
    files: ReleaseFiles, rows: Contents, names: Sequence[str], boxes: IntArray
) -> Iterator[str]:
    if len(names) != len(rows):
        yield f"lists {len(names):,} pictures, and contents.csv {len(rows):,}"
    expected = np.maximum(np.rint(rows.corners), 0)
    for row, (name, meant) in enumerate(zip(names, rows.name.tolist(), strict=False)):
        if name != meant:
            yield f"line {row + 1}: expected {meant}, found {name}"
            continue
        if files.crops or (boxes[row] == expected[row]).all():
            continue
        inside = _inside(files, rows, row)
        if inside is None or (boxes[row] != inside).any():
            wanted = expected[row] if inside is None else inside
            yield (
                f"line {row + 1}: {name} has the box {_shown(boxes[row])}, and "
                f"{_shown(wanted)} in contents.csv"
            )


def _inside(files: ReleaseFiles, rows: Contents, row: int) -> IntArray | None:
    """The box of a face that ends outside of its picture, which has to be decoded."""
    file = files.folder / FOLDERS[rows.part[row]] / rows.name[row]
    try:
        picture = decode(file.read_bytes())
    except (OSError, Undecodable):
        return None
    size = picture.width, picture.height
    return np.array(whole_corners(rows.corners[row].tolist(), size), np.int64)


def _shown(box: npt.NDArray[Any]) -> str:
    return " ".join(str(int(each)) for each in box)


def _check_features(path: Path, rows: int) -> Iterator[str]:
    features = read_features(path, rows)
    if features.dtype != np.float64:
        yield f"holds {features.dtype}, and not float64"
        return
    for start in range(0, rows, _ROWS):
        block = np.asarray(features[start : start + _ROWS])
        bad = np.flatnonzero(~np.isfinite(block).all(axis=1))
        if len(bad):
            yield f"row {start + int(bad[0]) + 1}: a number is NaN or infinite"
            return
        length = np.linalg.norm(block, axis=1)
        far = np.flatnonzero(np.abs(length - 1) > _UNIT)
        if len(far):
            row = int(far[0])
            yield f"row {start + row + 1}: its length is {length[row]:.4g}, and not 1"
            return


def _check_boxes(files: ReleaseFiles, path: Path, part: str) -> Iterator[str]:
    train = part == DETECTION_TRAIN
    boxes = read_dettrain_csv(path) if train else read_dettest_csv(path)
    yield from _check_named(files, boxes, part)
    counted = files.summary.get("counts", {}).get(f"{part}_boxes")
    if counted is not None and counted != len(boxes.corners):
        yield f"has {len(boxes.corners):,} boxes, and release.json counts {counted:,}"


def _check_found(files: ReleaseFiles, path: Path) -> Iterator[str]:
    yield from _check_named(files, read_submission_csv(path), DETECTION_TEST)


def _check_named(
    files: ReleaseFiles, boxes: DetectionBoxes, part: str
) -> Iterator[str]:
    known = set(files.contents.name[files.contents.rows(part)].tolist())
    for name in boxes.pictures:
        if name not in known:
            yield f"lists {name}, which is not in {part}"

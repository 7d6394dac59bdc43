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
from icf.dataset.formats.box_cells import boxes_in
from icf.dataset.formats.checked import MISSING, UNEXPECTED, Fault, ReleaseFiles
from icf.dataset.formats.checks.identities import check_identities
from icf.dataset.formats.checks.known import Known
from icf.dataset.formats.checks.listed import Listed, wrong_bytes
from icf.dataset.formats.crops import crop_rectangle
from icf.dataset.formats.icartoonface.form import has_its_form
from icf.dataset.formats.icartoonface.found import check_found
from icf.dataset.formats.icartoonface.lines import align
from icf.dataset.formats.icartoonface.tables import check_unconfirmed
from icf.dataset.formats.records import Split
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
    DETTRAIN_BOXES_BEFORE,
    DETTRAIN_FOLDER,
    FEATURES,
    IDENTITIES,
    RECTEST_FOLDER,
    RECTEST_INFO,
    RECTEST_LABELS,
    RECTRAIN_FOLDER,
    RECTRAIN_LIST,
)
from icf.images.decoder import decode
from icf.images.header import Undecodable

IntArray = npt.NDArray[np.int64]
Look = Callable[[Path], Iterator[str]]

#: The folder of each part.
FOLDERS = {
    TRAIN: RECTRAIN_FOLDER,
    PROBE: RECTEST_FOLDER,
    DISTRACTOR: RECTEST_FOLDER,
    DETECTION_TRAIN: DETTRAIN_FOLDER,
    DETECTION_TEST: DETTEST_FOLDER,
}

#: Second versions of lists, which some releases of earlier versions do not have.
_LATER = frozenset({RECTEST_LABELS, DETTRAIN_BOXES_BEFORE})

#: How far from 1 the length of a feature may be: of float32, in several hundred terms.
_UNIT = 1e-3
_ROWS = 4096


def check_lists(files: ReleaseFiles) -> Iterator[Fault]:
    """Yield every difference of the lists, list by list."""
    contents = files.contents
    train = contents.take(contents.rows(TRAIN))
    test = contents.take(contents.rows(PROBE, DISTRACTOR))
    of_faces: tuple[tuple[Path, Look], ...] = (
        (RECTRAIN_LIST, lambda path: _check_train(files, path, train)),
        (RECTEST_INFO, lambda path: _check_test(files, path, test)),
        (RECTEST_LABELS, lambda path: _check_labels(files, path, test)),
        (FEATURES, lambda path: _check_features(path, len(test))),
    )
    # A release of detection alone has no lists of faces.
    labelled = len(train) + len(test) > 0
    for path, look in (
        *(of_faces if labelled else ()),
        (DETTRAIN_BOXES, lambda path: _check_boxes(files, path, DETECTION_TRAIN)),
        (
            DETTRAIN_BOXES_BEFORE,
            lambda path: _check_boxes(files, path, DETECTION_TRAIN),
        ),
        (DETTEST_BOXES, lambda path: _check_boxes(files, path, DETECTION_TEST)),
        (DETTEST_FOUND, lambda path: _check_found(files, path)),
    ):
        yield from _checked(files, path, look)
    if labelled:
        yield from check_identities(files, IDENTITIES.as_posix())
    yield from check_unconfirmed(files, FOLDERS)


def _checked(files: ReleaseFiles, path: Path, look: Look) -> Iterator[Fault]:
    """Yield what is wrong with a file, and that it cannot be read."""
    if path.as_posix() not in files.hashes:
        if path not in _LATER or "rule" in files.summary:
            yield Fault(path.as_posix(), MISSING)
        return
    try:
        is_good = True
        for what in look(files.folder / path):
            is_good = False
            yield Fault(path.as_posix(), what)
        if is_good and not has_its_form(files.folder, path):
            what = "says the same as when it was written, and in other bytes"
            yield Fault(path.as_posix(), what)
    except BadInput as error:
        text = str(error).removeprefix(f"{files.folder / path}").lstrip(":, ")
        yield Fault(path.as_posix(), text)
    except UNEXPECTED as error:
        yield Fault(path.as_posix(), f"cannot be checked: {error!r}")


def check_pictures(files: ReleaseFiles) -> Iterator[Fault]:
    """Yield the pictures that are missing, added, or not those of the contents."""
    known = Known(files)
    is_good = True
    for fault in _differing(files, known):
        is_good = False
        yield fault
    if is_good:
        yield from known.without_trail()


def _differing(files: ReleaseFiles, crops: Known) -> Iterator[Fault]:
    contents = files.contents
    known: dict[str, int] = {}
    names: set[str] = set()
    sha256 = contents.sha256.astype("U64").tolist()
    for row, each in enumerate(sha256):
        known.setdefault(each, row)
    yield from crops.damage()
    folders = {part: folder.as_posix() for part, folder in FOLDERS.items()}
    parts, listed = contents.part.tolist(), contents.name.tolist()
    for row, (part, name) in enumerate(zip(parts, listed, strict=True)):
        file = f"{folders[part]}/{name}"
        names.add(file)
        found = files.hashes.get(file)
        if found is None:
            yield Fault(file, MISSING)
        elif files.crops and part in FACES:
            split: Split = "train" if part == TRAIN else "test"
            each = Listed(file, "recognition", split, name, picture=file)
            crops.note(row, file)
            yield from wrong_bytes(each, row, crops)
        elif found != sha256[row]:
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
    yield from _check_rows(files, train, listed.paths, listed.boxes, None)


def _check_test(files: ReleaseFiles, path: Path, test: Contents) -> Iterator[str]:
    info = read_rectest_info(path)
    yield from _check_rows(files, test, info.files, info.boxes, info.labels)
    expected = make_pairs(info.labels)
    if not np.array_equal(info.pairs, expected):
        yield (
            f"has {len(info.pairs):,} pairs, which are not the {len(expected):,} of "
            "its labels in their order"
        )


def _check_labels(files: ReleaseFiles, path: Path, test: Contents) -> Iterator[str]:
    info = read_rectest_info(path)
    yield from _check_rows(files, test, info.files, info.boxes, info.labels)
    if len(info.pairs):
        yield f"has {len(info.pairs):,} pairs, and should have none"


def _check_rows(
    files: ReleaseFiles,
    rows: Contents,
    names: Sequence[str],
    boxes: IntArray,
    labels: IntArray | None,
) -> Iterator[str]:
    meant = rows.name.tolist()
    found = align(names, meant)
    for row in found.missing:
        yield f"has no line of {meant[row]}"
    for place in found.added:
        yield f"line {place + 1}: {names[place]} is not in this part"
    for place in found.repeated:
        yield f"line {place + 1}: has {names[place]} a second time"
    for place in sorted(found.moved):
        yield f"line {place + 1}: {names[place]} is out of order"
    for place, row in found.pairs:
        line = f"line {place + 1}: {names[place]} has"
        if labels is not None and labels[place] != rows.label[row]:
            yield (
                f"{line} the label {labels[place]}, and {rows.label[row]} in "
                "contents.csv"
            )
        expected = _box(files, rows, row, boxes[place])
        if expected is not None and (boxes[place] != expected).any():
            yield (
                f"{line} the box {_shown(boxes[place])}, and {_shown(expected)} in "
                "contents.csv"
            )


def _box(
    files: ReleaseFiles, rows: Contents, row: int, found: IntArray
) -> IntArray | None:
    """The box of a face in its picture or crop; None where nobody knows.

    Args:
        files: of the format.
        rows: of the part.
        row: of the face.
        found: what the list says: of a release of an earlier version, a picture has
            to be decoded where the face ends outside of it.
    """
    size = int(rows.width[row]), int(rows.height[row])
    corners = rows.corners[row].tolist()
    if all(size):
        box = whole_corners(corners, size)
        if not files.crops:
            return np.array(box, np.int64)
        if files.rate is None:
            return None
        part = crop_rectangle(corners, size, files.rate)
        inside = np.array([part.x1, part.y1, part.x1, part.y1], np.int64)
        return np.subtract(np.array(box, np.int64), inside)
    if files.crops:
        return None
    expected: IntArray = np.maximum(np.rint(corners), 0).astype(np.int64)
    if (found == expected).all():
        return expected
    return _inside(files, rows, row, expected)


def _inside(
    files: ReleaseFiles, rows: Contents, row: int, otherwise: IntArray
) -> IntArray:
    """The box of a face that ends outside of its picture, which has to be decoded."""
    file = files.folder / FOLDERS[rows.part[row]] / rows.name[row]
    try:
        picture = decode(file.read_bytes())
    except (OSError, Undecodable):
        return otherwise
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
    contents = files.contents
    rows = contents.rows(part)
    known = {
        str(contents.name[row]): row for row in rows.tolist() if contents.width[row]
    }
    found: dict[str, list[tuple[float, ...]]] = {name: [] for name in known}
    for picture, corners in zip(
        boxes.picture.tolist(), boxes.corners.tolist(), strict=True
    ):
        if (some := found.get(boxes.pictures[picture])) is not None:
            some.append(tuple(corners))
    for name, some in found.items():
        row = known[name]
        size = int(contents.width[row]), int(contents.height[row])
        meant = [
            whole_corners(each.corners, size) for each in boxes_in(contents.boxes[row])
        ]
        if some != meant:
            yield (
                f"{name} has the boxes {_all_shown(some)}, and {_all_shown(meant)} in "
                "contents.csv"
            )
    counted = files.summary.get("counts", {}).get(f"{part}_boxes")
    if counted is not None and counted != len(boxes.corners):
        shown = f"{counted:,}" if isinstance(counted, int) else repr(counted)
        yield f"has {len(boxes.corners):,} boxes, and release.json counts {shown}"


def _all_shown(boxes: Sequence[Sequence[float]]) -> str:
    shown = (" ".join(f"{side:g}" for side in each) for each in boxes)
    return ", ".join(f"({each})" for each in shown) or "none"


def _check_found(files: ReleaseFiles, path: Path) -> Iterator[str]:
    yield from _check_named(files, read_submission_csv(path), DETECTION_TEST)
    yield from check_found(files, path)


def _check_named(
    files: ReleaseFiles, boxes: DetectionBoxes, part: str
) -> Iterator[str]:
    known = set(files.contents.name[files.contents.rows(part)].tolist())
    for name in boxes.pictures:
        if name not in known:
            yield f"lists {name}, which is not in {part}"

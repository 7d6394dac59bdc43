"""Write the files of a release, in the layout of the published archives.

::

    recognition/icartoonface_rectrain/<identity>/<picture>
    recognition/icartoonface_rectrain_det.txt
    recognition/icartoonface_rectest/<picture>
    recognition/icartoonface_rectest_info.txt         with the pairs to score
    recognition/icartoonface_rectest_features.bin     float64, by our embedder
    recognition/identities.csv                        who each number is
    detection/icartoonface_dettrain/<picture>
    detection/personai_icartoonface_dettrain_anno_updatedv1.0.csv
    detection/icartoonface_detval/<picture>
    detection/personai_icartoonface_detval.csv
    detection/icartoonface_detval_detections.csv      what the detector found
    licences.csv README.md leaks.json release.json
"""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from icf.dataset.formats.icartoonface.detection import (
    PUBLISHED_TEST,
    DetectionBoxes,
    Detections,
    write_dettest_csv,
    write_dettrain_csv,
    write_submission_csv,
)
from icf.dataset.formats.icartoonface.features import write_features
from icf.dataset.formats.icartoonface.recognition import (
    RecognitionTest,
    RecognitionTrain,
    write_rectest_info,
    write_rectrain_det,
)
from icf.dataset.licences import COLUMNS, Source, rows
from icf.dataset.plan import Placed, Plan
from icf.spreadsheet import harmless
from icf.stores.blobs import BlobStore
from icf.workspace import Workspace

REC, DET = Path("recognition"), Path("detection")
RECTRAIN_FOLDER = REC / "icartoonface_rectrain"
RECTEST_FOLDER = REC / "icartoonface_rectest"
DETTRAIN_FOLDER = DET / "icartoonface_dettrain"
DETTEST_FOLDER = DET / "icartoonface_detval"
RECTRAIN_LIST = REC / "icartoonface_rectrain_det.txt"
RECTEST_INFO = REC / "icartoonface_rectest_info.txt"
FEATURES = REC / "icartoonface_rectest_features.bin"
DETTRAIN_BOXES = DET / "personai_icartoonface_dettrain_anno_updatedv1.0.csv"
DETTEST_BOXES = DET / "personai_icartoonface_detval.csv"
DETTEST_FOUND = DET / "icartoonface_detval_detections.csv"

#: What counts as true in the detection set, said in every release.
TRUTH = (
    "The detector's boxes of drawn faces that people confirmed as their character. "
    "Only pictures in which every drawn face found was confirmed are in the set. "
    "Nobody drew boxes by hand or looked for faces that the detector missed."
)


def write_files(
    folder: Path,
    plan: Plan,
    sources: Mapping[int, Sequence[Source]],
    workspace: Workspace,
) -> None:
    """Write everything but ``leaks.json`` and ``release.json``.

    Raises:
        BadInput: the bytes of a picture, or the vector of a face, are not in store.
    """
    lists = {
        RECTRAIN_FOLDER: plan.train,
        RECTEST_FOLDER: plan.test,
        DETTRAIN_FOLDER: plan.detection_train,
        DETTEST_FOLDER: plan.detection_test,
    }
    for place, placed in lists.items():
        (folder / place).mkdir(parents=True)
        _write_pictures(folder / place, placed, plan, workspace.blobs)
    _write_recognition(folder, plan, workspace)
    _write_detection(folder, plan)
    _write_csv(folder / "licences.csv", COLUMNS, _licences(lists, plan, sources))
    (folder / "README.md").write_text(_readme(plan), encoding="utf-8")


def _write_pictures(
    folder: Path, placed: Sequence[Placed], plan: Plan, blobs: BlobStore
) -> None:
    for each in placed:
        target = folder / each.path
        target.parent.mkdir(exist_ok=True)
        _put(blobs, plan.selection.pictures.sha256[each.picture].decode(), target)


def _put(blobs: BlobStore, sha256: str, target: Path) -> None:
    """The same bytes: a hard link where the disk allows, otherwise a copy."""
    if not blobs.local or not blobs.path(sha256).is_file():
        # A store elsewhere; or the error that names what is missing.
        target.write_bytes(blobs.get(sha256))
        return
    try:
        os.link(blobs.path(sha256), target)
    except OSError:
        shutil.copyfile(blobs.path(sha256), target)


def _write_recognition(folder: Path, plan: Plan, workspace: Workspace) -> None:
    train, test = plan.train, plan.test
    write_rectrain_det(
        folder / RECTRAIN_LIST,
        RecognitionTrain(
            tuple(each.path for each in train), _whole_corners(plan, train)
        ),
    )
    info = RecognitionTest(
        tuple(each.path for each in test),
        _whole_corners(plan, test),
        np.array([each.label for each in test], np.int64),
    )
    write_rectest_info(folder / RECTEST_INFO, info)
    faces = plan.selection.faces.face[[each.face for each in test]]
    vectors = workspace.vectors.get(plan.selection.embedder, faces)
    write_features(folder / FEATURES, vectors)
    columns = ("label", "role", "character", "album", "character_id")
    _write_csv(folder / REC / "identities.csv", columns, _identities(plan))


def _identities(plan: Plan) -> Iterator[tuple[object, ...]]:
    selection = plan.selection
    owner = selection.faces.identity
    train = set(owner[plan.splits.train].tolist())
    probes = set(owner[plan.splits.probes].tolist())
    for number, (identity, label) in enumerate(
        [
            *((each, label) for each, label in plan.labels.items()),
            *((int(each), -1) for each in owner[plan.splits.distractors]),
        ]
    ):
        who = selection.identities[identity]
        role = "distractor"
        if number < len(plan.labels):
            role = "train" if identity in train else "unseen"
            role = "seen" if identity in train and identity in probes else role
        names = harmless(who.character), harmless(who.album)
        yield label, role, *names, identity


def _write_detection(folder: Path, plan: Plan) -> None:
    train = _true_boxes(plan, plan.detection_train)
    write_dettrain_csv(folder / DETTRAIN_BOXES, DetectionBoxes(*train))
    names, picture, corners = _true_boxes(plan, plan.detection_test)
    test = DetectionBoxes(names, picture, corners, PUBLISHED_TEST)
    write_dettest_csv(folder / DETTEST_BOXES, test)
    boxes = [
        plan.selection.pictures.boxes[each.picture] for each in plan.detection_test
    ]
    found = Detections(
        names,
        picture,
        np.array([box.corners for each in boxes for box in each]).reshape(-1, 4),
        scores=np.array([box.score for each in boxes for box in each], np.float64),
    )
    write_submission_csv(folder / DETTEST_FOUND, found)


def _true_boxes(
    plan: Plan, placed: Sequence[Placed]
) -> tuple[tuple[str, ...], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    pictures = plan.selection.pictures
    counts = [len(pictures.boxes[each.picture]) for each in placed]
    corners = [
        row
        for each in placed
        for row in _whole(
            np.array([box.corners for box in pictures.boxes[each.picture]]),
            pictures.size[each.picture],
        ).tolist()
    ]
    return (
        tuple(each.path for each in placed),
        np.repeat(np.arange(len(placed)), counts),
        np.array(corners, np.float64).reshape(-1, 4),
    )


def _whole_corners(plan: Plan, placed: Sequence[Placed]) -> npt.NDArray[np.int64]:
    """The boxes of the faces, as the published lists have them: whole pixels."""
    selection = plan.selection
    corners = selection.faces.corners[[each.face for each in placed]]
    size = selection.pictures.size[[each.picture for each in placed]]
    return _whole(corners, size)


def _whole(
    corners: npt.NDArray[np.float64], size: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    width, height = size[..., 0, None], size[..., 1, None]
    limits = np.concatenate([width, height, width, height], axis=-1)
    inside = np.clip(np.rint(corners), 0, limits)
    return np.asarray(inside, np.int64)


def _licences(
    lists: Mapping[Path, Sequence[Placed]],
    plan: Plan,
    sources: Mapping[int, Sequence[Source]],
) -> Iterator[tuple[str, ...]]:
    pictures = plan.selection.pictures
    for folder, placed in lists.items():
        for each in placed:
            image = int(pictures.image[each.picture])
            sha256 = pictures.sha256[each.picture].decode()
            yield from rows((folder / each.path).as_posix(), sha256, sources[image])


def _write_csv(
    path: Path, columns: Sequence[str], table: Iterable[Sequence[object]]
) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(table)


def _readme(plan: Plan) -> str:
    counts = plan.counts
    table = "\n".join(f"| {k.replace('_', ' ')} | {v:,} |" for k, v in counts.items())
    return f"""\
# A cartoon-face data set

Made with icf, in the file formats of iCartoonFace. `release.json` has the seed, the
settings, the models and the counts; `leaks.json` has what was checked between train and
test; `licences.csv` has the source and licence of every picture; files are the bytes as
they were fetched. Boxes are in the upright picture: apply EXIF rotation first.

| | |
| --- | --- |
{table}

## Recognition

`{RECTRAIN_LIST}` has one line a training face: picture below
`{RECTRAIN_FOLDER}`, x1, y1, x2, y2, with TABs. `{RECTEST_INFO}` has one line a
test face, with its identity's number (-1: a distractor), then the pairs to score.
`recognition/identities.csv` says who each number is. The identity of every face was
confirmed by people.

    icf-evaluate identification --info {RECTEST_INFO} \\
      --features {FEATURES}

scores this release's own embedder. An embedder that was trained on these very pictures
is not tested fairly by them.

## Detection

{TRUTH}

So these boxes can train a detector, but the detector that found them can only agree
with them: `{DETTEST_FOUND}` scores near 1 by construction.

    icf-evaluate detection --truth {DETTEST_BOXES} \\
      --detections {DETTEST_FOUND}
"""

"""Write a release in the layout of the published archives, with a README."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from icf.catalogue.labels.given_boxes import NAMES
from icf.dataset.formats.base import ReleaseData, WrittenPicture
from icf.dataset.formats.checked import Fault, ReleaseFiles
from icf.dataset.formats.crops import QUALITY
from icf.dataset.formats.icartoonface.check import check_lists, check_pictures
from icf.dataset.formats.identities import write_identities
from icf.dataset.own_models import NO_DETECTOR, OWN_DETECTOR, OWN_EMBEDDER
from icf.dataset.plan import Placed, Plan, detection_truth
from icf.icartoonface.detection import (
    PUBLISHED_TEST,
    DetectionBoxes,
    Detections,
    write_dettest_csv,
    write_dettrain_csv,
    write_submission_csv,
)
from icf.icartoonface.features import write_features
from icf.icartoonface.recognition import (
    RecognitionTest,
    RecognitionTrain,
    write_rectest_info,
    write_rectest_labels,
    write_rectrain_det,
)
from icf.icartoonface.release_files import (
    ACCEPTED,
    DETTEST_BOXES,
    DETTEST_FOLDER,
    DETTEST_FOUND,
    DETTRAIN_BOXES,
    DETTRAIN_BOXES_BEFORE,
    DETTRAIN_FOLDER,
    FEATURES,
    FOLLOWERS,
    IDENTITIES,
    RECTEST_FOLDER,
    RECTEST_INFO,
    RECTEST_LABELS,
    RECTRAIN_FOLDER,
    RECTRAIN_LIST,
    UNASKED,
)
from icf.spreadsheet import harmless, write_csv

#: What stands for the recognition set where there is none.
NO_FACES = "No face of it has the name of its character: it has detection alone.\n"
#: The folders of pictures, in the order of the parts of a plan.
_PLACES = (RECTRAIN_FOLDER, RECTEST_FOLDER, DETTRAIN_FOLDER, DETTEST_FOLDER)


class ICartoonFaceWriter:
    """The published lists, boxes and features, and the pictures next to them."""

    name: ClassVar[str] = "icartoonface"
    help: ClassVar[str] = "The files of the published iCartoonFace, under their names."

    def write(self, data: ReleaseData, folder: Path) -> list[WrittenPicture]:
        """Write pictures, lists, boxes, features and a README.

        Raises:
            BrokenMachine: a picture's bytes or a face's embedding are missing.
        """
        for place in _PLACES if data.plan.has_faces else _PLACES[2:]:
            (folder / place).mkdir(parents=True)
        written = []
        inside = ""
        for each, file in picture_files(data.plan):
            above = each.path.rpartition("/")[0]
            if above and above != inside:  # an identity's pictures come together
                inside = above
                (folder / file).parent.mkdir(exist_ok=True)
            written.append(data.put(each, folder, file))
        _write_lists(data, folder)
        return written

    def verify(self, files: ReleaseFiles) -> Iterator[Fault]:
        """Check every picture, list, box and feature against the contents."""
        yield from check_pictures(files)
        yield from check_lists(files)


class ICartoonFaceListsWriter:
    """The same lists, boxes and features, where the pictures are in other files."""

    name: ClassVar[str] = "icartoonface-lists"
    help: ClassVar[str] = (
        "The lists, boxes and features of iCartoonFace without its pictures."
    )

    def write(self, data: ReleaseData, folder: Path) -> list[WrittenPicture]:
        """Write lists, boxes, features and a README.

        Raises:
            BrokenMachine: a face's embedding is missing.
        """
        _write_lists(data, folder)
        return []

    def verify(self, files: ReleaseFiles) -> Iterator[Fault]:
        """Check every list, box and feature against the contents."""
        return check_lists(files)


def picture_files(plan: Plan) -> Iterator[tuple[Placed, Path]]:
    """Yield everything that has a picture, with its file below the format's folder."""
    parts = plan.train, plan.test, plan.detection_train, plan.detection_test
    for place, placed in zip(_PLACES, parts, strict=True):
        for each in placed:
            yield each, place / each.path


def _write_lists(data: ReleaseData, folder: Path) -> None:
    """Write everything but the pictures."""
    if data.plan.has_faces:
        _write_recognition(folder, data)
    _write_detection(folder, data)
    (folder / "README.md").write_text(_readme(data.plan), encoding="utf-8")


def _write_recognition(folder: Path, data: ReleaseData) -> None:
    plan = data.plan
    train, test = plan.train, plan.test
    (folder / RECTEST_LABELS).parent.mkdir(parents=True)
    write_rectrain_det(
        folder / RECTRAIN_LIST,
        RecognitionTrain(tuple(each.path for each in train), _boxes(data, train)),
    )
    info = RecognitionTest(
        tuple(each.path for each in test),
        _boxes(data, test),
        np.array([each.label for each in test], np.int64),
    )
    write_rectest_info(folder / RECTEST_INFO, info)
    write_rectest_labels(folder / RECTEST_LABELS, info)
    faces = plan.selection.faces.face[[each.face for each in test]]
    write_features(folder / FEATURES, data.vectors(faces))
    write_identities(folder / IDENTITIES.parent, plan)
    listed = ("file", "character", "album", "face")
    for name, some in (
        (UNASKED, plan.selection.unasked),
        (ACCEPTED, plan.selection.accepted),
        (FOLLOWERS, plan.selection.followers),
    ):
        if some:
            write_csv(folder / name, listed, _listed(plan, some))


def _listed(plan: Plan, some: Collection[int]) -> Iterator[tuple[object, ...]]:
    """The rows of a table of faces that nobody was asked about."""
    faces = plan.selection.faces
    for folder, placed in ((RECTRAIN_FOLDER, plan.train), (RECTEST_FOLDER, plan.test)):
        for each in placed:
            face_id = int(faces.face[each.face])
            if face_id in some:
                identity = plan.selection.identities[int(faces.identity[each.face])]
                names = harmless(identity.character), harmless(identity.album)
                yield (folder / each.path).as_posix(), *names, face_id


def _write_detection(folder: Path, data: ReleaseData) -> None:
    plan = data.plan
    (folder / DETTRAIN_BOXES).parent.mkdir(parents=True, exist_ok=True)
    train = DetectionBoxes(*_true_boxes(data, plan.detection_train))
    for name in (DETTRAIN_BOXES, DETTRAIN_BOXES_BEFORE):
        write_dettrain_csv(folder / name, train)
    names, picture, corners = _true_boxes(data, plan.detection_test)
    test = DetectionBoxes(names, picture, corners, PUBLISHED_TEST)
    write_dettest_csv(folder / DETTEST_BOXES, test)
    boxes = [
        plan.selection.pictures.detected[each.picture] for each in plan.detection_test
    ]
    found = Detections(
        names,
        np.repeat(np.arange(len(boxes)), [len(each) for each in boxes]),
        np.array([box.corners for each in boxes for box in each]).reshape(-1, 4),
        scores=np.array([box.score for each in boxes for box in each], np.float64),
    )
    write_submission_csv(folder / DETTEST_FOUND, found)


def _true_boxes(
    data: ReleaseData, placed: Sequence[Placed]
) -> tuple[tuple[str, ...], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    boxes = [data.boxes(each) for each in placed]
    corners = [box for some in boxes for box in some]
    return (
        tuple(each.path for each in placed),
        np.repeat(np.arange(len(placed)), [len(some) for some in boxes]),
        np.array(corners, np.float64).reshape(-1, 4),
    )


def _boxes(data: ReleaseData, placed: Sequence[Placed]) -> npt.NDArray[np.int64]:
    """The boxes of the faces, as the published lists have them: whole pixels."""
    corners = [data.box(each) for each in placed]
    return np.array(corners, np.int64).reshape(-1, 4)


def _who_confirmed(plan: Plan) -> str:
    """Say which faces people confirmed."""
    unasked, accepted = len(plan.selection.unasked), len(plan.selection.accepted)
    followers = len(plan.selection.followers)
    if not unasked and not accepted and not followers:
        return "The identity of every face was\nconfirmed by people."
    first = (
        f"People confirmed the\nidentity of {plan.counts['confirmed_faces']:,} faces. "
    )
    lines = []
    if unasked:
        lines.append(
            f"{unasked:,} are references that the program chose and\nthat nobody was "
            f"asked about; `{UNASKED}` lists those in train and test."
        )
    if accepted:
        lines.append(
            f"{accepted:,} were accepted by the model, which was sure enough, and\nnot "
            f"asked about; `{ACCEPTED}` lists those in train, and the test has\nnone. "
            "`release.json` gives the probability, and what people said of such faces."
        )
    if followers:
        lines.append(
            f"{followers:,} follow another face of their track through a video, about\n"
            f"which people were asked; `{FOLLOWERS}` lists those in train, and the\n"
            "test has none. `release.json` has what people said of such faces."
        )
    return first + "\n".join([*lines, "They count as confirmed below."])


def _files(plan: Plan) -> str:
    """Say what the pictures are."""
    if plan.crops is None:
        return "files are the\nbytes as they were fetched."
    return (
        "files of the\nrecognition set are cut around the face, with the box enlarged "
        f"by {plan.crops:g},\nas JPEG of quality {QUALITY}; those of the detection set "
        "are the bytes as they were fetched."
    )


def _readme(plan: Plan) -> str:
    return f"""\
# The files of iCartoonFace

The lists, boxes and features have the names and shapes of the published ones;
{_files(plan)}
Boxes are in the upright picture: apply EXIF rotation first.

## Recognition

{_recognition(plan) if plan.has_faces else NO_FACES}
## Detection

{detection_truth(plan.selection)}

{_how_detection_is_scored(plan)}"""


def _recognition(plan: Plan) -> str:
    return f"""\
`{RECTRAIN_LIST}` has one line a training face: picture below
`{RECTRAIN_FOLDER}`, x1, y1, x2, y2, with TABs. `{RECTEST_INFO}` has one line a
test face, with its identity's number (-1: a distractor), then the pairs to score;
`{RECTEST_LABELS}` is the same without the pairs.
`{IDENTITIES}` has the character of each number. {_who_confirmed(plan)}

    icf-evaluate identification --info {RECTEST_INFO} \\
      --features {FEATURES}

scores {OWN_EMBEDDER}.
Nor is a test of one that was trained on these very pictures.
"""


def _how_detection_is_scored(plan: Plan) -> str:
    if plan.selection.verified is None:
        return (
            "So these boxes can train a detector, but they give no average precision: "
            "nobody\nlooked for what the detector missed, and it can only agree with "
            "itself.\n`icf-evaluate` refuses to score against them without "
            "`--unverified`.\n"
        )
    if _nothing_detected(plan):
        return (
            f"`{DETTEST_FOUND}` is empty:\n{NO_DETECTOR}.\n\n"
            f"    icf-evaluate detection --truth {DETTEST_BOXES} \\\n"
            "      --detections FILE\n\nscores what yours finds.\n"
        )
    return f"""\
`{DETTEST_FOUND}` has what this release's own detector found:

    icf-evaluate detection --truth {DETTEST_BOXES} \\
      --detections {DETTEST_FOUND}

scores {OWN_DETECTOR}. People
saw its proposals in most of these pictures before they verified the boxes, so another
detector has it harder.
"""


def _nothing_detected(plan: Plan) -> bool:
    """Whether all boxes came with published sets, and no detector found any."""
    detectors = plan.selection.detectors
    found = plan.selection.pictures.detected
    return (
        bool(detectors)
        and set(detectors) <= NAMES.keys()
        and not any(found[each.picture] for each in plan.detection_test)
    )

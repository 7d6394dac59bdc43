"""A release of `icf-build-splits`, as a source: everything that its tables say.

The lists round boxes and know numbers only. ``contents.csv`` has the corners as they
were, names, and who confirmed each face; ``licences.csv`` where each picture is from;
the lists of the detection set what people verified, and what the detector found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from icf.app.import_icartoonface.earlier_contents import earlier_contents
from icf.app.import_icartoonface.release_attributes import read_attributes
from icf.app.import_icartoonface.release_pictures import ReleasePictures, lists_of
from icf.app.import_icartoonface.release_tables import (
    key_of,
    places_by_content,
    publisher_of,
    read_summary,
)
from icf.app.importing.described import Described
from icf.app.importing.faces import SAME_FACE
from icf.app.importing.given import (
    Fault,
    GivenFace,
    GivenPicture,
    Owner,
    PictureAt,
    Publisher,
    SourceFile,
    Stated,
)
from icf.dataset import contents, licences
from icf.dataset.formats.box_cells import boxes_in
from icf.dataset.release.earlier import has_contents
from icf.errors import BadInput
from icf.icartoonface.detection import (
    DetectionBoxes,
    read_dettest_csv,
    read_dettrain_csv,
    read_submission_csv,
)
from icf.icartoonface.parts import RELEASE_TEST, RELEASE_TRAIN
from icf.icartoonface.release_files import (
    DETTEST_BOXES,
    DETTEST_FOUND,
    DETTRAIN_BOXES,
)
from icf.models.data.base import Box
from icf.models.overlap import matched

_HELD_OUT = {contents.PROBE, contents.DISTRACTOR, contents.DETECTION_TEST}

#: In place of a detector's hash, where a release does not say it.
UNKNOWN_DETECTOR = "of a release"

#: What is left out of a release's labels, by who gave them.
_LEFT_OUT = {
    "model": "a label by the model alone, which is asked about again",
    "track": "a label by another face of its track, which is asked about again",
}
_NOWHERE = "a picture that no format of the release has"
_UNVERIFIED = "a picture of the detection set whose boxes nobody verified"


@dataclass(slots=True)
class _Picture:
    """What the tables say of one content, wherever its files are.

    There are hundreds of thousands.
    """

    called: str
    line: int
    file: PictureAt | None
    sha256: str
    is_test: bool = False
    is_held: bool = True
    all_faces: bool = False
    faces: list[GivenFace] = field(default_factory=list)
    verified: tuple[Box, ...] | None = None


class Release:
    """The pictures of a release, each once.

    Args:
        root: its folder.

    Attributes:
        summary: the content of ``release.json``.
        left_out: what was passed over so far, by reason, and is no fault.

    Raises:
        BadInput: it is no release, or one whose pictures cannot be taken from it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.summary = read_summary(root)
        self.left_out: Counter[str] = Counter()
        self._owners: dict[tuple[str, str], Owner] = {}
        self._described: dict[tuple[str, str], Described] = {}
        self._lists = lists_of(root, self.summary)
        path = root / contents.FILE
        self._is_earlier = not has_contents(root)
        self._table = (
            earlier_contents(root, self.summary)
            if self._is_earlier
            else contents.read_contents(path)
        )
        self._files = ReleasePictures(root, self.summary, self._table)

    @property
    def publisher(self) -> Publisher:
        """Who its labels are by: the people who made that very release."""
        return publisher_of(self.summary)

    def pictures(self) -> Iterator[GivenPicture | Fault]:
        """Yield the pictures in the order in which their first files are listed."""
        table = self.root / (licences.FILE if self._is_earlier else contents.FILE)
        source, key = SourceFile.of(table), key_of(self.summary)
        found = self._tables(self._table)
        places = places_by_content(self.root / licences.FILE)
        if found and not any(each.file for each in found.values()):
            raise BadInput(
                f"{self.root}: none of its pictures is there; `icf release relink` "
                "downloads those of a release without pictures"
            )
        for name, each in found.items():
            if each.file is None and not each.is_held:
                self.left_out[_NOWHERE] += 1
            elif each.file is None:
                where = f"{table}, line {each.line}"
                why = f"there is no picture {each.called}"
                yield Fault(where, why, is_picture=True)
            elif each.faces or each.verified is not None:
                yield GivenPicture(
                    RELEASE_TEST if each.is_test else RELEASE_TRAIN,
                    f"release://{key}/{name}",
                    each.file,
                    source,
                    tuple(each.faces),
                    all_faces=each.all_faces,
                    line=each.line,
                    places=tuple(places.get(each.sha256, ())),
                    verified=each.verified,
                    stated=Stated(sha256=None if name != each.sha256 else name),
                )
            else:
                self.left_out[_UNVERIFIED] += 1

    def _tables(self, table: contents.Contents) -> dict[str, _Picture]:
        """Put together what the release says of each content, by SHA-256."""
        self._described = read_attributes(self.root)
        pictures: dict[str, _Picture] = {}
        crops: dict[str, _Picture] = {}
        by_name: dict[tuple[str, str], str] = {}
        columns = (table.part, table.name, table.sha256.astype("U64"))
        for row, (part, name, sha256) in enumerate(
            zip(*(each.tolist() for each in columns), strict=True)
        ):
            by_name[part, name] = sha256
            picture = pictures.get(sha256)
            if picture is None:
                picture = _Picture(
                    self._files.called(part, name),
                    row + 2,
                    self._files.whole(part, name, sha256),
                    sha256,
                )
                picture.is_held = False
                pictures[sha256] = picture
            picture.is_held |= self._files.is_held(part)
            picture.is_test |= part in _HELD_OUT
            if part not in contents.FACES:
                continue
            cut = self._files.crop(row) if picture.file is None else None
            if cut is None:
                picture.faces.append(self._face(table, row))
            else:
                face = replace(self._face(table, row), box=cut.box)
                crop = _Picture(name, row + 2, cut.place, sha256, part in _HELD_OUT)
                crop.faces.append(face)
                crops[f"{sha256}/{part}/{name}"] = crop
        cut_out = {each.sha256 for each in crops.values()}
        for sha256 in cut_out:
            if pictures[sha256].file is None and not pictures[sha256].faces:
                del pictures[sha256]
        self._detection(table, pictures, by_name)
        return {**pictures, **crops}

    def _face(self, table: contents.Contents, row: int) -> GivenFace:
        by = table.confirmed_by[row]
        if by in _LEFT_OUT:
            self.left_out[_LEFT_OUT[by]] += 1
        x1, y1, x2, y2 = table.corners[row].tolist()
        names = table.album[row], table.character[row]
        return GivenFace(
            (x1, y1, x2, y2),
            row + 2,
            self._owners.setdefault(names, Owner(*names)),
            labelled=by == "people",
            is_reference=by == "reference",
            described=self._described.get((table.part[row], table.name[row])),
        )

    def _detection(
        self,
        table: contents.Contents,
        pictures: Mapping[str, _Picture],
        by_name: Mapping[tuple[str, str], str],
    ) -> None:
        """Add what people verified, and what the detector found."""
        verified = self.summary.get("detection_boxes") == "verified"
        if verified or self._is_earlier:
            for part, name, corners in self._true_boxes(table):
                if sha256 := by_name.get((part, name)):
                    pictures[sha256].verified = corners
        if self._lists is not None and (self._lists / DETTEST_FOUND).is_file():
            self._found(self._lists / DETTEST_FOUND, pictures, by_name)
        for each in pictures.values():
            each.faces += _others(each)
            if each.verified is not None and not verified:
                # Nobody says who drew them; they are all faces, as a set gives them.
                each.all_faces, each.verified = True, None

    def _found(
        self,
        path: Path,
        pictures: Mapping[str, _Picture],
        by_name: Mapping[tuple[str, str], str],
    ) -> None:
        """Add what the detector found in the pictures of the test."""
        found = read_submission_csv(path)
        detector = self._detector()
        rows = zip(
            found.picture.tolist(),
            found.corners.tolist(),
            found.scores.tolist(),
            strict=True,
        )
        for number, (picture, corners, score) in enumerate(rows, 1):
            key = contents.DETECTION_TEST, found.pictures[picture]
            if sha256 := by_name.get(key):
                _add_found(pictures[sha256], tuple(corners), score, detector, number)

    def _true_boxes(
        self, table: contents.Contents
    ) -> Iterator[tuple[str, str, tuple[Box, ...]]]:
        """Yield part, name and boxes of each picture of the detection set.

        An earlier version has them in whole pixels, in its lists alone.
        """
        rows = table.rows(contents.DETECTION_TRAIN, contents.DETECTION_TEST)
        if table.width[rows].all():
            for row in rows.tolist():
                boxes = tuple(each.corners for each in boxes_in(table.boxes[row]))
                yield table.part[row], table.name[row], boxes
            return
        if self._lists is None:
            raise BadInput(
                f"{self.root}: an earlier version wrote this release, and without the "
                "lists of iCartoonFace that have its boxes; import one that has them"
            )
        for part, listed in (
            (contents.DETECTION_TRAIN, read_dettrain_csv(self._lists / DETTRAIN_BOXES)),
            (contents.DETECTION_TEST, read_dettest_csv(self._lists / DETTEST_BOXES)),
        ):
            for name, boxes in _by_picture(listed):
                yield part, name, boxes

    def _detector(self) -> str:
        """The hash of the model that found the boxes of the test."""
        models = self.summary.get("models", {}).get("detectors", ())
        hashes = [str(each.get("sha256", "")) for each in models]
        return next((each for each in hashes if len(each) == 64), UNKNOWN_DETECTOR)


def _add_found(
    picture: _Picture,
    corners: Sequence[float],
    score: float,
    detector: str,
    line: int,
) -> None:
    """Add a box that the detector found, or say of a face there that it did."""
    x1, y1, x2, y2 = corners
    box = (x1, y1, x2, y2)
    for place, face in enumerate(picture.faces):
        if face.box == box and face.found_by is None:
            picture.faces[place] = replace(face, found_by=detector, score=score)
            return
    picture.faces.append(GivenFace(box, line, found_by=detector, score=score))


def _others(picture: _Picture) -> list[GivenFace]:
    """The faces that people verified, and that nothing else knows of."""
    verified = picture.verified or ()
    given = np.array(verified, np.float32).reshape(-1, 4)
    boxes = [each.box for each in picture.faces if each.box]
    known = np.array(boxes, np.float32).reshape(-1, 4)
    seen = {place for place, _ in matched(given, known, SAME_FACE)}
    return [
        GivenFace(box, picture.line)
        for place, box in enumerate(verified)
        if place not in seen
    ]


def _by_picture(boxes: DetectionBoxes) -> Iterator[tuple[str, tuple[Box, ...]]]:
    """Yield each picture with its boxes, in their order."""
    order = np.argsort(boxes.picture, kind="stable")
    ends = np.cumsum(np.bincount(boxes.picture, minlength=len(boxes.pictures)))
    for name, rows in zip(boxes.pictures, np.split(order, ends[:-1]), strict=True):
        yield name, tuple(tuple(each) for each in boxes.corners[rows].tolist())

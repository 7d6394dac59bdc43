"""Compare two detectors on audit pictures that people confirmed whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from icf.images import Undecodable, decode
from icf.models.detection import Detection, Detector
from icf.models.embedding import Pixels
from icf.models.gate.audit_pictures import AuditPicture
from icf.models.gate.average_precision import (
    ANY,
    Curve,
    FoundFaces,
    Size,
    matched,
    within,
)
from icf.models.gate.bootstrap import Difference, difference
from icf.models.gate.floors import SIZES, judge_groups
from icf.models.gate.report import Floor
from icf.models.gate.soundness import MIN_SCORE
from icf.settings import GateSettings
from icf.stores.blobs import MissingBlob
from icf.workspace import Workspace

Ints = NDArray[np.int64]

#: Called with the number of pictures that are done.
Advance = Callable[[int], object]

#: What the difference is of.
FIGURE = "average precision at IoU 0.5 on audit pictures"
#: From so many albums on, albums are drawn, and not pictures: those of one are alike.
LEAST_ALBUMS = 15


@dataclass(frozen=True, eq=False)
class DetectorComparison:
    """What both detectors did.

    Attributes:
        difference: of the average precision.
        champion, challenger: the average precision of each.
        floors: by album and size.
        drawn: what was drawn: ``albums`` or ``pictures``.
    """

    difference: Difference
    champion: float
    challenger: float
    floors: tuple[Floor, ...]
    drawn: str


def lacking(pictures: Sequence[AuditPicture], settings: GateSettings) -> list[str]:
    """Say what an audit set has too little of."""
    if len(pictures) >= settings.min_pictures:
        return []
    return [
        f"people confirmed every face of {len(pictures)} audit pictures, and "
        f"gate.min_pictures is {settings.min_pictures}"
    ]


def compare_detectors(
    pictures: Sequence[AuditPicture],
    champion: Sequence[FoundFaces],
    challenger: Sequence[FoundFaces],
    settings: GateSettings,
) -> DetectorComparison:
    """Compare two detectors by what they found in each picture.

    Args:
        pictures: what is there.
        champion: what it found in each.
        challenger: what it found in each.
        settings: confidence and floors.
    """
    truth = [each.faces for each in pictures]
    albums = _numbered([each.album for each in pictures])
    clusters, drawn = _numbered([str(each.group) for each in pictures]), "pictures"
    if len(np.unique(albums)) >= LEAST_ALBUMS:
        clusters, drawn = albums, "albums"

    def compare(rows: Ints, size: Size) -> tuple[Curve, Curve]:
        there = [within(truth[row], size) for row in rows]
        return (
            matched(there, [challenger[row] for row in rows], size),
            matched(there, [champion[row] for row in rows], size),
        )

    ours, theirs = compare(np.arange(len(pictures)), ANY)
    found = _difference(ours, theirs, clusters, settings.confidence)
    groups = {
        name: (
            each.count,
            partial(_difference, *compare(each.rows, each.size), each.clusters),
        )
        for name, each in _groups(pictures, clusters)
    }
    floors = judge_groups(groups, settings)
    return DetectorComparison(found, theirs.figure(), ours.figure(), floors, drawn)


def detect_audit(
    workspace: Workspace,
    pictures: Sequence[AuditPicture],
    detectors: Sequence[Detector],
    advance: Advance = lambda pictures: None,
) -> tuple[list[list[FoundFaces]], list[AuditPicture]]:
    """Find the drawn faces of pictures, also the unlikely ones.

    Args:
        workspace: that has the pictures.
        pictures: each is decoded once.
        detectors: opened.
        advance: called with the number of pictures that are done.

    Returns:
        For each detector what it found in each picture; and the pictures: those that
        cannot be read are left out.
    """
    found: list[list[FoundFaces]] = [[] for _ in detectors]
    readable = []
    for each in pictures:
        pixels = _read(workspace, each)
        if pixels is not None:
            readable.append(each)
            for detector, seen in zip(detectors, found, strict=True):
                [faces] = detector.detect([pixels], MIN_SCORE)
                seen.append(_drawn(faces))
        advance(1)
    return found, readable


def some_pictures(
    workspace: Workspace, pictures: Sequence[AuditPicture], most: int
) -> list[Pixels]:
    """Decode the first of some pictures that can be read."""
    read = (_read(workspace, each) for each in pictures)
    return list(islice((each for each in read if each is not None), most))


def _read(workspace: Workspace, picture: AuditPicture) -> Pixels | None:
    """Decode an audit picture; None: it is lost or damaged."""
    try:
        data = workspace.blobs.get(picture.sha256)
        return decode(data, workspace.settings.harvest.max_pixels).pixels
    except (MissingBlob, Undecodable):
        return None


def _drawn(faces: Sequence[Detection]) -> FoundFaces:
    own = sorted(
        (face for face in faces if face.kind == "cartoon"), key=lambda face: -face.score
    )
    return FoundFaces(
        np.array([face.box for face in own], np.float32).reshape(-1, 4),
        np.array([face.score for face in own], np.float64),
    )


def _difference(
    challenger: Curve, champion: Curve, clusters: Ints, confidence: float
) -> Difference:
    """Bound the difference of two curves by draws of clusters of pictures."""
    found, place = np.unique(clusters, return_inverse=True)

    def figure(drawn: NDArray[np.float64]) -> NDArray[np.float64]:
        weights = drawn[:, place]
        ours = challenger.average_precision(weights)
        return ours - champion.average_precision(weights)

    return difference(figure, len(found), confidence)


@dataclass(frozen=True, eq=False)
class _Group:
    """An album, or the faces of one size.

    Attributes:
        rows: the pictures that it is about.
        size: of its faces.
        clusters: shape (rows,), what is drawn together.
    """

    rows: Ints
    size: Size
    clusters: Ints

    @property
    def count(self) -> int:
        return len(np.unique(self.clusters))


def _groups(
    pictures: Sequence[AuditPicture], clusters: Ints
) -> Iterator[tuple[str, _Group]]:
    copies = _numbered([str(each.group) for each in pictures])
    albums = np.array([each.album for each in pictures])
    for name in np.unique(albums).tolist():
        own = np.flatnonzero(albums == name)
        yield f"album {name}", _Group(own, ANY, copies[own])
    for name, size in SIZES.items():
        sized = [len(within(each.faces, size).boxes) for each in pictures]
        own = np.flatnonzero(sized)
        if len(own):
            yield name, _Group(own, size, clusters[own])


def _numbered(names: Sequence[str]) -> Ints:
    return np.unique(names, return_inverse=True)[1].astype(np.int64)

"""Measure a detector on the ruler."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from icf.models.detection import Detection, Detector
from icf.models.training.detector import average_precision
from icf.models.training.detector.average_precision import Matches, Truth
from icf.models.training.drawn.detector_figures import MIN_SCORE
from icf.tools.ruler.loaded import Shown
from icf.tools.ruler.manifest import Box

_BATCH = 16
_RESAMPLES = 1000


@dataclass(frozen=True)
class FaceFigures:
    """How well the faces of some pictures are found.

    Attributes:
        pictures: how many.
        faces: in them.
        ap50: area under precision and recall at IoU 0.5.
        low: of its 95% interval, by a bootstrap over pictures.
        high: of its 95% interval.
        recall: at the detector's lowest score.
        precision: there; 1 where nothing is found.
        false_boxes: boxes on no face there, a picture.
        missed_weak: share of the missed faces that have a box with a lower score.
    """

    pictures: int
    faces: int
    ap50: float
    low: float
    high: float
    recall: float
    precision: float
    false_boxes: float
    missed_weak: float


@dataclass(frozen=True)
class EmptyFigures:
    """False boxes on pictures without a face, at the detector's lowest score.

    Attributes:
        pictures: how many.
        false_boxes: a picture.
        with_one: share of the pictures that have any.
    """

    pictures: int
    false_boxes: float
    with_one: float


@dataclass(frozen=True)
class DetectorFigures:
    """What a detector does on the ruler.

    Attributes:
        everything: all pictures, those without a face too.
        groups: pictures with faces, by group.
        sources: pictures with faces, by source.
        empty: pictures without a face; None: there are none.
    """

    everything: FaceFigures
    groups: Mapping[str, FaceFigures]
    sources: Mapping[str, FaceFigures]
    empty: EmptyFigures | None

    def rounded(self) -> dict[str, dict[str, float]]:
        """All figures by what they are of, for cards and ``--json``."""
        parts: dict[str, FaceFigures | EmptyFigures] = {"all": self.everything}
        parts |= self.groups
        if self.empty:
            parts["no faces"] = self.empty
        parts |= {f"source {name}": each for name, each in self.sources.items()}
        return {
            name: {key: round(value, 4) for key, value in asdict(each).items()}
            for name, each in parts.items()
        }


def measure(detector: Detector, shown: Sequence[Shown]) -> DetectorFigures:
    """Measure a detector.

    Args:
        detector: its card's ``min_score`` is the operating point.
        shown: the pictures.
    """
    return figures(shown, found(detector, shown), detector.card.parameters["min_score"])


def found(detector: Detector, shown: Sequence[Shown]) -> list[list[Detection]]:
    """Return what a detector finds in each picture, weak boxes too; the best first."""
    boxes: list[list[Detection]] = []
    for start in range(0, len(shown), _BATCH):
        pixels = [each.pixels for each in shown[start : start + _BATCH]]
        boxes += detector.detect(pixels, MIN_SCORE)
    return boxes


def figures(
    shown: Sequence[Shown], boxes: Sequence[Sequence[Detection]], least: float
) -> DetectorFigures:
    """Compute the figures of boxes.

    Args:
        shown: the pictures.
        boxes: that were found in each, the best first.
        least: lowest score of a face.
    """
    matches = average_precision.matched([_truth(each) for each in shown], boxes)
    drawings = [each.drawing for each in shown]
    faces = np.array([bool(each.faces) for each in drawings], np.bool_)
    empty = np.array([each.without_faces for each in drawings], np.bool_)
    groups = np.array([each.group for each in drawings], np.str_)
    sources = np.array([each.source for each in drawings], np.str_)
    return DetectorFigures(
        _of(matches, np.ones(len(shown), np.bool_), least),
        _parts(matches, groups, faces, least),
        _parts(matches, sources, faces, least),
        _of_empty(matches, empty, least) if empty.any() else None,
    )


def _truth(shown: Shown) -> Truth:
    faces = shown.drawing.faces
    kinds = np.zeros(len(faces), np.int64)
    return Truth(_array([f.box for f in faces]), kinds, _array(shown.drawing.ignored))


def _array(boxes: Sequence[Box]) -> NDArray[np.float32]:
    return np.array(boxes, np.float32).reshape(-1, 4)


def _parts(
    matches: Matches, names: NDArray[np.str_], among: NDArray[np.bool_], least: float
) -> dict[str, FaceFigures]:
    return {
        str(name): _of(matches, among & (names == name), least)
        for name in np.unique(names[among])
    }


def _of(matches: Matches, pictures: NDArray[np.bool_], least: float) -> FaceFigures:
    some = matches.of(pictures)
    taken = some.scores >= least
    hits, faces = int(some.hits[taken].sum()), int(some.faces.sum())
    boxes, number = int(taken.sum()), int(pictures.sum())
    low, high = _interval(some, pictures)
    return FaceFigures(
        number,
        faces,
        average_precision.area(some),
        low,
        high,
        hits / max(1, faces),
        hits / boxes if boxes else 1.0,
        (boxes - hits) / max(1, number),
        (int(some.hits.sum()) - hits) / max(1, faces - hits),
    )


def _interval(some: Matches, pictures: NDArray[np.bool_]) -> tuple[float, float]:
    """The 95% interval of the area: pictures are drawn again, with replacement."""
    places = np.flatnonzero(pictures)
    order = np.searchsorted(places, some.picture)
    faces = some.faces[places]
    if not faces.sum():
        return 0.0, 0.0
    random = np.random.default_rng(0)
    draws = random.multinomial(
        len(places), np.full(len(places), 1 / len(places)), size=_RESAMPLES
    )
    areas = [_area(some.hits, draw[order], float(draw @ faces)) for draw in draws]
    low, high = np.quantile(areas, (0.025, 0.975))
    return float(low), float(high)


def _area(hits: NDArray[np.bool_], weights: NDArray[np.int64], faces: float) -> float:
    """`average_precision.area` where a picture counts several times."""
    weighted = hits * weights
    precision = np.cumsum(weighted) / np.maximum(np.cumsum(weights), 1)
    falling = np.maximum.accumulate(precision[::-1])[::-1]
    return float((falling * weighted).sum() / max(1.0, faces))


def _of_empty(matches: Matches, empty: NDArray[np.bool_], least: float) -> EmptyFigures:
    some = matches.of(empty)
    false = np.bincount(some.picture[some.scores >= least], minlength=len(empty))
    number = int(empty.sum())
    return EmptyFigures(
        number, float(false.sum() / number), float((false > 0).sum() / number)
    )

"""Figures of a detector on pictures whose boxes are known."""

from __future__ import annotations

import numpy as np
import pytest

from icf.models.detection import Detection
from icf.models.training.ruler import detector_figures
from icf.tools.ruler.loaded import Shown
from icf.tools.ruler.manifest import Box, Drawing, Face, Group, View

ONE: Box = (10, 10, 30, 30)
OTHER: Box = (60, 60, 80, 80)


def shown(
    source: str,
    group: Group,
    faces: tuple[Box, ...] = (),
    ignored: tuple[Box, ...] = (),
) -> Shown:
    drawing = Drawing(
        source, "", View(), "", (99, 99), group, tuple(map(Face, faces)), ignored
    )
    return Shown(drawing, np.zeros((99, 99, 3), np.uint8))


def box(where: Box, score: float) -> Detection:
    return Detection(where, score, "cartoon")


PICTURES = [
    shown("a", "comics", (ONE, OTHER)),
    shown("a", "painted", (ONE,), (OTHER,)),
    shown("b", "no faces"),
    shown("b", "no faces"),
]
FOUND = [
    [box(ONE, 0.9), box(OTHER, 0.3)],
    [box(OTHER, 0.95), box(ONE, 0.8), box((1, 1, 9, 9), 0.6)],
    [box(ONE, 0.7), box(OTHER, 0.65)],
    [],
]


def test_groups_and_sources_are_measured_apart() -> None:
    figures = detector_figures.figures(PICTURES, FOUND, 0.5)
    comics, painted = figures.groups["comics"], figures.groups["painted"]
    assert (comics.pictures, comics.faces) == (1, 2)
    assert comics.ap50 == pytest.approx(1.0)
    assert comics.recall == 0.5
    assert comics.precision == 1.0
    assert comics.missed_weak == 1.0
    assert painted.precision == 0.5, "a box on a doubtful face does not count"
    assert painted.false_boxes == 1.0
    assert figures.sources.keys() == {"a"}


def test_pictures_without_a_face_count_in_all_and_on_their_own() -> None:
    figures = detector_figures.figures(PICTURES, FOUND, 0.5)
    assert figures.empty is not None
    assert figures.empty.pictures == 2
    assert figures.empty.false_boxes == 1.0
    assert figures.empty.with_one == 0.5
    assert figures.everything.precision == pytest.approx(2 / 5)
    # Of the boxes by score, 0.9 and 0.8 are hits and 0.3 is the sixth.
    assert figures.everything.ap50 == pytest.approx((1 + 1 + 3 / 6) / 3)


def test_the_interval_holds_the_figure_and_is_a_point_for_one_picture() -> None:
    figures = detector_figures.figures(PICTURES, FOUND, 0.5)
    assert figures.everything.low < figures.everything.ap50 < figures.everything.high
    painted = figures.groups["painted"]
    assert painted.low == painted.high == pytest.approx(painted.ap50)


def test_a_resampled_area_is_that_of_pictures_that_are_there_several_times() -> None:
    found = [[box(ONE, 0.5), box(OTHER, 0.4)], [box(OTHER, 0.6)], [box(ONE, 0.3)]]
    truths = [shown("a", "comics", (ONE,)) for _ in found]
    draw = [0, 0, 1, 2, 2, 2]
    repeated = detector_figures.figures(
        [truths[n] for n in draw], [found[n] for n in draw], 0.1
    )
    order = np.array([1, 0, 0, 2])
    weights = np.array([2, 1, 3])[order]
    hits = np.array([False, True, False, True])
    assert detector_figures._area(hits, weights, 6) == pytest.approx(
        repeated.everything.ap50
    )

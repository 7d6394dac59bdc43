from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from icf import workspace
from icf.catalogue.catalogue import Catalogue
from icf.engine.step import Outcome
from icf.engine.threshold import StoredRow
from icf.filter.chain import own_steps
from icf.filter.steps.sharpness import Sharpness
from icf.images import measures
from icf.settings import FilterSettings
from tests.filter.rows import add_album, add_face, add_image

EDGES = Sharpness(100.0, 0.09, 35.0)


@pytest.mark.parametrize(("variance", "reason"), [(99.9, "blurred"), (100.0, "ok")])
def test_a_face_needs_the_minimum_variance_exactly(
    variance: float, reason: str
) -> None:
    [outcome] = Sharpness(100.0).judge([StoredRow(1, (variance, None))])
    assert (outcome.reason, outcome.passed) == (reason, reason == "ok")
    assert (outcome.value, outcome.threshold) == (variance, 100.0)


@pytest.mark.parametrize(
    ("measures", "reason", "value", "threshold"),
    [
        # Sharpness of edges, resolution, Laplacian variance.
        ((0.09, 35.0, 2.0), "ok", 35.0, 35.0),
        ((0.089, 35.0, 900.0), "blurred", 0.089, 0.09),
        ((0.3, 34.9, 900.0), "low_resolution", 34.9, 35.0),
        # As earlier versions left them.
        ((None, None, 100.0), "ok", 100.0, 100.0),
        ((None, None, 99.9), "blurred", 99.9, 100.0),
    ],
)
def test_edges_and_resolution_decide_where_they_are_known(
    sqlite_catalogue: Catalogue,
    measures: tuple[float | None, float | None, float],
    reason: str,
    value: float,
    threshold: float,
) -> None:
    [tom] = add_album(sqlite_catalogue, "Tom")
    names = ("edge_sharpness", "resolution", "sharpness")
    columns = dict(zip(names, measures, strict=True))
    made = add_face(sqlite_catalogue, add_image(sqlite_catalogue, tom), tom, **columns)
    with sqlite_catalogue.read() as connection:
        [outcome] = EDGES.judge(EDGES.select(connection, [made]))
    assert outcome == Outcome(made, reason == "ok", reason, value, threshold)


def test_a_limit_of_the_variance_chooses_it_unless_edges_are_chosen() -> None:
    assert FilterSettings().by_edges
    assert not FilterSettings(min_sharpness=100).by_edges
    assert not FilterSettings(sharpness="laplacian").by_edges
    assert FilterSettings(sharpness="edges", min_sharpness=100).by_edges


def test_the_smallest_face_says_how_many_pixels_must_be_real(tmp_path: Path) -> None:
    made = workspace.init(tmp_path / "w")
    flags = ("filter.min_face=40", "filter.min_resolution=0.5")
    opened = workspace.find(made.root, flags)
    [step] = [s for s in own_steps(opened) if isinstance(s, Sharpness)]
    assert step.min_resolution == 20
    made.catalogue.close()
    opened.catalogue.close()


def test_a_blurred_drawing_falls_under_the_default_and_the_sharp_one_does_not() -> None:
    sharp = np.full((200, 200, 3), 230, np.uint8)
    cv2.circle(sharp, (100, 100), 80, (40, 40, 40), 4)
    cv2.circle(sharp, (70, 80), 12, (20, 20, 20), -1)
    cv2.circle(sharp, (130, 80), 12, (20, 20, 20), -1)
    blurred = np.asarray(cv2.GaussianBlur(sharp, (0, 0), 8), np.uint8)
    assert measures.sharpness(sharp) > 100 > measures.sharpness(blurred)

"""Figures of an embedder on faces whose characters are known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from icf.catalogue.calibrations import Curve
from icf.models.training.ruler import embedder_figures
from icf.tools.ruler.loaded import Shown
from icf.tools.ruler.manifest import Drawing, Face, Group, View


class Colours:
    """Embeds a crop as its mean colour."""

    crop_rate = 0.0
    curve = Curve(20.0, -15.0)

    def embed(self, crops: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        means = np.array([crop.mean((0, 1)) for crop in crops])
        rows = means / np.linalg.norm(means, axis=1, keepdims=True)
        return np.asarray(rows, np.float32)


def shown(
    source: str, identity: str | None, colour: tuple[int, int, int],
    group: Group = "comics",
) -> Shown:  # fmt: skip
    faces = (Face((0, 0, 8, 8), identity),)
    drawing = Drawing(source, "", View(), "", (8, 8), group, faces)
    return Shown(drawing, np.full((8, 8, 3), colour, np.uint8))


RED, DARK_RED, GREEN, BLUE = (200, 9, 9), (90, 9, 9), (9, 200, 9), (9, 9, 200)


def test_characters_are_compared_within_their_source() -> None:
    pictures = [
        shown("a", "Ada", RED),
        shown("a", "Ada", DARK_RED),
        shown("a", "Bo", GREEN),
        shown("a", None, RED),
        shown("b", "Cy", RED, "painted"),
        shown("b", "Cy", BLUE, "painted"),
        shown("b", "Di", DARK_RED, "painted"),
    ]
    figures = embedder_figures.measure(Colours(), pictures)  # type: ignore[arg-type]
    assert figures is not None
    assert figures.everything.identities == 4
    assert figures.everything.faces == 6
    assert figures.everything.same == 2
    assert figures.groups["comics"].rank1 == 1.0
    assert figures.groups["comics"].auc == 1.0
    assert figures.sources["b"].rank1 == 0.0
    assert figures.sources["b"].auc == 0.0
    assert figures.everything.rank1 == 0.5


def test_without_two_faces_of_one_character_there_is_no_figure() -> None:
    pictures = [shown("a", "Ada", RED), shown("a", "Bo", GREEN)]
    assert embedder_figures.measure(Colours(), pictures) is None  # type: ignore[arg-type]


def test_the_calibration_error_is_that_of_each_interval_by_itself() -> None:
    probabilities = np.array([0.15, 0.15, 0.95, 0.95])
    same = np.array([True, False, True, True])
    weights = np.full(4, 0.25)
    # In the first interval half is the same: 0.35 too low; in the last one all is.
    expected = 0.5 * 0.35 + 0.5 * 0.05
    error = embedder_figures.calibration_error(probabilities, same, weights)
    assert error == pytest.approx(expected)


def test_the_log_loss_weighs_pairs() -> None:
    weights = np.array([0.75, 0.25])
    loss = embedder_figures.log_loss(
        np.array([0.8, 0.4]), np.array([True, False]), weights
    )
    assert loss == pytest.approx(-0.75 * np.log(0.8) - 0.25 * np.log(0.6))

"""ArcFace as insightface packs it, and CCIP's features."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from icf.errors import BadModel
from icf.models.cards import new_card, save_card
from icf.models.embedding import Embedder
from icf.models.formats.arcface import ArcFace
from icf.models.formats.base import Opening
from icf.models.formats.ccip import Ccip
from icf.models.formats.outside import UNCALIBRATED, run
from icf.models.runtime.network import Network, open_network
from icf.models.runtime.onnx_header import read_header
from tests.models.formats.published_files import (
    ccip_features,
    insightface_embedder,
)
from tests.models.onnx_files import painted

COLOUR = (250, 100, 20)


def opened(path: Path, form: type[ArcFace] | type[Ccip]) -> ArcFace | Ccip:
    """Open a file with the card that the format makes of it."""
    published = form.published(read_header(path), open_network(path), {})
    card = new_card(path, published.task, form.__name__.lower(), published.parameters)
    save_card(card, path.with_suffix(".json"))
    assert Embedder.open(path).crop_rate == published.parameters["crop_rate"]
    return form.open(path, card, Opening())


@pytest.mark.parametrize("prepares", [False, True])
def test_arcface_sees_red_first_around_zero(tmp_path: Path, prepares: bool) -> None:
    form = opened(
        insightface_embedder(tmp_path / "rec.onnx", prepares=prepares), ArcFace
    )
    crops = [np.full((side, side, 3), COLOUR, np.uint8) for side in (50, 112, 300)]
    found = form.embed(crops)
    scale = 128 if prepares else 127.5
    expected = (np.array(COLOUR) - 127.5) / scale
    np.testing.assert_allclose(found, np.tile(expected, (3, 1)), atol=1e-4)
    assert form.dim == 3


def test_ccip_sees_what_clip_sees(tmp_path: Path) -> None:
    form = opened(ccip_features(tmp_path / "model_feat.onnx"), Ccip)
    found = form.embed([np.full((90, 90, 3), COLOUR, np.uint8)])
    mean = np.array([0.48145466, 0.4578275, 0.40821073])
    std = np.array([0.26862954, 0.26130258, 0.27577711])
    expected = (np.array(COLOUR) / 255 - mean) / std
    # The mean of 147,456 pixels in float32 is not exact.
    np.testing.assert_allclose(found[0], expected, atol=2e-3)


def test_an_uncalibrated_curve_takes_nothing_for_sure_and_drops_nothing(
    tmp_path: Path,
) -> None:
    path = insightface_embedder(tmp_path / "rec.onnx")
    opened(path, ArcFace)
    embedder = Embedder.open(path)
    assert embedder.curve.probability(1.0) == pytest.approx(0.75, abs=0.01)
    assert embedder.curve.probability(-0.4) > 0.1
    assert UNCALIBRATED["calibrated"] == 0


@pytest.mark.parametrize("form", [ArcFace, Ccip])
def test_a_network_of_another_side_is_refused(
    tmp_path: Path, form: type[ArcFace] | type[Ccip]
) -> None:
    make = ccip_features if form is ArcFace else insightface_embedder
    with pytest.raises(BadModel, match=r"takes .* expected \[n, 3, "):
        opened(make(tmp_path / "other.onnx"), form)


def test_a_file_of_one_size_of_batch_is_run_in_parts() -> None:
    seen = []

    def twice(batch: np.ndarray) -> list[np.ndarray]:
        seen.append(len(batch))
        return [batch.reshape(2, -1) * 2]

    network = Network("onnxruntime", (2, 3, 1, 1), ((2, 3),), twice)
    batch = np.arange(9, dtype=np.float32).reshape(3, 3, 1, 1)
    [found] = run(network, batch)
    np.testing.assert_array_equal(found, 2 * batch.reshape(3, 3))
    assert seen == [2, 2]


def test_the_bundled_format_takes_the_side_that_the_file_states(tmp_path: Path) -> None:
    path = ccip_features(tmp_path / "large.onnx")
    numbers = {"crop_rate": 0.5, "slope": 10.0, "intercept": -5.0}
    card = new_card(path, "embed", "icf-embedder-onnx", numbers)
    save_card(card, path.with_suffix(".json"))
    crop = painted(100, 100, {(0, 0, 100): COLOUR})
    found = Embedder.open(path).embed([crop])
    np.testing.assert_allclose(
        found[0], np.array(COLOUR) / np.linalg.norm(COLOUR), atol=1e-5
    )

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from icf.errors import BadModel, WrongUse
from icf.models.cards import save_card
from icf.models.embedding import Embedder, crop_face
from tests.models.onnx_files import card_for, colour_detector, colour_embedder


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    folder = tmp_path_factory.mktemp("embedder")
    return Embedder.open(colour_embedder(folder / "embedder.onnx"))


def plain(*colour: int, side: int = 20) -> NDArray[np.uint8]:
    return np.full((side, side, 3), colour, np.uint8)


@pytest.mark.parametrize("shape", [(20, 20), (20, 20, 4), (0, 20, 3)])
def test_what_is_no_rgb_picture_is_refused(
    embedder: Embedder, shape: tuple[int, ...]
) -> None:
    with pytest.raises(WrongUse, match="a picture is uint8 of shape"):
        embedder.embed([np.zeros(shape, np.uint8)])
    floats: Any = np.full((20, 20, 3), 0.5, np.float32)
    with pytest.raises(WrongUse, match=r"a picture is float32 .* uint8 of 0 to 255"):
        embedder.embed([floats])


def test_a_model_is_named_by_a_text_too(tmp_path: Path) -> None:
    path = colour_embedder(tmp_path / "embedder.onnx")
    assert Embedder.open(str(path)).model_hash == Embedder.open(path).model_hash


def test_rows_are_in_order_and_of_unit_length(embedder: Embedder) -> None:
    found = embedder.embed([plain(200, 0, 0), plain(0, 9, 0, side=300), plain(0, 3, 4)])
    assert found.dtype == np.float32
    wanted = np.array([[1, 0, 0], [0, 1, 0], [0, 0.6, 0.8]])
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_more_crops_than_a_batch_are_embedded_one_by_one_alike(
    embedder: Embedder,
) -> None:
    random = np.random.default_rng(0)
    crops = [random.integers(1, 256, (30, 30, 3), np.uint8) for _ in range(70)]
    together = embedder.embed(crops)
    assert together.shape == (70, 3)
    apart = np.concatenate([embedder.embed([crop]) for crop in crops])
    np.testing.assert_allclose(together, apart, atol=1e-6)


def test_no_crops_are_no_rows(embedder: Embedder) -> None:
    assert embedder.embed([]).shape == (0, 3)


def test_a_black_crop_has_a_finite_row(embedder: Embedder) -> None:
    assert np.isfinite(embedder.embed([plain(0, 0, 0)])).all()


def test_the_card_gives_dimension_crop_rate_and_hash(embedder: Embedder) -> None:
    assert (embedder.dim, embedder.crop_rate) == (3, 0.5)
    assert embedder.model_hash == embedder.card.sha256


@given(cosine=st.floats(-1, 1))
def test_the_probability_is_the_cards_logistic_curve(
    embedder: Embedder, cosine: float
) -> None:
    odds = math.exp(10 * cosine - 5)
    assert embedder.curve.probability(cosine) == pytest.approx(odds / (1 + odds))


def test_a_detector_is_refused(tmp_path: Path) -> None:
    path = colour_detector(tmp_path / "detector.onnx")
    with pytest.raises(BadModel, match=r"is for 'detect'; expected a model to 'embed'"):
        Embedder.open(path)


def test_a_network_of_other_shapes_is_refused(tmp_path: Path) -> None:
    path = colour_detector(tmp_path / "embedder.onnx")
    parameters = {"crop_rate": 0.5, "slope": 1.0, "intercept": 0.0}
    card = card_for(path, "embed", parameters=parameters)
    save_card(card, path.with_suffix(".json"))
    with pytest.raises(BadModel, match=r"2 outputs; expected \[n, 3, side, side\]"):
        Embedder.open(path)


@given(
    x=st.floats(-30, 120),
    y=st.floats(-30, 120),
    width=st.floats(0.1, 150),
    height=st.floats(0.1, 150),
    rate=st.floats(0, 1.5),
)
def test_a_crop_is_a_square_of_the_longer_side_enlarged(
    x: float, y: float, width: float, height: float, rate: float
) -> None:
    image = np.zeros((80, 100, 3), np.uint8)
    crop = crop_face(image, (x, y, x + width, y + height), rate)
    side = max(1, round(max(width, height) * (1 + rate)))
    assert abs(crop.shape[0] - side) <= 1
    assert crop.shape == (crop.shape[0], crop.shape[0], 3)


def test_a_crop_shows_what_is_round_the_box() -> None:
    image = np.arange(40 * 40 * 3).reshape(40, 40, 3).astype(np.uint8)
    found = crop_face(image, (10, 12, 20, 22), 1.0)
    assert np.array_equal(found, image[7:27, 5:25])


def test_beyond_the_image_its_edge_is_repeated() -> None:
    image = np.arange(20 * 20 * 3).reshape(20, 20, 3).astype(np.uint8)
    found = crop_face(image, (0, 0, 10, 10), 1.0)
    assert np.array_equal(found[5:, 5:], image[:15, :15])
    assert (found[:5, 5:] == image[0, :15]).all()
    assert (found[5:, :5] == image[:15, :1]).all()


@pytest.mark.parametrize("seed", range(20))
def test_a_crop_repeats_the_edge_wherever_it_lies(seed: int) -> None:
    random = np.random.default_rng(seed)
    image = random.integers(0, 256, (40, 60, 3), np.uint8)
    x, y = random.uniform(-30, 70, 2)
    box = (x, y, x + random.uniform(1, 50), y + random.uniform(1, 50))
    crop = crop_face(image, box, 0.5)
    side = len(crop)
    left = round((box[0] + box[2] - side) / 2)
    top = round((box[1] + box[3] - side) / 2)
    for row, column in random.integers(0, side, (200, 2)):
        there = min(max(top + row, 0), 39), min(max(left + column, 0), 59)
        assert crop[row, column].tolist() == image[there].tolist()

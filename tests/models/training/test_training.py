"""Both trainers on a few drawings: what is tested is that they go on exactly."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from icf.errors import WrongUse
from icf.models.cards import load_card, sha256_of
from icf.models.detection import Detector
from icf.models.embedding import Embedder
from icf.models.training import detector_figures
from icf.models.training.bundled import (
    export_detector,
    export_embedder,
    train_detector,
    train_embedder,
)
from icf.models.training.bundled.checkpoint import Checkpoint, resumable
from icf.models.training.export import MAX_BYTES
from tests.tools.art_cache import write_cache, write_weights

pytestmark = pytest.mark.slow

Train = Callable[..., torch.nn.Module]


@pytest.fixture(scope="module", autouse=True)
def art(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A small art cache, and batches of a size for it."""
    root = tmp_path_factory.mktemp("art")
    write_cache(root)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ICF_ART_CACHE", str(root))
        patch.setattr(train_detector, "SIZES", ((64, 2, 0.5), (128, 1, 0.5)))
        patch.setattr(detector_figures, "SCENES", 3)
        patch.setattr(detector_figures, "EMPTY", 2)
        yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_weights(tmp_path_factory.mktemp("weights") / "mobilenet.pth")


class KilledError(Exception):
    """The machine went away."""


def train_detector_for(folder: Path, weights: Path, kill_at: int = 0) -> Path:
    recipe = train_detector.Recipe(steps=4, every=2)
    tell = _killing(kill_at)
    train_detector.train(recipe, folder, weights, tell, workers=0)
    return folder / train_detector.CHECKPOINT


def train_embedder_for(folder: Path, weights: Path, kill_at: int = 0) -> Path:
    recipe = train_embedder.Recipe(steps=4, every=2, batch=4)
    tell = _killing(kill_at)
    train_embedder.train(recipe, folder, weights, tell, workers=0)
    return folder / train_embedder.CHECKPOINT


def _killing(step: int) -> Callable[[str], None]:
    """Break off when the checkpoint of a step has been written."""

    def tell(line: str) -> None:
        if json.loads(line)["step"] == step:
            raise KilledError

    return tell


@pytest.fixture(scope="module")
def detector_run(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> Path:
    return train_detector_for(tmp_path_factory.mktemp("run"), weights)


@pytest.fixture(scope="module")
def embedder_run(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> Path:
    return train_embedder_for(tmp_path_factory.mktemp("run"), weights)


def assert_equal(some: Path, others: Path) -> None:
    a, b = Checkpoint.load(some), Checkpoint.load(others)
    assert (a.step, a.recipe) == (b.step, b.recipe)
    pairs = [(a.network, b.network), (a.average, b.average)]
    pairs += [(a.moments[number], b.moments[number]) for number in a.moments]
    assert a.moments.keys() == b.moments.keys()
    for left, right in pairs:
        assert left.keys() == right.keys()
        for key in left:
            assert torch.equal(left[key], right[key]), key


def test_a_detector_run_that_was_cut_off_goes_on_exactly(
    tmp_path: Path, weights: Path, detector_run: Path
) -> None:
    with pytest.raises(KilledError):
        train_detector_for(tmp_path, weights, kill_at=2)
    assert_equal(train_detector_for(tmp_path, weights), detector_run)


def test_an_embedder_run_that_was_cut_off_goes_on_exactly(
    tmp_path: Path, weights: Path, embedder_run: Path
) -> None:
    with pytest.raises(KilledError):
        train_embedder_for(tmp_path, weights, kill_at=2)
    assert_equal(train_embedder_for(tmp_path, weights), embedder_run)


def test_a_finished_run_is_left_as_it_is(weights: Path, detector_run: Path) -> None:
    before = sha256_of(detector_run)
    train_detector_for(detector_run.parent, weights)
    assert sha256_of(detector_run) == before


def test_training_moves_the_weights_but_for_the_frozen_ones(
    embedder_run: Path, weights: Path
) -> None:
    found = Checkpoint.load(embedder_run)
    first = train_embedder.Training(train_embedder.Recipe(), 3, weights).state_dict()
    moved = {
        key
        for key, value in found.network.items()
        if key in first and not torch.equal(value, first[key])
    }
    assert "net.late.17.conv.1.0.weight" in moved
    assert "net.project.weight" in moved
    assert not [key for key in moved if key.startswith(("net.early.0.", "imagenet."))]


def test_a_run_of_another_recipe_is_not_gone_on_with(embedder_run: Path) -> None:
    recipe = dict(Checkpoint.load(embedder_run).recipe)
    assert resumable(embedder_run, recipe) is not None
    with pytest.raises(WrongUse, match=r"holds a run with another seed, steps;"):
        resumable(embedder_run, {**recipe, "steps": 9, "seed": 1})


def test_a_run_that_never_was_is_not_gone_on_with(tmp_path: Path) -> None:
    assert resumable(tmp_path / "run.safetensors", {}) is None


def test_a_trained_detector_is_exported_measured_and_opened(
    tmp_path: Path, detector_run: Path
) -> None:
    card = export_detector.bundle(detector_run, tmp_path / "out")
    path = tmp_path / "out" / "detector.onnx"
    assert path.stat().st_size <= MAX_BYTES
    assert load_card(path.with_suffix(".json")) == card
    assert card.figures.keys() == {"micah", "no faces"}
    assert card.figures["no faces"]["pictures"] == 2
    assert "--steps 4 --seed 7" in card.recipe
    detector = Detector.open(path)
    assert detector.model_hash == sha256_of(path)


def test_a_trained_embedder_is_exported_measured_and_opened(
    tmp_path: Path, embedder_run: Path
) -> None:
    card = export_embedder.bundle(embedder_run, tmp_path / "out")
    path = tmp_path / "out" / "embedder.onnx"
    assert path.stat().st_size <= MAX_BYTES
    assert load_card(path.with_suffix(".json")) == card
    assert card.figures.keys() == {"micah", "mean"}
    assert card.figures["micah"]["identities"] == 3
    embedder = Embedder.open(path)
    assert (embedder.dim, embedder.crop_rate) == (192, 0.5)
    assert 0 < embedder.probability_same(0.5) < 1

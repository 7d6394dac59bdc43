from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from icf.models.networks.photo import FEATURE_BLOCKS, PhotoNet
from icf.models.photo import PhotoJudge
from icf.models.training import export as exporting
from icf.models.training.export import to_onnx
from icf.models.training.photo import export as export_photo
from icf.models.training.photo import fit as train_photo
from icf.models.training.photo.figures import Scored
from icf.models.training.photo.fit import Recipe, logistic
from icf.settings import FilterSettings
from icf.tools.training_art.collections import Collection

pytestmark = pytest.mark.slow


def quiet(words: str) -> None:
    """Say nothing."""


def test_the_logistic_model_is_the_one_that_its_gradient_says() -> None:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(120, 3, generator=generator)
    positive = features[:, 0] + 0.5 * torch.randn(120, generator=generator) > 0.7
    recipe = Recipe(penalty=4.0)
    slope, intercept = (t.double() for t in logistic(features, positive, recipe))
    rows, truth = features.double(), positive.double()
    weight = torch.where(positive, 60 / truth.sum(), 60 / (1 - truth).sum())
    off = weight * (torch.sigmoid(rows @ slope + intercept) - truth)
    # Where the loss is least, its gradient is nothing.
    assert (rows.T @ off + recipe.penalty * slope).abs().max() < 1e-2
    assert off.sum().abs() < 1e-2
    assert slope[0] > 10 * slope[1:].abs().max()


def weights_of(folder: Path) -> Path:
    """A MobileNetV2 that was never trained."""
    import torchvision

    torch.manual_seed(0)
    path = folder / "mobilenet_v2.pth"
    network = torchvision.models.mobilenet_v2(weights=None)
    for module in network.modules():  # no two alike: the exporter merges those
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.bias, std=1e-3)
    torch.save(network.state_dict(), path)
    return path


def pictures(folder: Path, kind: str, number: int) -> list[Path]:
    random = np.random.default_rng(len(kind))
    files = []
    for place in range(number):
        coarse = random.integers(0, 256, (5, 5, 3)).astype(np.uint8)
        how = cv2.INTER_NEAREST if kind == "drawn" else cv2.INTER_CUBIC
        pixels = np.asarray(cv2.resize(coarse, (240, 240), interpolation=how))
        if kind != "drawn":
            grain = random.normal(0, 14, pixels.shape)
            pixels = np.clip(pixels + grain, 0, 255).astype(np.uint8)
        files.append(folder / f"{kind}-{place}.png")
        cv2.imwrite(str(files[-1]), pixels)
    return files


def test_a_fitted_judge_is_exported_with_its_figures_and_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = weights_of(tmp_path)
    drawn, taken = (pictures(tmp_path, kind, 6) for kind in ("drawn", "taken"))
    found = [
        Collection("drawn", False, False, drawn[:4], 2),
        Collection("taken", True, False, taken[:4], 2),
        Collection("other drawings", False, True, drawn[4:], 2),
        Collection("other photographs", True, True, taken[4:], 2),
    ]
    recipe = Recipe(seed=1, penalty=100.0)
    net = train_photo.fit(recipe, weights, found, quiet)
    again = train_photo.fit(recipe, weights, found, quiet)
    assert torch.equal(net.head.weight, again.head.weight)

    traced: list[Path] = []

    def counted(*arguments: Any) -> None:
        traced.append(arguments[4])
        to_onnx(*arguments)

    monkeypatch.setattr(exporting, "to_onnx", counted)
    card = export_photo.bundle(net, recipe, found, tmp_path / "out", quiet)
    assert len(traced) == 1  # the shifted one has the graph of the first
    assert card.figures["other drawings"].keys() == {"examples", "lost"}
    assert card.figures["other photographs"]["examples"] == 4 * export_photo.DRAWS
    judge = PhotoJudge.open(tmp_path / "out" / "photo.onnx")
    assert judge.model_hash == card.sha256
    assert card.parameters == {"max_photo": FilterSettings().max_photo}
    assert 0 <= judge.probability(np.zeros((50, 50, 3), np.uint8)) <= 1
    # One that cannot be measured does not take its place, of which it has the graph.
    drawn[5].unlink()
    with pytest.raises(FileNotFoundError):
        export_photo.bundle(net, recipe, found, tmp_path / "out", quiet)
    assert PhotoJudge.open(tmp_path / "out" / "photo.onnx").model_hash == card.sha256
    assert len(traced) == 1


def test_the_network_is_the_first_blocks_of_imagenets(tmp_path: Path) -> None:
    import torchvision

    weights = weights_of(tmp_path)
    whole = torchvision.models.mobilenet_v2(weights=None).eval()
    whole.load_state_dict(torch.load(weights, weights_only=True))
    net = PhotoNet.from_imagenet(weights)
    first = FEATURE_BLOCKS[0]
    views = torch.randint(0, 256, (1, 3, 3, 64, 64)).float()
    mean = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
    deviation = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    with torch.no_grad():
        maps = whole.features[:first]((views[0] / 255 - mean) / deviation)
        found = net.features(views)
    number = maps.shape[1]
    assert torch.allclose(found[0, :number], maps[0].mean((1, 2)), atol=1e-5)
    assert torch.allclose(found[0, 2 * number : 3 * number], maps[0].amax((1, 2)))
    _, parts, deviations = found[0].chunk(3)
    assert torch.allclose(parts[:number], maps[1:].mean((0, 2, 3)), atol=1e-5)
    apart = maps[1:].mean((2, 3)).std(0, correction=0)
    assert torch.allclose(deviations[:number], apart, atol=1e-5)


def scored(drawings: list[float], photographs: list[float]) -> Scored:
    return Scored(
        ["drawn"] * len(drawings) + ["taken"] * len(photographs),
        np.array([False] * len(drawings) + [True] * len(photographs)),
        np.array(drawings + photographs),
    )


def test_the_threshold_loses_fewer_drawings_than_allowed() -> None:
    random = np.random.default_rng(0)
    found = scored(list(0.9 * random.random(1000)), [0.99] * 10)
    figures = found.by_collection(found.threshold())
    assert figures["all drawings"]["lost"] < 0.005
    assert figures["drawn"] == {**figures["all drawings"], "examples": 1000}
    assert figures["taken"] == {"examples": 10, "caught": 1.0}


def test_a_shift_moves_the_threshold_and_not_the_order() -> None:
    random = np.random.default_rng(0)
    found = scored(list(0.9 * random.random(1000)), list(random.random(200)))
    before = found.threshold()
    moved = found.shifted(export_photo.logit(0.95) - export_photo.logit(before))
    assert moved.threshold() == pytest.approx(0.95, abs=0.001)
    assert moved.area() == found.area()
    assert moved.by_collection(0.95) == found.by_collection(before)


@pytest.mark.parametrize("certain", [0.0, 1.0])
def test_a_judge_that_is_certain_of_a_drawing_can_be_shifted(certain: float) -> None:
    found = scored([certain] * 10, [0.5] * 10)
    by = export_photo.logit(0.9) - export_photo.logit(found.threshold())
    assert set(found.shifted(by).probabilities[:10]) == {certain}
    assert found.shifted(by).area() == found.area()


@pytest.mark.parametrize(
    ("drawings", "photographs", "area"),
    [
        ([0.1, 0.2], [0.8, 0.9], 1.0),
        ([0.8, 0.9], [0.1, 0.2], 0.0),
        ([0.5, 0.5], [0.5], 0.5),
        ([0.1, 0.6], [0.4, 0.9], 0.75),
    ],
)
def test_the_area_is_how_often_a_photograph_is_judged_likelier(
    drawings: list[float], photographs: list[float], area: float
) -> None:
    assert scored(drawings, photographs).area() == area

"""What the numbers of a model may be, when it is added and when it is opened."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from icf.errors import BadModel
from icf.models.detection import Detector
from icf.models.embedding import Embedder
from tests.app.program import call
from tests.models.formats import published_files as files
from tests.models.onnx_files import colour_detector, colour_embedder

FORMATS: dict[str, Callable[[Path], Path]] = {
    "yolov8": files.yolo,
    "scrfd": files.insightface_detector,
    "arcface": files.insightface_embedder,
    "embedder": files.own_embedder,
}


@pytest.fixture
def space(tmp_path: Path) -> Path:
    call("init", tmp_path / "space")
    return tmp_path / "space"


@pytest.mark.parametrize(
    ("form", "number", "allowed"),
    [
        ("yolov8", "min_score=-0.1", "a number from 0 to 1"),
        ("yolov8", "min_score=40", "a number from 0 to 1"),
        ("yolov8", "side=64.5", "a whole number from 16 to 8192"),
        ("yolov8", "side=-640", "a whole number from 16 to 8192"),
        ("yolov8", "side=1e9", "a whole number from 16 to 8192"),
        ("yolov8", "overview=1", "0 or a whole number from 16 to 8192"),
        ("yolov8", "overview=256.5", "0 or a whole number from 16 to 8192"),
        ("yolov8", "tiles=2", "0 or 1"),
        ("yolov8", "classes=0", "a whole number of 1 or more"),
        ("yolov8", "cartoon=0.5", "a whole number of -1 or more"),
        ("yolov8", "human=-2", "a whole number of -1 or more"),
        ("scrfd", "kind=7", "0 or 1"),
        ("scrfd", "kind=0.5", "0 or 1"),
        ("scrfd", "bgr=7", "0 or 1"),
        ("scrfd", "mean=-1", "a number from 0 to 255"),
        ("scrfd", "std=0", "a number above 0"),
        ("arcface", "crop_rate=-1", "a number from 0 to 4"),
        ("arcface", "crop_rate=1e9", "a number from 0 to 4"),
        ("arcface", "calibrated=0.5", "0 or 1"),
        ("arcface", "mean=256", "a number from 0 to 255"),
        ("arcface", "std=-1", "a number above 0"),
        ("arcface", "bgr=-1", "0 or 1"),
        ("embedder", "side=160.5", "a whole number from 16 to 8192"),
        ("embedder", "output=0.5", "a whole number of 0 or more"),
        ("embedder", "std_red=-1", "a number above 0"),
        ("torchvision-retinanet", "cartoon=1.5", "a whole number of -1 or more"),
        ("torchvision-retinanet", "min_score=2", "a number from 0 to 1"),
        ("timm:resnet18", "side=64.5", "a whole number from 16 to 8192"),
    ],
)
def test_a_number_that_no_model_can_have_is_not_added(
    tmp_path: Path, space: Path, form: str, number: str, allowed: str
) -> None:
    source = tmp_path / "model.onnx"
    FORMATS.get(form, files.own_embedder)(source)
    name, _, value = number.partition("=")
    message = rf"--parameter: {name} is {float(value):g}; expected {allowed}$"
    with pytest.raises(BadModel, match=message.replace("+", r"\+")):
        call("-C", space, "model", "add", source, "--as", form, "--parameter", number)
    assert list((space / "models").iterdir()) == []


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        (("cartoon=1",), r"cartoon is 1, but it knows 1 class.*, counted from 0"),
        (("human=3",), r"human is 3, but it knows 1 class"),
        (("cartoon=0", "human=0"), r"cartoon and human are both 0"),
        (("cartoon=-1",), r"cartoon and human are both -1"),
    ],
)
def test_faces_are_classes_that_the_detector_knows(
    tmp_path: Path, space: Path, numbers: tuple[str, ...], message: str
) -> None:
    source = files.yolo(tmp_path / "faces.onnx")
    words = [word for each in numbers for word in ("--parameter", each)]
    with pytest.raises(BadModel, match=message):
        call("-C", space, "model", "add", source, "--as", "yolov8", *words)
    assert list((space / "models").iterdir()) == []


@pytest.mark.parametrize(
    ("make", "kind", "number", "allowed"),
    [
        (colour_detector, Detector, ("tiles", 7), "0 or 1"),
        (colour_detector, Detector, ("side", 64.5), "a whole number from 16 to 8192"),
        (colour_detector, Detector, ("min_score", float("nan")), "from 0 to 1"),
        (colour_embedder, Embedder, ("crop_rate", -1), "a number from 0 to 4"),
        (colour_embedder, Embedder, ("intercept", float("inf")), "a finite number"),
        (colour_embedder, Embedder, ("mine", float("nan")), "a finite number"),
    ],
)
def test_a_model_whose_card_has_such_a_number_is_not_opened(
    tmp_path: Path,
    make: Callable[[Path], Path],
    kind: type[Detector] | type[Embedder],
    number: tuple[str, float],
    allowed: str,
) -> None:
    path = make(tmp_path / "mine.onnx")
    card = path.with_suffix(".json")
    fields = json.loads(card.read_text())
    fields["parameters"].update([number])
    card.write_text(json.dumps(fields))
    message = rf"the card of .*mine\.onnx: {number[0]} is .*; expected .*{allowed}"
    with pytest.raises(BadModel, match=message):
        kind.open(path)


@pytest.mark.parametrize("kind", [Detector, Embedder])
def test_the_bundled_models_have_numbers_that_are_allowed(
    kind: type[Detector] | type[Embedder],
) -> None:
    assert kind.bundled().card.parameters

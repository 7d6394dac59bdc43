"""Detectors of people's own, with what `icf model add` is told of them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from icf.errors import BadModel
from icf.models.detection import Detector
from tests.app.program import call
from tests.models.formats import published_files as files
from tests.models.formats.adding import added_as
from tests.models.formats.published_files import BOX, logistic, shown_to
from tests.models.onnx_files import RED, painted

PAGE = Path(__file__).parents[3] / "docs" / "add-a-model.md"
#: The score of a wholly red cell: pixels are in 0..1.
SURE = logistic(1, 0, 0)
#: What a user has to say of each layout.
SAID = {
    "torchvision": ("cartoon=1",),
    "mmdetection": ("cartoon=0",),
    "detr": ("cartoon=0", "logits=2"),
    "ssd": ("cartoon=1",),
    "one": (),
    "points": ("scores=2",),
}


@pytest.fixture
def space(tmp_path: Path) -> Path:
    call("init", tmp_path / "space")
    return tmp_path / "space"


def added(space: Path, source: Path, *numbers: str) -> Detector:
    """Add a detector; open it as it is in the workspace."""
    return Detector.open(added_as(space, source, "detector", *numbers))


def check_planted(detector: Detector, score: float = SURE) -> None:
    """The one red cell of a picture is the one face."""
    picture = painted(640, 640, {(64, 32, 32): RED})
    [[face]] = detector.detect([picture])
    assert face.kind == "cartoon"
    # The box is 48 pixels wide around the middle of the cell, 80 and 48.
    assert face.box == pytest.approx((56, 24, 56 + BOX, 24 + BOX), abs=0.01)
    assert face.score == pytest.approx(score, abs=1e-5)


@pytest.mark.parametrize("layout", SAID)
def test_each_layout_gives_the_planted_face_its_place_and_score(
    tmp_path: Path, space: Path, layout: str
) -> None:
    source = files.own_detector(tmp_path / "mine.onnx", layout)
    check_planted(added(space, source, *SAID[layout], "tiles=0"))


@pytest.mark.parametrize(
    ("layout", "shape"),
    [
        ("torchvision", {"side": "any"}),
        ("torchvision", {"last": True}),
        ("mmdetection", {"batch": "n", "last": True}),
        ("one", {"side": "any", "batch": "n"}),
        ("ssd", {"batch": 4}),
    ],
)
def test_inputs_of_other_shapes_are_taken(
    tmp_path: Path, space: Path, layout: str, shape: dict[str, Any]
) -> None:
    source = files.own_detector(tmp_path / "mine.onnx", layout, **shape)
    detector = added(space, source, *SAID[layout], "tiles=0")
    check_planted(detector)
    assert detector.card.parameters["side"] == 640


def test_boxes_of_pictures_that_are_no_squares_are_in_their_pixels(
    tmp_path: Path, space: Path
) -> None:
    source = files.own_detector(tmp_path / "mine.onnx", "detr")
    detector = added(space, source, *SAID["detr"], "tiles=0")
    [[face]] = detector.detect([painted(400, 1280, {(128, 0, 64): RED})])
    assert face.box == pytest.approx((112, 0, 112 + 2 * BOX, 80), abs=0.5)


def test_pictures_are_prepared_as_the_parameters_say(
    tmp_path: Path, space: Path
) -> None:
    source = files.own_detector(tmp_path / "mine.onnx", "one")
    given = ("mean=0.1,0.2,0.3", "std=0.5", "bgr=1", "min_score=0.1")
    detector = added(space, source, *given)
    assert detector.card.input == (
        "n x 3 x height x width, BGR, (x / 255 - mean) / std by channel, longer side "
        "resized, the rest grey"
    )
    batch = shown_to(detector, painted(640, 640, {(0, 0, 640): (255, 51, 0)}))
    assert batch[0, :, 9, 9] == pytest.approx([-0.6, 0, 1.8], abs=1e-5)


def test_a_class_can_be_human_faces(tmp_path: Path, space: Path) -> None:
    source = files.own_detector(tmp_path / "mine.onnx", "mmdetection")
    picture = painted(640, 640, {(64, 32, 32): RED})
    human = added(space, source, "cartoon=-1", "human=0", "tiles=0")
    [[face]] = human.detect([picture])
    assert face.kind == "human"
    assert not [each for each in human.card.limits if "cartoon" in each]


def test_boxes_of_other_classes_are_left_out(tmp_path: Path, space: Path) -> None:
    source = files.own_detector(tmp_path / "mine.onnx", "sure")
    picture = painted(640, 640, {(64, 32, 32): RED})
    assert added(space, source, "cartoon=2", "tiles=0").detect([picture]) == [[]]
    assert pytest.approx(
        [f.score for f in added(space, source, "cartoon=1").detect([picture])[0]]
    ) == [SURE]


def test_a_network_that_leaves_weak_boxes_out_may_find_none_in_noise(
    tmp_path: Path, space: Path
) -> None:
    source = files.own_detector(tmp_path / "mine.onnx", "sure")
    check_planted(added(space, source, "cartoon=1", "tiles=0"))


def test_logits_of_one_class_need_a_sigmoid(tmp_path: Path, space: Path) -> None:
    source = files.own_detector(tmp_path / "mine.onnx", "detr")
    detector = added(space, source, "cartoon=0", "logits=1", "tiles=0")
    check_planted(detector)


def test_the_card_says_what_was_seen_and_what_nobody_said(
    tmp_path: Path, space: Path
) -> None:
    source = files.own_detector(tmp_path / "mine.onnx", "detr")
    card = added(space, source, *SAID["detr"]).card
    seen = ("boxes", "scores", "labels", "corners", "relative", "logits")
    assert [card.parameters[name] for name in seen] == [1, 0, -1, 0, 1, 2]
    assert any("RGB in 0 to 1, as nobody said" in each for each in card.limits)
    source = files.own_detector(tmp_path / "mine.onnx", "ssd")
    card = added(space, source, "cartoon=1", "scale=255", "relative=1").card
    assert [card.parameters[name] for name in seen] == [1, 0, -1, 1, 1, 0]
    [kinds] = card.limits
    assert kinds.startswith("It calls every face a cartoon")


@pytest.mark.parametrize(
    ("make", "numbers", "message"),
    [
        ("torchvision", (), r"number of a class with each box: say which is a face"),
        ("ssd", (), r"it knows 2 classes: say which is a face.*cartoon=1"),
        ("ssd", ("cartoon=2",), r"knows 2 classes, counted from 0"),
        ("detr", ("cartoon=0",), r"scores reach from .*logits=1 .*logits=2"),
        ("detr", ("cartoon=0", "logits=0"), r"scores reach from .*logits=1"),
        ("points", (), r"say which are the scores, .*scores=0 or scores=2"),
        ("points", ("scores=7",), r"scores=7, counted from 0: it gives float32"),
        ("ssd", ("cartoon=1", "boxes=0"), r"float32\[1, 400, 2\].* expected boxes of"),
        ("one", ("human=0",), r"cartoon and human are both 0"),
        ("one", ("corners=2",), r"corners is 2; expected 0 or 1"),
        ("one", ("logits=3",), r"logits is 3; expected a whole number from 0 to 2"),
        ("one", ("side=1280",), r"can be 640 at most; its card says 1280"),
        ("one", ("mean=123",), r"mean_red is 123, but pictures reach from 0 to 1"),
        (lambda p: files.own_embedder(p), (), r"float32\[1, 3\]; expected boxes of"),
        (lambda p: files.constant(p, "detect"), (), r"expected boxes of"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(
    tmp_path: Path,
    space: Path,
    make: str | Callable[[Path], Path],
    numbers: tuple[str, ...],
    message: str,
) -> None:
    path = tmp_path / "mine.onnx"
    source = files.own_detector(path, make) if isinstance(make, str) else make(path)
    with pytest.raises(BadModel, match=message):
        added(space, source, *numbers)
    assert list((space / "models").iterdir()) == []


def test_the_examples_of_the_page_are_taken(tmp_path: Path, space: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    start = page.index("icf model add faces.onnx --as detector")
    words = shlex.split(page[start : page.index("\n\n", start)].replace("\\\n", " "))
    numbers = [word for word in words if re.fullmatch(r"\w+=[\d.,]+", word)]
    assert len(numbers) == words.count("--parameter") > 0
    path = tmp_path / "faces.onnx"
    added(space, files.own_detector(path, "torchvision", side="any"), *numbers)
    rows = page[page.index("| exported from |") :].split("\n\n")[0].splitlines()[2:]
    layouts = {"torchvision": "torchvision", "MMDetection": "mmdetection"}
    layouts |= {"DETR": "detr", "UltraFace": "ssd"}
    for row in rows:
        name, said, _ = row.strip("|").split("|", 2)
        numbers = re.findall(r"\w+=[\d.,-]+", said)
        source = files.own_detector(path, layouts[name.split()[0].rstrip(":,")])
        assert added(space, source, *numbers).card.parameters["cartoon"] >= 0
    assert len(rows) == len(layouts)

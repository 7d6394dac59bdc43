"""Embedders of people's own, with what `icf model add` is told of them."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import TensorProto

from icf.errors import BadModel, WrongUse
from icf.models.cards import load_card
from icf.models.embedding import Embedder
from tests.app.program import call
from tests.models.formats import published_files as files
from tests.models.formats.adding import added_as
from tests.models.onnx_files import RED, painted

PAGE = Path(__file__).parents[3] / "docs" / "add-a-model.md"
Numbers = NDArray[Any]

COLOUR = np.array([250, 100, 20])
MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
IMAGENET = ("mean=0.485,0.456,0.406", "std=0.229,0.224,0.225")


@pytest.fixture
def space(tmp_path: Path) -> Path:
    call("init", tmp_path / "space")
    return tmp_path / "space"


def added(space: Path, source: Path, *numbers: str) -> Path:
    """Add an embedder; return its file in the workspace."""
    return added_as(space, source, "embedder", *numbers)


def seen(path: Path) -> Numbers:
    """What networks made of a crop's colour: its direction."""
    crop = np.full((50, 50, 3), COLOUR, np.uint8)
    found: Numbers = Embedder.open(path).embed([crop, crop, crop])[2]
    return found


def direction(numbers: Numbers) -> Numbers:
    made: Numbers = numbers / np.linalg.norm(numbers)
    return made


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ((), COLOUR / 255),
        (IMAGENET, (COLOUR / 255 - MEAN) / STD),
        ((*IMAGENET, "bgr=1"), ((COLOUR / 255 - MEAN) / STD)[::-1]),
        (("mean=0.5", "std=0.5"), COLOUR / 127.5 - 1),
        (("scale=1", "mean=127.5", "std=128"), (COLOUR - 127.5) / 128),
        (("scale=1", "mean=103,116,123"), COLOUR - [103, 116, 123]),
    ],
)
def test_pictures_are_prepared_as_the_parameters_say(
    tmp_path: Path, space: Path, numbers: tuple[str, ...], expected: Numbers
) -> None:
    path = added(space, files.own_embedder(tmp_path / "mine.onnx"), *numbers)
    np.testing.assert_allclose(seen(path), direction(expected), atol=1e-4)


@pytest.mark.parametrize(
    "shape",
    [
        {"side": 128},
        {"side": 224, "last": True},
        {"side": 160, "batch": 1},
        {"side": "any", "batch": 2},
        {"side": "any", "last": True},
        {"places": 2},
        {"extra": True},
        {"inside": TensorProto.FLOAT16},
        {"inside": TensorProto.DOUBLE},
    ],
)
def test_inputs_and_outputs_of_other_shapes_are_taken(
    tmp_path: Path, space: Path, shape: dict[str, Any]
) -> None:
    numbers = (*IMAGENET, "side=96") if shape.get("side") == "any" else IMAGENET
    path = added(space, files.own_embedder(tmp_path / "mine.onnx", **shape), *numbers)
    np.testing.assert_allclose(
        seen(path), direction((COLOUR / 255 - MEAN) / STD), atol=2e-3
    )
    side = shape.get("side", 160)
    wanted = 96 if side == "any" else side
    assert load_card(path.with_suffix(".json")).parameters["side"] == wanted


def test_long_vectors_of_half_floats_keep_their_direction(
    tmp_path: Path, space: Path
) -> None:
    # The square of 300 is more than a float16 holds.
    source = files.own_embedder(
        tmp_path / "mine.onnx", inside=TensorProto.FLOAT16, factor=900
    )
    np.testing.assert_allclose(seen(added(space, source)), direction(COLOUR), atol=2e-3)


def test_the_card_says_how_pictures_go_in(tmp_path: Path, space: Path) -> None:
    source = files.own_embedder(tmp_path / "mine.onnx", last=True)
    path = added(space, source, *IMAGENET, "bgr=1", "crop_rate=0.25")
    card = load_card(path.with_suffix(".json"))
    assert card.input == "n x 160 x 160 x 3, BGR, (x / 255 - mean) / std by channel"
    assert card.limits == ()
    assert card.parameters["mean_green"] == 0.456
    assert card.parameters["std_blue"] == 0.225
    assert Embedder.open(path).crop_rate == 0.25
    # A crop of another size is brought to the side of the network.
    embedder = Embedder.open(path)
    assert embedder.embed([painted(300, 300, {(0, 0, 300): RED})]).shape == (1, 3)


def test_the_example_of_the_page_and_its_table_are_taken(
    tmp_path: Path, space: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = PAGE.read_text(encoding="utf-8")
    start = page.index("icf model add characters.onnx --as embedder")
    words = shlex.split(page[start : page.index("\n\n", start)])
    files.own_embedder(tmp_path / "characters.onnx")
    monkeypatch.chdir(tmp_path)
    done = call("-C", space, *(word for word in words[1:] if word.strip()), "--json")
    assert done.exit_code == 0
    found = seen(space / "models" / str(json.loads(done.stdout)["file"]))
    np.testing.assert_allclose(found, direction((COLOUR / 255 - MEAN) / STD), atol=1e-4)
    rows = page[page.index("| to write |") :].split("\n\n")[0].splitlines()[2:]
    given = [tuple(re.findall(r"[a-z]+=[\d.,]+", row)) for row in rows]
    expected = [
        COLOUR / 255,
        COLOUR / 127.5 - 1,
        (COLOUR - 127.5) / 128,
        (COLOUR - [123.7, 116.8, 103.9])[::-1],
    ]
    assert len(given) == len(expected)
    for numbers, colour in zip(given, expected, strict=True):
        path = added(space, tmp_path / "characters.onnx", *numbers)
        np.testing.assert_allclose(seen(path), direction(colour), atol=1e-4)


def test_who_says_nothing_of_the_pictures_is_told_what_was_taken(
    tmp_path: Path, space: Path
) -> None:
    source = files.own_embedder(tmp_path / "mine.onnx")
    said = call("-C", space, "model", "add", source, "--as", "embedder").stderr
    assert "note: It gets RGB in 0 to 1, as nobody said anything else" in said
    assert "`icf model promote mine-" in said


@pytest.mark.parametrize(
    ("make", "numbers", "message"),
    [
        (
            lambda p: files.own_embedder(p, side="any"),
            (),
            r"takes pictures of any side: say which.* --parameter side=112",
        ),
        (lambda p: files.own_embedder(p), ("side=112",), r"side.* 160.* 112"),
        (lambda p: files.own_embedder(p), ("std=0",), r"std.* above 0"),
        (
            lambda p: files.own_embedder(p),
            ("mean=123.7,116.3,103.5",),
            r"mean_red is 123\.7, but pictures reach from 0 to 1 .*scale=1",
        ),
        (lambda p: files.own_embedder(p), ("scale=0",), r"scale.* above 0"),
        (
            lambda p: files.own_embedder(p, places=1, extra=True),
            ("output=0",),
            r"output 0 .*\['n'\].* expected \[n, dimensions\]",
        ),
        (lambda p: files.own_embedder(p), ("output=3",), r"output=3.* has 1"),
        (lambda p: files.yolo(p), (), r"one output of \[n, dimensions\]"),
        (lambda p: files.with_nan(p), (), r"are not finite"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(
    tmp_path: Path,
    space: Path,
    make: Callable[[Path], Path],
    numbers: tuple[str, ...],
    message: str,
) -> None:
    source = make(tmp_path / "mine.onnx")
    with pytest.raises(BadModel, match=message):
        added(space, source, *numbers)
    assert list((space / "models").iterdir()) == []


@pytest.mark.parametrize(
    "number", ["mean=1,2", "mean=1,2,3,4", "side=1,2,3", "mean=a,b,c", "colour=1"]
)
def test_numbers_that_no_card_has_are_wrong_use(
    tmp_path: Path, space: Path, number: str
) -> None:
    with pytest.raises(WrongUse, match=r"--parameter"):
        added(space, files.own_embedder(tmp_path / "mine.onnx"), number)

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision

from icf.errors import BadInput, BadModel, WrongUse
from icf.models.cards import bundled_path, load_card
from icf.models.data.index import DataIndex
from icf.models.data.picture_cache import PictureReducer, reduce_pictures
from icf.models.detection import Detector
from icf.models.runtime.network import cpu_session
from icf.models.trained_on import picture_id, read_trained_on
from icf.models.training import export as exporting
from icf.models.training.detector import carding
from icf.models.training.detector.config import DetectorConfig
from icf.models.training.detector.opened import as_detector
from icf.models.training.detector.task import DetectorTask
from icf.models.training.start import read_start
from icf.models.training.task import Facts, Given, Moment, Rank
from tests.models.training.detector.drawn import DrawnReader, drawn_index

Make = Callable[..., DetectorTask]

#: Shown as they are, so that few steps suffice.
PLAIN = {
    "zoom": 0,
    "jitter": 0,
    "stretch": 0,
    "flip": 0,
    "colour": 0,
    "grey": 0,
    "blur": 0,
    "jpeg": 0,
}
SETTINGS: dict[str, dict[str, Any]] = {
    "loop": {"batch": 8, "seed": 1},
    "pictures": {"sides": [128], "longest": 128},
    "augment": PLAIN,
    "held_out": {"side": 128, "overview": 0, "resamples": 20},
}


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def made(
        *readers: DrawnReader,
        start: Path | None = None,
        said: list[str] | None = None,
        **sections: dict[str, Any],
    ) -> DetectorTask:
        merged = {
            name: {**SETTINGS.get(name, {}), **sections.get(name, {})}
            for name in SETTINGS.keys() | sections.keys()
        }
        say = (lambda line: None) if said is None else said.append
        given = Given(
            drawn_index(*(readers or (DrawnReader(tmp_path),))),
            DetectorConfig.model_validate(merged),
            None if start is None else read_start(start, "detect"),
            tmp_path / "cache",
            say,
        )
        return DetectorTask.make(given)

    return made


def full() -> contextlib.AbstractContextManager[None]:
    return contextlib.nullcontext()


def step(task: DetectorTask, optimiser: torch.optim.Optimizer, number: int) -> float:
    task.train_mode()
    batch = task.batches().batch(number, Rank())
    terms = task.losses(batch, Moment(number, 100, full))
    loss = torch.stack(list(terms.values())).sum()
    optimiser.zero_grad()
    torch.autograd.backward(loss)
    torch.nn.utils.clip_grad_norm_(task.network.parameters(), 5.0)
    optimiser.step()
    return loss.item()


@pytest.mark.slow
def test_sixteen_pictures_are_learnt_by_heart(tmp_path: Path, make: Make) -> None:
    """From random weights, in some ten seconds of one processor."""
    task = make(loop={"batch": 4})
    reader = drawn_index(DrawnReader(tmp_path))
    every = reduce_pictures(reader, tmp_path / "cache", PictureReducer(128), 0)
    task = replace(task, trained_on=every, held=every)
    task.network.to(memory_format=torch.channels_last)
    learning = [p for group in task.groups() for p in group.parameters]
    optimiser = torch.optim.AdamW(learning, lr=3e-3)
    steps = 80
    for number in range(steps):
        share = min(1.0, (number + 1) / 10, (steps - number) / 25)
        optimiser.param_groups[0]["lr"] = 3e-3 * share
        step(task, optimiser, number)
    figures = task.measure(task.network.eval()).figures
    assert figures["cartoon"]["pictures"] == 16
    assert figures["cartoon"]["ap50"] >= 0.95


def test_a_network_without_weights_is_trained_whole(make: Make) -> None:
    said: list[str] = []
    task = make(said=said)
    assert task.learning.frozen == 0
    assert "the network starts from random weights" in said
    assert len(task.trained_on) + len(task.held) == 16


def test_the_bundled_detector_goes_on_as_it_is(make: Make) -> None:
    """Its norms are folded; frozen, they change nothing."""
    bundled = bundled_path("detector")
    task = make(start=bundled)
    task.train_mode()
    pictures = torch.randint(0, 256, (1, 3, 64, 128), generator=torch.manual_seed(0))
    session = cpu_session(bundled)
    wanted = session.run(None, {"pictures": pictures.float().numpy()})
    with torch.no_grad():
        found = task.network(pictures.float())
    for a, b in zip(wanted, found, strict=True):
        assert torch.allclose(torch.from_numpy(a), b, rtol=1e-3, atol=2e-3)
    assert task.learning.frozen == 1


def test_frozen_stages_and_norms_do_not_move(make: Make) -> None:
    task = make(start=bundled_path("detector"), network={"norms": "heads"})
    before = {key: value.clone() for key, value in task.network.state_dict().items()}
    learning = [p for group in task.groups() for p in group.parameters]
    step(task, torch.optim.AdamW(learning, lr=1e-3), 0)
    moved = {
        key
        for key, value in task.network.state_dict().items()
        if not torch.equal(value, before[key])
    }
    frozen = [key for key in before if key.startswith("body.blocks.1.")]
    assert frozen
    assert not moved & set(frozen)
    assert not [key for key in moved if key.startswith("body.") and "running" in key]
    assert "norms.0.running_mean" in moved
    assert "body.blocks.10.layers.0.0.weight" in moved


def test_the_backbone_learns_more_slowly(make: Make) -> None:
    heads, backbone = make(start=bundled_path("detector")).groups()
    assert (heads.rate, backbone.rate) == (1.0, 0.2)


def test_boxes_that_nobody_looked_at_are_said_to_be_so(
    tmp_path: Path, make: Make
) -> None:
    said: list[str] = []
    task = make(
        DrawnReader(tmp_path / "a", 8),
        DrawnReader(tmp_path / "b", 8, checked=False),
        said=said,
    )
    [line] = [line for line in said if "only a detector's own" in line]
    assert line in task.notes
    assert re.match(r"the boxes of \d of 1\d training pictures", line)


def test_incomplete_pictures_are_used_near_their_faces_or_left_out(
    tmp_path: Path, make: Make
) -> None:
    readers = (
        DrawnReader(tmp_path / "a", 8),
        DrawnReader(tmp_path / "b", 8, complete=False),
    )
    near = make(*readers)
    assert any("perhaps not all faces are labelled" in note for note in near.notes)
    # One without a face says nothing if it is not complete.
    left = near.trained_on.index
    assert not ((left.first[1:] == left.first[:-1]) & ~left.complete).any()
    out = make(*readers, pictures={"incomplete": "leave_out"})
    assert out.trained_on.index.complete.all()


def test_data_without_a_complete_picture_cannot_leave_them_out(
    tmp_path: Path, make: Make
) -> None:
    with pytest.raises(BadInput, match="no picture is known to have all its faces"):
        make(
            DrawnReader(tmp_path, complete=False),
            pictures={"incomplete": "leave_out"},
        )


def test_data_without_a_box_cannot_train_a_detector(tmp_path: Path) -> None:
    index = drawn_index(DrawnReader(tmp_path))
    bare = replace(index, boxes=np.full_like(index.boxes, np.nan))
    given = Given(bare, DetectorConfig(), None, tmp_path / "cache", lambda line: None)
    with pytest.raises(BadInput, match="no face has a box"):
        DetectorTask.make(given)


def test_it_says_what_is_left_out_where_nothing_is_left(tmp_path: Path) -> None:
    index = drawn_index(DrawnReader(tmp_path, count=4))
    elsewhere = replace(index, stated=np.full_like(index.stated, 256))
    said: list[str] = []
    given = Given(elsewhere, DetectorConfig(), None, tmp_path / "cache", said.append)
    with pytest.raises(BadInput, match="no face has a box"):
        DetectorTask.make(given)
    assert any("left out 4: it has another size than its list" in line for line in said)


@pytest.mark.parametrize(
    ("network", "start", "message"),
    [
        ({"name": "retinanet-resnet50"}, True, "leave one of them out"),
        ({"weights": "x.pth"}, True, "a training starts from one of them"),
        ({"frozen": 4}, False, "this backbone has 3 stages"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    make: Make, network: dict[str, Any], start: bool, message: str
) -> None:
    path = bundled_path("detector") if start else None
    with pytest.raises(WrongUse, match=message):
        make(start=path, network=network)


def test_a_network_that_finds_no_faces_is_refused(make: Make) -> None:
    with pytest.raises(BadModel, match="no detector's network"):
        make(network={"name": "embedder-mobilenetv2"})


def test_published_weights_are_read_from_a_file(tmp_path: Path, make: Make) -> None:
    path = tmp_path / "mobilenet.pth"
    torch.manual_seed(5)
    published = torchvision.models.mobilenet_v2(weights=None).state_dict()
    torch.save({"model": published}, path)
    said: list[str] = []
    task = make(network={"weights": str(path)}, said=said)
    first = task.network.state_dict()["shallow.0.0.weight"]
    assert torch.equal(first, published["features.0.0.weight"])
    assert "mobilenet.pth: only MobileNetV2 is from these weights" in said[0]
    with pytest.raises(BadModel, match=r"there is no file x\.pth"):
        make(network={"weights": "x.pth"})
    path.write_bytes(b"no weights")
    with pytest.raises(BadModel, match="cannot be read as weights"):
        make(network={"weights": str(path)})


@pytest.mark.slow
def test_a_detector_is_exported_with_its_card(
    tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It gets the graph of its start: tracing takes half a minute.
    monkeypatch.delattr(exporting, "to_onnx")
    start = bundled_path("detector")
    task = make(start=start, mix={"decided": "a quarter of it is human"})
    measured = task.measure(task.network.eval())
    assert set(measured.figures["cartoon"]) == {
        *("pictures", "faces", "ap50", "ap50_low", "ap50_high"),
        *("recall", "precision", "kind"),
    }
    state = {f"detector.{k}": v for k, v in task.network.state_dict().items()}
    facts = Facts("parent", ({"name": "drawn"},), "icf-train", 1, measured, state)
    card = task.export(task.network, tmp_path, facts)
    path = tmp_path / "detector.onnx"
    assert "a quarter of it is human" in card.limits
    assert card.parameters["min_score"] == measured.parameters["min_score"]
    opened = Detector.open(path)
    assert opened.card == card
    assert card.network == load_card(start.with_suffix(".json")).network
    further = make(start=path)
    again = further.network.state_dict()
    assert again.keys() == task.network.state_dict().keys()
    picture = task.held.pixels(0)
    in_torch = as_detector(task.network, carding.blank(task.network, task.config))
    for a, b in zip(
        opened.detect([picture], 0.05)[0],
        in_torch.detect([picture], 0.05)[0],
        strict=True,
    ):
        assert a.score == pytest.approx(b.score, abs=1e-3)
    # The gate leaves out what it was trained on; the next one knows it as well.
    found = read_trained_on(path)
    assert found is not None
    ids = {n: picture_id(DrawnReader(tmp_path).sha256(str(n))) for n in range(16)}
    held = {int(key) for key in keys_of(task.held.index)}
    assert found.own.pictures == {ids[n] for n in ids if n not in held}
    assert not found.before.pictures
    assert further.start is not None
    assert further.start.known == found.own


def keys_of(index: DataIndex) -> list[str]:
    return [index.keys[number] for number in range(len(index))]

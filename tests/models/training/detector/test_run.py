"""Whole runs of the loop; also a program, for `torchrun`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch

from icf.errors import WrongUse
from icf.models.cards import bundled_path
from icf.models.data.index import Source, build_index
from icf.models.training.config import read_config
from icf.models.training.detector.config import DetectorConfig
from icf.models.training.detector.task import DetectorTask
from icf.models.training.distributed import joined
from icf.models.training.loop import Finished, Loop
from icf.models.training.run_files import CHECKPOINT
from icf.models.training.start import read_start
from icf.models.training.task import Given
from icf.models.training.train import Silent
from tests.models.training.detector.drawn import DrawnReader

SMALL = {
    "loop.steps": 4,
    "loop.batch": 2,
    "loop.save_every": 1,
    "loop.workers": 0,
    "pictures.sides": (64, 128),
    "pictures.chances": (0.5, 0.5),
    "held_out.side": 128,
    "held_out.resamples": 10,
}


class KilledError(Exception):
    """The machine went away."""


class Killer(Silent):
    """Ends a run after some steps."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def advance(self) -> None:
        """Count a step, whose checkpoint is not written yet."""
        self.left -= 1
        if not self.left:
            raise KilledError


def run(
    out: Path, changes: Mapping[str, object] | None = None, killed_after: int = 0
) -> Finished:
    """Train for some steps, without an export, which takes longer than they do."""
    config = read_config(
        DetectorConfig,
        "detector",
        changes={**SMALL, **(changes or {})},
        from_model=True,
    )
    out.mkdir(exist_ok=True)
    index = build_index([Source(DrawnReader(Path("drawn")))])
    start = read_start(bundled_path("detector"), "detect")
    given = Given(index, config, start, out / "cache", lambda line: None)
    task = DetectorTask.make(given)
    watcher = Killer(killed_after) if killed_after else Silent()
    with joined("cpu") as ranks:
        identity = {"config": config.model_dump(mode="json")}
        return Loop(task, identity, out, ranks, watcher).run()


def test_a_killed_run_resumes_exactly(tmp_path: Path) -> None:
    whole = run(tmp_path / "whole")
    with pytest.raises(KilledError):
        run(tmp_path / "killed", killed_after=3)
    assert (tmp_path / "killed" / CHECKPOINT).exists()
    with pytest.raises(WrongUse):
        run(tmp_path / "killed", {"loop.seed": 9})
    again = run(tmp_path / "killed")
    assert whole.steps == again.steps == 4
    assert whole.parts.keys() == again.parts.keys()
    assert all(torch.equal(whole.parts[key], again.parts[key]) for key in whole.parts)


@pytest.mark.slow
def test_two_ranks_train_what_one_process_trains(tmp_path: Path) -> None:
    """Their norms see the whole batch, and the loss is divided by all its anchors."""
    run(tmp_path / "one", RANKS)
    program = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    subprocess.run(
        [sys.executable, *program, "-m", __name__, str(tmp_path / "two")],
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
    )
    one, two = (logged(tmp_path / name) for name in ("one", "two"))
    assert len(one) == len(two) == 4
    for a, b in zip(one, two, strict=True):
        assert a == pytest.approx(b, rel=2e-3)


#: Adam would make a step of the same size of the smallest rounding error.
RANKS = {
    "loop.optimiser": "sgd",
    "loop.rate": 0.002,
    "loop.precision": "float32",
    "loop.batch": 4,
    "loop.log_every": 1,
    "network.norms": "trained",
}


def logged(folder: Path) -> list[list[float]]:
    """The losses of each step of a run."""
    lines = (folder / "log.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    return [[row[name] for name in ("classes", "boxes")] for row in rows]


@pytest.mark.parametrize("recipe", ["default", "full", "paper"])
@pytest.mark.parametrize("from_model", [False, True])
def test_every_recipe_can_be_read(recipe: str, from_model: bool) -> None:
    config = read_config(
        DetectorConfig, "detector", recipe=recipe, from_model=from_model
    )
    assert config.loop.batch in (8, 16)
    full = {"full": "retinanet-resnet50-v2", "paper": "retinanet-resnet50"}
    assert config.network.name == full.get(recipe, "")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("pictures.sides", (100,), "sides are multiples of 64"),
        ("pictures.chances", (1.0,), "chances has one number for each of sides"),
        ("pictures.chances", (0.0, 0.0, 0.0), "chances are not all 0"),
        ("held_out.side", 100, "multiple of 64"),
    ],
)
def test_values_that_fit_no_network_are_refused(
    key: str, value: object, message: str
) -> None:
    with pytest.raises(WrongUse, match=message):
        read_config(DetectorConfig, "detector", changes={key: value})


if __name__ == "__main__":
    torch.set_num_threads(1)
    run(Path(sys.argv[1]), RANKS)

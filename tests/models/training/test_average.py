"""The average of a run's weights, and what becomes its result."""

from __future__ import annotations

from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import nn

from icf.models.training.optimiser import Average
from icf.models.training.train import Silent
from tests.models.training.small_run import train_small, write_faces


def stepped(network: nn.Linear, average: Average, steps: range) -> None:
    for step in steps:
        with torch.no_grad():
            network.weight.fill_(float(step))
        average.update(step)


def test_without_a_mean_the_result_is_the_moving_average() -> None:
    network = nn.Linear(1, 1)
    average = Average(network, 0.0, steps=4)
    stepped(network, average, range(1, 5))
    assert average.mean == {}
    assert average.result["weight"].item() == 4


@pytest.mark.parametrize(
    ("mean_of", "taken"),
    [(1, [6]), (2, [3, 6]), (4, [2, 3, 4, 6]), (9, [1, 2, 3, 4, 5, 6])],
)
def test_a_mean_is_of_the_start_and_of_equal_distances(
    mean_of: int, taken: list[int]
) -> None:
    network = nn.Linear(1, 1)
    with torch.no_grad():
        network.weight.fill_(-9.0)
    average = Average(network, 0.0, steps=6, mean_of=mean_of)
    stepped(network, average, range(1, 7))
    expected = (-9 + sum(taken)) / (1 + len(taken))
    assert average.result["weight"].item() == pytest.approx(expected, abs=1e-5)
    assert average.weights["weight"].item() == 6


def test_counters_are_taken_and_not_averaged() -> None:
    network = nn.BatchNorm1d(1)
    average = Average(network, 0.0, steps=1, mean_of=1)
    assert network.num_batches_tracked is not None
    network.num_batches_tracked.fill_(8)
    average.update(1)
    assert average.result["num_batches_tracked"].item() == 8


class Stopped(Silent):
    """Stops a run after its sixth step."""

    def __init__(self) -> None:
        self.steps = 0

    def advance(self) -> None:
        self.steps += 1
        if self.steps == 6:
            raise KeyboardInterrupt


@pytest.mark.usefixtures("known_graphs")
def test_a_mean_goes_on_where_a_run_was_stopped(tmp_path: Path) -> None:
    faces = write_faces(tmp_path / "faces", 5, 4)
    with pytest.raises(KeyboardInterrupt):
        train_small(faces, tmp_path / "in two", watcher=Stopped(), loop__mean_of=4)
    found = [
        safetensors.torch.load_file(done.path.with_suffix(".safetensors"))
        for done in (
            train_small(faces, tmp_path / "in two", loop__mean_of=4),
            train_small(faces, tmp_path / "in one", loop__mean_of=4),
            train_small(faces, tmp_path / "without"),
        )
    ]
    in_two, in_one, without = found
    assert all(torch.equal(in_two[key], in_one[key]) for key in in_one)
    assert any(not torch.equal(without[key], in_one[key]) for key in in_one)

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from icf.models.data.picture_cache import (
    PictureReducer,
    ReducedPictures,
    reduce_pictures,
)
from icf.models.training.detector.batches import PictureBatches
from icf.models.training.detector.config import DetectorConfig
from icf.models.training.task import Rank
from tests.models.training.detector.drawn import DrawnReader, drawn_index

Reduced = Callable[..., ReducedPictures]


@pytest.fixture
def reduced(tmp_path: Path) -> Reduced:
    def made(
        *readers: DrawnReader, shares: tuple[float | None, ...] = ()
    ) -> ReducedPictures:
        index = drawn_index(*readers, shares=shares)
        return reduce_pictures(index, tmp_path / "cache", PictureReducer(256), 0)

    return made


def config(**pictures: object) -> DetectorConfig:
    return DetectorConfig.model_validate(
        {
            "loop": {"batch": 4, "seed": 3},
            "pictures": {"sides": [64, 128], **pictures},
            "augment": {"mosaic": 0.3},
        }
    )


def test_a_batch_follows_from_seed_and_step_alone(
    tmp_path: Path, reduced: Reduced
) -> None:
    data = reduced(DrawnReader(tmp_path))
    one, other = PictureBatches(data, config()), PictureBatches(data, config())
    other.batch(0, Rank())
    for step in (0, 7):
        a, b = one.batch(step, Rank()), other.batch(step, Rank())
        assert torch.equal(a.pictures, b.pictures)
        assert all(map(torch.equal, a.faces, b.faces))
    assert one.pictures(0) != one.pictures(1)


def test_the_ranks_have_together_what_one_process_has(
    tmp_path: Path, reduced: Reduced
) -> None:
    batches = PictureBatches(reduced(DrawnReader(tmp_path)), config())
    for step in range(3):
        whole = batches.batch(step, Rank())
        parts = [batches.batch(step, Rank(number, 2)) for number in range(2)]
        assert torch.equal(whole.pictures, torch.cat([p.pictures for p in parts]))


def test_a_batch_of_smaller_pictures_has_more_of_them(
    tmp_path: Path, reduced: Reduced
) -> None:
    batches = PictureBatches(reduced(DrawnReader(tmp_path)), config())
    shapes = {tuple(batches.batch(step, Rank()).pictures.shape) for step in range(9)}
    assert shapes == {(16, 3, 64, 64), (4, 3, 128, 128)}


def test_each_source_has_its_share_of_every_batch(
    tmp_path: Path, reduced: Reduced
) -> None:
    cartoon = DrawnReader(tmp_path / "a", count=30)
    human = DrawnReader(tmp_path / "b", count=6, domain="human")
    data = reduced(cartoon, human, shares=(None, 0.25))
    batches = PictureBatches(data, config(sides=[128], chances=[1.0]))
    for step in range(8):
        source = data.index.source[batches.plan(step).pictures]
        assert np.bincount(source, minlength=2).tolist() == [3, 1]


def test_no_picture_is_twice_in_a_batch_while_there_are_others(
    tmp_path: Path, reduced: Reduced
) -> None:
    batches = PictureBatches(reduced(DrawnReader(tmp_path)), config(sides=[128]))
    for step in range(10):
        pictures = batches.plan(step).pictures.tolist()
        assert len(set(pictures)) == len(pictures) == 4


def test_what_is_not_complete_is_said_to_be_or_counts_as_if_it_were(
    tmp_path: Path, reduced: Reduced
) -> None:
    data = reduced(DrawnReader(tmp_path, complete=False))
    near = PictureBatches(data, config()).batch(0, Rank())
    assert not near.faces.complete.any()
    background = PictureBatches(data, config(incomplete="background")).batch(0, Rank())
    assert background.faces.complete.all()

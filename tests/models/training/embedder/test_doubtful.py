"""Which labels are doubtful after a training with several centres a class."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from icf.catalogue.labels.doubtful import DoubtfulFace
from icf.models.data.base import LabelledFace, LabelledPicture
from icf.models.data.formats.folders import FoldersReader
from icf.models.data.index import Source, build_index
from icf.models.training.embedder.config import EmbedderConfig
from icf.models.training.embedder.doubtful import find_doubtful, named
from icf.models.training.embedder.faces import training_faces
from icf.models.training.losses.subcenter_arcface import Doubtful, SubcenterArcFace
from icf.models.training.task import Given
from tests.models.training.embedder.test_faces import Listed

RED, GREEN = (200, 0, 0), (0, 200, 0)


class MeanColour(nn.Module):
    """From crops to their mean colour."""

    def forward(self, crops: Tensor) -> Tensor:
        return crops.mean((2, 3))


def paint(path: Path, colour: tuple[int, int, int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((40, 40, 3), colour[::-1], np.uint8)
    # A picture of one colour alone is no picture.
    pixels[::2] += 5
    cv2.imwrite(str(path), pixels)


def test_faces_under_a_wrong_name_are_found_as_the_data_names_them(
    tmp_path: Path,
) -> None:
    for number in range(5):
        paint(tmp_path / f"data/red/{number}.png", RED)
        paint(tmp_path / f"data/green/{number}.png", GREEN)
    paint(tmp_path / "data/red/flipped.png", (15, 200, 0))
    paint(tmp_path / "data/red/far.png", (0, 0, 200))
    paint(tmp_path / "data/green/flipped.png", (190, 30, 0))
    config = EmbedderConfig.model_validate(
        {"crops": {"rate": 0.5}, "held_out": {"share": 0}}
    )
    index = build_index([Source(FoldersReader(tmp_path / "data"))])
    given = Given(index, config, None, tmp_path / "cache", lambda message: None)
    faces = training_faces(given, config, 32)
    loss = SubcenterArcFace(3, 2, centres=2)
    red, green = torch.eye(3)[0], torch.eye(3)[1]
    # The classes are sorted: green, red. Each has a second centre for what is wrong.
    loss.weight.data = torch.stack(
        [torch.stack([red, green]), torch.stack([red, green])]
    )
    found = find_doubtful(MeanColour(), loss, faces.examples, 32)
    listed = named(found, index, faces.examples.crops[0].faces)
    assert [(each.identity, each.picture) for each in listed[:2]] == [
        ("red", "red/far.png"),
        ("red", "red/flipped.png"),
    ]
    assert (listed[2].identity, listed[2].picture) == ("green", "green/flipped.png")
    assert len(listed) == 3
    assert {each.box for each in listed} == {None}
    degrees = [each.degrees for each in listed]
    assert degrees == sorted(degrees, reverse=True)


def test_of_several_sources_each_names_its_own() -> None:
    face = LabelledFace((8.005, 8, 40.125, 40.1), "cartoon", "Tales/Ann", ())
    whole = LabelledFace(None, "cartoon", "Ann", ())
    index = build_index(
        [
            Source(Listed(Path("one"), (LabelledPicture("a" * 64, (face, face)),))),
            Source(Listed(Path("two"), (LabelledPicture("x/1.png", (whole,)),))),
        ]
    )
    rows = torch.tensor([1, 0])
    nothing = torch.zeros(2, dtype=torch.int64)
    found = Doubtful(rows, torch.tensor([120.5, 80.25]), nothing, nothing)
    assert named(found, index, np.array([1, 2])) == [
        DoubtfulFace("Ann", "x/1.png", None, 120.5),
        DoubtfulFace("Tales/Ann", "a" * 64, (8.01, 8.0, 40.12, 40.1), 80.25),
    ]

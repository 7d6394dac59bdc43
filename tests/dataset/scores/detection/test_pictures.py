from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from icf.dataset.scores.detection.pictures import (
    count_resized,
    picture_path,
    with_sizes,
)
from icf.dataset.scores.detection.truth import Truth
from icf.errors import BadInput
from tests.dataset.scores.detection.made import truth_of


def test_sizes_are_those_of_the_upright_pictures(tmp_path: Path) -> None:
    boxes = truth_of([(0, [0, 0, 9, 9])], 5)
    boxes = replace(boxes, pictures=("a.jpg", "b.jpg", "c.png", "d.jpg", "e.jpg"))
    noise = np.random.default_rng(0).integers(0, 255, (400, 600, 3), np.uint8)
    picture, turned = Image.fromarray(noise), Image.Exif()
    turned[0x0112] = 6
    picture.save(tmp_path / "a.jpg", quality=95)
    picture.save(tmp_path / "b.jpg", quality=95, exif=turned)
    picture.save(tmp_path / "c.png", exif=turned)
    (tmp_path / "d.jpg").write_text("no picture")
    size = with_sizes(Truth.of(boxes), tmp_path).size
    assert size.tolist() == [[600, 400], [400, 600], [400, 600], [0, 0], [0, 0]]


def test_a_size_that_is_known_is_kept(tmp_path: Path) -> None:
    truth = Truth.of(truth_of([(0, [0, 0, 9, 9])], 1))
    truth = replace(truth, size=np.array([[20, 30]]))
    assert with_sizes(truth, tmp_path).size.tolist() == [[20, 30]]


def test_pictures_of_another_size_than_the_truth_says_are_counted(
    tmp_path: Path,
) -> None:
    names = ("a.png", "b.png", "gone.png", "d.png", "../e.png")
    for name in (*names[:2], "d.png"):
        Image.new("RGB", (20, 30)).save(tmp_path / name)
    truth = Truth.of(replace(truth_of([(0, [0, 0, 9, 9])], 5), pictures=names))
    size = np.array([[20, 30], [40, 60], [40, 60], [0, 0], [1, 1]])
    assert count_resized(replace(truth, size=size), tmp_path) == 1


@pytest.mark.parametrize("name", ["../a.jpg", "/etc/passwd", "b/../../a.jpg"])
def test_a_name_that_leads_out_of_the_folder_is_refused(
    tmp_path: Path, name: str
) -> None:
    with pytest.raises(BadInput, match="leads out of the folder"):
        picture_path(tmp_path, name)

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from icf.images import decode
from icf.models.data.base import LabelledFace, LabelledPicture, Reader, Skipped
from icf.models.data.index import DataIndex, Source, build_index
from icf.models.data.picture_cache import (
    PictureReducer,
    reduce_pictures,
    reduced_size,
)
from tests.core.pictures import drawing, encoded
from tests.models.data.files import write_jpeg


@dataclass(frozen=True)
class Given(Reader):
    """Pictures of a folder with the faces that it was made with."""

    kind: ClassVar[str] = "given"

    given: tuple[LabelledPicture, ...] = ()

    def pictures(self) -> Iterator[LabelledPicture | Skipped]:
        yield from self.given

    def read(self, key: str) -> bytes:
        return (self.path / key).read_bytes()

    def fingerprint(self) -> str:
        return ""


def index_of(folder: Path, *pictures: LabelledPicture) -> DataIndex:
    return build_index([Source(Given(folder, pictures))])


def test_boxes_are_scaled_with_their_picture(tmp_path: Path) -> None:
    write_jpeg(tmp_path / "a", 400, 200)
    faces = (LabelledFace((40, 20, 80, 60)), LabelledFace((-9, 100, 500, 190)))
    index = index_of(tmp_path, LabelledPicture("a", faces))
    reduced = reduce_pictures(index, tmp_path / "cache", PictureReducer(100), 0)
    assert reduced.pixels(0).shape == (50, 100, 3)
    boxes = [[10, 5, 20, 15], [0, 25, 100, 47.5]]
    assert reduced.index.boxes.tolist() == boxes
    assert not reduced.index.ignored.any()


def test_a_small_picture_is_not_enlarged(tmp_path: Path) -> None:
    data = encoded(drawing(64, 48), "PNG")
    (tmp_path / "a").write_bytes(data)
    index = index_of(tmp_path, LabelledPicture("a", (LabelledFace((1, 2, 30, 40)),)))
    reduced = reduce_pictures(index, tmp_path / "cache", PictureReducer(640), 0)
    assert reduced.index.boxes.tolist() == [[1, 2, 30, 40]]
    difference = reduced.pixels(0).astype(int) - decode(data).pixels
    assert np.abs(difference).mean() < 2


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    write_jpeg(tmp_path / "a", 64, 48)
    (tmp_path / "b").write_bytes(b"x")
    faces = (LabelledFace((70, 0, 90, 20)), LabelledFace((0, 0, 20, 20)))
    pictures = (LabelledPicture("b", faces), LabelledPicture("a", faces))
    index = index_of(tmp_path, *pictures)
    reduced = reduce_pictures(index, tmp_path / "cache", PictureReducer(64), 0)
    assert len(reduced) == len(reduced.index) == 1
    assert reduced.index.keys[0] == "a"
    assert reduced.index.ignored.tolist() == [True, False]
    assert [(each.reason, each.examples) for each in reduced.skipped] == [
        ("it cannot be decoded: not_image", ("b",)),
        ("a box outside the picture", ("a",)),
    ]


def test_a_picture_of_another_size_than_its_list_says_is_left_out(
    tmp_path: Path,
) -> None:
    faces = (LabelledFace((10, 10, 40, 40)),)
    sizes = (("a", (64, 48)), ("b", (128, 96)), ("c", None), ("d", (10**12, 48)))
    for name, _ in sizes:
        write_jpeg(tmp_path / name, 64, 48)
    pictures = [LabelledPicture(name, faces, size=size) for name, size in sizes]
    index = index_of(tmp_path, *pictures).select(np.array([3, 2, 1, 0]))
    reduced = reduce_pictures(index, tmp_path / "cache", PictureReducer(64), 0)
    assert [reduced.index.keys[number] for number in range(2)] == ["c", "a"]
    assert len(reduced) == 2
    [left_out] = reduced.skipped
    assert left_out.examples == ("d", "b")
    assert "another size than its list says" in left_out.reason


@pytest.mark.parametrize("size", [(1, 9000), (9000, 1), (5, 5)])
def test_a_side_never_vanishes(size: tuple[int, int]) -> None:
    assert min(reduced_size(size, 64)) >= 1
    assert max(reduced_size(size, 64)) <= 64

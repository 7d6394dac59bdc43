from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from icf.errors import BrokenMachine
from icf.images import decode
from icf.models.data.base import Box, LabelledFace, LabelledPicture, Reader, Skipped
from icf.models.data.crop_cache import CropCutter, Crops, cut_crops
from icf.models.data.formats.folders import FoldersReader
from icf.models.data.index import DataIndex, Source, build_index
from icf.models.data.packed import Packed, Packs, PackWriter, id_array, picture_id
from icf.models.embedding import crop_face
from icf.models.formats.base import resized
from tests.core.pictures import drawing, encoded, with_orientation
from tests.models.data.files import write_jpeg

CUTTER = CropCutter(rate=0.5, side=32)


@dataclass(frozen=True)
class Boxed(Reader):
    """Pictures of a folder with the boxes that it was made with."""

    kind: ClassVar[str] = "boxed"

    boxes: tuple[tuple[str, Box | None], ...] = ()

    def pictures(self) -> Iterator[LabelledPicture | Skipped]:
        for key, box in self.boxes:
            yield LabelledPicture(key, (LabelledFace(box, identity=key),))

    def read(self, key: str) -> bytes:
        with (self.path / "read.txt").open("a") as file:
            file.write(f"{key}\n")
        return (self.path / key).read_bytes()

    def fingerprint(self) -> str:
        return ""


def boxed(folder: Path, *boxes: tuple[str, Box | None]) -> DataIndex:
    return build_index([Source(Boxed(folder, boxes))])


def cut(index: DataIndex, folder: Path, cutter: CropCutter = CUTTER) -> Crops:
    return cut_crops(index, folder, cutter, processes=0)


def times_read(folder: Path) -> int:
    path = folder / "read.txt"
    return len(path.read_text().split()) if path.exists() else 0


def test_a_crop_is_what_the_filter_cuts(tmp_path: Path) -> None:
    write_jpeg(tmp_path / "a.jpg", 200, 150)
    box = (40.0, 30.0, 120.0, 130.0)
    crops = cut(boxed(tmp_path, ("a.jpg", box)), tmp_path / "cache")
    picture = decode((tmp_path / "a.jpg").read_bytes()).pixels
    expected = resized(crop_face(picture, box, 0.5), 32)
    assert crops.pixels(0).shape == (32, 32, 3)
    difference = crops.pixels(0).astype(int) - expected
    assert np.abs(difference).mean() < 2  # JPEG


def test_a_picture_that_is_a_crop_is_not_enlarged(tmp_path: Path) -> None:
    write_jpeg(tmp_path / "a.jpg", 64, 64)
    crops = cut(boxed(tmp_path, ("a.jpg", None)), tmp_path / "cache")
    picture = decode((tmp_path / "a.jpg").read_bytes()).pixels
    difference = crops.pixels(0).astype(int) - resized(picture, 32)
    assert np.abs(difference).mean() < 2


@pytest.mark.parametrize("turned", range(1, 9))
def test_boxes_are_of_the_upright_picture(tmp_path: Path, turned: int) -> None:
    data = with_orientation(drawing(96, 64), "JPEG", turned)
    (tmp_path / "a.jpg").write_bytes(data)
    upright = decode(data).pixels
    box = (4.0, 4.0, 34.0, 34.0)
    crops = cut(boxed(tmp_path, ("a.jpg", box)), tmp_path / "cache")
    expected = resized(crop_face(upright, box, 0.5), 32)
    assert np.abs(crops.pixels(0).astype(int) - expected).mean() < 2


def test_a_picture_is_decoded_once_for_all_its_faces_and_runs(tmp_path: Path) -> None:
    write_jpeg(tmp_path / "a.jpg")
    boxes = [("a.jpg", (i, 2.0, i + 20.0, 30.0)) for i in range(3)]
    faces = tuple(LabelledFace(box, identity="x") for _, box in boxes)

    @dataclass(frozen=True)
    class OnePicture(Boxed):
        def pictures(self) -> Iterator[LabelledPicture | Skipped]:
            yield LabelledPicture("a.jpg", faces)

    index = build_index([Source(OnePicture(tmp_path))])
    for _ in range(2):
        assert len(cut(index, tmp_path / "cache")) == 3
    assert times_read(tmp_path) == 1


def test_only_new_faces_are_cut(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        write_jpeg(tmp_path / name)
    cut(boxed(tmp_path, ("a.jpg", None)), tmp_path / "cache")
    crops = cut(boxed(tmp_path, ("b.jpg", None), ("a.jpg", None)), tmp_path / "cache")
    assert crops.faces.tolist() == [0, 1]
    assert (tmp_path / "read.txt").read_text().split() == ["a.jpg", "b.jpg"]


def test_new_labels_cost_no_new_crops(tmp_path: Path) -> None:
    write_jpeg(tmp_path / "a.jpg")
    index = boxed(tmp_path, ("a.jpg", None))
    cut(index, tmp_path / "cache")
    relabelled = replace(index, identities=("boxed:x/other",))
    assert len(cut(relabelled, tmp_path / "cache")) == 1
    assert times_read(tmp_path) == 1


@pytest.mark.parametrize(
    "cutter", [CropCutter(1.0, 32), CropCutter(0.5, 40), CropCutter(0.5, 32, 90)]
)
def test_a_crop_of_other_measures_is_another_crop(
    tmp_path: Path, cutter: CropCutter
) -> None:
    write_jpeg(tmp_path / "a.jpg")
    index = boxed(tmp_path, ("a.jpg", (4, 4, 20, 20)))
    cut(index, tmp_path / "cache")
    assert cut(index, tmp_path / "cache", cutter).pixels(0).shape[0] == cutter.side
    assert times_read(tmp_path) == 2


def test_pictures_that_changed_are_cut_again(tmp_path: Path) -> None:
    path = write_jpeg(tmp_path / "faces" / "a" / "1.jpg", 64, 64)
    index = build_index([Source(FoldersReader(tmp_path / "faces"))])
    before = cut(index, tmp_path / "cache").pixels(0)
    path.write_bytes(encoded(drawing(80, 80, seed=9), "PNG"))
    assert (cut(index, tmp_path / "cache").pixels(0) != before).any()


def test_what_cannot_be_cut_is_said_and_not_tried_again(tmp_path: Path) -> None:
    write_jpeg(tmp_path / "good.jpg")
    (tmp_path / "bad.jpg").write_bytes(b"nothing")
    data = write_jpeg(tmp_path / "cut.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(data[: len(data) // 2])
    index = boxed(
        tmp_path,
        ("good.jpg", (70, 0, 90, 20)),
        ("bad.jpg", None),
        ("cut.jpg", None),
        ("good.jpg", None),
    )
    for _ in range(2):
        crops = cut(index, tmp_path / "cache")
        assert crops.faces.tolist() == [3]
        assert [(s.reason, s.count, s.examples) for s in crops.skipped] == [
            ("a box outside the picture", 1, ("good.jpg",)),
            ("it cannot be decoded: not_image", 1, ("bad.jpg",)),
            ("it cannot be decoded: truncated", 1, ("cut.jpg",)),
        ]
    assert times_read(tmp_path) == 4


def test_a_picture_that_could_not_be_read_is_tried_again(tmp_path: Path) -> None:
    path = write_jpeg(tmp_path / "faces" / "a" / "1.jpg")
    write_jpeg(tmp_path / "faces" / "a" / "2.jpg")
    reader = FoldersReader(tmp_path / "faces")
    index = build_index([Source(reader)])
    data = path.read_bytes()
    path.unlink()
    crops = cut(index, tmp_path / "cache")
    assert [each.reason for each in crops.skipped] == ["it cannot be read"]
    path.write_bytes(data)
    assert len(cut(index, tmp_path / "cache")) == 2


def test_faces_may_be_chosen_and_ignored_ones_are_not(tmp_path: Path) -> None:
    for name in "abc":
        write_jpeg(tmp_path / name)
    index = boxed(tmp_path, ("a", None), ("b", None), ("c", None))
    index = replace(index, ignored=np.array([False, True, False]))
    assert cut(index, tmp_path / "cache").faces.tolist() == [0, 2]
    chosen = cut_crops(index, tmp_path / "cache", CUTTER, np.array([2, 1]), 0)
    assert chosen.faces.tolist() == [2, 1]
    picture = decode((tmp_path / "c").read_bytes()).pixels
    expected = resized(crop_face(picture, (0, 0, 64, 48), 0), 32)
    assert np.abs(chosen.pixels(0).astype(int) - expected).mean() < 2


def test_crops_of_two_sources_keep_the_order_of_the_index(tmp_path: Path) -> None:
    for folder, seed in (("one", 1), ("two", 2)):
        write_jpeg(tmp_path / folder / "a" / "1.jpg", 32, 32, seed)
    readers = [FoldersReader(tmp_path / folder) for folder in ("one", "two")]
    index = build_index([Source(reader) for reader in readers])
    crops = cut_crops(index, tmp_path / "cache", CUTTER, np.array([1, 0]), 0)
    for place, seed in ((0, 2), (1, 1)):
        difference = crops.pixels(place).astype(int) - drawing(32, 32, seed)
        assert np.abs(difference).mean() < 8


def test_other_processes_read_the_same_crops(tmp_path: Path) -> None:
    for number in range(3):
        write_jpeg(tmp_path / str(number), seed=number)
    index = boxed(tmp_path, *((str(number), None) for number in range(3)))
    crops = cut(index, tmp_path / "cache")
    assert len(pickle.dumps(crops)) < 5000
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found = pool.map(crops.pixels, range(3))
    for number in range(3):
        np.testing.assert_array_equal(found[number], crops.pixels(number))


_KILLED = """
import sys
from itertools import count
from pathlib import Path
from icf.models.data import packed
from icf.models.data.crop_cache import CropCutter, cut_crops
from icf.models.data.formats.folders import FoldersReader
from icf.models.data.index import Source, build_index
packed._PACK_BYTES = 4000
done, add = count(1), packed.PackWriter.add
def told(writer, picture):
    add(writer, picture)
    print(next(done), flush=True)
packed.PackWriter.add = told
index = build_index([Source(FoldersReader(Path(sys.argv[1])))])
cut_crops(index, Path(sys.argv[2]), CropCutter(0.5, 32), processes=0)
"""


def test_a_killed_program_leaves_whole_packs_and_the_next_goes_on(
    tmp_path: Path,
) -> None:
    for number in range(60):
        write_jpeg(tmp_path / "faces" / "a" / f"{number:02}.jpg", seed=number)
    folders = str(tmp_path / "faces"), str(tmp_path / "cache")
    arguments = [sys.executable, "-c", _KILLED, *folders]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        for line in program.stdout:
            if int(line) == 30:
                os.kill(program.pid, signal.SIGKILL)
                break
    [folder] = (tmp_path / "cache").iterdir()
    (folder / f".pack-0.partial-{program.pid}").mkdir()  # killed while writing one
    packs = list(folder.glob("pack-*"))
    assert packs
    index = build_index([Source(FoldersReader(tmp_path / "faces"))])
    crops = cut(index, tmp_path / "cache")
    assert len(crops) == 60
    assert not crops.skipped
    assert set(packs) < set(folder.glob("pack-*"))
    assert not list(folder.glob(".pack-*"))
    fresh = cut(index, tmp_path / "fresh")
    for number in range(60):
        assert bytes(crops.pictures.jpeg(number)) == bytes(fresh.pictures.jpeg(number))


_AT_ONCE = """
import sys
from pathlib import Path
from icf.models.data import packed
from icf.models.data.crop_cache import CropCutter, cut_crops
from icf.models.data.formats.folders import FoldersReader
from icf.models.data.index import Source, build_index
index = build_index([Source(FoldersReader(Path(sys.argv[1])))])
input()
cut, add = [], packed.PackWriter.add
def told(writer, picture):
    add(writer, picture)
    cut.append(picture)
packed.PackWriter.add = told
crops = cut_crops(index, Path(sys.argv[2]), CropCutter(0.5, 32), processes=0)
print(len(cut), len(crops))
"""


def test_of_two_programs_at_once_one_cuts_each_picture(tmp_path: Path) -> None:
    for number in range(40):
        write_jpeg(tmp_path / "faces" / "a" / f"{number:02}.jpg", seed=number)
    arguments = [sys.executable, "-c", _AT_ONCE]
    arguments += [str(tmp_path / "faces"), str(tmp_path / "cache")]
    pipe = subprocess.PIPE
    programs = [
        subprocess.Popen(arguments, stdin=pipe, stdout=pipe, stderr=pipe)
        for _ in range(2)
    ]
    for program in programs:
        assert program.stdin is not None
        program.stdin.write(b"\n")
        program.stdin.flush()
    found = [program.communicate()[0].split() for program in programs]
    assert [int(crops) for _, crops in found] == [40, 40]
    assert sum(int(cut) for cut, _ in found) == 40


def test_a_damaged_pack_is_made_again(tmp_path: Path) -> None:
    write_jpeg(tmp_path / "a")
    index = boxed(tmp_path, ("a", None))
    cut(index, tmp_path / "cache")
    [pictures] = (tmp_path / "cache").glob("*/pack-*/pictures.bin")
    with pictures.open("ab") as file:
        file.write(b"x")
    assert len(cut(index, tmp_path / "cache")) == 1
    assert times_read(tmp_path) == 2


def test_flipped_bytes_are_an_error_that_names_the_folder(tmp_path: Path) -> None:
    write_jpeg(tmp_path / "a")
    index = boxed(tmp_path, ("a", None))
    cut(index, tmp_path / "cache")
    [pictures] = (tmp_path / "cache").glob("*/pack-*/pictures.bin")
    pictures.write_bytes(bytes(pictures.stat().st_size))
    with pytest.raises(BrokenMachine, match=r"pack-.* is damaged .*remove that folder"):
        cut(index, tmp_path / "cache").pixels(0)


def test_a_cache_says_what_it_is_of(tmp_path: Path) -> None:
    write_jpeg(tmp_path / "a")
    cut(boxed(tmp_path, ("a", None)), tmp_path / "cache")
    [about] = (tmp_path / "cache").glob("*/about.json")
    found = json.loads(about.read_text())
    assert found["source"] == f"boxed:{tmp_path}"
    assert (found["rate"], found["side"], found["quality"]) == (0.5, 32, 95)


def test_a_disk_that_cannot_be_written_is_a_broken_machine(tmp_path: Path) -> None:
    write_jpeg(tmp_path / "a")
    (tmp_path / "cache").write_text("a file, not a folder")
    with pytest.raises(BrokenMachine, match="cannot write the cache"):
        cut(boxed(tmp_path, ("a", None)), tmp_path / "cache")


def test_ids_that_share_a_half_are_told_apart(tmp_path: Path) -> None:
    ids = [bytes(8) + bytes([i]) * 8 for i in (3, 1, 2)]
    writer = PackWriter(tmp_path)
    for one in ids[:2]:
        writer.add(Packed(one, one))
    writer.flush()
    packs = Packs(tmp_path)
    rows = packs.find(id_array([*ids, bytes([255]) * 16]))
    assert (rows >= 0).tolist() == [True, True, False, False]
    found = packs.pictures(rows, {2: "gone"})
    assert [bytes(found.jpeg(i)) for i in (0, 1)] == ids[:2]
    assert found.reasons == ("", "", "gone", "")


def test_ids_depend_on_where_parts_end() -> None:
    assert picture_id(b"ab", b"c") != picture_id(b"a", b"bc")


def test_many_are_found_in_any_order(tmp_path: Path) -> None:
    writer = PackWriter(tmp_path)
    ids = [picture_id(str(i).encode()) for i in range(10_000)]
    for number, one in enumerate(ids):
        writer.add(Packed(one, str(number).encode()))
    writer.flush()
    order = np.random.default_rng(0).permutation(len(ids))
    packs = Packs(tmp_path)
    found = packs.pictures(packs.find(id_array(ids)[order]), {})
    assert [int(bytes(found.jpeg(i))) for i in range(100)] == order[:100].tolist()

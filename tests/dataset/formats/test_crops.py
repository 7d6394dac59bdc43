"""``--crops RATE``, in every format that has faces."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from icf.app.takedown.copies import find_copies
from icf.dataset.formats.crops import Rectangle, crop_rectangle
from icf.dataset.release.prepare import prepare
from icf.dataset.release.sums import read_sums
from icf.dataset.release.write import write
from icf.icartoonface.recognition import read_rectest_info, read_rectrain_det
from icf.icartoonface.release_files import (
    DETTRAIN_FOLDER,
    RECTEST_FOLDER,
    RECTEST_INFO,
    RECTRAIN_FOLDER,
    RECTRAIN_LIST,
)
from icf.images import decode
from icf.workspace import Workspace
from tests.dataset.formats.conftest import Exported


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def parts_of(cropped: Exported) -> dict[tuple[str, str], Rectangle]:
    """What crops.csv says, by file and member."""
    return {
        (row["file"], row["member"]): Rectangle(
            *(int(row[side]) for side in ("x1", "y1", "x2", "y2"))
        )
        for row in rows_of(cropped.folder / "crops.csv")
    }


def test_a_crop_shows_the_part_of_the_picture_that_the_table_gives(
    cropped: Exported,
) -> None:
    parts = parts_of(cropped)
    name = RECTRAIN_FOLDER.as_posix()
    turned = 0
    for record in cropped.records["recognition", "train"]:
        file = f"icartoonface/{name}/{record.placed.path}"
        part = parts[file, ""]
        crop = decode((cropped.folder / file).read_bytes())
        assert crop.format == "jpeg"
        assert (crop.width, crop.height) == record.size == (part.width, part.height)
        whole = decode(cropped.bytes[record.placed.picture]).pixels
        expected = whole[part.y1 : part.y2, part.x1 : part.x2].astype(int)
        assert np.abs(crop.pixels - expected).mean() < 3
        turned += record.placed.picture in cropped.turned
        x1, y1, x2, y2 = record.boxes[0]
        corners = cropped.plan.selection.faces.corners[record.placed.face]
        assert (x1 + part.x1, y1 + part.y1, x2 + part.x1, y2 + part.y1) == tuple(
            np.rint(corners).astype(int)
        )
    assert turned > 0


def test_the_lists_have_the_boxes_in_the_crops(cropped: Exported) -> None:
    folder = cropped.of("icartoonface")
    train = read_rectrain_det(folder / RECTRAIN_LIST)
    test = read_rectest_info(folder / RECTEST_INFO)
    for place, names, boxes, split in (
        (RECTRAIN_FOLDER, train.paths, train.boxes, "train"),
        (RECTEST_FOLDER, test.files, test.boxes, "test"),
    ):
        records = cropped.records["recognition", split]  # type: ignore[index]
        for name, box, record in zip(names, boxes.tolist(), records, strict=True):
            assert tuple(box) == record.boxes[0]
            crop = decode((folder / place / name).read_bytes())
            assert 0 <= box[0] < box[2] <= crop.width
            assert 0 <= box[1] < box[3] <= crop.height
            assert name.endswith(".jpg")


def test_every_format_has_the_same_crops(cropped: Exported) -> None:
    def digests(paths: list[bytes]) -> list[str]:
        return sorted(hashlib.sha256(data).hexdigest() for data in paths)

    loose = [
        p.read_bytes() for p in (cropped.of("icartoonface")).rglob("*rectrain_*.jpg")
    ]
    folders = [
        path.read_bytes()
        for path in (cropped.of("imagefolder") / "recognition" / "train").rglob("*.jpg")
    ]
    [file] = (cropped.of("hf") / "recognition").glob("train-*.parquet")
    column = pq.read_table(file)["image"].to_pylist()
    parquet = [each["bytes"] for each in column]
    index = pq.read_table(cropped.of("webdataset") / "recognition-train-000000.parquet")
    shard = (cropped.of("webdataset") / "recognition-train-000000.tar").read_bytes()
    tar = [
        shard[row["offset"] : row["offset"] + row["bytes"]] for row in index.to_pylist()
    ]
    assert len(loose) == len(cropped.records["recognition", "train"])
    assert digests(loose) == digests(folders) == digests(parquet) == digests(tar)


def test_the_detection_set_stays_whole(cropped: Exported) -> None:
    folder = cropped.of("icartoonface") / DETTRAIN_FOLDER
    for record in cropped.records["detection", "train"]:
        content = (folder / record.placed.path).read_bytes()
        assert content == cropped.bytes[record.placed.picture]


def test_hashes_are_of_the_picture_in_one_table_and_of_the_file_in_the_other(
    cropped: Exported,
) -> None:
    sums = read_sums(cropped.folder)
    parts = parts_of(cropped)
    known = {hashlib.sha256(data).hexdigest() for data in cropped.bytes.values()}
    seen = 0
    for row in rows_of(cropped.folder / "licences.csv"):
        assert row["sha256"] in known
        if not row["member"]:
            is_crop = (row["file"], "") in parts
            assert (sums[row["file"]] != row["sha256"]) is is_crop
            seen += is_crop
    assert seen > len(cropped.records["recognition", "train"])


def test_a_takedown_says_how_to_make_the_crops_again(
    workspace: Workspace, tmp_path: Path
) -> None:
    prepared = prepare(workspace, 1, ("webdataset", "coco"), crops=0.5)
    assert write(workspace, prepared, tmp_path / "out", 1)
    hashes = {each.decode() for each in prepared.plan.selection.pictures.sha256}
    [held] = find_copies(workspace, hashes, ()).held
    assert held.remedy.endswith("--format webdataset --format coco --crops 0.5")
    assert "webdataset/recognition-test-000000.tar" in held.files


def test_a_rate_is_another_release_and_is_noted(workspace: Workspace) -> None:
    plain = prepare(workspace, 1)
    one, other = (prepare(workspace, 1, crops=rate) for rate in (0.5, 1.0))
    assert len({plain.inputs, one.inputs, other.inputs}) == 3
    assert '"rate": 0.5' in one.summary
    assert '"crops"' not in plain.summary
    assert plain.plan.counts == one.plan.counts


sides = st.floats(-20, 220)


@given(sides, sides, sides, sides, st.floats(0, 3))
def test_a_crop_is_in_its_picture_and_has_all_of_the_box_that_is(
    x1: float, y1: float, x2: float, y2: float, rate: float
) -> None:
    corners = (min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))
    part = crop_rectangle(corners, (200, 100), rate)
    assert 0 <= part.x1 < part.x2 <= 200
    assert 0 <= part.y1 < part.y2 <= 100
    if corners[0] >= 0 and corners[2] <= 200 and corners[0] < 199:
        assert part.x1 <= corners[0]
        assert corners[2] <= part.x2
        grown = (corners[2] - corners[0]) * (1 + rate)
        assert part.width <= grown + 2

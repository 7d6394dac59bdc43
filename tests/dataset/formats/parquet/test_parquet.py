"""Parquet and the Hub's layout, opened by Hugging Face's own library."""

from __future__ import annotations

import io
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import datasets
import pyarrow.parquet as pq
import pytest

from icf.dataset.formats.base import Task
from icf.dataset.formats.parquet import writer
from icf.dataset.formats.records import Record, Split
from icf.dataset.release.prepare import prepare
from icf.dataset.release.write import write
from icf.images import decode
from icf.workspace import Workspace
from tests.dataset.drawn import digest
from tests.dataset.formats.conftest import Exported

PARTS: list[tuple[Task, Split]] = [
    ("recognition", "train"),
    ("recognition", "test"),
    ("detection", "train"),
    ("detection", "test"),
]


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No network, and a cache of its own."""
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    datasets.disable_progress_bars()
    logging.getLogger("datasets").setLevel(logging.ERROR)
    return tmp_path / "cache"


def check(whole: Exported, row: Mapping[str, Any], record: Record) -> None:
    """Compare what `datasets` gives, pixels too, with what was planned."""
    shown = decode(whole.bytes[record.placed.picture])
    assert row["image"].size == (shown.width, shown.height) == record.size
    assert (row["width"], row["height"]) == record.size
    assert row["sha256"] == record.sha256
    assert row["licences"] == record.licences
    corners = [
        (x, y, x + width, y + height)
        for x, y, width, height in (
            [row["bbox"]] if record.who else row["objects"]["bbox"]
        )
    ]
    assert tuple(corners) == record.boxes
    if record.who is not None:
        assert row["label"] == record.who.label
        assert row["role"] == record.who.role


@pytest.mark.parametrize("task", ["recognition", "detection"])
def test_datasets_loads_the_layout_of_the_hub(
    whole: Exported, task: Task, offline: Path
) -> None:
    loaded = datasets.load_dataset(str(whole.of("hf")), task, cache_dir=str(offline))
    assert set(loaded) == {"train", "test"}
    for split in loaded:
        assert isinstance(loaded[split].features["image"], datasets.Image)
        expected = {each.sha256: each for each in whole.records[task, split]}
        assert len(loaded[split]) == len(whole.records[task, split])
        for row in loaded[split]:
            record = expected[row["sha256"]]
            if record.who is None or row["bbox"][:2] == list(record.boxes[0][:2]):
                check(whole, row, record)
    if task == "recognition":
        labels = loaded["train"].features["label"]
        for record in whole.records["recognition", "train"]:
            assert record.who is not None
            assert labels.int2str(record.who.label) == record.who.name


def test_datasets_does_not_take_one_release_for_another(
    whole: Exported, cropped: Exported, offline: Path
) -> None:
    for each in (whole, cropped):
        folder, cache = str(each.of("hf")), str(offline)
        loaded = datasets.load_dataset(folder, "recognition", cache_dir=cache)["train"]
        expected = {record.size for record in each.records["recognition", "train"]}
        sizes = zip(loaded["width"], loaded["height"], strict=True)
        assert set(sizes) == expected


def test_datasets_streams_the_plain_files_without_being_told_the_columns(
    whole: Exported, offline: Path
) -> None:
    folder = whole.of("parquet") / "recognition"
    files = {"test": str(folder / "test-*.parquet")}
    rows = datasets.load_dataset(
        "parquet", data_files=files, streaming=True, cache_dir=str(offline)
    )["test"]
    found = list(rows)
    expected = whole.records["recognition", "test"]
    assert len(found) == len(expected)
    for row, record in zip(found, expected, strict=True):
        check(whole, row, record)


@pytest.mark.parametrize(("task", "split"), PARTS)
def test_the_bytes_are_those_that_were_fetched(
    whole: Exported, task: Task, split: Split
) -> None:
    [path] = (whole.of("parquet") / task).glob(f"{split}-*.parquet")
    assert path.name == f"{split}-00000-of-00001.parquet"
    expected = {each.name: each for each in whole.records[task, split]}
    rows = pq.read_table(path).to_pylist()
    assert {row["image"]["path"] for row in rows} == expected.keys()
    for row in rows:
        record = expected[row["image"]["path"]]
        assert row["image"]["bytes"] == whole.bytes[record.placed.picture]


def test_the_layout_of_the_hub_shares_the_files_on_the_disk(whole: Exported) -> None:
    for path in whole.of("parquet").rglob("*.parquet"):
        assert path.samefile(whole.of("hf") / path.relative_to(whole.of("parquet")))


def test_a_full_file_is_followed_by_another_and_alone_the_hub_has_the_same(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "GROUP_PICTURES", 5)
    monkeypatch.setattr(writer, "BYTES", 100_000)
    for name in ("parquet", "hf"):
        write(workspace, prepare(workspace, 1, (name,)), tmp_path / name, 1)
    files = sorted((tmp_path / "parquet" / "recognition").glob("train-*"))
    assert len(files) > 2
    assert files[0].name.endswith(f"-of-{len(files):05d}.parquet")
    assert pq.ParquetFile(files[0]).metadata.row_group(0).num_rows == 5
    parquet, hub = digest(tmp_path / "parquet"), digest(tmp_path / "hf")
    same = [name for name in hub if name.endswith(".parquet")]
    assert all(hub[name] == parquet[name] for name in same)
    assert parquet.keys() == hub.keys()
    pictures = pq.read_table(files[1])["image"].to_pylist()
    assert decode(io.BytesIO(pictures[0]["bytes"]).getvalue()).width > 0

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import webdataset

from icf.dataset.formats.base import Task
from icf.dataset.formats.records import Split
from icf.dataset.formats.webdataset import writer
from icf.dataset.release.prepare import prepare
from icf.dataset.release.write import write
from icf.workspace import Workspace
from tests.dataset.drawn import digest
from tests.dataset.formats.conftest import Exported

# WebDataset leaves it to the collector of garbage to close its shards.
pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)

PARTS: list[tuple[Task, Split]] = [
    ("recognition", "train"),
    ("recognition", "test"),
    ("detection", "train"),
    ("detection", "test"),
]


def samples(folder: Path, task: str, split: str) -> list[dict[str, Any]]:
    """What WebDataset gives of all shards, one after the other."""
    shards = sorted(map(str, folder.glob(f"{task}-{split}-*.tar")))
    return list(webdataset.WebDataset(shards, shardshuffle=False, empty_check=False))


@pytest.mark.parametrize(("task", "split"), PARTS)
def test_webdataset_reads_every_picture_with_its_labels(
    whole: Exported, task: Task, split: Split
) -> None:
    expected = {each.name: each for each in whole.records[task, split]}
    found = samples(whole.of("webdataset"), task, split)
    assert len(found) == len(expected) > 0
    for each in found:
        about = json.loads(each["json"])
        [suffix] = {"jpg", "png"} & each.keys()
        record = expected[f"{each['__key__']}.{suffix}"]
        row = record.placed.picture
        assert each[suffix] == whole.bytes[row]
        assert about["boxes"] == [list(box) for box in record.boxes]
        assert (about["width"], about["height"]) == record.size
        assert about["exif_orientation"] == (6 if row in whole.turned else 1)
        assert about["licences"] == record.licences
        assert about["url"].startswith("http://toons.test/")
        if record.who is not None:
            assert about["label"] == record.who.label
            assert about["role"] == record.who.role
            assert about["character"] == record.who.character


def test_the_test_is_in_the_order_of_its_list_and_train_is_shuffled(
    whole: Exported,
) -> None:
    def keys(split: Split) -> list[str]:
        every = samples(whole.of("webdataset"), "recognition", split)
        return [each["__key__"] for each in every]

    test = [
        each.name.rpartition(".")[0] for each in whole.records["recognition", "test"]
    ]
    assert keys("test") == test
    labels = [int(key.split("_")[3]) for key in keys("train")]
    # Sorted, only where one identity ends the next begins; shuffled, nearly everywhere.
    changes = sum(one != other for one, other in pairwise(labels))
    assert changes > 2 * len(set(labels))


@pytest.mark.parametrize(("task", "split"), PARTS)
def test_the_index_says_where_each_picture_lies_in_the_shard(
    whole: Exported, task: Task, split: Split
) -> None:
    shard = whole.of("webdataset") / f"{task}-{split}-000000.tar"
    content = shard.read_bytes()
    rows = pq.read_table(shard.with_suffix(".parquet")).to_pylist()
    expected = {each.name: each for each in whole.records[task, split]}
    assert {row["file"] for row in rows} == expected.keys()
    for row in rows:
        record = expected[row["file"]]
        picture = content[row["offset"] : row["offset"] + row["bytes"]]
        assert picture == whole.bytes[record.placed.picture]
        assert row["sha256"] == record.sha256
        assert row["boxes"] == [list(box) for box in record.boxes]
        assert row["label"] == (record.who.label if record.who else None)


def test_a_full_shard_is_followed_by_another_and_bytes_stay_the_same(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "PICTURES", 7)
    prepared = prepare(workspace, 1, ("webdataset",))
    one, other = tmp_path / "one", tmp_path / "other"
    write(workspace, prepared, one, 1)
    write(workspace, prepare(workspace, 1, ("webdataset",)), other, 1)
    assert digest(one) == digest(other)
    for task, split in PARTS:
        names = [each["__key__"] for each in samples(one, task, split)]
        assert len(set(names)) == len(names)
    counts = prepared.plan.counts
    shards = len(list(one.glob("recognition-train-*.tar")))
    assert shards == -(-counts["train_faces"] // 7)
    monkeypatch.setattr(writer, "BYTES", 1)
    write(workspace, prepared, tmp_path / "small", 1)
    tiny = list((tmp_path / "small").glob("recognition-test-*.tar"))
    assert len(tiny) == counts["probes"] + counts["distractors"]

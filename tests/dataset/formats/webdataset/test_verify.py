"""What was done to a shard is named, though the sums were written again."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.dataset.formats.checks.copied import Copied
from tests.dataset.formats.conftest import Exported

SHARD = "recognition-test-000000.tar"
Members = list[tuple[str, bytes]]


def swap(members: Members) -> None:
    (one, first), (other, second) = members[0], members[2]
    members[0], members[2] = (one, second), (other, first)


def relabel(members: Members) -> None:
    name, about = members[1]
    members[1] = name, about.replace(b'"label":', b'"label":9')


def move_box(members: Members) -> None:
    name, about = members[1]
    members[1] = name, about.replace(b'"boxes":[[', b'"boxes":[[1')


def nest(members: Members) -> None:
    members[1] = members[1][0], b"[" * 100_000


def lose(members: Members) -> None:
    del members[:2]


def repeat(members: Members) -> None:
    members += members[:2]


def add(members: Members) -> None:
    (_, picture), (_, about) = members[:2]
    members += [("other.jpg", picture), ("other.json", about)]


def lose_labels(members: Members) -> None:
    del members[1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (swap, "is another picture"),
        (relabel, "has the label 9"),
        (move_box, "has the box"),
        (nest, "RecursionError"),
        (lose, "has nothing of"),
        (repeat, "a second time"),
        (add, "has other.jpg, which is not in this part"),
        (lose_labels, "has no JSON behind it"),
    ],
)
def test_what_was_changed_in_a_shard_is_named(
    whole: Exported, tmp_path: Path, change: Callable[[Members], None], said: str
) -> None:
    copied = Copied.of(whole, "webdataset", tmp_path)
    folder = copied.folder
    with tarfile.open(folder / SHARD) as tar:
        members = [
            (each.name, file.read())
            for each in tar
            if (file := tar.extractfile(each)) is not None
        ]
    change(members)
    with tarfile.open(folder / SHARD, "w") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    assert said in " ".join(copied.said())


def test_a_shard_that_was_cut_off_is_named(whole: Exported, tmp_path: Path) -> None:
    copied = Copied.of(whole, "webdataset", tmp_path)
    folder = copied.folder
    content = (folder / SHARD).read_bytes()
    (folder / SHARD).write_bytes(content[: len(content) // 2])
    assert any(fault.file == SHARD for fault in copied.faults())


def test_an_index_that_is_not_that_of_its_shard_is_named(
    whole: Exported, tmp_path: Path
) -> None:
    copied = Copied.of(whole, "webdataset", tmp_path)
    index = SHARD.replace(".tar", ".parquet")
    table = pq.read_table(copied.folder / index)
    rows = table.to_pylist()
    rows[0]["offset"] += 512
    pq.write_table(pa.Table.from_pylist(rows, table.schema), copied.folder / index)
    name = rows[0]["file"]
    assert copied.said() == [
        f"{index}: has another place or label of {name} than the shard"
    ]
    (copied.folder / index).unlink()
    assert copied.said() == [f"{index}: is missing"]

"""What was done to a shard is named, though the sums were written again."""

from __future__ import annotations

import gzip
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


def mislabel(members: Members) -> None:
    name, about = members[1]
    members[1] = name, about.replace(b'"label":', b'"label":[1],"was":')


def widen(members: Members) -> None:
    name, about = members[1]
    members[1] = name, about.replace(b'"width":', b'"width":Infinity,"was":')


def rename_key(members: Members) -> None:
    name, about = members[1]
    members[1] = name, about.replace(b'"key":"', b'"key":"x')


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
        (mislabel, "has the label [1], and not "),
        (widen, "has the size (inf, "),
        (rename_key, ".json has the key x"),
        (lose_labels, "has no JSON behind it"),
    ],
)
def test_what_was_changed_in_a_shard_is_named(
    whole: Exported, tmp_path: Path, change: Callable[[Members], None], said: str
) -> None:
    copied = Copied.of(whole, "webdataset", tmp_path)
    change_shard(copied.folder / SHARD, change)
    assert said in " ".join(copied.said())


def change_shard(shard: Path, change: Callable[[Members], None]) -> None:
    with tarfile.open(shard) as tar:
        members = [
            (each.name, file.read())
            for each in tar
            if (file := tar.extractfile(each)) is not None
        ]
    change(members)
    with tarfile.open(shard, "w") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


def test_one_broken_member_is_named_and_the_others_are_read(
    whole: Exported, tmp_path: Path
) -> None:
    copied = Copied.of(whole, "webdataset", tmp_path)
    names: list[str] = []

    def change(members: Members) -> None:
        names.extend(name for name, _ in members)
        members[1] = names[1], b"{"
        members[5] = names[5], members[5][1].replace(b'"role":"', b'"role":"x')

    change_shard(copied.folder / SHARD, change)
    said = [line for line in copied.said() if line.startswith(f"{SHARD}: ")]
    assert len(said) == 2
    assert said[0].startswith(f"{SHARD}: {names[1]}: cannot be read: JSONDecodeError")
    assert said[1].startswith(f"{SHARD}: {names[4]} has the role x")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda shard: shard[: len(shard) // 2], "cannot be read to its end: "),
        (lambda shard: shard.rstrip(b"\0"), "cannot be read to its end: "),
        (lambda shard: shard[:1536] + b"?" * 512, "cannot be read to its end: "),
        (gzip.compress, "cannot be read to its end: "),
        (lambda shard: shard + b"?", "has something behind its end"),
    ],
)
def test_a_shard_that_was_cut_off_or_packed_is_named_alone(
    whole: Exported, tmp_path: Path, spoil: Callable[[bytes], bytes], said: str
) -> None:
    copied = Copied.of(whole, "webdataset", tmp_path)
    shard = copied.folder / SHARD
    shard.write_bytes(spoil(shard.read_bytes()))
    [found] = copied.said()
    assert found.startswith(f"{SHARD}: {said}")


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
    rows = [*table.to_pylist(), table.to_pylist()[0]]
    rows[0]["width"] += 1
    rows[1]["boxes"] = []
    rows[2]["role"] = rows[3]["identity"] = "x"
    pq.write_table(pa.Table.from_pylist(rows, table.schema), copied.folder / index)
    columns = ["width", "boxes", "role", "identity"]
    assert copied.said() == [
        *(
            f"{index}: has another {column} of {row['file']} than the shard"
            for column, row in list(zip(columns, rows, strict=False))[1:]
        ),
        f"{index}: has {len(rows)} rows, and its shard {len(rows) - 1}",
    ]
    (copied.folder / index).unlink()
    assert copied.said() == [f"{index}: is missing"]

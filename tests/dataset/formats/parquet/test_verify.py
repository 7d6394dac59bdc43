"""What was done to a Parquet file is named, though the sums were written again."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.dataset.formats.checks.copied import Copied
from tests.dataset.formats.conftest import Exported

Rows = list[dict[str, Any]]
NAME = "recognition/test-00000-of-00001.parquet"


def swap(rows: Rows) -> None:
    rows[0]["image"]["bytes"] = rows[1]["image"]["bytes"]


def relabel(rows: Rows) -> None:
    rows[0]["label"] = 99


def lose_label(rows: Rows) -> None:
    rows[0]["label"] = None


def move_box(rows: Rows) -> None:
    rows[0]["bbox"][0] += 1


def rename(rows: Rows) -> None:
    rows[0]["character"] = "Luna"


def lose(rows: Rows) -> None:
    del rows[0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (swap, "is another picture"),
        (relabel, "has the label 99"),
        (lose_label, "has the label None, and not "),
        (move_box, "has the box"),
        (rename, "has the character Luna"),
        (lose, "has nothing of"),
    ],
)
def test_what_was_changed_in_a_file_is_named(
    whole: Exported, tmp_path: Path, change: Callable[[Rows], None], said: str
) -> None:
    copied = Copied.of(whole, "parquet", tmp_path)
    folder = copied.folder
    table = pq.read_table(folder / NAME)
    rows = table.to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, table.schema), folder / NAME)
    assert said in " ".join(copied.said())


def test_a_whole_column_of_nulls_is_named(whole: Exported, tmp_path: Path) -> None:
    copied = Copied.of(whole, "parquet", tmp_path)
    table = pq.read_table(copied.folder / NAME)
    place = table.column_names.index("label")
    nulls = pa.nulls(len(table), pa.int64())
    pq.write_table(table.set_column(place, "label", nulls), copied.folder / NAME)
    said = copied.said()
    assert len(said) == len(table)
    assert all("has the label None, and not " in line for line in said)


def test_one_broken_row_is_named_and_the_others_are_read(
    whole: Exported, tmp_path: Path
) -> None:
    copied = Copied.of(whole, "parquet", tmp_path)
    table = pq.read_table(copied.folder / NAME)
    rows = table.to_pylist()
    rows[0]["bbox"] = None
    rows[1]["label"] = 99
    # Before version 26, pyarrow reads no list of a fixed size that is null.
    place = table.schema.get_field_index("bbox")
    any_size = pa.list_(table.schema.field(place).type.value_type)
    schema = table.schema.set(place, pa.field("bbox", any_size))
    pq.write_table(pa.Table.from_pylist(rows, schema), copied.folder / NAME)
    first, second = copied.said()
    assert first.startswith(f"{NAME}: row 1: cannot be read: TypeError")
    assert second.startswith(f"{NAME}: {rows[1]['image']['path']} has the label 99")


def test_a_file_that_was_cut_off_is_named_alone(
    whole: Exported, tmp_path: Path
) -> None:
    copied = Copied.of(whole, "parquet", tmp_path)
    folder = copied.folder
    content = (folder / NAME).read_bytes()
    (folder / NAME).write_bytes(content[: len(content) // 2])
    assert [fault.file for fault in copied.faults()] == [NAME]


def test_a_moved_box_of_the_detection_set_is_named(
    whole: Exported, tmp_path: Path
) -> None:
    copied = Copied.of(whole, "parquet", tmp_path)
    path = copied.folder / "detection" / "test-00000-of-00001.parquet"
    table = pq.read_table(path)
    rows = table.to_pylist()
    rows[0]["objects"]["bbox"][0][2] += 3
    pq.write_table(pa.Table.from_pylist(rows, table.schema), path)
    [said] = copied.said()
    assert rows[0]["image"]["path"] in said
    assert "has the box" in said


def test_another_class_of_the_detection_set_is_named(
    whole: Exported, tmp_path: Path
) -> None:
    copied = Copied.of(whole, "parquet", tmp_path)
    path = copied.folder / "detection" / "test-00000-of-00001.parquet"
    table = pq.read_table(path)
    rows = table.to_pylist()
    rows[0]["objects"]["category"][0] = 7
    pq.write_table(pa.Table.from_pylist(rows, table.schema), path)
    [said] = copied.said()
    assert "row 1: cannot be read: " in said
    assert "the categories [7" in said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.replace_schema_metadata({}), "does not say to `datasets` what"),
        (lambda t: t.append_column("more", t["label"]), "has further columns: more"),
        (lambda t: t.append_column("label", t["label"]), "has further columns: label"),
        (
            lambda t: t.drop_columns(["bbox"]),
            "cannot be read to its end: .*column bbox",
        ),
    ],
)
def test_other_columns_are_named(
    whole: Exported,
    tmp_path: Path,
    change: Callable[[pa.Table], pa.Table],
    said: str,
) -> None:
    copied = Copied.of(whole, "parquet", tmp_path)
    path = copied.folder / NAME
    pq.write_table(change(pq.read_table(path)), path)
    [found] = copied.said()
    assert re.match(f"{NAME}: {said}", found)


def test_a_file_beside_those_of_a_set_is_named(whole: Exported, tmp_path: Path) -> None:
    copied = Copied.of(whole, "parquet", tmp_path)
    (copied.folder / "recognition" / "extra.parquet").write_bytes(b"PAR1")
    assert copied.said() == [
        "recognition/extra.parquet: is none of the files of its set"
    ]

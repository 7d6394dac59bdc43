"""What was done to a Parquet file is named, though the sums were written again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from icf.dataset.contents import FILE, read_contents
from icf.dataset.formats.checked import Fault, ReleaseFiles
from icf.dataset.formats.registry import make_writers
from tests.dataset.drawn import digest
from tests.dataset.formats.conftest import Exported

Rows = list[dict[str, Any]]
NAME = "recognition/test-00000-of-00001.parquet"


def faults(exported: Exported, folder: Path, name: str) -> list[Fault]:
    contents = read_contents(exported.folder / FILE)
    settings: dict[str, object] = {"crops": {}} if exported.plan.crops else {}
    files = ReleaseFiles(folder, contents, digest(folder), {"settings": settings})
    [writer] = make_writers([name]).values()
    return list(writer.verify(files))  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["parquet", "hf"])
@pytest.mark.parametrize("kind", ["whole", "cropped"])
def test_files_as_they_were_written_have_no_fault(
    kind: str, name: str, request: pytest.FixtureRequest
) -> None:
    exported: Exported = request.getfixturevalue(kind)
    assert faults(exported, exported.of(name), name) == []


def swap(rows: Rows) -> None:
    rows[0]["image"]["bytes"] = rows[1]["image"]["bytes"]


def relabel(rows: Rows) -> None:
    rows[0]["label"] = 99


def move_box(rows: Rows) -> None:
    rows[0]["bbox"][0] += 1


def lose(rows: Rows) -> None:
    del rows[0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (swap, "is another picture"),
        (relabel, "has the label 99"),
        (move_box, "has the box"),
        (lose, "is in none of its shards"),
    ],
)
def test_what_was_changed_in_a_file_is_named(
    whole: Exported, tmp_path: Path, change: Callable[[Rows], None], said: str
) -> None:
    folder = tmp_path / "parquet"
    shutil.copytree(whole.of("parquet"), folder)
    table = pq.read_table(folder / NAME)
    rows = table.to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, table.schema), folder / NAME)
    assert said in " ".join(map(str, faults(whole, folder, "parquet")))


def test_a_file_that_was_cut_off_is_named(whole: Exported, tmp_path: Path) -> None:
    folder = tmp_path / "parquet"
    shutil.copytree(whole.of("parquet"), folder)
    content = (folder / NAME).read_bytes()
    (folder / NAME).write_bytes(content[: len(content) // 2])
    assert any(fault.file == NAME for fault in faults(whole, folder, "parquet"))

"""Tables beside the formats that were edited, with all hashes made true again."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from icf.dataset.release.prepare import prepare
from icf.dataset.release.write import write
from icf.dataset.verify.verify import verify
from icf.workspace import find
from tests.dataset.verify.forged import describe_again


@pytest.fixture(scope="module")
def whole(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release in a format of files and one of shards."""
    root = tmp_path_factory.mktemp("beside")
    shutil.copytree(drawn, root / "space")
    workspace = find(root / "space")
    formats = ("icartoonface", "webdataset")
    write(workspace, prepare(workspace, 1, formats), root / "out", 1)
    workspace.catalogue.close()
    return root / "out"


@pytest.fixture
def release(whole: Path, tmp_path: Path) -> Path:
    return shutil.copytree(whole, tmp_path / "release")


def said(release: Path) -> list[str]:
    """What is found, after the description and the sums have the hashes of now."""
    describe_again(release)
    return [str(each) for each in verify(release, quick=True).faults]


def edit(path: Path, row: int, **cells: str) -> None:
    """Write other cells into a row of a table."""
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = list(csv.reader(file))
    for name, value in cells.items():
        assert rows[row][header.index(name)] != value
        rows[row][header.index(name)] = value
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def edit_records(path: Path, change: Callable[[list[dict[str, Any]]], object]) -> None:
    table = pq.read_table(path)
    rows = table.to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)


def test_nothing_is_found_in_what_nobody_edited(release: Path) -> None:
    assert said(release) == []


@pytest.mark.parametrize(
    ("table", "cells"),
    [
        ("recognition_train", {"x1": 7}),
        ("recognition_train", {"label": 5}),
        ("recognition_test", {"character": "x"}),
        ("recognition_test", {"role": "train"}),
        ("detection_train", {"width": 7}),
        ("detection_test", {"y2": 7}),
        ("identities", {"album": "x"}),
    ],
)
def test_an_edited_record_is_named(
    release: Path, table: str, cells: dict[str, Any]
) -> None:
    name = f"records/{table}.parquet"
    edit_records(release / name, lambda rows: rows[0].update(cells))
    assert said(release) == [f"{name}: has other rows than contents.csv gives"]


def test_a_lost_record_is_named(release: Path) -> None:
    name = "records/detection_test.parquet"
    edit_records(release / name, lambda rows: rows.pop())
    assert said(release) == [f"{name}: has other rows than contents.csv gives"]
    (release / name).write_bytes(b"PAR1")
    [found] = said(release)
    assert found.startswith(f"{name}: cannot be read: ")


def test_a_record_that_names_another_file_is_named(release: Path) -> None:
    name = "records/recognition_train.parquet"

    def swap(rows: list[dict[str, Any]]) -> None:
        rows[0]["file"], rows[1]["file"] = rows[1]["file"], rows[0]["file"]

    edit_records(release / name, swap)
    found = said(release)
    assert len(found) == 2
    assert all(line.startswith(f"{name}: has the picture ") for line in found)
    assert all(line.endswith(", and licences.csv has not") for line in found)


@pytest.mark.parametrize("column", ["author", "licence", "title", "spdx", "changes"])
def test_an_edited_attribution_is_named(release: Path, column: str) -> None:
    edit(release / "attribution.csv", 3, **{column: "x"})
    found = said(release)
    assert len(found) == 2
    assert found[0].startswith("attribution.csv: has no row ")
    assert found[1].startswith("attribution.csv: has the row ")
    assert found[1].endswith(", which licences.csv gives not")


def test_an_edited_domain_is_named(release: Path) -> None:
    edit(release / "domains.csv", 0, pictures="1")
    assert all(line.startswith("domains.csv: has ") for line in said(release))
    assert len(said(release)) == 2


def test_a_licence_that_was_edited_is_not_that_of_the_attribution(
    release: Path,
) -> None:
    edit(release / "licences.csv", 0, licence="CC BY-NC 4.0", author="x")
    found = said(release)
    assert any(line.startswith("attribution.csv: has the row ") for line in found)
    assert any(line.startswith("release.json: has the by_licence ") for line in found)


def test_an_edited_summary_of_licences_is_named(release: Path) -> None:
    path = release / "release.json"
    summary = json.loads(path.read_text())
    summary["licences"]["by_licence"]["CC0-1.0"] += 1
    path.write_text(json.dumps(summary))
    [found] = said(release)
    assert found.startswith("release.json: has the by_licence {")

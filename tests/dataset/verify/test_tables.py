from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from icf.dataset.formats.checked import rate_of
from icf.dataset.release.earlier import Listed, as_contents
from icf.dataset.verify.tables import (
    check_certificate,
    check_counts,
    check_licences,
)


@pytest.mark.parametrize(
    ("cleaned", "lines"),
    [
        (
            {},
            [
                "labels/train/1.txt: is missing",
                "certificate.json: is of a file data.yaml with the SHA-256 bb",
            ],
        ),
        ({"cleaned": {"rows": 1}}, []),
    ],
)
def test_a_certificate_is_of_the_files_as_they_were_before_a_cleaning(
    tmp_path: Path, cleaned: dict[str, Any], lines: list[str]
) -> None:
    files = {"labels/train/1.txt": "aa", "data.yaml": "bb"}
    about = {"release": {"inputs": "ab", "files": files}}
    (tmp_path / "certificate.json").write_text(json.dumps(about))
    hashes = {"certificate.json": "", "data.yaml": "cc"}
    found = check_certificate(tmp_path, {"inputs": "ab", **cleaned}, hashes)
    assert sorted(map(str, found)) == sorted(lines)


@pytest.mark.parametrize("edited", ["bound", "covers"])
def test_a_certificate_that_proves_something_else_is_named(
    tmp_path: Path, edited: str
) -> None:
    audit = {"certified": True, "bound": 0.02, "confidence": 0.95, "covers": {"all": 1}}
    says = {**audit, edited: 0.01}
    about = {"inputs": "ab", "files": {}, "covers": says.pop("covers")}
    value = {"certificate": says, "release": about}
    (tmp_path / "certificate.json").write_text(json.dumps(value))
    summary = {"inputs": "ab", "audit": audit}
    [found] = check_certificate(tmp_path, summary, {"certificate.json": ""})
    assert str(found) == f"certificate.json: has another {edited} than release.json"


@pytest.mark.parametrize("files", [[[1, "a"], ["b", 2]], "ab", None])
def test_a_certificate_of_no_files_is_none(tmp_path: Path, files: object) -> None:
    about = {"release": {"inputs": "ab", "files": files}}
    (tmp_path / "certificate.json").write_text(json.dumps(about))
    [found] = check_certificate(tmp_path, {"inputs": "ab"}, {"certificate.json": ""})
    assert found.what.startswith("is no certificate: ")


@pytest.mark.parametrize("rate", ["abc", None, math.nan, 1e308, -1, True])
def test_a_rate_of_crops_that_is_none_is_named(rate: object) -> None:
    summary = {"settings": {"crops": {"rate": rate}}}
    assert rate_of(summary) is None
    first, *_ = check_counts(summary, as_contents([]))
    assert (
        str(first) == f"release.json: cuts faces out at the rate {rate!r}: none is so"
    )


def test_each_format_needs_a_row_of_every_picture_that_it_holds(tmp_path: Path) -> None:
    parts = ["detection_train", "detection_test", "train"]
    listed = [Listed(part, Path("list"), f"{part}.jpg") for part in parts]
    sums = np.array(["aa", "bb", "cc"], "S64")
    contents = replace(as_contents(listed), sha256=sums)
    rows = ["coco/train/1.jpg,aa", "coco/test/1.jpg,bb", "hf/all.parquet,cc"]
    table = "\n".join(["file,sha256", *rows, "hf/all.parquet,bb"])
    (tmp_path / "licences.csv").write_text(table)
    hashes = {row.split(",")[0]: row[-2:] for row in rows}
    hashes |= {"licences.csv": "", "hf/all.parquet": "dd"}
    summary = {"formats": {"coco": "coco", "icartoonface-lists": "lists", "hf": "hf"}}
    [found] = check_licences(tmp_path, contents, hashes, summary)
    assert str(found) == "licences.csv: has no row of the picture aa in hf/"

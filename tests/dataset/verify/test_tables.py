from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from icf.dataset.formats.checked import rate_of
from icf.dataset.release.earlier import as_contents
from icf.dataset.verify.tables import check_certificate, check_counts


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

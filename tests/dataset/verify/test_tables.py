from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from icf.dataset.verify.tables import check_certificate


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

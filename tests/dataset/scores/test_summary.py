from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from icf.dataset.scores.summary import read_summary
from icf.errors import BadInput


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 100_000, "cannot be read"),
        ('{"seed": ' + "9" * 5000 + "}", "cannot be read"),
        ("{", "cannot be read"),
        ("[]", "expected an object"),
        ('{"formats": 5}', "expected folders as formats"),
        ('{"formats": ["icartoonface"]}', "expected folders as formats"),
        ('{"formats": {"icartoonface": 1}}', "expected folders as formats"),
        ('{"models": {"detectors": null}}', "expected detectors and an embedder"),
        ('{"models": {"detectors": ["x"]}}', "expected detectors and an embedder"),
        ('{"models": {"embedder": "x"}}', "expected detectors and an embedder"),
    ],
    ids=lambda each: str(each)[:20],
)
def test_a_damaged_summary_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "release.json").write_text(text)
    with pytest.raises(BadInput, match=rf"release\.json:? {said}"):
        read_summary(tmp_path)


@pytest.mark.parametrize(
    "value", [{}, {"models": None}, {"models": {"embedder": None, "detectors": [{}]}}]
)
def test_a_summary_of_an_earlier_version_is_read(
    tmp_path: Path, value: dict[str, Any]
) -> None:
    assert read_summary(tmp_path) is None
    (tmp_path / "release.json").write_text(json.dumps(value))
    assert read_summary(tmp_path) == value

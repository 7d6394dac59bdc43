"""The summary of a release, damaged ones among them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from icf.app.import_icartoonface.release_tables import SUMMARY, read_summary
from icf.errors import BadInput


@pytest.mark.parametrize(
    "part",
    [
        {},
        {"settings": {}, "formats": {}, "models": {}},
        {"settings": {"crops": {"rate": 0.5}, "filter": {"min_face": 40}}},
        {"formats": {"icartoonface": "."}, "models": {"detectors": [{"sha256": "a"}]}},
    ],
)
def test_a_summary_is_read(part: dict[str, object], tmp_path: Path) -> None:
    summary = {"inputs": "a", **part}
    (tmp_path / SUMMARY).write_text(json.dumps(summary))
    assert read_summary(tmp_path) == summary


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("settings", []),
        ("settings", None),
        ("settings", {"filter": []}),
        ("settings", {"crops": None}),
        ("settings", {"crops": {"rate": "half"}}),
        ("formats", None),
        ("formats", [1]),
        ("formats", {"icartoonface": 3}),
        ("models", []),
        ("models", {"detectors": {}}),
        ("models", {"detectors": ["x"]}),
    ],
)
def test_a_part_of_another_shape_is_named(
    part: str, value: object, tmp_path: Path
) -> None:
    path = tmp_path / SUMMARY
    path.write_text(json.dumps({"inputs": "a", part: value}))
    with pytest.raises(BadInput) as refused:
        read_summary(tmp_path)
    assert str(refused.value).startswith(f"{path} is damaged: its {part} are not")


def test_brackets_without_end_are_no_summary(tmp_path: Path) -> None:
    (tmp_path / SUMMARY).write_text("[" * 100_000)
    with pytest.raises(BadInput, match=r"release\.json cannot be read"):
        read_summary(tmp_path)

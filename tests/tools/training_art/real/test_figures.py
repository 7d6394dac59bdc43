"""Real drawings read as heads."""

from __future__ import annotations

from pathlib import Path

import pytest

from icf.tools.training_art.real import figures, make
from icf.tools.training_art.real.sources import RealSource
from tests.tools.training_art import tiny


def test_a_figure_without_a_box_is_taken_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ICF_ART_CACHE", str(tmp_path))
    source = RealSource("zoo", "zoo", "npm", "zoo", "1", "MIT", "flat")
    monkeypatch.setattr(figures, "SOURCES", (source,))
    for name, view in (("ape", "0"), ("ape", "1"), ("bear", "0")):
        tiny.write_head(make.root() / "zoo" / name / f"{view}.png", "zoo", name)
    (make.root() / "zoo/bear/0.json").unlink()
    [found] = figures.figures().values()
    assert [(head.style, head.identity) for head in found] == [
        ("zoo", "ape"),
        ("zoo", "ape"),
        ("zoo", "bear"),
    ]
    assert found[0].face == tiny.FACE
    assert found[2].face == (0, 0, 64, 64)

"""Real drawings in the cache, from a source made here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from icf.tools.training_art import sources as packages
from icf.tools.training_art.real import make
from icf.tools.training_art.real.sources import SOURCES, RealSource

ONE = RealSource("one", "one", "npm", "one", "1", "MIT", "flat")


@pytest.fixture
def fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """An empty cache, and one source; what was fetched is listed."""
    asked: list[str] = []
    monkeypatch.setenv("ICF_ART_CACHE", str(tmp_path))
    monkeypatch.setattr(
        packages, "fetch_package", lambda registry, what: asked.append(what)
    )
    monkeypatch.setattr(make, "SOURCES", (ONE,))

    def taken() -> Iterator[make.Figure]:
        picture = Image.new("RGB", (40, 20), "red")
        yield make.Figure("thing", "0", picture)
        yield make.Figure("alone", "0", picture, ((0.25, 0.5, 0.5, 1.0),))
        yield make.Figure("pair", "0", picture, ((0, 0, 0.5, 1), (0.5, 0, 1, 1)))

    monkeypatch.setitem(make._TAKEN, "one", taken)
    return asked


def test_a_figure_with_two_faces_becomes_two(fetched: list[str]) -> None:
    make.main(print)
    folder = make.root() / "one"
    assert sorted(path.name for path in folder.iterdir()) == [
        "alone", "pair-0", "pair-1", "thing",
    ]  # fmt: skip
    about = json.loads((folder / "alone/0.json").read_text())
    assert about.pop("face") == [10, 10, 20, 20]
    assert about == {"style": "one", "identity": "alone"}
    assert not (folder / "thing/0.json").exists()
    with Image.open(folder / "thing/0.png") as picture:
        assert picture.mode == "RGBA"


def test_what_is_there_is_not_fetched_again_nor_said(fetched: list[str]) -> None:
    said: list[str] = []
    make.main(said.append)
    make.main(said.append)
    assert fetched == ["one@1"]
    assert said == ["fetching real drawings: one"]


def test_every_source_has_a_way_to_be_taken() -> None:
    assert {source.name for source in SOURCES} == make._TAKEN.keys() - {"one"}


def test_faces_boxed_by_hand_lie_within_their_pictures() -> None:
    boxes = make.boxed()
    assert {source for source, _ in boxes} == {"tarot", "clip-people"}
    for faces in boxes.values():
        for x1, y1, x2, y2 in faces:
            assert 0 <= x1 < x2 <= 1
            assert 0 <= y1 < y2 <= 1

"""`icf-train ruler` on a tiny set whose pictures are made here."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image

from icf.errors import BrokenMachine
from icf.models.cli.main import cli
from icf.tools.ruler import boxed, manifest, packages
from icf.tools.ruler.manifest import Source
from tests.models.onnx_files import RED, colour_detector

SOURCE = Source("own", "debian", "own-data", "1", "CC0-1.0", "dev")
#: Where the detector sees a face: a red cell of 8 x 8 pixels, and 4 around it.
FACE = (20, 20, 36, 36)


def drawn(path: Path, cells: tuple[tuple[int, int], ...], green: int) -> None:
    picture = Image.new("RGB", (64, 64), (0, green, 0))
    for x, y in cells:
        picture.paste(RED, (x, y, x + 8, y + 8))
    file = io.BytesIO()
    picture.save(file, "png")
    path.write_bytes(file.getvalue())


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A set of three pictures: a face that is found, one that is not, and no face."""
    folder = tmp_path / "sources/own"
    folder.mkdir(parents=True)
    drawn(folder / "found.png", ((24, 24),), 10)
    drawn(folder / "missed.png", (), 20)
    drawn(folder / "things.png", ((40, 40), (8, 8)), 30)
    face = {"box": FACE, "identity": "Ada"}
    lines: list[dict[str, Any]] = [
        {"source": "own", "file": "found.png", "group": "comics", "faces": [face]},
        {"source": "own", "file": "missed.png", "group": "painted", "faces": [face]},
        {"source": "own", "file": "things.png", "group": "no faces"},
    ]
    known = {"own": SOURCE}
    drawings = [boxed.taken(line, known, tmp_path / "sources") for line in lines]
    manifest.write(tmp_path / "dev.jsonl", drawings)
    manifest.write(tmp_path / "test.jsonl", drawings[:1])
    monkeypatch.setattr(manifest, "sources", lambda: known)
    monkeypatch.setattr(manifest, "path_of", lambda name: tmp_path / f"{name}.jsonl")
    monkeypatch.setattr(packages, "cache", lambda: tmp_path / "sources")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> dict[str, Any]:
    done = CliRunner().invoke(cli, ["ruler", "--json", *words])
    assert done.exit_code == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_a_detector_is_measured_by_group_and_source(tiny: Path) -> None:
    path = colour_detector(tiny / "d.onnx", side=64, overview=0, tiles=0, min_score=0.5)
    result = run("--detector", str(path))
    assert (result["set"], result["pictures"], result["missing"]) == ("dev", 3, [])
    assert result["embedder"] is None
    figures = result["detector"]
    assert figures["comics"]["recall"] == 1.0
    assert figures["painted"]["recall"] == 0.0
    assert figures["no faces"] == {"pictures": 1, "false_boxes": 2.0, "with_one": 1.0}
    assert figures["source own"]["faces"] == 2


def test_the_test_set_is_measured_when_it_is_asked_for(tiny: Path) -> None:
    path = colour_detector(tiny / "d.onnx", side=64, overview=0, tiles=0, min_score=0.5)
    result = run("--detector", str(path), "--on", "test")
    assert (result["set"], result["pictures"]) == ("test", 1)


def test_what_a_set_consists_of_is_shown(tiny: Path) -> None:
    result = run("--dry-run")
    assert result["pictures"] == 3
    assert result["sources"] == [
        {
            "source": "own",
            "licence": "CC0-1.0",
            "pictures": 3,
            "faces": 2,
            "identities": 1,
            "groups": ["comics", "no faces", "painted"],
        }
    ]


def test_pictures_that_are_not_there_are_told(tiny: Path) -> None:
    (tiny / "sources/own/found.png").unlink()
    path = colour_detector(tiny / "d.onnx", side=64, overview=0, tiles=0, min_score=0.5)
    result = run("--detector", str(path))
    assert result["pictures"] == 2
    (missing,) = result["missing"]
    assert "found.png" in missing


def test_a_set_without_any_picture_is_a_broken_machine(tiny: Path) -> None:
    for path in (tiny / "sources/own").iterdir():
        path.unlink()
    done = CliRunner().invoke(cli, ["ruler", "--detector", "bundled"])
    assert isinstance(done.exception, BrokenMachine)
    assert "none of the ruler's dev pictures could be fetched" in str(done.exception)
    assert "things.png" in done.stderr

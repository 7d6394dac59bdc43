"""Options that would have no effect are refused, not ignored."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from icf.errors import WrongUse
from tests.app.program import call
from tests.models.formats import published_files as files


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("unused")
    call("init", root / "space")
    (root / "space" / "truth.csv").write_text("1.jpg,1,2,30,40,face\n")
    (root / "space" / "found.csv").write_text("1.jpg,1,2,30,40,face,0.9\n")
    files.insightface_embedder(root / "space" / "rec.onnx")
    return root / "space"


def made(space: Path) -> list[Path]:
    """All files but those that SQLite has beside an open catalogue."""
    every = sorted(space.rglob("*"))
    return [path for path in every if not path.name.endswith(("-shm", "-wal"))]


SCORED = ("evaluate", "detection", "--truth", "truth.csv", "--detections", "found.csv")
TRAINED = ("--out", "mine", "--recipe", "bundled", "--dry-run")


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        (("harvest", "albums", "--limit", "3"), r"--limit: it is for --show"),
        (("harvest", "albums", "--show", "--refresh"), r"--refresh: .* no requests"),
        (
            ("harvest", "characters", "--show", "--dry-run"),
            r"--dry-run: .* no requests",
        ),
        (
            ("harvest", "images", "--show", "--only-licence", "CC0"),
            r"--only-licence: .* no requests",
        ),
        (("harvest", "run", "--only-licence", ""), r"--only-licence: it is empty"),
        (
            ("harvest", "status", "--limit", "3"),
            r"--limit: it is for --fate and --by h",
        ),
        (
            ("harvest", "status", "--by", "source", "--limit", "3"),
            r"--limit: it is for --fate and --by host",
        ),
        (
            ("harvest", "status", "--by", "host", "--fate", "empty"),
            r"--by: --fate lists",
        ),
        (
            ("harvest", "reference", "--missing", "page", "page.html"),
            r"--missing: write it behind page",
        ),
        (
            ("harvest", "reference", "--album", "Any", "clear", "Ann"),
            r"--album: write it behind clear",
        ),
        (
            ("filter", "run", "--ray-address", "a:1"),
            r"--ray-address: it is for --engine",
        ),
        (
            ("filter", "run", "--from", "embed", "--detect-again"),
            r"--detect-again: it needs the step detect",
        ),
        (
            ("filter", "size", "--ray-address", "a:1", "--dry-run"),
            r"--ray-address: it is for --engine ray",
        ),
        (
            ("filter", "review", "--limit", "3"),
            r"--limit: it is for a queue or --sheet",
        ),
        (("filter", "review", "--status", "same"), r"--status: it is for a queue or"),
        (
            ("filter", "review", "--refresh", "--status", "same"),
            r"--status: it is for a queue or --sheet",
        ),
        (("takedown", "--list", "http://a.test/1.png"), r"SUBJECT: --list only lists"),
        (("takedown", "--list", "--releases"), r"--releases: --list only lists"),
        (
            ("takedown", "--gone", "old", "--dry-run"),
            r"--dry-run: --gone forgets at once",
        ),
        (("takedown", "--gone", "old", "--releases"), r"--releases: it needs SUBJECT"),
        (("demo", "nowhere", "--port", "0"), r"--port: it is for --serve"),
        (("demo", "nowhere", "--serve", "--seed", "3"), r"--seed: --serve leaves"),
        (
            ("detect", "none.png", "--json", "--out", "x"),
            r"--out: --json draws nothing",
        ),
        (
            ("model", "add", ".", "--as", "arcface", "--sha256", "00"),
            r"--sha256: .* a folder",
        ),
        (
            ("model", "add", "rec.onnx", "--as", "dinov2", "--member", "a.onnx"),
            r"--member: .* dinov2",
        ),
        ((*SCORED, "--category", "face"), r"--category: truth\.csv is no JSON"),
        (
            (
                *("evaluate", "identification", "--info", "info.txt"),
                *("--features", "f.bin", "--pictures", "."),
            ),
            r"--pictures: it is for --model",
        ),
        (
            ("build-splits", "out", "--detection-only", "--crops", "1"),
            r"--crops: .* --detection-only",
        ),
        (("train", "detector", *TRAINED, "--mix", "auto"), r"--mix.*--recipe bundled"),
        (("train", "embedder", *TRAINED, "--data", "workspace"), r"leave out --data"),
    ],
)
def test_an_option_without_effect_is_refused(
    space: Path,
    monkeypatch: pytest.MonkeyPatch,
    line: tuple[str, ...],
    refused: str,
) -> None:
    monkeypatch.chdir(space)
    before = made(space)
    with pytest.raises(WrongUse, match=refused):
        call(*line)
    assert made(space) == before


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        (("annotate", "attributes", "nowhere/a.csv"), r"there is no folder nowhere"),
        (("annotate", "attributes", "models"), r"models exists already"),
        (("filter", "run", "--from", ""), r"no step is called ''"),
        (("filter", "run", "--to", ""), r"no step is called ''"),
        (("model", "add", "", "--as", "arcface"), r"FILE_OR_URL is empty"),
        (
            ("model", "add", "rec.onnx", "--as", "arcface", "--sha256", ""),
            r"--sha256: it is empty",
        ),
    ],
)
def test_a_name_that_cannot_be_one_is_wrong_use(
    space: Path,
    monkeypatch: pytest.MonkeyPatch,
    line: tuple[str, ...],
    refused: str,
) -> None:
    monkeypatch.chdir(space)
    with pytest.raises(WrongUse, match=refused):
        call(*line)


def test_a_pack_may_be_the_folder_that_one_is_in(
    space: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.insightface_embedder(tmp_path / "w600k_r50.onnx")
    monkeypatch.chdir(tmp_path)
    done = call("-C", space, "model", "add", ".", "--as", "arcface", "--json")
    assert json.loads(done.stdout)["task"] == "embedder"


def test_a_negative_seed_is_refused_before_the_demo_begins(tmp_path: Path) -> None:
    done = call("demo", tmp_path / "demo", "--seed", "-1")
    assert done.exit_code == 2
    assert "--seed" in done.stderr
    assert not (tmp_path / "demo").exists()


@pytest.mark.parametrize(
    "option", [("--test-labels", "training"), ("--licence", "CC0")]
)
def test_a_release_says_itself_what_is_in_it(
    tmp_path: Path, space: Path, option: tuple[str, str]
) -> None:
    (tmp_path / "release.json").write_text("{}")
    with pytest.raises(WrongUse, match=rf"{option[0]}: a release says this itself"):
        call("-C", space, "import", "icartoonface", tmp_path, *option)

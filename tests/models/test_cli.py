from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result

from icf.errors import BrokenMachine, WrongUse
from icf.models.cards import BUNDLED, bundled_path, sha256_of
from icf.models.cli.main import LONG, check_machine, cli
from icf.models.training.bundled.checkpoint import Checkpoint
from icf.tools.training_art import sources


def call(*words: object) -> Result:
    done = CliRunner().invoke(cli, [str(word) for word in words])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


@pytest.fixture(autouse=True)
def art(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty art cache."""
    monkeypatch.setenv("ICF_ART_CACHE", str(tmp_path))
    return tmp_path


def run_of(folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    weights = {"weight": torch.zeros(2)}
    recipe = {"steps": 3000, "seed": 5}
    Checkpoint(1200, recipe, weights, weights, {}).save(folder / f"{name}.safetensors")


def test_the_bundled_models_are_listed_once_they_are_verified() -> None:
    found = json.loads(call("models", "--json").stdout)
    assert found.keys() == set(BUNDLED)
    for name, model in found.items():
        assert model["sha256"] == sha256_of(bundled_path(name))
        assert model["path"] == str(bundled_path(name))
    assert call("models").exit_code == 0


def test_status_says_how_far_each_run_is(art: Path) -> None:
    run_of(art / "embedder", "embedder")
    found = json.loads(call("status", "--json").stdout)
    assert found == {
        "detector": None,
        "embedder": {"step": 1200, "steps": 3000, "seed": 5},
    }
    assert call("status").stdout == (
        "detector: no run\nembedder: 1,200 of 3,000 steps, seed 5\n"
    )


@pytest.mark.parametrize("name", LONG)
def test_a_dry_run_says_what_would_be_done_and_does_nothing(
    name: str, art: Path, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    run_of(work, name)
    words = [name, "--out", tmp_path / "out", "--work", work, "--dry-run"]
    found = json.loads(call(*words, "--json").stdout)
    assert found == {
        "out": str(tmp_path / "out" / f"{name}.onnx"),
        "work": str(work),
        "run": {"step": 1200, "steps": 3000, "seed": 5},
    }
    assert "would train the" in call(*words).stdout
    assert not (tmp_path / "out").exists()


def test_without_the_train_extra_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    find = importlib.util.find_spec
    lacking = {"onnxscript", "resvg_py"}
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda n: None if n in lacking else find(n)
    )
    with pytest.raises(
        WrongUse, match=r"needs onnxscript, resvg_py: install the train"
    ):
        call("embedder", "--out", tmp_path / "out")


def test_without_npm_it_says_what_is_lacking(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(BrokenMachine, match=r"lacks npm, node, apt-get, dpkg-deb;"):
        call("detector", "--out", tmp_path / "out")


def test_once_the_art_is_drawn_npm_is_not_needed(
    monkeypatch: pytest.MonkeyPatch, art: Path, tmp_path: Path
) -> None:
    (art / "drawn" / "sculpted").mkdir(parents=True)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    check_machine()


@pytest.mark.slow
def test_help_does_not_wait_for_pytorch() -> None:
    code = "import sys, icf.models.cli.main; print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert done.stdout == "False\n"


def test_the_cache_is_that_of_the_drawn_pictures(art: Path) -> None:
    found = json.loads(call("embedder", "--out", art, "--dry-run", "--json").stdout)
    assert Path(found["work"]) == sources.drawn().parent / "embedder"

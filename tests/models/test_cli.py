"""`icf-train`: its commands, and what they refuse. Trainings have their own tests."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch
from click.testing import CliRunner, Result

from icf.errors import BadInput, BrokenMachine, WrongUse
from icf.models.cards import BUNDLED, bundled_path, load_card
from icf.models.cli.art import cached, check_machine
from icf.models.cli.listed import models_table
from icf.models.cli.main import cli
from icf.models.cli.status import LONG
from icf.models.training.run_state import RunState
from icf.stores.files import hash_file
from icf.tools.training_art import sources


def call(*words: object) -> Result:
    done = CliRunner().invoke(cli, [str(word) for word in words])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


@pytest.fixture(autouse=True)
def art(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty art cache, and no workspace around."""
    monkeypatch.setenv("ICF_ART_CACHE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_of(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    weights = {"weight": torch.zeros(2)}
    identity = {"config": {"loop": {"seed": 5}}}
    RunState(1200, 3000, 9.0, identity, weights, weights, {}, {}, {}).save(
        folder / "checkpoint.safetensors"
    )


def test_the_bundled_models_are_listed_once_they_are_verified() -> None:
    found = json.loads(call("models", "--json").stdout)
    assert found.keys() == set(BUNDLED)
    for name, model in found.items():
        assert model["sha256"] == hash_file(bundled_path(name))
        assert model["path"] == str(bundled_path(name))
    assert call("models").exit_code == 0


def test_status_says_how_far_each_run_is(art: Path, tmp_path: Path) -> None:
    run_of(art / "embedder")
    found = json.loads(call("status", "--json").stdout)
    assert found == {
        "detector": None,
        "embedder": {"step": 1200, "steps": 3000, "seed": 5},
    }
    assert call("status").stdout == (
        "detector: no run\nembedder: 1,200 of 3,000 steps, seed 5\n"
    )
    mine = tmp_path / "embedder"
    assert list(json.loads(call("status", mine, "--json").stdout)) == [str(mine)]


def test_a_model_that_nothing_was_measured_of_is_shown() -> None:
    card = load_card(bundled_path("detector").with_suffix(".json"))
    unmeasured = dataclasses.replace(card, figures={})
    assert models_table([unmeasured]).row_count == 1


UNREADABLE = r"cannot read the checkpoint .*; remove it to train from the beginning"
DAMAGE: dict[str, Callable[[Path], object]] = {
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "empty": lambda path: path.write_bytes(b""),
    "other weights": lambda path: safetensors.torch.save_file(
        {"net.weight": torch.zeros(2)}, path
    ),
    "no number": lambda path: safetensors.torch.save_file(
        {}, path, {"step": "x", "steps": "1", "identity": "{}"}
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_checkpoint_is_said_to_be_one(
    art: Path, tmp_path: Path, damage: str
) -> None:
    path = tmp_path / "out" / "checkpoint.safetensors"
    run_of(path.parent)
    DAMAGE[damage](path)
    dry = ("embedder", "--data", "folders:here", "--out", path.parent, "--dry-run")
    for words in (("status", path.parent), dry):
        with pytest.raises(BadInput, match=UNREADABLE):
            call(*words)
    with pytest.raises(BadInput, match=UNREADABLE):
        RunState.load(path)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"steps": 1}', '{"identity": 1}'])
def test_a_damaged_record_of_a_run_is_said_to_be_one(
    art: Path, tmp_path: Path, text: str
) -> None:
    path = tmp_path / "out" / "run.json"
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(BadInput, match=r"cannot read .*run\.json.*train again"):
        call("status", path.parent)


def test_a_seed_below_zero_is_refused(tmp_path: Path) -> None:
    for name, more in (("embedder", ("--data", "folders:x")), ("photo", ())):
        done = call(name, *more, "--out", tmp_path, "--seed", -1, "--dry-run")
        assert done.exit_code == 2
        assert "'--seed': -1 is not in the range" in done.stderr


@pytest.mark.parametrize("name", LONG)
def test_a_dry_run_says_what_would_be_done_and_does_nothing(
    name: str, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    words = [name, "--data", "folders:faces", "--out", out, "--dry-run"]
    assert f"would train the {name}" in call(*words).stdout
    assert not out.exists()
    run_of(out)
    assert json.loads(call(*words, "--json").stdout) == {
        "out": str(out / f"{name}.onnx"),
        "data": ["folders:faces"],
        "run": {"step": 1200, "steps": 3000, "seed": 5},
    }
    assert "would go on from step 1,200" in call(*words).stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "--data is missing"),
        (("--data", "faces:here"), "no kind of data is called 'faces'"),
        (("--data", "folders:nowhere"), "there is no nowhere"),
        (("--data", "workspace"), "there is no workspace here"),
        (
            ("--data", "folders:.", "--recipe", "papr"),
            "no recipe 'papr'; known are default, paper, bundled",
        ),
        (
            ("--data", "folders:.", "--from", "champion"),
            "--from champion: there is no such file",
        ),
        (
            ("--data", "folders:.", "--from", "bundled", "--backbone", "resnet18"),
            "exclude each other",
        ),
    ],
)
def test_what_cannot_be_done_is_said_at_once(
    words: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    with pytest.raises(WrongUse, match=message):
        call("embedder", "--out", tmp_path / "out", *words)
    assert not (tmp_path / "out").exists()


def test_without_the_train_extra_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda n: None if n == "resvg_py" else find(n)
    )
    with pytest.raises(WrongUse, match=r"needs resvg_py: install the train"):
        call("embedder", "--recipe", "bundled", "--out", tmp_path / "out")


def test_without_npm_it_says_what_is_lacking(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(BrokenMachine, match=r"lacks npm, node, apt-get, dpkg-deb;"):
        call("detector", "--recipe", "bundled", "--out", tmp_path / "out")


def test_once_the_art_is_drawn_npm_is_not_needed(
    monkeypatch: pytest.MonkeyPatch, art: Path, tmp_path: Path
) -> None:
    (art / "drawn" / "sculpted").mkdir(parents=True)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    check_machine()


@pytest.mark.slow
def test_help_does_not_wait_for_pytorch() -> None:
    code = "import sys, icf.models.cli.embedder; print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert done.stdout == "False\n"


def test_the_cache_is_that_of_the_drawn_pictures() -> None:
    assert cached("drawn") == sources.drawn()

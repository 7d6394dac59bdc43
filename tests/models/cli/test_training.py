"""What `icf-train` refuses before it trains, also where it only says what it would."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from icf.errors import BadModel, IcfError, WrongUse
from icf.models.cli.main import cli
from tests.models.cli.test_detector import write_coco


@pytest.fixture
def data(tmp_path: Path) -> str:
    return f"coco:{write_coco(tmp_path / 'pictures', count=1)}"


@pytest.mark.parametrize(
    ("share", "text", "error", "named"),
    [
        ("=0", "", WrongUse, "a share is above 0 and at most 1"),
        ("=1.5", "", WrongUse, "a share is above 0 and at most 1"),
        ("", "x = ", WrongUse, "mine.toml: Invalid value"),
        ("", "[loop]\nstepz = 3", WrongUse, "stepz"),
        ("", '[loop]\ntrackers = ["x"]', WrongUse, "loop.trackers.0 = 'x' (mine.toml)"),
        ("", '[network]\nname = "nope"', BadModel, "unknown network 'nope'"),
    ],
)
def test_a_dry_run_refuses_what_a_training_refuses(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    data: str,
    share: str,
    text: str,
    error: type[IcfError],
    named: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text(text)
    words = ["detector", "--data", data + share, "--config", "mine.toml"]
    done = CliRunner().invoke(cli, [*words, "--out", "out", "--dry-run"])
    assert type(done.exception) is error
    assert named in str(done.exception)


def test_a_dry_run_says_what_it_would_do_and_does_nothing(
    tmp_path: Path, data: str
) -> None:
    words = ["detector", "--data", data, "--out", str(tmp_path / "out"), "--dry-run"]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, done.output
    assert "would train the detector" in done.output
    assert done.output.endswith(", pictures: 1, faces: 1\n")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "spec", "named"),
    [
        ("embedder", "{data}", "no face has an identity"),
        ("detector", "folders:.", "no face has a box"),
    ],
)
def test_a_dry_run_refuses_data_that_cannot_be_trained_on(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    data: str,
    name: str,
    spec: str,
    named: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    words = [name, "--data", spec.format(data=data), "--out", "out", "--dry-run"]
    done = CliRunner().invoke(cli, words)
    assert isinstance(done.exception, IcfError)
    assert named in str(done.exception)


def test_a_dry_run_names_data_that_are_not_there_yet(tmp_path: Path, data: str) -> None:
    words = ["detector", "--data", data, "--data", "folders:nowhere", "--dry-run"]
    done = CliRunner().invoke(cli, [*words, "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert "--data folders:nowhere: it is not there yet" in done.stderr
    assert "pictures:" not in done.stdout

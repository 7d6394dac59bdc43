"""The installed program works without `icf.tools`, and says which command needs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

import icf

PACKAGE = Path(icf.__file__).parent
ROOT = Path(__file__).parent.parent.parent

#: Runs `icf-train` without what an editable install adds to the import system.
CODE = """
import sys
sys.meta_path = [each for each in sys.meta_path if "editable" not in repr(each).lower()]
from icf.models.cli.main import main
main()
"""


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder to import the program from, as a wheel would fill it."""
    package = tmp_path / "site" / "icf"
    package.mkdir(parents=True)
    for entry in PACKAGE.iterdir():
        if entry.name != "tools":
            (package / entry.name).symlink_to(entry.resolve())
    return package.parent


def icf_train(site: Path, *words: str, code: int = 0) -> tuple[str, str]:
    """Run `icf-train` as it is in ``site``; return stdout and stderr."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, *words],
        cwd=site.parent,
        env={
            **os.environ,
            "PYTHONPATH": str(site),
            "ICF_ART_CACHE": str(site.parent / "cache"),
            "OMP_NUM_THREADS": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done.stdout, done.stderr


def test_no_package_of_the_tools_is_installed() -> None:
    config = ConfigParser()
    config.read(ROOT / "setup.cfg")
    listed = config["options"]["packages"].split()
    assert not [name for name in listed if name.startswith("icf.tools")]
    assert not [
        key for key in config["options"]["package_dir"].split() if "tools" in key
    ]


def test_models_and_runs_are_listed_without_the_tools(installed: Path) -> None:
    found = json.loads(icf_train(installed, "models", "--json")[0])
    assert found.keys() == {"detector", "embedder", "photo"}
    assert all(each["path"].startswith(str(installed)) for each in found.values())
    runs = json.loads(icf_train(installed, "status", "--json")[0])
    assert runs == {"detector": None, "embedder": None}
    words = ("detector", "--recipe", "bundled", "--out", "made", "--dry-run", "--json")
    assert json.loads(icf_train(installed, *words)[0])["out"] == "made/detector.onnx"


@pytest.mark.parametrize(
    "words",
    [
        ("detector", "--recipe", "bundled"),
        ("embedder", "--recipe", "bundled"),
        ("photo",),
    ],
    ids=["detector", "embedder", "photo"],
)
def test_training_without_the_tools_names_the_clone_that_it_needs(
    installed: Path, words: tuple[str, ...]
) -> None:
    _, said = icf_train(installed, *words, "--out", "made", code=2)
    assert said.startswith("error: the bundled models are trained on pictures drawn by")
    assert "a clone of the repository" in said
    assert not (installed.parent / "made").exists()


def test_the_ruler_without_the_tools_names_the_clone_that_it_needs(
    installed: Path,
) -> None:
    _, said = icf_train(installed, "ruler", code=2)
    assert said.startswith("error: the ruler's pictures are listed in icf.tools")
    assert "a clone of the repository" in said

"""Workspaces that tests of `icf` read."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from icf.app.init import make_workspace
from icf.workspace import Workspace, find
from tests.app.demo_runs import Demo
from tests.dataset.drawn import Drawing, Size


@pytest.fixture(scope="session")
def drawn_space(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with drawn pictures, faces, questions and answers; only to read."""
    root = tmp_path_factory.mktemp("app") / "space"
    Drawing(root, Size(albums=2, characters=2, faces=4)).draw().catalogue.close()
    return root


@pytest.fixture
def space(drawn_space: Path, tmp_path: Path) -> Iterator[Workspace]:
    """Two albums of two characters; the last picture of each shows the next one too."""
    shutil.copytree(drawn_space, tmp_path / "space")
    made = find(tmp_path / "space")
    yield made
    made.catalogue.close()


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace with nothing in it."""
    made = make_workspace(tmp_path / "empty", (), "")
    yield made
    made.catalogue.close()


@pytest.fixture(scope="session")
def finished_demo(
    filtered_demo: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Demo, dict[str, Any]]:
    """A demo that ran to its end, and its numbers; only to read or to copy."""
    demo = Demo(tmp_path_factory.mktemp("finished") / "demo")
    shutil.copytree(filtered_demo, demo.root)
    return demo, demo.finish_json()

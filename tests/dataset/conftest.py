from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from icf.workspace import Workspace, find
from tests.dataset.drawn import Drawing, Size


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("drawn") / "space"
    Drawing(root, Size()).draw().catalogue.close()
    return root


@pytest.fixture
def workspace(drawn: Path, tmp_path: Path) -> Iterator[Workspace]:
    """Three albums of five characters with nine or more confirmed faces each."""
    shutil.copytree(drawn, tmp_path / "space")
    made = find(tmp_path / "space")
    yield made
    made.catalogue.close()

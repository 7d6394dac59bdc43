from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from icf.workspace import Workspace, find


@pytest.fixture
def space(drawn_space: Path, tmp_path: Path) -> Iterator[Workspace]:
    """Two albums of two characters; the last picture of each shows the next one too."""
    shutil.copytree(drawn_space, tmp_path / "space")
    made = find(tmp_path / "space")
    yield made
    made.catalogue.close()

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from icf.dataset.release.prepare import prepare
from icf.dataset.release.write import write
from icf.workspace import find


@pytest.fixture(scope="session")
def two_releases(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with releases of the same faces by two seeds."""
    root = tmp_path_factory.mktemp("compared") / "space"
    shutil.copytree(drawn, root)
    workspace = find(root)
    for seed in (1, 2):
        target = root / "releases" / f"seed-{seed}"
        write(workspace, prepare(workspace, seed), target, seed)
    workspace.catalogue.close()
    return root

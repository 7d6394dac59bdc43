from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from icf.dataset.release.prepare import Prepared, prepare
from icf.dataset.release.write import write
from icf.workspace import find

STATED = (
    "release.name=Drawn faces",
    "release.url=https://toons.test/faces",
    "release.creator=Ann Drawer; Bob Painter",
    "release.uses=Research on drawings.",
    "release.licence=CC-BY-4.0",
)


@dataclass(frozen=True)
class Released:
    folder: Path
    prepared: Prepared


@pytest.fixture(scope="session")
def released(
    drawn: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Released]:
    """A release whose makers stated some things about it, and others not."""
    root = tmp_path_factory.mktemp("cards") / "space"
    shutil.copytree(drawn, root)
    workspace = find(root, STATED)
    prepared = prepare(workspace, 1)
    assert write(workspace, prepared, root.parent / "out", 1)
    yield Released(root.parent / "out", prepared)
    workspace.catalogue.close()

"""An empty workspace to import into."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from icf.app.init import make_workspace
from icf.workspace import Workspace


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Workspace]:
    made = make_workspace(tmp_path / "empty", (), "")
    yield made
    made.catalogue.close()

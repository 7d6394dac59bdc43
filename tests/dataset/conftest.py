from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from icf.workspace import Workspace
from tests.dataset.drawn import Drawing, Size


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """Three albums of five characters with nine or more confirmed faces each."""
    made = Drawing(tmp_path / "space", Size()).draw()
    yield made
    made.catalogue.close()

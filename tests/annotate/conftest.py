from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from icf.catalogue.catalogue import Catalogue
from tests.annotate.place import Place


@pytest.fixture
def place(catalogue: Catalogue, tmp_path: Path) -> Iterator[Place]:
    """An empty workspace, on both databases."""
    made = Place(tmp_path / "space", (f"catalogue.url={catalogue.url}",))
    yield made
    made.workspace.catalogue.close()


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Place]:
    """An empty workspace with its own SQLite file."""
    made = Place(tmp_path / "space")
    yield made
    made.workspace.catalogue.close()

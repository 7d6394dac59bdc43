from __future__ import annotations

from pathlib import Path

import pytest

from icf.catalogue.catalogue import Catalogue
from tests.annotate.boxes.pictures import Pictures
from tests.annotate.place import Place


@pytest.fixture
def pictures(place: Place) -> Pictures:
    """A workspace without pictures, on both databases."""
    return Pictures(place)


@pytest.fixture
def plain_pictures(plain: Place) -> Pictures:
    """The same on SQLite alone."""
    return Pictures(plain)


@pytest.fixture
def postgres_pictures(postgres_catalogue: Catalogue, tmp_path: Path) -> Pictures:
    """The same on PostgreSQL alone."""
    url = f"catalogue.url={postgres_catalogue.url}"
    return Pictures(Place(tmp_path / "space", (url,)))

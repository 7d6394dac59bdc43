from __future__ import annotations

import pytest

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

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from icf.catalogue.catalogue import Catalogue


@pytest.fixture
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Catalogue]:
    """A database without a table."""
    if request.param == "sqlite":
        made = Catalogue(f"sqlite:///{tmp_path / 'catalogue.sqlite'}")
    else:
        made = Catalogue(request.getfixturevalue("postgres_url"))
        with made.engine.begin() as connection:
            connection.execute(sa.text("DROP SCHEMA public CASCADE"))
            connection.execute(sa.text("CREATE SCHEMA public"))
    yield made
    made.close()

"""What tests of every folder share: catalogues on real databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import sqlalchemy as sa

from icf.catalogue.catalogue import Catalogue
from tests.integration.postgres import postgres

# A busy machine must not make a property fail.
hypothesis.settings.register_profile("icf", deadline=None)
hypothesis.settings.load_profile("icf")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a real PostgreSQL on loopback, started for this test run."""
    with postgres() as url:
        yield url


@pytest.fixture
def sqlite_catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    """An empty catalogue in SQLite."""
    catalogue = Catalogue(f"sqlite:///{tmp_path / 'catalogue.sqlite'}")
    catalogue.upgrade()
    yield catalogue
    catalogue.close()


@pytest.fixture
def postgres_catalogue(postgres_url: str) -> Iterator[Catalogue]:
    """An empty catalogue in PostgreSQL: a schema of its own, dropped afterwards."""
    catalogue = Catalogue(postgres_url)
    with catalogue.engine.begin() as connection:
        connection.execute(sa.text("DROP SCHEMA public CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA public"))
    catalogue.upgrade()
    yield catalogue
    catalogue.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def catalogue(request: pytest.FixtureRequest) -> Catalogue:
    """The same test on both databases."""
    name = "sqlite" if request.param == "sqlite" else "postgres"
    made = request.getfixturevalue(f"{name}_catalogue")
    assert isinstance(made, Catalogue)
    return made

"""What tests of every folder share: catalogues on real databases, and workspaces."""

from __future__ import annotations

import os
import signal

# Several workers of pytest at once: the threads of numpy and torch would only wait for
# one another. Read when these are imported, here and in each program that is started.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from icf.catalogue.catalogue import Catalogue
from tests import garbage, groups, skips
from tests.annotate.place import Place
from tests.catalogues import (
    MIGRATE,
    Copies,
    SharedStatements,
    empty_postgres,
    opened,
)
from tests.integration.postgres import postgres
from tests.integration.tethered import end_with_the_parent

# A busy machine must not make a property fail.
hypothesis.settings.register_profile("icf", deadline=None)
hypothesis.settings.load_profile("icf")


def pytest_configure(config: pytest.Config) -> None:
    for plugin in (garbage, groups, skips):
        config.pluginmanager.register(plugin)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # Started in the background; but the programs of these tests are interrupted.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(config, "workerinput"):
        end_with_the_parent()


@pytest.fixture(scope="session", autouse=True)
def copied_catalogues(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A new SQLite catalogue is a copy; compiled statements are those of all."""
    copies = Copies(tmp_path_factory.mktemp("catalogue") / "catalogue.sqlite")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Catalogue, "__init__", opened(SharedStatements()))
        patch.setattr(Catalogue, "upgrade", lambda self: copies.upgrade(self))
        yield


@pytest.fixture
def migrations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is copied: each catalogue of this test is migrated."""
    monkeypatch.setattr(Catalogue, "upgrade", MIGRATE)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a real PostgreSQL on this machine, started for this test run."""
    with postgres() as url:
        yield url


@pytest.fixture(scope="session")
def filtered_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a demo whose pictures are harvested and filtered; only to copy.

    It was killed in the harvest, in the filter, and between two commands.
    """
    from tests.app.demo_runs import Demo

    demo = Demo(tmp_path_factory.mktemp("filtered") / "demo")
    demo.filter_with_kills()
    return demo.root


@pytest.fixture
def sqlite_catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    """An empty catalogue in SQLite."""
    catalogue = Catalogue(f"sqlite:///{tmp_path / 'catalogue.sqlite'}")
    catalogue.upgrade()
    yield catalogue
    catalogue.close()


@pytest.fixture
def postgres_catalogue(postgres_url: str) -> Iterator[Catalogue]:
    """An empty catalogue in PostgreSQL."""
    catalogue = empty_postgres(postgres_url)
    yield catalogue
    catalogue.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def catalogue(request: pytest.FixtureRequest) -> Catalogue:
    """The same test on both databases."""
    name = "sqlite" if request.param == "sqlite" else "postgres"
    made = request.getfixturevalue(f"{name}_catalogue")
    assert isinstance(made, Catalogue)
    return made


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

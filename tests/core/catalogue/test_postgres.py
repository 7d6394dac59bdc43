"""What only PostgreSQL has: users with few rights, encodings, others who migrate."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

import icf.catalogue.catalogue as opened
from icf.catalogue.catalogue import REVISION, Catalogue
from icf.catalogue.schema import album
from icf.errors import BrokenMachine, WrongUse
from icf.workspace import init
from tests.annotate.page.waiting import comes_true
from tests.app.program import within

pytestmark = pytest.mark.usefixtures("migrations")

#: What the message says a user needs to write.
WORKS = (
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO other",
    "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO other",
)
READS = ("GRANT SELECT ON ALL TABLES IN SCHEMA public TO other",)
NO_WRITES = ("ALTER DATABASE own SET default_transaction_read_only = on",)


def run(url: str, *statements: str) -> None:
    """Run statements as the one who may do everything, each by itself."""
    parsed = sa.make_url(url).set(username="icf")
    plain = parsed.render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        for each in statements:
            connection.execute(each.encode())


@pytest.fixture
def own(postgres_url: str) -> Iterator[Callable[[str], str]]:
    """Makes an empty database with a user ``other``; returns its URL."""
    gone = ("DROP DATABASE IF EXISTS own WITH (FORCE)", "DROP ROLE IF EXISTS other")

    def make(encoding: str = "UTF8") -> str:
        made = f"CREATE DATABASE own ENCODING '{encoding}' LOCALE 'C'"
        run(postgres_url, f"{made} TEMPLATE template0", "CREATE ROLE other LOGIN")
        url = sa.make_url(postgres_url).set(database="own")
        return url.render_as_string(hide_password=False)

    run(postgres_url, *gone)
    yield make
    run(postgres_url, *gone)


def by_other(url: str) -> str:
    return url.replace("//icf@", "//other@")


def migrated(url: str, *statements: str) -> None:
    """Bring the database up to date, and then change it."""
    catalogue = Catalogue(url)
    catalogue.upgrade()
    catalogue.close()
    run(url, *statements)


def put_album(catalogue: Catalogue, name: str = "Moon") -> None:
    row: dict[str, Any] = {"name": name, "source": "t", "found_at": 0.0}
    with catalogue.write() as connection:
        connection.execute(sa.insert(album), row)


def names(catalogue: Catalogue) -> list[str]:
    with catalogue.read() as connection:
        return list(connection.execute(sa.select(album.c.name)).scalars())


def read_and_write(catalogue: Catalogue) -> None:
    catalogue.upgrade()
    names(catalogue)
    put_album(catalogue)


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (READS, r"permission denied for table album\n.* INSERT, UPDATE"),
        ((), r"permission denied for table alembic_version\n.* GRANT"),
        (
            (*WORKS, "REVOKE USAGE ON SCHEMA public FROM PUBLIC"),
            r"permission denied for schema public\n.* GRANT it USAGE",
        ),
        ((*WORKS, *NO_WRITES), r"cannot execute INSERT .*\n.*is a standby"),
        ((*WORKS, "DROP TABLE album CASCADE"), r'"album" does not exist\n.*a backup'),
        (
            (*WORKS, "ALTER TABLE album DROP COLUMN name CASCADE"),
            r"column album\.name does not exist\n.*a backup",
        ),
    ],
)
def test_what_the_database_refuses_is_said_with_what_to_do(
    own: Callable[[], str], statements: tuple[str, ...], expected: str
) -> None:
    url = own()
    migrated(url, *statements)
    catalogue = Catalogue(by_other(url))
    with pytest.raises(BrokenMachine, match=rf"the catalogue postg.*: .*{expected}"):
        read_and_write(catalogue)
    catalogue.close()


@pytest.mark.parametrize(
    ("before", "options", "expected"),
    [
        ("CREATE TABLE album (id int)", "", r'"album" already exists\n.* empty data'),
        ("SELECT 1", "&options=-csearch_path%3Dnone", r"no schema .*\nCreate that"),
        ("REVOKE CREATE ON SCHEMA public FROM PUBLIC", "", r"denied for schema public"),
    ],
)
def test_a_database_that_takes_no_tables_is_refused_in_words(
    own: Callable[[], str], before: str, options: str, expected: str
) -> None:
    url = own()
    run(url, "GRANT CREATE ON SCHEMA public TO PUBLIC", before)
    catalogue = Catalogue(by_other(url) + options)
    with pytest.raises(BrokenMachine, match=expected):
        catalogue.upgrade()
    catalogue.close()


def test_a_user_with_the_rights_that_are_named_can_write(
    own: Callable[[], str],
) -> None:
    url = own()
    migrated(url, *WORKS)
    catalogue = Catalogue(by_other(url))
    read_and_write(catalogue)
    assert names(catalogue) == ["Moon"]
    catalogue.close()


def test_a_fault_of_the_program_is_not_taken_for_one_of_the_database(
    postgres_catalogue: Catalogue,
) -> None:
    for wrong in ("SELEC 1", "SELECT 1 / 0", "SELECT no_such_function()"):
        with (
            pytest.raises(sa.exc.DBAPIError),
            postgres_catalogue.read() as connection,
        ):
            connection.exec_driver_sql(wrong)


def test_a_connection_that_the_server_ends_is_named_with_what_to_do(
    own: Callable[[], str],
) -> None:
    url = own()
    migrated(url)
    catalogue = Catalogue(url)
    others = "pid <> pg_backend_pid() AND datname = current_database()"
    end = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"

    def interrupted() -> None:
        with catalogue.read() as connection:
            connection.execute(sa.select(album.c.name)).all()
            run(url, end)
            connection.execute(sa.select(album.c.name)).all()

    with pytest.raises(BrokenMachine, match=r"when it is restarted: run the same"):
        interrupted()
    assert names(catalogue) == []
    catalogue.close()


def test_a_user_who_may_only_read_sees_everything(
    own: Callable[[], str], tmp_path: Path
) -> None:
    url = own()
    made = init(tmp_path, (f"catalogue.url={url}",)).catalogue
    put_album(made)
    made.close()
    run(url, *READS)
    other = by_other(url)
    for words in (("status", "--json"), ("doctor",)):
        done = within("icf", *words, folder=tmp_path, ICF_CATALOGUE_URL=other)
        assert words[0] != "status" or '"albums": 1' in done.stdout
    refused = within(
        "icf-filter", "run", folder=tmp_path, code=1, ICF_CATALOGUE_URL=other
    )
    assert "permission denied for table run\n" in refused.stderr


# --- encodings --------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_cannot_store_every_name_is_refused(
    own: Callable[[str], str], encoding: str
) -> None:
    catalogue = Catalogue(own(encoding))
    expected = f"own has the encoding {encoding}.*ENCODING 'UTF8'"
    for open_it in (catalogue.upgrade, catalogue.revisions):
        with pytest.raises(WrongUse, match=expected):
            open_it()
    catalogue.close()


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_names_do_not_depend_on_the_encoding_of_the_client(
    own: Callable[[], str], encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", encoding)
    catalogue = Catalogue(own())
    catalogue.upgrade()
    put_album(catalogue, "月のうさぎ")
    assert names(catalogue) == ["月のうさぎ"]
    catalogue.close()


# --- poolers ----------------------------------------------------------------------


@pytest.mark.parametrize("pooled", [False, True])
def test_no_statement_is_prepared_where_a_pooler_is_between(
    own: Callable[[], str], monkeypatch: pytest.MonkeyPatch, pooled: bool
) -> None:
    url = own()
    migrated(url)
    if pooled:  # it names a process of its own
        monkeypatch.setattr(psycopg.ConnectionInfo, "backend_pid", 1)
    catalogue = Catalogue(url)
    prepared = sa.text("SELECT count(*) FROM pg_prepared_statements")
    with catalogue.write() as connection:
        for _ in range(10):
            connection.execute(sa.select(album.c.name)).all()
        assert bool(connection.scalar(prepared)) is not pooled
    catalogue.close()


# --- two at once ------------------------------------------------------------------


def test_of_two_that_migrate_at_once_the_second_finds_nothing_to_do(
    own: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = own()
    begun, may_end = threading.Event(), threading.Event()
    migrate, ran, failed = opened.migrate, [], []

    def slowly(connection: sa.Connection) -> None:
        ran.append(1)
        migrate(connection)
        begun.set()
        may_end.wait(60)

    def upgrade() -> None:
        catalogue = Catalogue(url)
        try:
            catalogue.upgrade()
        except Exception as error:
            failed.append(error)
        catalogue.close()

    watching = Catalogue(url)

    def waits() -> bool:
        query = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        with watching.read() as connection:
            return bool(connection.exec_driver_sql(query).scalar_one())

    monkeypatch.setattr(opened, "migrate", slowly)
    first, second = (threading.Thread(target=upgrade) for _ in range(2))
    first.start()
    assert begun.wait(60)
    second.start()
    assert comes_true(waits)
    may_end.set()
    first.join()
    second.join()
    assert (failed, ran) == ([], [1])
    assert watching.revisions() == (REVISION, REVISION)
    watching.close()

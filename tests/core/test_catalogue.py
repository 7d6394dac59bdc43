import threading
from pathlib import Path

import alembic.command
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from icf.catalogue import ledger
from icf.catalogue.catalogue import REVISION, Catalogue, alembic_config
from icf.catalogue.ledger import Decision
from icf.catalogue.schema import album, mention, metadata
from icf.errors import BrokenMachine, WrongUse


def test_the_migrations_make_exactly_the_tables_of_the_schema(
    catalogue: Catalogue,
) -> None:
    with catalogue.read() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []


def test_upgrading_twice_changes_nothing(catalogue: Catalogue) -> None:
    catalogue.upgrade()
    found, head = catalogue.revisions()
    assert found == head is not None


def test_a_catalogue_of_an_earlier_version_keeps_its_rows(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'catalogue.sqlite'}"
    with Catalogue(url).write() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, "0001")
        for row in (
            "INSERT INTO album VALUES (1, 'Moon', 's', NULL, NULL, NULL, 0)",
            "INSERT INTO character VALUES (1, 1, 'Luna', 's', NULL, NULL, NULL, 0)",
            "INSERT INTO url (id, url, host, source, fate, found_at)"
            " VALUES (1, 'http://a/1', 'a', 's', 'pending', 0)",
            "INSERT INTO mention VALUES (1, 1, 0, 0)",
        ):
            connection.exec_driver_sql(row)
    catalogue = Catalogue(url)
    catalogue.upgrade()
    with catalogue.read() as connection:
        kept = connection.execute(sa.select(mention.c.url_id)).scalars().all()
        assert kept == [1]
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_transaction_that_fails_leaves_nothing(catalogue: Catalogue) -> None:
    row = _album("Moon Rabbits")

    def add_twice() -> None:
        with catalogue.write() as connection:
            connection.execute(sa.insert(album).values(row))
            connection.execute(sa.insert(album).values(row))

    with pytest.raises(sa.exc.IntegrityError):
        add_twice()
    assert _albums(catalogue) == []


def test_writers_wait_for_each_other(catalogue: Catalogue) -> None:
    def add(number: int) -> None:
        for part in range(10):
            with catalogue.write() as connection:
                row = _album(f"album {number}.{part}")
                connection.execute(sa.insert(album).values(row))

    threads = [threading.Thread(target=add, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(_albums(catalogue)) == 40


def test_decisions_come_back_in_the_order_they_were_taken(
    catalogue: Catalogue,
) -> None:
    first = Decision("face", 7, "size", "pending", "ok", value=120.0, threshold=100.0)
    second = Decision("face", 7, "sharpness", "dropped", "blurred", value=3.5)
    other = Decision("image", 7, "detect", "kept", "ok")
    with catalogue.write() as connection:
        run_id = ledger.begin_run(connection, "icf-filter run", "{}", "0")
        ledger.append(connection, run_id, [first, other])
        ledger.append(connection, run_id, [second])
        ledger.end_run(connection, run_id)
    with catalogue.read() as connection:
        found = ledger.history(connection, "face", 7)
    assert [each.decision for each in found] == [first, second]
    assert {each.run_id for each in found} == {run_id}


@pytest.mark.parametrize("url", ["mysql://x/y", "not a url"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(WrongUse, match=r"catalogue\.url"):
        Catalogue(url)


def test_a_database_that_does_not_answer_is_named_without_its_password() -> None:
    catalogue = Catalogue("postgresql://icf:secret@127.0.0.1:1/none")
    with pytest.raises(BrokenMachine, match="does not answer") as caught:
        catalogue.revisions()
    assert "secret" not in str(caught.value)
    assert "127.0.0.1" in str(caught.value)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.sqlite"
    path.write_bytes(b"this is not a database, and it is long enough to be looked at")
    with pytest.raises(BrokenMachine, match="not a database"):
        Catalogue(f"sqlite:///{path}").upgrade()


def _album(name: str) -> dict[str, object]:
    return {"name": name, "source": "test", "found_at": 0.0}


def _albums(catalogue: Catalogue) -> list[str]:
    with catalogue.read() as connection:
        return list(connection.execute(sa.select(album.c.name)).scalars())


def test_the_revision_that_is_written_is_the_newest_migration() -> None:
    scripts = ScriptDirectory.from_config(alembic_config())
    assert scripts.get_current_head() == REVISION

"""A catalogue in another database has the same rows, and goes on from them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from icf.app.copy_catalogue import copy_catalogue
from icf.catalogue import ledger
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.ledger import Decision
from icf.catalogue.postgres.copying import copy_rows
from icf.catalogue.schema import album, metadata
from icf.errors import BrokenMachine, WrongUse
from tests.app.program import within
from tests.filter.rows import add_album, add_face, add_image


def rows_of(catalogue: Catalogue) -> dict[str, set[str]]:
    with catalogue.read() as connection:
        names = set(sa.inspect(connection).get_table_names()) - {"alembic_version"}
        assert names == set(metadata.tables)
        return {
            table.name: {repr(tuple(row)) for row in connection.execute(table.select())}
            for table in metadata.sorted_tables
        }


def test_every_row_is_copied_once_and_new_ones_follow(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    source = Catalogue(f"sqlite:///{tmp_path / 'source.sqlite'}")
    source.upgrade()
    with pytest.raises(WrongUse, match="itself"):
        copy_catalogue(source, Catalogue(source.url))
    [moon] = add_album(source, "Märta")
    add_face(source, add_image(source, moon), moon, x1=0.25)
    with source.write() as connection:
        run_id = ledger.begin_run(connection, "icf-filter run", "{}", "1")
        first = Decision("face", 1, "size", "kept", "ok", value=0.1 + 0.2)
        ledger.append(connection, run_id, [first] * 1001)
    before = rows_of(source)
    count = copy_catalogue(source, catalogue)
    assert rows_of(catalogue) == rows_of(source) == before
    assert count == sum(map(len, before.values()))
    assert len(before["decision"]) == 1001
    if catalogue.dialect == "postgresql":
        # How many rows the server plans for; without statistics, its plans are bad.
        planned = "SELECT reltuples FROM pg_class WHERE relname = 'decision'"
        with catalogue.read() as connection:
            assert connection.execute(sa.text(planned)).scalar_one() == 1001
    with pytest.raises(WrongUse, match="is not empty"):
        copy_catalogue(source, catalogue)
    assert rows_of(catalogue) == before
    added = sa.insert(album).values(name="Sun", source="mine", found_at=0.0)
    with catalogue.write() as connection:
        again = ledger.begin_run(connection, "icf-filter run", "{}", "1")
        connection.execute(added)
        names = sa.select(album.c.name).order_by(album.c.id.desc()).limit(1)
        assert connection.execute(names).scalar_one() == "Sun"
    assert again == run_id + 1
    source.close()


def test_tables_of_others_in_the_database_are_left_alone(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    source = Catalogue(f"sqlite:///{tmp_path / 'source.sqlite'}")
    source.upgrade()
    with catalogue.write() as connection:
        connection.execute(sa.text("CREATE TABLE theirs (word TEXT)"))
        connection.execute(sa.text("INSERT INTO theirs VALUES ('ours')"))
    copy_catalogue(source, catalogue)
    with catalogue.write() as connection:
        kept = connection.execute(sa.text("SELECT word FROM theirs")).scalars().all()
        connection.execute(sa.text("DROP TABLE theirs"))
    assert kept == ["ours"]
    source.close()


def test_a_server_that_ends_meanwhile_is_named_and_nothing_is_copied(
    postgres_catalogue: Catalogue,
) -> None:
    other = Catalogue(postgres_catalogue.url)

    def rows(process: int) -> Iterator[Any]:
        row: dict[str, Any] = dict.fromkeys(album.columns.keys())
        row |= {"name": "Moon", "source": "mine", "found_at": 0.0}
        for number in range(100_000):
            if number == 1000:
                with other.write() as connection:
                    connection.execute(sa.select(sa.func.pg_terminate_backend(process)))
            yield tuple((row | {"id": number, "name": f"Moon {number}"}).values())

    def copy() -> None:
        with postgres_catalogue.write() as connection:
            process = connection.execute(sa.select(sa.func.pg_backend_pid()))
            copy_rows(connection, album, rows(process.scalar_one()))

    with pytest.raises(BrokenMachine, match="The server ended the connection"):
        copy()
    other.close()
    with postgres_catalogue.read() as connection:
        assert connection.execute(sa.select(album)).first() is None


def test_a_file_of_something_else_is_named_and_left_alone(tmp_path: Path) -> None:
    within("icf", "init", "place", folder=tmp_path)
    place = tmp_path / "place"
    other = tmp_path / "plan.png"
    other.write_bytes(b"\x89PNG\r\n" + bytes(2000))
    address = f"sqlite:///{other}"
    refused = within("icf", "copy-catalogue", address, folder=place, code=2)
    assert refused.stderr == (
        f"error: {other} is no SQLite database; name a file that is not there\n"
    )
    assert other.read_bytes() == b"\x89PNG\r\n" + bytes(2000)
    lost = within("icf", "copy-catalogue", "sqlite:///:memory:", folder=place, code=2)
    assert "is gone when this command ends; name a file" in lost.stderr
    other.write_bytes(b"")
    within("icf", "copy-catalogue", address, folder=place)
    again = within("icf", "copy-catalogue", address, folder=place)
    assert "rows copied" in again.stdout

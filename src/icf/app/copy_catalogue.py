"""`icf copy-catalogue`: the catalogue in another database, as PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import click
import sqlalchemy as sa

import icf.catalogue.annotation.schema  # noqa: F401 - its tables are of the catalogue
from icf.catalogue.catalogue import Catalogue, url_from
from icf.catalogue.postgres.copying import copy_rows
from icf.catalogue.schema import album, image, metadata
from icf.command import Invocation, example, pass_invocation, shared_options
from icf.errors import WrongUse
from icf.stores.files import check_place_of_file

#: Rows read and written at a time.
_PART = 1000
#: What every file of SQLite begins with that is not empty.
_SQLITE = b"SQLite format 3\0"


@click.command("copy-catalogue")
@click.argument("url")
@shared_options
@pass_invocation
@example("icf copy-catalogue sqlite:///copied.sqlite")
def copy_command(invocation: Invocation, url: str) -> None:
    """Copy the catalogue into an empty database.

    URL is postgresql://USER@HOST/NAME or sqlite:///FILE. Nothing else should be at work
    in the workspace. The catalogue stays as it is, and in use: name the new one with
    catalogue.url in icf.toml. Pictures and embeddings are not copied.
    """
    workspace = invocation.workspace
    address = url_from(workspace.root, url)
    if address.get_backend_name() == "sqlite":
        _check_file(Path(address.database or ""))
    target = Catalogue(address)
    rows = copy_catalogue(workspace.catalogue, target)
    target.close()
    invocation.emit(
        {"rows": rows, "catalogue": target.shown},
        lambda: f"{rows:,} rows copied into {target.shown}",
    )
    invocation.say(
        "now name it in icf.toml, under [catalogue]: url = ...; what is written to the "
        "former one from now on is not in it"
    )


def _check_file(path: Path) -> None:
    """See that SQLite can make a file there, or that the one there is SQLite's.

    Raises:
        WrongUse: there is something else, or it would be no file.
    """
    if str(path) == ":memory:":
        raise WrongUse(f"{path} is gone when this command ends; name a file")
    check_place_of_file(path)
    if not path.is_file():
        return
    with path.open("rb") as file:
        head = file.read(len(_SQLITE))
    if head not in (b"", _SQLITE):
        raise WrongUse(f"{path} is no SQLite database; name a file that is not there")


def copy_catalogue(source: Catalogue, target: Catalogue) -> int:
    """Copy every row into an empty catalogue, in one transaction.

    Args:
        source: at this program's revision; it stays as it is.
        target: an empty database, or tables without a picture; its tables are made.

    Returns:
        How many rows were copied.

    Raises:
        WrongUse: ``target`` has albums or pictures, or is ``source``.
        BrokenMachine: one of the databases does not answer; ``target`` stays empty.
    """
    if target.url == source.url:
        raise WrongUse(f"{target.shown} is the catalogue itself; name another database")
    target.upgrade()
    with source.read() as reading, target.write() as writing:
        for table in (album, image):
            if writing.execute(sa.select(table).limit(1)).first():
                raise WrongUse(f"{target.shown} is not empty; name another database")
        for table in reversed(metadata.sorted_tables):  # some rows come with the tables
            writing.execute(sa.delete(table))
        rows = sum(_copy(reading, writing, table) for table in metadata.sorted_tables)
        if target.dialect == "postgresql":
            # The server does so some time later; until then its plans take minutes.
            writing.execute(sa.text(f"ANALYZE {', '.join(metadata.tables)}"))
        return rows


def _copy(reading: sa.Connection, writing: sa.Connection, table: sa.Table) -> int:
    query = sa.select(table).execution_options(yield_per=_PART)
    found = reading.execute(query)
    if writing.dialect.name == "postgresql":
        count = copy_rows(writing, table, found)
        _count_on(writing, table)
        return count
    count = 0
    for rows in found.mappings().partitions():
        writing.execute(sa.insert(table), [dict(row) for row in rows])
        count += len(rows)
    return count


def _count_on(connection: sa.Connection, table: sa.Table) -> None:
    """Let PostgreSQL give the next row an id that is not taken."""
    for key in table.primary_key:
        sequence = sa.func.pg_get_serial_sequence(table.name, key.name)
        if connection.scalar(sa.select(sequence)):
            most = sa.select(sa.func.max(key)).scalar_subquery()
            connection.execute(sa.select(sa.func.setval(sequence, most)))

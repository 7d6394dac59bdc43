"""What transactions see of one another, and how many values a query may have."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from icf.catalogue.bulk_insert import among
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.rows import lock
from icf.catalogue.schema import album


def put_albums(catalogue: Catalogue, *names: str) -> None:
    rows = [{"name": name, "source": "t", "found_at": 0.0} for name in names]
    with catalogue.write() as connection:
        connection.execute(sa.insert(album), rows)


def test_who_reads_sees_one_state_whatever_is_written_meanwhile(
    catalogue: Catalogue,
) -> None:
    put_albums(catalogue, "Moon")
    names = sa.select(album.c.name)
    with catalogue.read() as connection:
        assert connection.execute(names).scalars().all() == ["Moon"]
        put_albums(catalogue, "Sun")
        assert connection.execute(names).scalars().all() == ["Moon"]
    with catalogue.read() as connection:
        assert set(connection.execute(names).scalars()) == {"Moon", "Sun"}


def test_what_was_read_with_can_write_again(catalogue: Catalogue) -> None:
    with catalogue.read() as connection:
        connection.execute(sa.select(album.c.id)).all()
    put_albums(catalogue, "Moon")
    with catalogue.write() as connection:
        assert lock(connection, album, sa.true()) == [1]


@pytest.mark.parametrize("count", [0, 70_000])
def test_a_query_takes_any_number_of_values(catalogue: Catalogue, count: int) -> None:
    put_albums(catalogue, "Moon", "Sun")
    wanted = [f"no {n}" for n in range(count)] + ["Sun"]
    with catalogue.write() as connection:
        assert lock(connection, album, among(connection, album.c.name, wanted)) == [2]
        assert lock(connection, album, among(connection, album.c.id, range(count))) == (
            [1, 2] if count else []
        )

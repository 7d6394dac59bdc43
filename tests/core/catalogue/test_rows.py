from __future__ import annotations

import sqlalchemy as sa

from icf.catalogue.catalogue import Catalogue
from icf.catalogue.rows import count_rows
from icf.catalogue.schema import album


def test_rows_of_tables_and_of_queries_are_counted(catalogue: Catalogue) -> None:
    names = sa.select(album.c.name).order_by(album.c.name)
    with catalogue.write() as connection:
        assert count_rows(connection, album) == 0
        for number in range(5):
            row = {"name": f"album {number}", "source": "mine", "found_at": 0.0}
            connection.execute(sa.insert(album).values(row))
        assert count_rows(connection, album) == 5
        named = album.c.name > "album 1", album.c.name < "album 4"
        assert count_rows(connection, album, *named) == 2
        assert count_rows(connection, names.limit(3)) == 3
        both = sa.union_all(names.order_by(None), names.order_by(None))
        assert count_rows(connection, both.order_by("name")) == 10

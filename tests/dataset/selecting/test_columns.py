from __future__ import annotations

import pytest
import sqlalchemy as sa

from icf.catalogue.rows import CHUNK
from icf.catalogue.schema import image
from icf.dataset.selecting.columns import (
    Coded,
    Codes,
    Kind,
    digests,
    ints,
    ints_or_zero,
    read_columns,
)
from icf.workspace import Workspace

_QUERY = sa.select(image.c.id, image.c.sha256, image.c.width, image.c.format)


@pytest.mark.parametrize("count", [0, 3, CHUNK + 1])
def test_columns_have_what_the_rows_have_however_many_there_are(
    workspace: Workspace, count: int
) -> None:
    with workspace.catalogue.read() as connection:
        rows = connection.execute(_QUERY.order_by(image.c.id)).all()[:count]
        wanted = ints(
            [row.id for row in rows] + [10**6 + each for each in range(count)]
        )
        codes = Codes()
        kinds: list[Kind] = [ints, digests, ints_or_zero, codes]
        query = _QUERY.order_by(image.c.id)
        ids, sha256, width, formats = read_columns(
            connection, query, image.c.id, wanted, kinds
        )
    assert ids.tolist() == [row.id for row in rows]
    assert [each.decode() for each in sha256.tolist()] == [row.sha256 for row in rows]
    assert width.tolist() == [row.width or 0 for row in rows]
    assert codes.coded(formats).tolist() == [row.format for row in rows]


def test_texts_are_numbered_as_they_come_and_what_is_missing_is_none() -> None:
    codes = Codes()
    column = codes.coded(codes(["b", None, "a", "b"]))
    assert column.number.tolist() == [0, -1, 1, 0]
    assert column.tolist() == ["b", None, "a", "b"]
    assert column.one_of({"b", "c"}).tolist() == [True, False, False, True]


def test_no_text_at_all_is_one_of_none() -> None:
    assert Coded(ints([-1, -1]), ()).one_of({"a"}).tolist() == [False, False]

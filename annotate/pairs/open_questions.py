"""Which questions are open, by the index that has them in the order of their ids."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from icf.catalogue.schema import question

#: As the partial index has it, on both databases.
IS_OPEN = sa.text("question.label = 'open'")


class OpenInOrder(sa.ColumnElement[bool]):
    """That a question is open, said so that SQLite reads the next ones in order.

    Of a bare condition it expects few rows, collects all of a million by another index
    and sorts them.
    """

    inherit_cache = True


@compiles(OpenInOrder)
def _compile(_element: OpenInOrder, _compiler: SQLCompiler, **_: Any) -> str:
    return "question.label = 'open'"


@compiles(OpenInOrder, "sqlite")
def _compile_sqlite(_element: OpenInOrder, _compiler: SQLCompiler, **_: Any) -> str:
    return "likelihood(question.label = 'open', 0.99) AND question.id > 0"


def id_of_open(connection: sa.Connection, place: int) -> int | None:
    """The id of the open question at a place, counted from 0; None: there are fewer."""
    query = sa.select(question.c.id).where(OpenInOrder())
    found = connection.execute(query.order_by(question.c.id).offset(place).limit(1))
    return found.scalar()

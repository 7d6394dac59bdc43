from __future__ import annotations

import pytest
import sqlalchemy as sa

from icf.catalogue.annotation.waiting import (
    WAITS,
    count_waiting,
    refuse_while_waiting,
)
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import answer
from icf.errors import WrongUse
from tests.annotate.pairs.asked import ask_about
from tests.annotate.place import Place


def insert(place: Place, key: int, waits: bool | None) -> None:
    values = {"annotator": "ann", "choice": "true", "imported_at": 0.0}
    row = {**values, "question_id": key, "file": "page", "line": 0, "waits": waits}
    with place.workspace.catalogue.write() as connection:
        connection.execute(sa.insert(answer).values(**row))


def test_labels_are_not_read_while_answers_wait(place: Place) -> None:
    one, two, three = ask_about(place, 3)
    insert(place, one, True)
    insert(place, two, None)
    insert(place, three, False)
    with place.workspace.catalogue.read() as connection:
        assert count_waiting(connection) == 1
        with pytest.raises(WrongUse, match="cannot make a release: 1 answer of"):
            refuse_while_waiting(connection)


def test_nothing_is_refused_where_no_answer_waits(place: Place) -> None:
    insert(place, ask_about(place, 1)[0], None)
    with place.workspace.catalogue.read() as connection:
        refuse_while_waiting(connection)
        assert count_waiting(connection) == 0


def test_those_that_wait_are_found_by_their_index(sqlite_catalogue: Catalogue) -> None:
    query = sa.select(answer.c.id).where(WAITS).order_by(answer.c.id)
    with sqlite_catalogue.read() as connection:
        text = str(query.compile(connection.engine))
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}").all()
    assert "ix_answer_waits" in str(plan)

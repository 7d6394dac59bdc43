from __future__ import annotations

import sqlalchemy as sa

from icf.annotate.pairs.open_questions import OpenInOrder, id_of_open
from icf.annotate.pairs.questions import askable
from icf.catalogue.schema import question
from icf.codes import Label
from tests.annotate.pairs.asked import ask_about, person
from tests.annotate.place import Place


def test_the_next_questions_are_read_in_order_and_not_sorted(plain: Place) -> None:
    query = askable(person(plain), 1).order_by(question.c.id).limit(6)
    with plain.workspace.catalogue.read() as connection:
        text = query.compile(connection.engine, compile_kwargs={"literal_binds": True})
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}").all()
    plan = str(rows)
    assert "USING INDEX ix_question_open" in plan
    assert "TEMP B-TREE" not in plan


def test_only_open_questions_are_counted(place: Place) -> None:
    one, two, three = ask_about(place, 3)
    with place.workspace.catalogue.write() as connection:
        update = sa.update(question).where(question.c.id == two)
        connection.execute(update.values(label=Label.SAME.value))
        found = sa.select(question.c.id).where(OpenInOrder())
        ids = connection.execute(found.order_by(question.c.id)).scalars().all()
        assert ids == [one, three]
        assert [id_of_open(connection, each) for each in range(3)] == [one, three, None]

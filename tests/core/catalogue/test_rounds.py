"""Rounds in both databases: their states, and the runs that belong to them."""

from __future__ import annotations

import sqlalchemy as sa

from icf.catalogue import ledger
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.rounds import log
from icf.catalogue.schema import run
from icf.codes import RoundState


def test_a_round_moves_with_what_it_found_until_it_is_done(
    catalogue: Catalogue,
) -> None:
    with catalogue.write() as connection:
        assert log.newest(connection) is None
        first = log.open_or_begin(connection)
        assert (first.number, first.state, first.is_open) == (
            1,
            RoundState.FILTER,
            True,
        )
        assert log.open_or_begin(connection) == first
        log.move(connection, first.id, RoundState.ASK, {"batches": [1]})
        log.move(connection, first.id, RoundState.TRAIN, {"batches": [1, 2], "a": 1})
    with catalogue.read() as connection:
        found = log.newest(connection)
    assert found is not None
    assert found.state is RoundState.TRAIN
    assert found.summary == {"batches": [1, 2], "a": 1}
    with catalogue.write() as connection:
        log.move(connection, first.id, RoundState.DONE, {"b": None})
        second = log.open_or_begin(connection)
        done, begun = log.read_rounds(connection)
    assert not done.is_open
    assert done.summary == {"batches": [1, 2], "a": 1, "b": None}
    assert begun == second
    assert second.number == 2


def test_a_run_belongs_to_the_round_that_is_open(catalogue: Catalogue) -> None:
    def begin(connection: sa.Connection) -> int:
        made = ledger.begin_run(connection, "test", "{}", "0")
        decided = ledger.Decision("image", 7, "detect", "kept", "ok")
        ledger.append(connection, made, [decided])
        return made

    with catalogue.write() as connection:
        before = begin(connection)
        first = log.open_or_begin(connection)
        within = begin(connection)
        log.move(connection, first.id, RoundState.DONE, {})
        after = begin(connection)
        query = sa.select(run.c.id, run.c.round_id).order_by(run.c.id)
        rows = [tuple(row) for row in connection.execute(query)]
        history = ledger.history(connection, "image", 7)
    assert rows == [(before, None), (within, first.id), (after, None)]
    assert [each.round for each in history] == [None, 1, None]

from __future__ import annotations

import sqlite3

import pytest

from icf.annotate.answers import Vote
from tests.annotate.pairs.asked import ask_about
from tests.annotate.place import Place
from tests.annotate.test_record import T, take

#: Instructions of SQLite's machine between two counts.
STEP = 100


def steps_of_an_answer(place: Place, faces: int) -> int:
    """Instructions that the database runs for one answer, with so many questions."""
    ids = ask_about(place, faces)
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += STEP
        return 0

    with place.workspace.catalogue.engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.set_progress_handler(count, STEP)
    take(place, Vote(2, ids[-1], "ann", T))
    return steps


def test_an_answer_costs_no_more_than_its_reference_has_questions(
    plain: Place, tmp_path_factory: pytest.TempPathFactory
) -> None:
    few = steps_of_an_answer(plain, 30)
    other = Place(tmp_path_factory.mktemp("other") / "space")
    many = steps_of_an_answer(other, 240)
    other.workspace.catalogue.close()
    assert few > 0
    # Eight times as many questions; each with a look at each was 64 times as much.
    assert many < 16 * few

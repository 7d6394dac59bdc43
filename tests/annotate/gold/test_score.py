from __future__ import annotations

import sqlalchemy as sa

from icf.annotate.gold.score import MOST, Score, score_of
from icf.catalogue.annotation.schema import gold, gold_answer
from icf.codes import Choice
from tests.annotate.gold.place import add_gold, answer_gold
from tests.annotate.place import Place

T, F, U = Choice.TRUE, Choice.FALSE, Choice.UNSURE


def score(place: Place, name: str) -> Score:
    with place.workspace.catalogue.read() as connection:
        return score_of(connection, name)


def test_right_and_wrong_answers_count_and_cannot_tell_does_not(place: Place) -> None:
    ann = place.add_character()
    keys = add_gold(place, [T, F, T, F], ann)
    answer_gold(place, "ann", zip(keys, [T, F, F, U], strict=True))
    assert score(place, "ann") == Score(answered=3, right=2)
    assert score(place, "ann").share is None
    assert score(place, "bob") == Score(0, 0)


def test_the_last_answers_count(place: Place) -> None:
    ann = place.add_character()
    keys = add_gold(place, [T] * (MOST + 5), ann)
    choices = [F] * 10 + [T] * (MOST - 5)
    answer_gold(place, "ann", zip(keys, choices, strict=True))
    assert score(place, "ann") == Score(MOST, MOST - 5)
    assert score(place, "ann").share == (MOST - 5) / MOST


def test_what_was_replaced_or_retired_does_not_count(place: Place) -> None:
    ann = place.add_character()
    first, second, third = add_gold(place, [T, T, T], ann)
    answer_gold(place, "ann", [(first, F), (second, F), (third, T)])
    with place.workspace.catalogue.write() as connection:
        of_first = gold_answer.c.gold_id == first
        connection.execute(
            sa.update(gold_answer).where(of_first).values(replaced_at=9.0)
        )
        connection.execute(
            sa.update(gold).where(gold.c.id == second).values(retired_at=9.0)
        )
    assert score(place, "ann") == Score(1, 1)

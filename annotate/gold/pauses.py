"""Pause people who are wrong too often where the answer is known, and let them go on.

While somebody is paused for a low score, no answer of that person counts for a label
(`icf.catalogue.annotation.pauses`), so the questions are open again and others are
asked. The answers stay, and count again when the person goes on.
"""

from __future__ import annotations

import time

import sqlalchemy as sa

from icf.annotate.gold.score import score_of
from icf.annotate.people.people import Person, pause, person_of, resume
from icf.catalogue.annotation.pauses import LOW_SCORE
from icf.catalogue.annotation.schema import gold_answer, person
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import answer


def pause_low(catalogue: Catalogue, floor: float) -> list[str]:
    """Pause everybody whose score is below the floor; return their names.

    Labels follow with the next answers that are applied.

    Args:
        catalogue: of the workspace.
        floor: the setting ``annotate.gold_floor``; 0: nobody is paused.
    """
    with catalogue.read() as connection:
        low = [
            someone
            for someone in _active(connection)
            if (share := score_of(connection, someone.name).share) is not None
            and share < floor
        ]
    if low:
        with catalogue.write() as connection:
            for someone in low:
                pause(connection, someone, LOW_SCORE)
                _label_again(connection, someone)
    return [each.name for each in low]


def go_on(connection: sa.Connection, someone: Person) -> None:
    """Let a person go on: the answers count again, and the score begins anew.

    Args:
        connection: a write transaction.
        someone: who is paused, for whatever reason.
    """
    was_low = someone.paused == LOW_SCORE
    resume(connection, someone)
    if was_low:
        of_person = person.c.id == someone.id
        update = sa.update(person).where(of_person)
        connection.execute(update.values(scored_from=time.time()))
        _label_again(connection, someone)


def _active(connection: sa.Connection) -> list[Person]:
    """Who is not paused, and answered known pairs."""
    query = sa.select(person).where(
        person.c.paused_at.is_(None),
        sa.exists().where(gold_answer.c.annotator == person.c.name),
    )
    return list(map(person_of, connection.execute(query.order_by(person.c.id))))


def _label_again(connection: sa.Connection, someone: Person) -> None:
    """Let the labels of all that a person answered follow once more."""
    update = sa.update(answer).where(
        answer.c.annotator == someone.name, answer.c.replaced_at.is_(None)
    )
    connection.execute(update.values(waits=True))

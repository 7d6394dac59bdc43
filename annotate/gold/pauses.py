"""Let answers of people count no more, and let people go on.

That happens to those who are wrong too often where the answer is known, and to those
whom a manager discounts. They are paused, and no answer of theirs counts for a label
(`icf.catalogue.annotation.pauses`), so the questions are open again and others are
asked. The answers stay, and count again when the person goes on.
"""

from __future__ import annotations

import time

import sqlalchemy as sa

from icf.annotate.gold.score import score_of
from icf.annotate.people.people import Person, pause, person_of, resume
from icf.catalogue.annotation.pauses import DISCOUNTED, LOW_SCORE, NOT_COUNTED
from icf.catalogue.annotation.schema import gold_answer, person
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.rows import locked
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
    for someone in low:
        with catalogue.write() as connection:
            pause(connection, someone, LOW_SCORE)
            _label_again(connection, someone)
    return [each.name for each in low]


def discount(connection: sa.Connection, someone: Person) -> None:
    """Pause a person, and let no answer of that person count.

    Args:
        connection: a write transaction.
        someone: who may be paused already, for whatever reason.
    """
    resume(connection, someone)
    pause(connection, someone, DISCOUNTED)
    _label_again(connection, someone)


def go_on(connection: sa.Connection, someone: Person) -> None:
    """Let a person go on: the answers count again, and the score starts again.

    Args:
        connection: a write transaction.
        someone: who is paused, for whatever reason.
    """
    resume(connection, someone)
    if someone.paused in NOT_COUNTED:
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
    theirs = sa.and_(answer.c.annotator == someone.name, answer.c.replaced_at.is_(None))
    update = sa.update(answer).where(locked(connection, answer, theirs))
    connection.execute(update.values(waits=True))

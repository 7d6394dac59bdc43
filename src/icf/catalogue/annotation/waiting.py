"""Answers of the annotation page that are stored, and whose labels do not follow yet.

The page acknowledges an answer when it is on the disk. What follows from it comes
within a second, or with the next command of `icf-annotate`.
"""

from __future__ import annotations

import sqlalchemy as sa

from icf.catalogue.rows import count_rows
from icf.catalogue.schema import answer
from icf.errors import WrongUse

#: As the partial index has it, on both databases.
WAITS = sa.text("answer.waits")


def count_waiting(connection: sa.Connection) -> int:
    """Count the answers that wait."""
    return count_rows(connection, answer, WAITS)


def refuse_while_waiting(connection: sa.Connection) -> None:
    """Refuse to make a release of labels that do not follow from all answers.

    Raises:
        WrongUse: answers wait.
    """
    waiting = count_waiting(connection)
    if waiting:
        answers = "1 answer" if waiting == 1 else f"{waiting:,} answers"
        raise WrongUse(
            f"cannot make a release: {answers} of the annotation page did not become "
            "labels yet. Run `icf-annotate status`, which lets them follow, and then "
            "the same command again"
        )

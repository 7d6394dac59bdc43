"""Let labels follow the answers of the page, which are stored already.

The page's server does so in the background, a part at a time; so does every command of
`icf-annotate` that reads labels, before anything else. A server that was killed leaves
answers that wait, and whoever comes next lets the labels follow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from icf.annotate.current_rule import current_rule
from icf.annotate.following import Followed, Follower, lock
from icf.annotate.record import REVISION_STEP, revision
from icf.catalogue import ledger
from icf.catalogue.annotation.waiting import WAITS, count_waiting
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.rows import by_ids, locked
from icf.catalogue.schema import answer, decision
from icf.codes import Choice
from icf.workspace import Workspace

#: Answers a transaction: those who answer meanwhile wait for it.
CHUNK = 100


@dataclass
class Applied(Followed):
    """What followed from answers that had waited.

    Attributes:
        answers: how many there were.
    """

    answers: int = 0


@dataclass(frozen=True)
class Applier:
    """Lets labels follow.

    Attributes:
        catalogue: where the answers are.
        follower: how they follow.
    """

    catalogue: Catalogue
    follower: Follower

    def apply_some(self, limit: int = CHUNK) -> Applied:
        """Let labels follow the oldest answers that wait, in one transaction."""
        total = Applied()
        with self.catalogue.write() as connection:
            # Who else does the same waits here, and then finds nothing to do.
            lock(connection, [])
            query = sa.select(answer).where(WAITS).order_by(answer.c.id).limit(limit)
            waiting = connection.execute(query).all()
            if not waiting:
                return total
            ids = sorted({row.question_id for row in waiting})
            lines = list(_revisions(connection, waiting, ids))
            ledger.append(connection, self.follower.run_id, lines)
            self.follower.follow(connection, ids, set(ids), total)
            done = [row.id for row in waiting]
            is_done = locked(connection, answer, answer.c.id.in_(done))
            update = sa.update(answer).where(is_done)
            connection.execute(update.values(waits=None))
            total.answers = len(waiting)
        return total

    def apply_all(self) -> Applied:
        """Let labels follow all answers that wait, in several transactions."""
        total = Applied()
        while (some := self.apply_some()).answers:
            total.answers += some.answers
            total.add(some)
        return total


def follower_of(workspace: Workspace, run_id: int) -> Follower:
    """How answers become labels, by the settings of a workspace."""
    return Follower(run_id, current_rule(workspace))


def apply_waiting(workspace: Workspace) -> Applied:
    """Let labels follow all answers of the page that wait."""
    with workspace.catalogue.read() as connection:
        if not count_waiting(connection):
            return Applied()
    run_id = workspace.begin_run("icf-annotate: labels of the page's answers")
    applier = Applier(workspace.catalogue, follower_of(workspace, run_id))
    applied = applier.apply_all()
    workspace.end_run(run_id)
    return applied


def _revisions(
    connection: sa.Connection, waiting: Sequence[sa.Row[Any]], ids: Sequence[int]
) -> Iterator[ledger.Decision]:
    """Lines of the ledger about answers that replace an earlier one."""
    query = sa.select(answer).order_by(answer.c.id)
    earlier: dict[tuple[int, str], list[sa.Row[Any]]] = {}
    for row in by_ids(connection, query, answer.c.question_id, ids):
        earlier.setdefault((row.question_id, row.annotator), []).append(row)
    noted = _noted(connection, ids)
    for row in waiting:
        before = [
            each for each in earlier[row.question_id, row.annotator] if each.id < row.id
        ]
        is_noted = noted.get((row.question_id, row.choice), 0.0) >= row.imported_at
        if row.replaced_at is None and before and not is_noted:
            said = f"{before[-1].choice} before, in {before[-1].file}"
            choice = Choice[row.choice.upper()]
            yield revision(row.question_id, row.annotator, choice, said)


def _noted(
    connection: sa.Connection, ids: Sequence[int]
) -> dict[tuple[int, str], float]:
    """When the ledger last noted a changed answer, by question and new choice.

    Answers wait once more when their person is paused, or goes on.
    """
    query = sa.select(
        decision.c.subject_id, decision.c.verdict, decision.c.decided_at
    ).where(decision.c.subject == "question", decision.c.step == REVISION_STEP)
    found: dict[tuple[int, str], float] = {}
    for row in by_ids(connection, query, decision.c.subject_id, ids):
        key = row.subject_id, row.verdict
        found[key] = max(found.get(key, 0.0), row.decided_at)
    return found

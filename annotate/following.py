"""What follows from new answers: labels, reviews, merges, references, faces."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Container, Iterable, Sequence
from dataclasses import dataclass, field, replace

import sqlalchemy as sa

from icf.annotate.batch import read_asked
from icf.annotate.choosing.same_picture import follow_frames
from icf.annotate.consequences import Effects, follow
from icf.annotate.labels import Labelled, read_labelled, write_posteriors
from icf.annotate.rule import Rule
from icf.catalogue import ledger, merges, reviews
from icf.catalogue.references import LABEL
from icf.catalogue.rows import lock_table
from icf.catalogue.schema import question
from icf.codes import Label

#: What is said where `Followed.filter_next`.
FILTER_NEXT = (
    "references or merges changed: `icf-filter run` chooses and compares again"
)


@dataclass
class Followed:
    """What followed.

    Attributes:
        labels: number of questions by their new label.
        unmerged: number of characters whose merge was undone with its answer.
        effects: what followed for references and faces.
    """

    labels: Counter[Label] = field(default_factory=Counter)
    unmerged: int = 0
    effects: Effects = field(default_factory=Effects)

    @property
    def filter_next(self) -> bool:
        """Whether faces wait for the filter now."""
        return bool(self.effects.filter_next or self.unmerged)

    def add(self, others: Followed) -> None:
        """Add what followed otherwise."""
        self.labels.update(others.labels)
        self.unmerged += others.unmerged
        self.effects.add(others.effects)


@dataclass(frozen=True)
class Follower:
    """Lets everything follow the answers that are stored.

    Attributes:
        run_id: the run that it is charged to.
        rule: how labels follow from answers.
    """

    run_id: int
    rule: Rule

    def follow(
        self,
        connection: sa.Connection,
        ids: Sequence[int],
        voted: Collection[int],
        total: Followed,
    ) -> None:
        """Let everything follow the answers to some questions.

        Args:
            connection: the transaction that locked them (`lock`).
            ids: the questions.
            voted: those of them that have new answers.
            total: what followed is added to this.
        """
        asked = [
            each if _is_labelled(each, voted) else replace(each, agreed=each.before)
            for each in read_labelled(connection, ids, self.rule)
        ]
        changed = [each for each in asked if each.agreed is not each.before]
        self._write_labels(connection, changed)
        write_posteriors(connection, asked)
        unfounded = merges.unfounded(connection)
        effects = follow(connection, self.run_id, asked, self.rule)
        disputed = follow_frames(connection, self.run_id, asked, self.rule)
        effects.relabelled.update(disputed)
        labels = {each.id: each.agreed for each in changed} | effects.relabelled
        reviews.follow(connection, sorted(labels))
        total.unmerged += self._undo_merges(connection, unfounded)
        total.labels.update(labels.values())
        total.effects.add(effects)

    def _undo_merges(self, connection: sa.Connection, unfounded: Container[int]) -> int:
        """Undo merges that the answers said before and no longer say."""
        taken_back = [
            each for each in merges.unfounded(connection) if each not in unfounded
        ]
        for each in taken_back:
            merges.undo(connection, self.run_id, each)
        return len(taken_back)

    def _write_labels(
        self, connection: sa.Connection, changed: Iterable[Labelled]
    ) -> None:
        by_label: dict[Label, list[int]] = defaultdict(list)
        for each in changed:
            by_label[each.agreed].append(each.id)
        for label, keys in by_label.items():
            update = sa.update(question).where(question.c.id.in_(keys))
            connection.execute(update.values(label=label.value))
        decisions = [
            ledger.Decision(
                subject="question",
                subject_id=each.id,
                step=LABEL,
                verdict=each.agreed.value,
                reason=each.agreed.value,
                value=each.settled.value,
                threshold=each.settled.threshold,
                message="an expert settled it" if each.settled.by_expert else None,
            )
            for each in changed
        ]
        ledger.append(connection, self.run_id, decisions)


def _is_labelled(asked: Labelled, voted: Container[int]) -> bool:
    """Whether a question gets the label of its answers.

    One that was withdrawn does not, unless a new answer says that no face is shown, or
    once more that the reference is wrong.
    """
    if asked.before is not Label.WITHDRAWN:
        return True
    says_more = asked.agreed is Label.NOT_A_FACE or asked.refuses(asked.agreed)
    return says_more and asked.id in voted


def lock(connection: sa.Connection, ids: Sequence[int]) -> list[int]:
    """Those of the questions that exist; nobody else labels any until the end.

    Args:
        connection: a write transaction.
        ids: of questions.
    """
    # All of them: an answer may withdraw other questions than its own.
    lock_table(connection, question)
    return sorted(read_asked(connection, ids))

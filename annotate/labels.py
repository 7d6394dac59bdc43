"""The labels that follow from the answers in the catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa

from icf.annotate.priors import read_priors
from icf.annotate.rule import Evidence, Rule, Said, Settled
from icf.catalogue.annotation.pauses import counts
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import answer, question
from icf.codes import Choice, Label

#: A change of a probability that is worth writing.
_MOVED = 0.001


@dataclass(frozen=True)
class Labelled:
    """A question, and what its answers say.

    Attributes:
        face_id, character_id, reference_face_id: what it is about.
        before: its label in the catalogue.
        agreed: the label that its answers agree on.
        settled: what that follows from.
        posterior: its probability in the catalogue.
    """

    id: int
    face_id: int
    character_id: int
    reference_face_id: int
    before: Label
    agreed: Label
    settled: Settled
    posterior: float | None = None

    @property
    def asks_about_reference(self) -> bool:
        """Whether it asks if the reference itself is right."""
        return self.face_id == self.reference_face_id

    def refuses(self, label: Label) -> bool:
        """Whether this label says that the reference is wrong."""
        is_other = self.asks_about_reference and label is Label.DIFFERENT
        return is_other or label is Label.WRONG_REFERENCE


def read_labelled(
    connection: sa.Connection, ids: Sequence[int], rule: Rule
) -> list[Labelled]:
    """Read questions and what follows from their answers.

    Args:
        connection: to the catalogue.
        ids: of the questions.
        rule: how labels follow from answers.
    """
    said = _read_said(connection, ids)
    priors = read_priors(connection, ids) if rule.uses_priors else {}
    query = sa.select(
        question.c.id,
        question.c.face_id,
        question.c.character_id,
        question.c.reference_face_id,
        question.c.label,
        question.c.doubted_at,
        question.c.posterior,
    )
    found = []
    for row in by_ids(connection, query, question.c.id, ids):
        is_reference = row.face_id == row.reference_face_id
        each = map(_of_reference, said[row.id]) if is_reference else said[row.id]
        settled = rule.settle(Evidence(tuple(each), priors.get(row.id)))
        if row.doubted_at is not None and not _is_new(said[row.id], row.doubted_at):
            settled = replace(settled, label=Label.OPEN)
        found.append(
            Labelled(
                row.id,
                row.face_id,
                row.character_id,
                row.reference_face_id,
                Label[row.label.upper()],
                settled.label,
                settled,
                row.posterior,
            )
        )
    return found


def write_posteriors(connection: sa.Connection, found: Iterable[Labelled]) -> None:
    """Write the probabilities that follow from the answers, where a rule has them.

    One that moved by less than `_MOVED` stays as it is.
    """
    rows = [
        {"key": each.id, "value": each.settled.posterior}
        for each in found
        if each.settled.posterior is not None and _moved(each)
    ]
    update = sa.update(question).where(question.c.id == sa.bindparam("key"))
    if rows:
        connection.execute(update.values(posterior=sa.bindparam("value")), rows)


def _moved(each: Labelled) -> bool:
    before, now = each.posterior, each.settled.posterior
    return before is None or now is None or abs(now - before) >= _MOVED


def _read_said(connection: sa.Connection, ids: Sequence[int]) -> dict[int, list[Said]]:
    """The answers that count, of each question, in the order of arrival."""
    said: dict[int, list[Said]] = {key: [] for key in ids}
    query = (
        sa.select(
            answer.c.question_id,
            answer.c.annotator,
            answer.c.choice,
            answer.c.decides,
            answer.c.imported_at,
            sa.func.coalesce(answer.c.answered_at, answer.c.imported_at).label("at"),
        )
        .where(counts())
        .order_by(answer.c.id)
    )
    for row in by_ids(connection, query, answer.c.question_id, ids):
        choice = Choice[row.choice.upper()]
        one = Said(row.annotator, choice, bool(row.decides), row.at, row.imported_at)
        said[row.question_id].append(one)
    return said


def _is_new(said: Iterable[Said], doubted_at: float) -> bool:
    """Whether somebody answered after a label was doubted, who had not before."""
    return any(each.stored_at > doubted_at for each in said)


def _of_reference(said: Said) -> Said:
    """Of the reference itself "it is wrong" is "no"."""
    is_wrong = said.choice is Choice.WRONG_REFERENCE
    return replace(said, choice=Choice.FALSE) if is_wrong else said

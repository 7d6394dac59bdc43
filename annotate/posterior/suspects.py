"""Settled questions whose label is probably wrong: another person is asked.

Confident learning (Northcutt et al. 2021): of the labels that say one thing, those are
suspects for which the model is as sure of the other as it is, on average, where people
say the other. The model's probability is from before the question was answered, so it
never saw the label. Of these, only those are asked about again which all evidence
together, the model's and each answer's, leaves in doubt; the most doubtful first.

What was drawn at random, or set aside, has no such probability (`icf.annotate.priors`)
and is never a suspect: it measures the model, and must not be bent towards it.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from icf.annotate.following import Followed, Follower, lock
from icf.annotate.posterior.skills import NEW, Skill
from icf.annotate.priors import read_priors
from icf.annotate.rule import Rule
from icf.catalogue import ledger
from icf.catalogue.annotation.pauses import counts
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import answer, question
from icf.codes import YES_OR_NO, Choice, Label

#: The step's name in the ledger.
STEP = "doubt"
#: Of all settled questions, the share that is ever asked about again.
MOST = 0.02

#: Questions a transaction.
_PART = 200


@dataclass(frozen=True)
class Suspect:
    """A question whose label is probably wrong.

    Attributes:
        id: of the question.
        value: the probability of the label by all evidence, or degrees (`doubtful`).
        why: it is one.
    """

    id: int
    value: float
    why: str


def confidently_other(
    same: NDArray[np.bool_], probability: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Which labels a model contradicts with confidence.

    The off-diagonal of the confident joint: the probability of the other label is at
    least its mean where that label was given, and higher than that of the label itself.

    Args:
        same: shape (n,), the labels.
        probability: shape (n,), of being the same, by a model that did not see them.
    """
    given = np.where(same, probability, 1 - probability)
    means = [
        given[same == each].mean() if (same == each).any() else np.inf
        for each in (False, True)
    ]
    # Of a label "same" the other one is "different", and the other way round.
    needed = np.where(same, means[0], means[1])
    return np.asarray((1 - given >= needed) & (given < 0.5))


def find_suspects(
    connection: sa.Connection, skills: Mapping[str, Skill], certainty: float
) -> list[Suspect]:
    """Find suspects, the most doubtful first; at most `MOST` of all settled questions.

    Args:
        connection: to the catalogue.
        skills: by name.
        certainty: the probability from which a label is in no doubt.
    """
    query = sa.select(question.c.id, question.c.label, question.c.doubted_at).where(
        question.c.label.in_(YES_OR_NO)
    )
    settled = connection.execute(query.order_by(question.c.id)).all()
    free = room(connection)
    priors = read_priors(connection, [each.id for each in settled])
    known = [each for each in settled if each.id in priors]
    if free <= 0 or not known:
        return []
    same = np.array([each.label == Label.SAME.value for each in known])
    model = np.array([priors[each.id] for each in known])
    fresh = np.array([each.doubted_at is None for each in known])
    chosen = np.flatnonzero(confidently_other(same, model) & fresh)
    odds = evidence(connection, [known[each].id for each in chosen], skills)
    found = []
    for each in chosen.tolist():
        row = known[each]
        if (said := odds.get(row.id)) is None:
            continue
        inside = min(max(model[each], 0.001), 0.999)
        total = said + float(np.log(inside / (1 - inside)))
        is_same = float(1 / (1 + np.exp(-total)))
        of_label = is_same if same[each] else 1 - is_same
        if of_label < certainty:
            why = f"the model contradicts {row.label}"
            found.append(Suspect(row.id, of_label, why))
    found.sort(key=lambda each: (each.value, each.id))
    return found[:free]


def room(connection: sa.Connection) -> int:
    """How many more questions may be asked about again: `MOST` of all settled ones.

    Those that are open again were settled, and count.
    """
    count = sa.select(sa.func.count(), sa.func.count(question.c.doubted_at)).where(
        sa.or_(question.c.label.in_(YES_OR_NO), question.c.doubted_at.is_not(None))
    )
    settled, doubted = connection.execute(count).one()
    return int(MOST * settled) - int(doubted)


def ask_again(
    catalogue: Catalogue, run_id: int, rule: Rule, suspects: Sequence[Suspect]
) -> Followed:
    """Open suspects again, for people who have not answered them.

    They stay open until somebody else answers, whatever the rule says.

    Args:
        catalogue: where they are.
        run_id: the run that it is charged to.
        rule: how labels follow from answers.
        suspects: as `find_suspects` and `doubtful.find_doubted` find them.
    """
    follower, total = Follower(run_id, rule), Followed()
    for start in range(0, len(suspects), _PART):
        part = {each.id: each for each in suspects[start : start + _PART]}
        with catalogue.write() as connection:
            ids = lock(connection, sorted(part))
            update = sa.update(question).where(question.c.id.in_(ids))
            connection.execute(update.values(doubted_at=time.time()))
            ledger.append(connection, run_id, [_line(part[key]) for key in ids])
            follower.follow(connection, ids, (), total)
    return total


def _line(suspect: Suspect) -> ledger.Decision:
    return ledger.Decision(
        "question",
        suspect.id,
        STEP,
        Label.OPEN.value,
        Label.OPEN.value,
        value=suspect.value,
        message=f"{suspect.why}: somebody else is asked",
    )


def evidence(
    connection: sa.Connection, ids: Sequence[int], skills: Mapping[str, Skill]
) -> dict[int, float]:
    """What the answers are worth, in log odds; not of what an expert decided.

    Args:
        connection: to the catalogue.
        ids: of the questions.
        skills: by name.
    """
    query = sa.select(
        answer.c.question_id, answer.c.annotator, answer.c.choice, answer.c.decides
    ).where(counts())
    odds: dict[int, float] = defaultdict(float)
    decided = set()
    for row in by_ids(connection, query, answer.c.question_id, ids):
        if row.decides:
            decided.add(row.question_id)
        if row.choice in (Choice.TRUE.value, Choice.FALSE.value):
            coins = skills.get(row.annotator, NEW)
            odds[row.question_id] += coins.log_odds(yes=row.choice == Choice.TRUE.value)
    return {key: each for key, each in odds.items() if key not in decided}

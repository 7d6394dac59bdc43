"""Fit people's skills again, and let all labels follow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from icf.annotate.following import Followed, Follower, lock
from icf.annotate.labels import Labelled, read_labelled, write_posteriors
from icf.annotate.posterior.skills import Skill, write_skills
from icf.annotate.rule import Rule
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import answer, question
from icf.codes import Label

#: Questions a transaction.
_PART = 500

#: A label before and after.
Change = tuple[Label, Label]


@dataclass(frozen=True)
class Skills:
    """Everybody's skill, as the answers of all show it.

    Attributes:
        of: by name.
        questions: how many of them were answered yes or no.
        answers: how many yes and no answers there are, those to known pairs included.
    """

    of: dict[str, Skill]
    questions: int
    answers: int


def fit_skills(connection: sa.Connection) -> Skills:
    """Fit everybody's skill to the answers of all; nothing is written."""
    # They import numpy, which a server that counts votes does not wait for.
    from icf.annotate.posterior.dawid_skene import fit
    from icf.annotate.posterior.reading import read_answers

    read = read_answers(connection)
    fitted = fit(read.answers)
    of = dict(zip(read.people, fitted.skills, strict=True))
    return Skills(of, len(read.questions), len(read.answers.question))


def refit(catalogue: Catalogue) -> Skills:
    """Fit everybody's skill; it counts from now on."""
    with catalogue.read() as connection:
        found = fit_skills(connection)
    with catalogue.write() as connection:
        write_skills(connection, found.of)
    return found


def answered(connection: sa.Connection) -> list[int]:
    """The ids of all questions with an answer."""
    has = sa.exists().where(answer.c.question_id == question.c.id)
    query = sa.select(question.c.id).where(has).order_by(question.c.id)
    return list(connection.execute(query).scalars())


def preview(connection: sa.Connection, rule: Rule) -> Counter[Change]:
    """Count the labels that `relabel` would change by their own answers.

    What follows for others, of a reference that is refused for example, is not counted.
    """
    changes: Counter[Change] = Counter()
    ids = answered(connection)
    for start in range(0, len(ids), _PART):
        for each in read_labelled(connection, ids[start : start + _PART], rule):
            if _changes(each):
                changes[each.before, each.agreed] += 1
    return changes


def relabel(
    catalogue: Catalogue,
    run_id: int,
    rule: Rule,
    done: Callable[[int], None] = lambda questions: None,
) -> Followed:
    """Let all labels follow the answers by a rule, as if they came now.

    If the program is killed, complete transactions remain, and the same call does the
    rest.

    Args:
        catalogue: where the answers are.
        run_id: the run that it is charged to.
        rule: how labels follow.
        done: called with the number of questions of each transaction.
    """
    follower, total = Follower(run_id, rule), Followed()
    with catalogue.read() as connection:
        ids = answered(connection)
    for start in range(0, len(ids), _PART):
        part = ids[start : start + _PART]
        with catalogue.write() as connection:
            found = read_labelled(connection, lock(connection, part), rule)
            write_posteriors(connection, found)
            if changed := [each.id for each in found if _changes(each)]:
                follower.follow(connection, changed, (), total)
        done(len(part))
    return total


def _changes(found: Labelled) -> bool:
    """Whether its answers give it another label; one that was withdrawn has none."""
    return found.before not in (found.agreed, Label.WITHDRAWN)

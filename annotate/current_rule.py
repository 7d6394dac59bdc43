"""The rule by which labels follow from answers now, as the settings say."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from icf.annotate.posterior.rule import PosteriorRule
from icf.annotate.posterior.skills import Skill, read_skills
from icf.annotate.rule import Rule
from icf.annotate.votes import VotesRule
from icf.catalogue.schema import question
from icf.codes import YES_OR_NO
from icf.settings import AnnotateSettings
from icf.workspace import Workspace


def current_rule(workspace: Workspace) -> Rule:
    """Make the rule of a workspace, by the skills as they are stored."""
    settings = workspace.settings.annotate
    if settings.decide == "votes":
        return VotesRule(settings.votes, settings.max_votes)
    with workspace.catalogue.read() as connection:
        return posterior_rule(connection, settings, read_skills(connection))


def posterior_rule(
    connection: sa.Connection, settings: AnnotateSettings, skills: Mapping[str, Skill]
) -> PosteriorRule:
    """Make the rule that weighs answers.

    Args:
        connection: to the catalogue.
        settings: of the workspace.
        skills: by name.
    """
    return PosteriorRule(
        certainty=settings.certainty,
        max_votes=settings.max_votes,
        needed=settings.votes,
        skills=skills,
        class_prior=_class_prior(connection),
    )


def _class_prior(connection: sa.Connection) -> float:
    """The share of the character among settled questions; one half before any is."""
    query = (
        sa.select(question.c.label, sa.func.count())
        .where(question.c.label.in_(YES_OR_NO))
        .group_by(question.c.label)
    )
    found: dict[str, int] = {row[0]: row[1] for row in connection.execute(query)}
    same, different = (found.get(each, 0) + 1 for each in YES_OR_NO)
    return same / (same + different)

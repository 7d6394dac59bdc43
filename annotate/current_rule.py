"""The rule by which labels follow from answers now, as the settings say."""

from __future__ import annotations

from icf.annotate.rule import Rule
from icf.annotate.votes import VotesRule
from icf.workspace import Workspace


def current_rule(workspace: Workspace) -> Rule:
    """Make the rule of a workspace."""
    settings = workspace.settings.annotate
    return VotesRule(settings.votes, settings.max_votes)

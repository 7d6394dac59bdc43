"""Fit how far people can be trusted, and let labels follow, where the settings say."""

from __future__ import annotations

from collections.abc import Callable

from icf.annotate.current_rule import current_rule
from icf.annotate.following import Followed
from icf.annotate.gold.make import retire_unfounded
from icf.annotate.posterior.refit import refit, relabel
from icf.annotate.posterior.skills import read_skills
from icf.workspace import Workspace


def weigh_again(
    workspace: Workspace,
    run_id: int,
    done: Callable[[int], None] = lambda questions: None,
) -> Followed:
    """Fit everybody's skill again and let all labels follow it.

    Suspects are opened again. With ``annotate.decide = "votes"`` nothing depends on
    anybody's skill, and nothing is done.

    Args:
        workspace: whose answers are weighed.
        run_id: the run that changes of labels are charged to.
        done: called with the number of questions of each transaction.
    """
    if workspace.settings.annotate.decide == "votes":
        return Followed()
    retire_unfounded(workspace.catalogue)
    refit(workspace.catalogue)
    followed = relabel(workspace.catalogue, run_id, current_rule(workspace), done)
    followed.add(doubt(workspace, run_id))
    return followed


def doubt(workspace: Workspace, run_id: int) -> Followed:
    """Ask somebody else about settled questions whose label is probably wrong.

    Args:
        workspace: whose labels are doubted.
        run_id: the run that changes of labels are charged to.
    """
    # It imports numpy, which a server that counts votes does not wait for.
    from icf.annotate.posterior.suspects import ask_again, find_suspects

    with workspace.catalogue.read() as connection:
        certainty = workspace.settings.annotate.certainty
        found = find_suspects(connection, read_skills(connection), certainty)
    return ask_again(workspace.catalogue, run_id, current_rule(workspace), found)

"""`icf model list`: what models there are."""

from __future__ import annotations

import click

from icf import command
from icf.command import Invocation, example, pass_invocation, shared_options
from icf.models.cli.model.listed import DIGITS, figures_text, listed_models


@click.command("list")
@shared_options
@pass_invocation
@example("icf model list --json")
def list_command(invocation: Invocation) -> None:
    """List the models of the workspace, the bundled ones among them.

    With --json: [{"sha256", "name", "task", "aliases", "parent", "licence", "figures",
    "file"}]; the task is "detector", "embedder" or "photo"; aliases are "champion",
    "challenger" and "previous"; "file" is null where a model ran from elsewhere.
    """
    found = listed_models(invocation.workspace)
    invocation.emit(
        [each.summary() for each in found],
        lambda: command.table(
            ("task", "name", "hash", "aliases", "licence", "made", "figures"),
            [
                (
                    each.model.task,
                    each.card.name,
                    each.card.sha256[:DIGITS],
                    ", ".join(each.aliases),
                    each.card.licence or "unknown",
                    each.card.created,
                    figures_text(each.card.figures),
                )
                for each in found
            ],
        ),
    )

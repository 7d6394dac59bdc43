"""`icf-train models`: the models that come with the program."""

from __future__ import annotations

import click

from icf.command import Invocation, example, pass_invocation, shared_options
from icf.models.cards import BUNDLED, bundled_path, verified
from icf.models.cli.listed import models_table, summary
from icf.models.registry.tasks import ON_CARDS


@click.command("models")
@shared_options
@pass_invocation
@example("icf-train models --json")
def models(invocation: Invocation) -> None:
    """Check the bundled models against their cards and list them.

    With --json: {NAME: {"path", "sha256", "bytes", "created", "figures"}}.
    """
    cards = {
        name: verified(bundled_path(name), ON_CARDS[name], frozenset())
        for name in BUNDLED
    }
    invocation.emit(
        {name: summary(card, bundled_path(name)) for name, card in cards.items()},
        lambda: models_table(list(cards.values())),
    )

"""`icf init`: make a workspace."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path

import click
import sqlalchemy as sa

from icf import workspace
from icf.catalogue.schema import model
from icf.command import Invocation, example, pass_invocation, shared_options
from icf.models.cards import bundled_path, load_card
from icf.workspace import Workspace

BUNDLED = ("detector", "embedder")


@click.command()
@click.argument("root", metavar="DIR", type=click.Path(path_type=Path))
@shared_options
@pass_invocation
@example("icf init cartoons")
def init(invocation: Invocation, root: Path) -> None:
    """Make a workspace in DIR, or bring the one there up to date.

    A workspace is a folder with icf.toml (the settings), the catalogue, the pictures
    and everything made from them. Running it again changes nothing that is there.
    """
    made = workspace.init(root, invocation.settings)
    register_bundled_models(made)
    invocation.emit(
        {"workspace": str(made.root), "catalogue": made.catalogue_url},
        lambda: (
            f"workspace {made.root} is ready; declare your sources in "
            f"{made.root / workspace.CONFIG}"
        ),
    )


def register_bundled_models(made: Workspace) -> None:
    """Enter the cards of the bundled models into the catalogue, once."""
    with made.catalogue.write() as connection:
        known = set(connection.execute(sa.select(model.c.sha256)).scalars())
        for name in BUNDLED:
            card = load_card(bundled_path(name).with_suffix(".json"))
            if card.sha256 not in known:
                row = {
                    "sha256": card.sha256,
                    "name": card.name,
                    "task": card.task,
                    "card": json.dumps(asdict(card), sort_keys=True),
                    "added_at": time.time(),
                }
                connection.execute(sa.insert(model), row)

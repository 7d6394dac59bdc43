"""`icf init`: make a workspace."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from icf import workspace
from icf.command import GivenPath, Invocation, example, pass_invocation, shared_options
from icf.harvest.http.user_agent import user_agent
from icf.models.cards import BUNDLED, bundled_path, load_card
from icf.models.registry.register import register
from icf.redact import redact
from icf.settings import HarvestSettings
from icf.terminal import is_terminal
from icf.workspace import Workspace


@click.command()
@click.argument("root", metavar="DIR", type=GivenPath())
@click.option(
    "--contact",
    metavar="TEXT",
    help="Mail address or page, for the User-Agent  [default: prompt].",
)
@shared_options
@pass_invocation
@example("icf init cartoons")
def init(invocation: Invocation, root: Path, contact: str | None) -> None:
    """Make a workspace in DIR, or update an existing one.

    A workspace is a folder with icf.toml (the settings), the catalogue, the pictures
    and everything made from them. Running it again does not change existing files; an
    existing icf.toml keeps its contact.
    """
    if contact is None and _may_ask(invocation, root):
        contact = click.prompt(
            "Mail address or page that sites can contact you by (empty for none)",
            default="",
            show_default=False,
            err=True,
        )
    made = make_workspace(root, invocation.settings, contact or "")
    invocation.emit(
        {"workspace": str(made.root), "catalogue": redact(made.catalogue_url)},
        lambda: (
            f"workspace {made.root} is ready; declare your sources in "
            f"{made.root / workspace.CONFIG}"
        ),
    )


def make_workspace(root: Path, flags: tuple[str, ...], contact: str) -> Workspace:
    """Make a workspace with the bundled models in its catalogue.

    Raises:
        WrongUse: ``root`` is a file, or ``contact`` cannot be sent.
        BrokenMachine: nothing can be written there.
    """
    user_agent(HarvestSettings(contact=contact))  # checks that it can be sent
    made = workspace.init(root, flags, contact=contact)
    register_bundled_models(made)
    return made


def _may_ask(invocation: Invocation, root: Path) -> bool:
    """Return whether there is a terminal to prompt, and the answer would be used."""
    there = (root / workspace.CONFIG).exists()
    asks = not (there or invocation.json or invocation.quiet)
    return asks and is_terminal(sys.stdin)


def register_bundled_models(made: Workspace) -> None:
    """Register the bundled models in the catalogue, once."""
    cards = [load_card(bundled_path(name).with_suffix(".json")) for name in BUNDLED]
    register(made.catalogue, cards)

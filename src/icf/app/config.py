"""`icf config`: the settings and where they come from."""

from __future__ import annotations

from pathlib import Path

import click

from icf.command import Invocation, example, pass_invocation, shared_options, table
from icf.settings import LoadedSettings, load
from icf.workspace import root_of


@click.group()
@shared_options
def config() -> None:
    """Show the settings."""


@config.command()
@shared_options
@pass_invocation
@example("icf config show --set filter.min_face=80")
def show(invocation: Invocation) -> None:
    """Print every setting, its value, and where the value came from.

    Flags (--set) win over ICF_* variables, these over icf.toml, and that over the
    defaults. Outside a workspace it shows the settings of a new one.
    """
    settings = list(_loaded(invocation).explain())
    invocation.emit(
        {
            each.key: {
                "value": each.value,
                "from": each.origin,
                "help": each.description,
            }
            for each in settings
        },
        lambda: table(
            ("setting", "value", "from", "meaning"),
            [(s.key, repr(s.value), s.origin, s.description) for s in settings],
        ),
    )


def _loaded(invocation: Invocation) -> LoadedSettings:
    if root_of(invocation.directory or Path.cwd()) is None:
        return load(None, flags=invocation.settings)
    return invocation.workspace.loaded

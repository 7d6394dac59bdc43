"""`icf release`: look at releases, compare, check, revoke and clean them."""

from __future__ import annotations

from icf import command
from icf.command import Subcommand

_HERE = "icf.dataset.cli.release"

cli = command.group(
    "release",
    "List, compare, check, revoke and clean releases.",
    {
        "list": Subcommand(f"{_HERE}.listing:cli", "List the releases of a workspace."),
        "show": Subcommand(f"{_HERE}.show:cli", "Show what a release contains."),
        "diff": Subcommand(f"{_HERE}.diff:cli", "Compare two releases."),
        "verify": Subcommand(f"{_HERE}.verify:cli", "Check a release from its files."),
        "relink": Subcommand(
            "icf.app.relink.command:relink", "Download the pictures of one without."
        ),
        "revoke": Subcommand(f"{_HERE}.revoke:cli", "Say that nobody should use one."),
        "takedowns": Subcommand(
            f"{_HERE}.takedowns:cli", "Write a signed list of what was withdrawn."
        ),
        "clean": Subcommand(f"{_HERE}.clean:cli", "Delete what was withdrawn."),
    },
)

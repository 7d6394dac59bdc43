"""`icf model`: the models of a workspace, and which of them it uses."""

from __future__ import annotations

from icf import command
from icf.command import Subcommand

cli = command.group(
    "model",
    "List, compare and promote models.",
    {
        "list": Subcommand("icf.models.cli.model.list:list_command", "List models."),
        "show": Subcommand("icf.models.cli.model.show:show_command", "Show a model."),
        "add": Subcommand(
            "icf.models.cli.model.add:add_command",
            "Add a model that another program made.",
        ),
        "quantise": Subcommand(
            "icf.models.cli.model.quantise:quantise_command",
            "Write a model with numbers of eight bits.",
        ),
        "compare": Subcommand(
            "icf.models.cli.model.compare:compare_command",
            "Compare two models on the audit set.",
        ),
        "set-aside": Subcommand(
            "icf.models.cli.model.set_aside:set_aside_command",
            "Keep pictures for comparing detectors.",
        ),
        "promote": Subcommand(
            "icf.models.cli.model.promote:promote_command",
            "Use a model from now on, if it passes the gate.",
        ),
        "rollback": Subcommand(
            "icf.models.cli.model.rollback:rollback_command",
            "Go back to the model before.",
        ),
    },
)

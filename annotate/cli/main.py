"""`icf-annotate`: export questions to annotators, import their answers."""

from __future__ import annotations

from icf import command
from icf.command import Subcommand

cli = command.group(
    "icf-annotate",
    "Export questions to annotators, import their answers.",
    {
        "export": Subcommand(
            "icf.annotate.cli.export:export_command",
            "Write questions and their pictures to a new folder.",
        ),
        "import": Subcommand(
            "icf.annotate.cli.import_answers:import_command",
            "Import the answers of a CSV, MTurk or Label Studio file.",
        ),
        "status": Subcommand(
            "icf.annotate.cli.status:status_command",
            "Count questions, answers and labels.",
        ),
    },
)


def main() -> None:
    """Run `icf-annotate`."""
    command.run(cli)

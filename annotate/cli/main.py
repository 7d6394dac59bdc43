"""`icf-annotate`: put questions before people, take their answers."""

from __future__ import annotations

from icf import command
from icf.command import Subcommand

cli = command.group(
    "icf-annotate",
    "Put questions before people, take their answers.",
    {
        "serve": Subcommand(
            "icf.annotate.cli.serve:serve_command",
            "Serve the page on which people answer.",
        ),
        "invite": Subcommand(
            "icf.annotate.cli.invite:invite_command",
            "Make a link with which somebody answers.",
        ),
        "people": Subcommand(
            "icf.annotate.cli.people:people_command",
            "List who was invited, and how much each answered.",
        ),
        "revoke": Subcommand(
            "icf.annotate.cli.people:revoke_command",
            "Shut somebody out at once.",
        ),
        "discount": Subcommand(
            "icf.annotate.cli.discount:discount_command",
            "Let no answer of somebody count.",
        ),
        "plan": Subcommand(
            "icf.annotate.cli.plan:plan_command",
            "Say how many questions and hours are ahead.",
        ),
        "export": Subcommand(
            "icf.annotate.cli.export:export_command",
            "Write questions and their pictures to a new folder.",
        ),
        "import": Subcommand(
            "icf.annotate.cli.import_answers:import_command",
            "Import answers: CSV, JSON Lines, MTurk, Label Studio.",
        ),
        "answers": Subcommand(
            "icf.annotate.cli.answers:answers_command",
            "Write who answered what to a file, with pseudonyms.",
        ),
        "gold": Subcommand(
            "icf.annotate.cli.gold:gold_command",
            "Add, list and retire pairs whose answer is known.",
        ),
        "labels": Subcommand(
            "icf.annotate.cli.labels:labels_command",
            "Let all labels follow the answers again.",
        ),
        "audit": Subcommand(
            "icf.annotate.cli.audit:audit_command",
            "Check a sample of the labels, and prove how many are wrong.",
        ),
        "attributes": Subcommand(
            "icf.annotate.cli.attributes:attributes_command",
            "Write gender, pose and occlusion of the described faces.",
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

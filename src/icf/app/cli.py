"""The `icf` command: the commands of all stages under one name."""

from __future__ import annotations

from icf import command
from icf.command import Subcommand

COMMANDS = {
    "init": Subcommand("icf.app.init:init", "Make a workspace."),
    "demo": Subcommand("icf.app.demo.command:demo", "Build a small example data set."),
    "harvest": Subcommand(
        "icf.harvest.cli.main:cli", "Harvest albums, characters and their images."
    ),
    "import": Subcommand(
        "icf.app.import_data:cli", "Bring labelled data of others into this workspace."
    ),
    "filter": Subcommand(
        "icf.filter.cli.main:cli", "Filter images down to faces worth asking about."
    ),
    "annotate": Subcommand(
        "icf.annotate.cli.main:cli",
        "Export questions to annotators, import their answers.",
    ),
    "build-splits": Subcommand(
        "icf.dataset.cli.build_splits:cli",
        "Write a release in iCartoonFace's formats or others.",
    ),
    "release": Subcommand(
        "icf.dataset.cli.release.main:cli",
        "List, compare, check, revoke and clean releases.",
    ),
    "evaluate": Subcommand(
        "icf.dataset.cli.evaluate.main:cli", "Score a recogniser or a detector."
    ),
    "report": Subcommand(
        "icf.dataset.cli.report:cli", "Write one HTML file that shows the data set."
    ),
    "train": Subcommand(
        "icf.models.cli.main:cli", "Train the detector and the embedder."
    ),
    "model": Subcommand(
        "icf.models.cli.model.main:cli", "List, compare and promote models."
    ),
    "round": Subcommand(
        "icf.app.round.command:cli",
        "Ask people, train on their answers, compare, decide again.",
    ),
    "bench": Subcommand(
        "icf.app.bench.command:cli",
        "Make the paper's tables again, on data of your own.",
    ),
    "detect": Subcommand("icf.app.detect:detect", "Find the faces in any pictures."),
    "embed": Subcommand("icf.app.embed:embed", "Embed the faces of a list."),
    "status": Subcommand("icf.app.status:status", "Count what the workspace holds."),
    "why": Subcommand("icf.app.why:why", "Show why something was kept or dropped."),
    "takedown": Subcommand(
        "icf.app.takedown.command:takedown",
        "Remove a picture or a character for good.",
    ),
    "config": Subcommand("icf.app.config:config", "Show the settings."),
    "copy-catalogue": Subcommand(
        "icf.app.copy_catalogue:copy_command",
        "Copy the catalogue into another database.",
    ),
    "browse": Subcommand(
        "icf.app.browse.command:browse",
        "Look through albums, characters and faces in a browser.",
    ),
    "doctor": Subcommand(
        "icf.app.doctor.command:doctor", "Check this machine and the workspace."
    ),
}


cli = command.group(
    "icf",
    "Build cartoon-face datasets: harvest, filter, annotate, split, report.",
    COMMANDS,
)


def main() -> None:
    """Run `icf`."""
    command.run(cli)


if __name__ == "__main__":
    main()

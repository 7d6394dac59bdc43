"""`icf release verify`: check a release from its files alone."""

from __future__ import annotations

from pathlib import Path

import click

from icf.command import GivenPath, Invocation, example, pass_invocation, shared_options


@click.command("verify")
@click.argument(
    "folder",
    metavar="DIR",
    type=GivenPath(file_okay=False, exists=True),
)
@click.option("--quick", is_flag=True, help="Do not decode the pictures.")
@click.option(
    "--hub", is_flag=True, help="Also look for what the Hugging Face Hub does not take."
)
@click.option(
    "--all", "every", is_flag=True, help="Name every fault, not 20 of a kind."
)
@shared_options
@pass_invocation
@example("icf release verify releases/first")
def cli(
    invocation: Invocation, folder: Path, quick: bool, hub: bool, every: bool
) -> None:
    """Check the release DIR from its files alone, and name each fault in a line.

    Every file's hash, every list against contents.csv, every picture's pixels, and
    everything that train and test must not share. Of faults of one kind 20 are named,
    and the others counted. It needs no workspace. The exit code is 1 where anything is
    wrong.
    """
    # Imported here, so that help and wrong use do not wait for numpy and the decoder.
    from icf.dataset.release.sums import files_below
    from icf.dataset.verify.capped import NAMED
    from icf.dataset.verify.verify import verify

    total = sum(1 for _ in files_below(folder))
    with invocation.progress("verifying", total) as advance:
        most = None if every else NAMED
        found = verify(folder, quick=quick, hub=hub, most=most, advance=advance)
    for note in found.notes:
        invocation.say(note)
    result = {
        "path": str(folder),
        "whole": not found.faults,
        "files": found.files,
        "faults": [{"file": each.file, "what": each.what} for each in found.faults],
        "notes": list(found.notes),
    }
    lines = [str(each) for each in found.faults]
    whole = f"{folder} is whole: {found.files:,} files, no leak"
    invocation.emit(result, lambda: "\n".join(lines) if lines else whole)
    if found.faults:
        raise click.exceptions.Exit(1)

"""`icf import icartoonface`: bring the published data set into a workspace."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import cast, get_args

import click

from icf.app.import_icartoonface.listed import Fault, TestLabels
from icf.app.import_icartoonface.work import (
    Imported,
    import_icartoonface,
    preview,
)
from icf.command import Invocation, example, pass_invocation, shared_options, table
from icf.engine.engine import open_engine
from icf.errors import SomeFailed

#: Faults that a message names; `--json` has all.
_SHOWN = 20


@click.command("icartoonface")
@click.argument(
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
)
@click.option(
    "--test-labels",
    type=click.Choice(get_args(TestLabels)),
    default="own",
    show_default=True,
    help="What the numbers of the recognition test are: identities of their own, or "
    "the numbers of training folders, as in a release of icf-build-splits.",
)
@click.option(
    "--licence",
    metavar="TEXT",
    default="unknown",
    show_default=True,
    help="Licence of the pictures, as its publisher states it.",
)
@click.option("--dry-run", is_flag=True, help="Only count what would be imported.")
@shared_options
@pass_invocation
@example("icf import icartoonface published --dry-run")
def icartoonface(
    invocation: Invocation,
    folder: Path,
    test_labels: str,
    licence: str,
    dry_run: bool,
) -> None:
    """Bring the published iCartoonFace in DIR into this workspace.

    DIR has the lists and the folders of pictures, in whichever folders the archives
    were unpacked: the recognition set, the detection set, the training part or the test
    part of either. Boxes are taken as published, identities as confirmed labels, and
    each picture remembers its part: the pictures of a test are never trained on by
    `icf-train --data workspace`. Run `icf-filter run` next.

    If the command is interrupted, run it again to continue; a second run changes
    nothing. Lines and pictures that are damaged or missing are reported, and the
    others imported.
    """
    workspace, labels = invocation.workspace, cast(TestLabels, test_labels)
    if dry_run:
        done = preview(workspace, folder, labels)
    else:
        wanted = workspace.settings.filter
        with (
            closing(open_engine("local", wanted.workers, None, wanted.deadline)) as one,
            invocation.progress("importing pictures", None) as advance,
        ):
            done = import_icartoonface(workspace, folder, labels, licence, one, advance)
    invocation.emit(_as_json(done), lambda: _as_table(folder, done))
    if done.written.pictures and not dry_run:
        invocation.say_next_step()
    if done.faults:
        raise SomeFailed(_explained(done.faults, dry_run=dry_run))


def _as_json(done: Imported) -> dict[str, object]:
    return {
        "listed": dict(done.listed),
        "known": done.known,
        "pictures": dict(done.written.pictures),
        "faces": done.written.faces,
        "labels": done.written.labels,
        "withdrawn": done.written.withdrawn,
        "left_out": dict(done.left_out),
        "faults": [{"where": each.where, "why": each.why} for each in done.faults],
    }


def _as_table(folder: Path, done: Imported) -> object:
    rows = [
        *(
            (f"pictures of {part}", count)
            for part, count in done.written.pictures.items()
        ),
        ("faces", done.written.faces),
        ("confirmed labels", done.written.labels),
        ("pictures imported before", done.known),
        ("pictures that were withdrawn", done.written.withdrawn),
        *((f"left out: {why}", count) for why, count in sorted(done.left_out.items())),
        ("faults", len(done.faults)),
    ]
    return table((folder.name, "count"), [row for row in rows if row[1]])


def _explained(faults: list[Fault], *, dry_run: bool) -> str:
    noun = "line or picture" if len(faults) == 1 else "lines or pictures"
    what = (
        "cannot be imported; all others can"
        if dry_run
        else "could not be imported; all others are"
    )
    lines = [f"{len(faults):,} {noun} {what}:"]
    lines += [f"  {each}" for each in faults[:_SHOWN]]
    if len(faults) > _SHOWN:
        lines.append(f"  and {len(faults) - _SHOWN:,} more; --json names all")
    return "\n".join(lines)

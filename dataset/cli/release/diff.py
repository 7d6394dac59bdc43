"""`icf release diff`: what changed from one release to another."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from icf.command import (
    GivenPath,
    Invocation,
    example,
    pass_invocation,
    shared_options,
    table,
)
from icf.dataset.cli.revoked import say_if_revoked

if TYPE_CHECKING:
    from icf.dataset.release.difference import Changes

_FOLDER = GivenPath(file_okay=False, exists=True)


@click.command("diff")
@click.argument("one", metavar="A", type=_FOLDER)
@click.argument("other", metavar="B", type=_FOLDER)
@shared_options
@pass_invocation
@example("icf release diff releases/first releases/first")
def cli(invocation: Invocation, one: Path, other: Path) -> None:
    """Say what changed from the release A to the release B, from their files alone.

    A face is known by its picture's bytes and its corners, an identity by its album's
    and its character's name, a picture of the detection set by its bytes.
    """
    from icf.dataset.release.difference import compare

    for each in (one, other):
        say_if_revoked(invocation, each)
    found = compare(one, other)
    rows = [
        *_rows("faces", found.faces, "relabelled"),
        *_rows("detection pictures", found.pictures, "with other boxes"),
    ]
    for sign, names in (
        ("added", found.identities_added),
        ("removed", found.identities_removed),
    ):
        rows.append((f"identities {sign}", str(len(names)), ", ".join(names[:5])))
    for kind, differing in (("setting", found.settings), ("model", found.models)):
        for name, (before, after) in differing.items():
            rows.append((f"{kind} {name}", "", f"{before} -> {after}"))
    columns = ("what", "count", "which")
    invocation.emit(asdict(found), lambda: table(columns, rows))


def _rows(what: str, changes: Changes, differ: str) -> list[tuple[str, str, str]]:
    counts = {
        "same": changes.same,
        "added": changes.added,
        "removed": changes.removed,
        differ: changes.relabelled,
    }
    rows = [(f"{what} {name}", f"{count:,}", "") for name, count in counts.items()]
    rows += [
        (f"{what} moved", f"{count:,}", way) for way, count in changes.moved.items()
    ]
    return rows

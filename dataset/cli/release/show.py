"""`icf release show`: what a release contains."""

from __future__ import annotations

from pathlib import Path

import click

from icf.command import (
    GivenPath,
    Invocation,
    example,
    pass_invocation,
    shared_options,
    table,
)


@click.command("show")
@click.argument(
    "folder",
    metavar="DIR",
    type=GivenPath(file_okay=False, exists=True),
)
@shared_options
@pass_invocation
@example("icf release show releases/first")
def cli(invocation: Invocation, folder: Path) -> None:
    """Show what the release DIR contains, from its files alone."""
    from icf.dataset.contents import FILE as CONTENTS
    from icf.dataset.release.files import SUMS
    from icf.dataset.release.known import Known, read_summary
    from icf.icartoonface.revoked import revocation
    from icf.stores.files import hash_file

    summary = read_summary(folder)
    because = revocation(folder)
    sums = folder / SUMS
    content = hash_file(sums) if sums.is_file() else None
    lost = (folder / CONTENTS).is_file()
    without = "it is missing" if lost else "an earlier version wrote none"
    said = Known(folder, summary).as_json
    for name in ("created", "revoked", "is_there"):
        del said[name]
    said |= {"content": content, "revoked_because": because}
    said |= {
        name: summary.get(name)
        for name in (
            *("held_back", "detection_beyond", "unused", "left_out", "leaks"),
            *("models", "settings"),
        )
    }
    rows = [
        ("id", str(said["id"])),
        ("content (SHA-256 of SHA256SUMS)", content or without),
        ("seed", str(said["seed"])),
        ("formats", ", ".join(said["formats"])),
        ("version", str(said["version"])),
        *((name.replace("_", " "), f"{n:,}") for name, n in said["counts"].items()),
    ]
    if because:
        rows.append(("revoked", because))
    invocation.emit(said, lambda: table(("", ""), rows))

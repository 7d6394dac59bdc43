"""`icf-filter status`: what is in, out or pending, and why."""

from __future__ import annotations

import click
from rich.table import Table

from icf import command
from icf.codes import meaning_of
from icf.command import Invocation, example, pass_invocation, shared_options
from icf.filter.reasons import REASONS
from icf.filter.status import Counts, count_faces, count_images


@click.command("status")
@shared_options
@pass_invocation
@example("icf-filter status --json")
def status_command(invocation: Invocation) -> None:
    """Count the images and faces that are in, out or pending, and why."""
    with invocation.workspace.catalogue.read() as connection:
        images, faces = count_images(connection), count_faces(connection)
    result = {
        "faces": faces.total,
        "kept": faces.kept,
        "pending": faces.pending,
        "dropped": faces.dropped,
        "images": {
            "total": images.total,
            "kept": images.kept,
            "pending": images.pending,
            "dropped": images.dropped,
        },
    }
    invocation.emit(result, lambda: _status_table(images, faces))


def _status_table(images: Counts, faces: Counts) -> Table:
    rows: list[tuple[str, str, str, str]] = []
    for name, counts, codes in (
        ("images", images, REASONS["image"]),
        ("faces", faces, REASONS["face"]),
    ):
        rows.append((name, "total", f"{counts.total:,}", ""))
        rows.append(("", "pending", f"{counts.pending:,}", ""))
        rows.append(("", "kept", f"{counts.kept:,}", ""))
        for reason, number in counts.dropped.items():
            rows.append(("", reason, f"{number:,}", meaning_of(codes, reason)))
    return command.counts_table(("", "", "count", "meaning"), rows)

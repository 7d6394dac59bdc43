"""`icf-annotate attributes`: what people agree on about faces."""

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
from icf.errors import WrongUse


@click.command("attributes")
@click.argument("out", metavar="[OUT]", type=GivenPath(), required=False)
@click.option(
    "--people",
    type=click.IntRange(1),
    default=2,
    show_default=True,
    help="Only faces that so many people described, at least.",
)
@shared_options
@pass_invocation
@example("icf-annotate attributes attributes.csv --people 1")
def attributes_command(invocation: Invocation, out: Path | None, people: int) -> None:
    """Write gender, pose and occlusion of the described faces to the CSV file OUT.

    What several people said of a face is merged: codes by majority, angles by their
    mean on the circle. A cell is empty where they contradict each other. Without OUT it
    only says how far they agree.
    """
    from icf.annotate.attributes.table import as_csv, read_described, summarise
    from icf.stores.files import check_place_of_file, replace_file

    if out is not None and out.exists():
        raise WrongUse(f"{out} exists already; choose another name, or remove it")
    if out is not None:
        check_place_of_file(out)
    with invocation.workspace.catalogue.read() as connection:
        described = read_described(connection, people)
        data = as_csv(connection, described) if out is not None else b""
    if out is not None:
        replace_file(out, [data])
    summary = summarise(described)
    result = {
        "faces": summary.faces,
        "disagreement": dict(summary.disagreement),
        "written": str(out) if out is not None else None,
    }
    rows = [
        (name, "" if value is None else f"{value:g}", _UNITS[name])
        for name, value in summary.disagreement.items()
    ]
    columns = ("attribute", "disagreement", "unit")
    invocation.emit(result, lambda: table(columns, rows))
    if not described:
        invocation.say(f"no face was described by {people} people or more yet")


_SHARE, _DEGREES = "mean share of people", "mean degrees"
_UNITS = {
    "gender": _SHARE,
    "yaw": _DEGREES,
    "pitch": _DEGREES,
    "roll": _DEGREES,
    "occlusion": _SHARE,
}

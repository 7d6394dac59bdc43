"""`icf-harvest licences`: the licences of the pictures."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import click

from icf.catalogue.labels.marks import count_marked
from icf.command import (
    GivenPath,
    Invocation,
    example,
    pass_invocation,
    shared_options,
    table,
)
from icf.errors import BrokenMachine
from icf.harvest.report.licences import COLUMNS, picture_sources, tabulate
from icf.stores.files import check_place_of_file, replace_file


@click.command("licences")
@click.option(
    "--csv",
    "path",
    metavar="FILE",
    type=GivenPath(dir_okay=False),
    help="Write a row for every source of every stored picture.",
)
@shared_options
@pass_invocation
@example("icf-harvest licences --csv licences.csv")
def licences_command(invocation: Invocation, path: Path | None) -> None:
    """Count URLs and stored pictures by licence and by where it was read.

    The family is one name for all spellings: CC-BY-SA-4.0, CC0-1.0, GFDL,
    public-domain, non-free (fair use), all-rights-reserved, other or unknown.
    --only-licence of `icf-harvest run` matches the family or the licence as written.
    """
    with invocation.workspace.catalogue.read() as connection:
        rows = tabulate(connection)
        marked = count_marked(connection)
        if path is not None:
            _write(path, picture_sources(connection))
    columns = (
        "family",
        "licence",
        "read from",
        "source",
        "URLs",
        "pictures",
        "without author",
    )
    invocation.emit(
        {"licences": [asdict(row) for row in rows], "no_training": asdict(marked)},
        lambda: table(columns, [tuple(asdict(row).values()) for row in rows]),
    )
    if marked.refused or marked.stored:
        invocation.say(
            f"metadata that forbids training: {marked.refused} URLs were not stored "
            f"for it, {marked.stored} stored pictures have it (harvest.no_training)"
        )
    if marked.reserved:
        invocation.say(
            f"hosts that speak against training: {marked.reserved} stored pictures "
            "are theirs (harvest.no_training)"
        )
    if path is not None:
        invocation.say(f"{path} has a row for every source of every picture")


def _write(path: Path, rows: Iterable[Sequence[str]]) -> None:
    check_place_of_file(path)
    try:
        replace_file(path.resolve(), _lines(rows))
    except OSError as error:
        raise BrokenMachine(
            f"cannot write {path}: {error}; name a file in a folder that you may "
            "write to"
        ) from error


def _lines(rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
    yield _line(COLUMNS)
    for row in rows:
        yield _line(row)


def _line(row: Sequence[str]) -> bytes:
    line = io.StringIO(newline="")
    csv.writer(line).writerow(row)
    return line.getvalue().encode("utf-8", errors="replace")

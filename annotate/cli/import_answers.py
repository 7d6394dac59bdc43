"""`icf-annotate import`: take in a file of answers."""

from __future__ import annotations

from pathlib import Path

import click

from icf.annotate.import_answers import (
    Imported,
    People,
    import_answers,
    preview_import,
)
from icf.codes import Label
from icf.command import Invocation, example, pass_invocation, shared_options, table
from icf.errors import SomeFailed, WrongUse


@click.command("import")
@click.argument(
    "file", metavar="FILE", type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@click.option(
    "--annotator", metavar="NAME", help="Who answered the rows that name nobody."
)
@click.option(
    "--person",
    "persons",
    metavar="FOUND=NAME",
    multiple=True,
    help="Call an annotator of the file NAME; may be repeated.",
)
@click.option("--dry-run", is_flag=True, help="Only check and count the rows.")
@shared_options
@pass_invocation
@example("icf-annotate import batches/answers.csv")
def import_command(
    invocation: Invocation,
    file: Path,
    annotator: str | None,
    persons: tuple[str, ...],
    dry_run: bool,
) -> None:
    """Take in the answers of FILE: questions.csv filled in, MTurk or Label Studio.

    Good rows are taken; each bad one is reported with its line and reason, and the exit
    code is 3. Answers that are known are not counted twice, so the same file can be
    imported again, and must be if this was killed. A question is settled by as many
    agreeing answers as the setting annotate.votes says.
    """
    people = People(dict(map(_person, persons)), annotator)
    workspace = invocation.workspace
    if dry_run:
        imported = preview_import(workspace, file, people)
    else:
        with invocation.progress("taking answers", None) as advance:
            imported = import_answers(workspace, file, people, advance)
    invocation.emit(_import_json(imported), lambda: _import_table(imported))
    _complain(file, imported, dry_run)


def _person(text: str) -> tuple[str, str]:
    found, equals, name = text.rpartition("=")
    if not equals or not found or not name:
        raise WrongUse(f"--person {text}: write it as FOUND=NAME")
    return found, name


def _import_json(imported: Imported) -> dict[str, object]:
    return {
        "format": imported.file.format,
        "rows": len(imported.file.rows),
        "taken": imported.taken,
        "known": imported.known,
        "unanswered": imported.unanswered,
        "refused": imported.refused,
        "faults": [
            {
                "line": fault.line,
                "reason": fault.reason.value,
                "message": fault.message,
            }
            for fault in imported.faults
        ],
        "labels": {label.value: imported.labels.get(label, 0) for label in Label},
    }


def _import_table(imported: Imported) -> object:
    rows = [
        ("answers taken", imported.taken),
        ("known already", imported.known),
        ("without an answer", imported.unanswered),
        *((f"refused: {why}", number) for why, number in imported.refused.items()),
        *(
            (f"questions now {label}", imported.labels[label])
            for label in Label
            if imported.labels.get(label)
        ),
    ]
    return table((imported.file.name, "count"), rows)


def _complain(file: Path, imported: Imported, dry_run: bool) -> None:
    if not imported.faults:
        return
    unit = imported.file.unit
    lines = [
        f"{unit} {fault.line}: {fault.reason}: {fault.message}"
        for fault in imported.faults
    ]
    fate = "would not be taken" if dry_run else "were not taken; the others were"
    raise SomeFailed(
        f"rows of {file} that {fate}: {len(lines)}. Mend these and import the file "
        "again:\n" + "\n".join(lines)
    )

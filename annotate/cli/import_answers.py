"""`icf-annotate import`: import an answer file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from icf.annotate.answers import UNDERSTOOD, Fault, Note
from icf.annotate.boxes.exchange.read import read_boxes_file
from icf.annotate.cli.boxes import import_and_report
from icf.annotate.exchange.annotator_names import AnnotatorNames
from icf.annotate.following import FILTER_NEXT
from icf.annotate.import_answers import Imported, import_answers, preview_import
from icf.annotate.votes import ALWAYS_COUNTED
from icf.annotate.waiting import apply_waiting
from icf.codes import Label, RowFault, RowNote
from icf.command import (
    GivenPath,
    Invocation,
    example,
    pass_invocation,
    shared_options,
    table,
)
from icf.errors import SomeFailed, WrongUse

#: Refused rows of a reason that the message shows.
_SHOWN = 5


@click.command("import")
@click.argument("file", metavar="FILE", type=GivenPath(exists=True, dir_okay=False))
@click.option(
    "--annotator", metavar="NAME", help="Annotator of the rows that do not name one."
)
@click.option(
    "--person",
    "persons",
    metavar="FOUND=NAME",
    multiple=True,
    help="Rename the annotator FOUND of the file to NAME; may be repeated. What was "
    "imported under another name follows.",
)
@click.option(
    "--server",
    metavar="NAME",
    help="Call the Label Studio that the file is from NAME: its user 1 becomes "
    "label-studio:NAME:1, and is another person than user 1 of another one.",
)
@click.option("--dry-run", is_flag=True, help="Only check and count the rows.")
@shared_options
@pass_invocation
@example("icf-annotate import batches/questions.csv")
def import_command(
    invocation: Invocation,
    file: Path,
    annotator: str | None,
    persons: tuple[str, ...],
    server: str | None,
    dry_run: bool,
) -> None:
    """Import the answers in FILE: CSV, JSON Lines, MTurk's or Label Studio's.

    Good rows are imported; each bad row is reported with its line and reason, and the
    exit code is 3. Known answers are not counted twice, so a file can be imported
    again, for example after an interruption. Another answer of the same person in a
    later file replaces the earlier one; where answers have a time, the newest counts,
    in whatever order files are imported. A question is settled when as many answers
    agree as the setting annotate.votes requires.

    A file of boxes, COCO's or Label Studio's, is known by its content.
    """
    names = AnnotatorNames(dict(map(_parse_person, persons)), annotator, server)
    workspace = invocation.workspace
    if (boxes := read_boxes_file(file)) is not None:
        import_and_report(invocation, file, boxes, names, dry_run=dry_run)
        return
    if dry_run:
        imported = preview_import(workspace, file, names)
    else:
        apply_waiting(workspace)
        with invocation.progress("importing answers", None) as advance:
            imported = import_answers(workspace, file, names, advance)
    invocation.emit(_import_json(imported), lambda: _import_table(imported))
    for note in imported.noted:
        invocation.say("\n".join(_noted(imported, RowNote[note.upper()])))
    if names.unused:
        unused = ", ".join(names.unused)
        invocation.say(f"no row of {file} is of {unused}, whom --person renames")
    if imported.outlived:
        invocation.say(
            f"{file} was imported before, and {imported.outlived} of its answers were "
            "changed since: the later ones stay. To return to its own, change anything "
            "else in the file, such as a blank line at its end, and import it again"
        )
    if imported.filter_next:
        invocation.say(FILTER_NEXT)
    _fail_on_faults(file, imported, dry_run)


def _parse_person(text: str) -> tuple[str, str]:
    found, equals, name = text.rpartition("=")
    if not equals or not found or not name:
        raise WrongUse(f"--person {text}: expected FOUND=NAME")
    return found, name


def _import_json(imported: Imported) -> dict[str, object]:
    return {
        "format": imported.file.format,
        "rows": imported.rows,
        "taken": imported.taken,
        "revised": imported.revised,
        "known": imported.known,
        "outlived": imported.outlived,
        "unanswered": imported.unanswered,
        "superseded": imported.superseded,
        "renamed": imported.renamed,
        "refused": dict(imported.refused),
        "faults": [
            {**_row_json(fault), "message": fault.message} for fault in imported.faults
        ],
        "noted": dict(imported.noted),
        "notes": [_row_json(note) for note in imported.notes],
        "labels": {
            label.value: imported.labels.get(label, 0)
            for label in Label
            if label in ALWAYS_COUNTED or label in imported.labels
        },
        "unmerged": imported.unmerged,
        "references_refused": len(imported.effects.refused),
        "references_restored": len(imported.effects.restored),
        "faces_out": len(imported.effects.faces_out),
        "faces_back": len(imported.effects.faces_back),
    }


def _row_json(row: Fault | Note) -> dict[str, object]:
    return {
        "line": row.line,
        "reason": row.reason.value,
        "question": row.question,
        "item": row.item,
    }


def _import_table(imported: Imported) -> object:
    rows = [
        ("answers imported", imported.taken),
        ("earlier answers changed", imported.revised),
        ("already known", imported.known),
        ("without an answer", imported.unanswered),
        *_if_any("older answers of the same person", imported.superseded),
        *_if_any("known answers under another name now", imported.renamed),
        *((f"refused: {why}", number) for why, number in imported.refused.items()),
        *(
            (f"questions now {label}", imported.labels[label])
            for label in Label
            if imported.labels.get(label)
        ),
    ]
    effects = imported.effects
    rows += [
        *_if_any("merges of characters undone", imported.unmerged),
        *_if_any("references refused", len(effects.refused)),
        *_if_any("references restored", len(effects.restored)),
        *_if_any("faces dropped, because they are none", len(effects.faces_out)),
        *_if_any("faces restored", len(effects.faces_back)),
    ]
    return table((imported.file.name, "count"), rows)


def _if_any(what: str, number: int) -> list[tuple[str, int]]:
    """A row of the table, where there is something to count."""
    return [(what, number)] if number else []


def _noted(imported: Imported, reason: RowNote) -> list[str]:
    """Say what is the matter with rows that were not refused; show the first."""
    count = imported.noted[reason.value]
    shown = [each for each in imported.notes if each.reason is reason][:_SHOWN]
    rows = "row" if count == 1 else "rows"
    lines = [f"{reason}, {count} {rows} ({reason.meaning})"]
    lines += [f"  {_where(imported, each)}" for each in shown]
    return lines + _and_more(count, shown)


def _where(imported: Imported, row: Fault | Note) -> str:
    """Which row it is: by its number, its question and what the tool calls it."""
    known = [f"question {row.question}"] if row.question else []
    known += [f"id {row.item}"] if row.item else []
    place = f"{imported.file.unit} {row.line}"
    return f"{place} ({', '.join(known)})" if known else place


def _and_more(count: int, shown: Sequence[object]) -> list[str]:
    return [f"  and {count - len(shown)} more"] if count > len(shown) else []


def _fail_on_faults(file: Path, imported: Imported, dry_run: bool) -> None:
    """End with exit code 3 if not all of the file was understood.

    Raises:
        SomeFailed: rows were refused, or there was no answer in the file at all.
    """
    if not imported.refused:
        if imported.unanswered == imported.rows:
            raise SomeFailed(
                f"{file} has no answer in {imported.rows} rows; is it the "
                "file that was filled in?"
            )
        return
    refused = sum(imported.refused.values())
    others = "nothing" if refused == imported.rows else "everything else"
    what = (
        f"would be refused and {others} imported"
        if dry_run
        else f"refused, {others} imported"
    )
    lines = [
        f"{refused} of {imported.rows} rows of {file} {what}. Correct these and import "
        "the file again:"
    ]
    for reason, count in imported.refused.items():
        lines += _explained(imported, RowFault[reason.upper()], count)
    raise SomeFailed("\n".join(lines))


def _explained(imported: Imported, reason: RowFault, count: int) -> list[str]:
    """Say once what is wrong with rows, and show the first of them."""
    shown = [each for each in imported.faults if each.reason is reason][:_SHOWN]
    about = UNDERSTOOD if reason is RowFault.UNKNOWN_CHOICE else reason.meaning
    rows = "row" if count == 1 else "rows"
    lines = [f"{reason}, {count} {rows} ({about})"]
    lines += [f"  {_where(imported, each)}: {each.message}" for each in shown]
    return lines + _and_more(count, shown)

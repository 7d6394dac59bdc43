"""`icf-annotate`: ask people questions, and take in their answers."""

from __future__ import annotations

from pathlib import Path

import click

from icf import command
from icf.annotate.ask import count_unasked
from icf.annotate.export import FILES, Exported, Order, export, standing_batch
from icf.annotate.import_answers import (
    Imported,
    People,
    import_answers,
    preview_import,
)
from icf.annotate.status import count
from icf.codes import Label
from icf.command import Invocation, example, pass_invocation, shared_options, table
from icf.errors import SomeFailed, WrongUse

#: Questions left out of a batch that a message names; the others are counted.
_SHOWN = 3

cli = command.group("icf-annotate", "Ask people questions, and take in their answers.")


def main() -> None:
    """Run `icf-annotate`."""
    command.run(cli)


@cli.command("export")
@click.argument("out", metavar="OUT", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(tuple(FILES)),
    default="csv",
    show_default=True,
    help="For a spreadsheet or MTurk, or for Label Studio.",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    help="Questions to ask at most  [default: the setting annotate.batch].",
)
@click.option(
    "--url-prefix",
    metavar="URL",
    help="Put this before the path of each picture in the questions.",
)
@click.option("--dry-run", is_flag=True, help="Only count what would be asked.")
@shared_options
@pass_invocation
@example("icf-annotate export --format csv batches/first")
def export_command(
    invocation: Invocation,
    out: Path,
    form: str,
    limit: int | None,
    url_prefix: str | None,
    dry_run: bool,
) -> None:
    """Write questions with their pictures into the new folder OUT.

    Each asks whether a face is the same character as the reference picture. Up to half
    are about what the filter suspects (see `icf-filter review`); of the others the most
    uncertain come first. No question is asked twice, so the next batch, in another
    folder, has new ones. Killed half way, the same command finishes the folder.
    """
    workspace = invocation.workspace
    limit = limit or workspace.settings.annotate.batch
    order = Order(form, out, limit, url_prefix)
    if dry_run:
        _count_only(invocation, order)
        return
    with invocation.progress("cutting pictures", None) as advance:
        exported = export(workspace, order, advance)
    _tell_export(invocation, order, exported)


@cli.command("import")
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


@cli.command("status")
@shared_options
@pass_invocation
@example("icf-annotate status --json")
def status_command(invocation: Invocation) -> None:
    """Count questions, answers and labels."""
    with invocation.workspace.catalogue.read() as connection:
        counts = count(connection)
    result = {
        "questions": counts.questions,
        "answers": counts.answers,
        "labels": counts.labels,
        "open": counts.open,
        "batches": counts.batches,
    }
    rows = [
        ("batches", counts.batches, ""),
        ("answers", counts.answers, ""),
        ("questions", counts.questions, ""),
        ("  open", counts.open, Label.OPEN.meaning),
        *(
            (f"  {label}", number, Label[label.upper()].meaning)
            for label, number in counts.labels.items()
        ),
    ]
    invocation.emit(result, lambda: table(("", "count", "meaning"), rows))


def _count_only(invocation: Invocation, order: Order) -> None:
    standing = standing_batch(invocation.workspace, order)
    with invocation.workspace.catalogue.read() as connection:
        unasked = count_unasked(connection)
    asked = standing.questions if standing else min(unasked, order.limit)
    result = {
        "batch": standing.id if standing else None,
        "questions": asked,
        "unasked": unasked,
    }
    invocation.emit(
        result,
        lambda: (
            f"{asked} questions would be in {order.folder}; {unasked} were never asked"
        ),
    )


def _tell_export(invocation: Invocation, order: Order, exported: Exported) -> None:
    batch = exported.batch
    questions = batch.questions - len(exported.left_out) if batch else 0
    result = {
        "batch": batch.id if batch else None,
        "format": order.format,
        "path": str(order.folder),
        "questions": questions,
        "asked": exported.asked,
        "written": exported.written,
        "left_out": {str(key): why for key, why in exported.left_out.items()},
    }
    if batch is None:
        told = (
            "nothing to ask: every kept face was asked about, or is a reference; "
            f"{order.folder} was not made"
        )
    elif not exported.written:
        told = f"{order.folder} holds batch {batch.id} already; nothing was written"
    else:
        told = f"batch {batch.id}: {questions} questions in {order.folder}"
        if not exported.asked:
            told += "; they were asked before, and their folder was not there"
    invocation.emit(result, lambda: told)
    if exported.left_out:
        raise SomeFailed(_left_out_message(order, exported.left_out))


def _left_out_message(order: Order, left_out: dict[int, str]) -> str:
    lines = [f"question:{key}: {why}" for key, why in list(left_out.items())[:_SHOWN]]
    if len(left_out) > _SHOWN:
        lines.append(f"and {len(left_out) - _SHOWN} more")
    return (
        f"questions of the batch that have no picture: {len(left_out)}\n"
        + "\n".join(lines)
        + f"\nMend that, remove {order.folder} and run the same command: it writes the "
        "whole batch again"
    )


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

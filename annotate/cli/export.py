"""`icf-annotate export`: write a batch of questions."""

from __future__ import annotations

from pathlib import Path

import click

from icf.annotate.ask import count_unasked
from icf.annotate.export import FILES, Exported, Order, export, standing_batch
from icf.command import Invocation, example, pass_invocation, shared_options
from icf.errors import SomeFailed

#: Questions left out of a batch that a message names; the others are counted.
_SHOWN = 3


@click.command("export")
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

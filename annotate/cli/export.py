"""`icf-annotate export`: write a batch of questions."""

from __future__ import annotations

from pathlib import Path

import click

from icf.annotate.boxes.exchange.coco import NAME as COCO
from icf.annotate.boxes.exchange.export_boxes import BoxExport, Which
from icf.annotate.boxes.exchange.yolo import NAME as YOLO
from icf.annotate.choosing.choose import choose
from icf.annotate.choosing.unasked import count_unasked
from icf.annotate.cli.boxes import export_and_report
from icf.annotate.export import (
    Exported,
    ExportRequest,
    batch_shares,
    existing_batch,
    export,
)
from icf.annotate.formats.registry import WRITERS
from icf.annotate.waiting import apply_waiting
from icf.command import GivenPath, Invocation, example, pass_invocation, shared_options
from icf.errors import SomeFailed, WrongUse

QUESTIONS = "questions"
LABEL_STUDIO = "label-studio"

#: Maximum number of left-out questions that a message lists.
_LISTED = 3


@click.command("export")
@click.argument("out", metavar="OUT", type=GivenPath())
@click.option(
    "--what",
    type=click.Choice((QUESTIONS, *(each.value for each in Which))),
    default=QUESTIONS,
    show_default=True,
    help="Questions; pictures to box; or pictures whose boxes people verified.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice((*WRITERS, COCO, YOLO)),
    help="csv for spreadsheets and MTurk, jsonl for programs, or label-studio; of "
    "boxes coco or label-studio, of verified ones also yolo  [default: csv, of boxes "
    "coco].",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    help="Maximum number of questions  [default: the setting annotate.batch].",
)
@click.option(
    "--url-prefix",
    metavar="URL",
    help="Prepend this to the path of each picture in the questions.",
)
@click.option("--dry-run", is_flag=True, help="Only count the questions.")
@shared_options
@pass_invocation
@example("icf-annotate export --format csv batches/first")
def export_command(
    invocation: Invocation,
    out: Path,
    what: str,
    form: str | None,
    limit: int | None,
    url_prefix: str | None,
    dry_run: bool,
) -> None:
    """Write questions, or boxes, with their pictures to the new folder OUT.

    Each question asks whether a face is the same character as the reference picture. Of
    ten questions three are drawn at random, some of these from the faces that were
    dropped, so that the probabilities can be checked. Up to half of the others are
    about suspicions of the filter (see `icf-filter review`), the rest about the most
    uncertain faces. No question is asked twice, so the next batch, in another folder,
    has new ones. If the command is interrupted, run it again to complete the folder.

    With --what boxes it writes pictures in which people are to box every drawn face,
    with --what verified-boxes those of which people agree on the boxes.
    """
    workspace = invocation.workspace
    if what != QUESTIONS:
        _export_boxes(
            invocation, out, Which(what), form or COCO, limit, url_prefix, dry_run
        )
        return
    if form == YOLO:
        raise WrongUse("yolo has boxes: add --what verified-boxes, or choose another")
    if form == COCO:
        raise WrongUse("COCO is a format of boxes: add --what boxes, or choose another")
    form = form or "csv"
    apply_waiting(workspace)
    limit = limit or workspace.settings.annotate.batch
    request = ExportRequest(form, out, limit, url_prefix)
    if dry_run:
        _count_only(invocation, request)
        return
    with invocation.progress("cropping faces", None) as advance:
        exported = export(workspace, request, advance)
    _report_export(invocation, request, exported)


def _export_boxes(
    invocation: Invocation,
    out: Path,
    which: Which,
    form: str,
    limit: int | None,
    url_prefix: str | None,
    dry_run: bool,
) -> None:
    if form == YOLO and which is not Which.VERIFIED:
        raise WrongUse(
            "yolo cannot come back as answers: export what people agreed on with "
            "--what verified-boxes, or choose another format"
        )
    if form not in (COCO, LABEL_STUDIO, YOLO):
        raise WrongUse(
            f"boxes are not written as {form}: choose --format {COCO} or {LABEL_STUDIO}"
        )
    if dry_run:
        raise WrongUse("--dry-run counts questions; `icf-annotate status` counts boxes")
    most = limit or invocation.workspace.settings.annotate.batch
    export_and_report(invocation, BoxExport(which, form, out, most, url_prefix))


def _count_only(invocation: Invocation, request: ExportRequest) -> None:
    workspace = invocation.workspace
    existing = existing_batch(workspace, request)
    with workspace.catalogue.read() as connection:
        shares = batch_shares(workspace, connection)
        unasked = count_unasked(connection, shares)
        if existing:
            asked = existing.questions
        else:
            asked = len(choose(connection, request.limit, shares))
    result = {
        "batch": existing.id if existing else None,
        "questions": asked,
        "unasked": unasked.total,
        "references": unasked.references,
        "waiting": unasked.waiting,
        "sure": unasked.sure,
        "followers": unasked.followers,
        "needless": unasked.needless,
    }
    message = (
        f"{asked} questions would be in {request.folder}; {unasked.total} are not "
        "asked yet"
    )
    if unasked.references:
        message += f", {unasked.references} of them about references"
    if unasked.sure:
        message += f"; {unasked.sure:,} faces are sure enough to need no question"
    if unasked.followers:
        message += f"; {unasked.followers:,} follow another face of their track"
    if unasked.needless:
        message += f"; no answer about {unasked.needless:,} others is needed"
    invocation.emit(result, lambda: message)


def _report_export(
    invocation: Invocation, request: ExportRequest, exported: Exported
) -> None:
    batch = exported.batch
    questions = batch.questions - len(exported.left_out) if batch else 0
    result = {
        "batch": batch.id if batch else None,
        "format": request.format,
        "path": str(request.folder),
        "questions": questions,
        "asked": exported.asked,
        "written": exported.written,
        "left_out": {str(key): why for key, why in exported.left_out.items()},
        "references": exported.references,
        "waiting": exported.waiting,
    }
    if batch is None and exported.waiting:
        message = (
            f"nothing to ask: {exported.waiting} faces wait for references that nobody "
            "has confirmed. Import the answers about them, or choose references on "
            "the page of `icf-harvest reference page`"
        )
    elif batch is None:
        message = f"nothing to ask; {request.folder} was not created"
    elif not exported.written:
        message = (
            f"{request.folder} already contains batch {batch.id}; nothing was written"
        )
    else:
        message = f"batch {batch.id}: {questions} questions in {request.folder}"
        if not exported.asked:
            message += "; they were asked before, but their folder was missing"
        if exported.references:
            message += (
                f"\n{exported.references} of them ask whether a reference is right. "
                f"{exported.waiting} faces wait for the answers: import them, and "
                "export the next batch"
            )
    invocation.emit(result, lambda: message)
    if batch is None:
        invocation.say_next_step()
    if exported.left_out:
        raise SomeFailed(_left_out_message(request, exported.left_out))


def _left_out_message(request: ExportRequest, left_out: dict[int, str]) -> str:
    lines = [f"question:{key}: {why}" for key, why in list(left_out.items())[:_LISTED]]
    if len(left_out) > _LISTED:
        lines.append(f"and {len(left_out) - _LISTED} more")
    return (
        f"questions left out because their picture is missing: {len(left_out)}\n"
        + "\n".join(lines)
        + f"\nFix this, remove {request.folder} and run the same command again to "
        "write the whole batch"
    )

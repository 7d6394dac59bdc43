"""`icf-filter review`: show suspicions, and apply the merges that people confirmed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click
import sqlalchemy as sa

from icf import command
from icf.catalogue.find_character import PREFIX, find_character
from icf.codes import ReviewStatus, Suspicion
from icf.command import GivenPath, Invocation, example, pass_invocation, shared_options
from icf.errors import SomeFailed, WrongUse
from icf.filter.review import merges as review_merges
from icf.filter.review import queues
from icf.filter.review.queues import QUEUES, ReviewItem
from icf.filter.review.sheet import write_sheet
from icf.filter.review.suspicions import refresh
from icf.workspace import Workspace

#: Default number of suspicions in a table and on a page.
_LIMIT = 20
_SHEET_LIMIT = 200
_NEXT = "run `icf-filter run` to assign their faces again"


@click.command("review")
@click.argument("queue", required=False, type=click.Choice(tuple(QUEUES)))
@click.option(
    "--status",
    type=click.Choice([status.value for status in ReviewStatus]),
    default=ReviewStatus.OPEN.value,
    show_default=True,
    help="Only suspicions with this status.",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    help="Maximum number per queue  [default: 20; on a sheet 200].",
)
@click.option(
    "--sheet",
    metavar="FILE.html",
    type=GivenPath(),
    help="Write an HTML page with the faces side by side.",
)
@click.option(
    "--refresh", "examine", is_flag=True, help="Search all characters for suspicions."
)
@click.option("--apply", is_flag=True, help="Apply the merges that people confirmed.")
@click.option(
    "--dry-run", is_flag=True, help="With --apply: only show what it would do."
)
@click.option("--undo", metavar="CHARACTER", help="Undo the merge of this character.")
@shared_options
@pass_invocation
@example("icf-filter review outliers --sheet outliers.html")
def review_command(
    invocation: Invocation,
    queue: str | None,
    status: str,
    limit: int | None,
    sheet: Path | None,
    examine: bool,
    apply: bool,
    dry_run: bool,
    undo: str | None,
) -> None:
    """Show suspicions for people to review: twins, merges, splits, outliers.

    Without QUEUE, count them by queue and status, and show the strongest of each queue.
    `icf-filter run` finds suspicions, `icf-annotate export` asks about them, and
    `icf-annotate import` settles them; nothing is dropped or merged automatically. For
    the history of a face or character, see `icf why face:12` and `icf why character:3`.
    """
    if (
        sum((examine, apply, undo is not None, queue is not None or sheet is not None))
        > 1
    ):
        raise WrongUse(
            "--refresh, --apply, --undo and a queue exclude each other; give one"
        )
    if dry_run and not apply:
        raise WrongUse("--dry-run requires --apply")
    if queue is None and sheet is None:
        command.refuse_options("it is for a queue or --sheet", "status", "limit")
    workspace = invocation.workspace
    if undo is not None:
        _undo(invocation, undo)
    elif apply:
        _apply(invocation, dry_run)
    elif sheet is not None:
        _write_sheet(invocation, queue, ReviewStatus[status.upper()], limit, sheet)
    elif queue is not None:
        _show_queue(invocation, queue, ReviewStatus[status.upper()], limit or _LIMIT)
    else:
        if examine:
            _refresh(invocation, workspace)
        _summarise(invocation)


def _refresh(invocation: Invocation, workspace: Workspace) -> None:
    total = queues.count_characters(workspace.catalogue)
    with invocation.progress("review", total) as advance:
        refresh(workspace, advance)


def _summarise(invocation: Invocation) -> None:
    with invocation.workspace.catalogue.read() as connection:
        counts = queues.count(connection)
        strongest = {kind: _strongest(connection, kind) for kind in counts}
    result = {
        name: {
            **{status.value: counts[kind][status] for status in ReviewStatus},
            "strongest": each.as_json() if (each := strongest[kind]) else None,
        }
        for name, kind in QUEUES.items()
    }
    columns = ("", *(status.value for status in ReviewStatus), "strongest open")
    rows = [
        (name, *counts[kind].values(), _describe(strongest[kind]))
        for name, kind in QUEUES.items()
    ]
    invocation.emit({"queues": result}, lambda: command.table(columns, rows))
    invocation.say_if_empty()


def _strongest(connection: sa.Connection, kind: Suspicion) -> ReviewItem | None:
    return next(iter(queues.read_queue(connection, kind, limit=1)), None)


def _describe(each: ReviewItem | None) -> str:
    if each is None:
        return ""
    return (
        f"{each.score:.2f} {each.face.subject} ({each.face.character}) and "
        f"{each.other.subject} ({each.other.character})"
    )


def _show_queue(
    invocation: Invocation, queue: str, status: ReviewStatus, limit: int
) -> None:
    kind = QUEUES[queue]
    with invocation.workspace.catalogue.read() as connection:
        total = queues.count(connection)[kind][status]
        shown = queues.read_queue(connection, kind, status, limit)
    columns = ("score", "cosine", "face", "character", "compared with", "of character")
    rows = [
        (
            f"{each.score:.2f}",
            "" if each.similarity is None else f"{each.similarity:.2f}",
            each.face.subject,
            f"{each.face.character} {each.face.character_subject}",
            each.other.subject,
            f"{each.other.character} {each.other.character_subject}",
        )
        for each in shown
    ]
    result = {
        "queue": queue,
        "status": status.value,
        "total": total,
        "suspicions": [each.as_json() for each in shown],
    }
    if not shown:
        message = f"no {queue} with status {status}: {status.meaning}"
        invocation.emit(result, lambda: message)
        return
    invocation.emit(result, lambda: command.table(columns, rows))
    if len(shown) < total:
        invocation.say(f"{len(shown)} of {total:,} shown; --limit {total} shows all")


def _write_sheet(
    invocation: Invocation,
    queue: str | None,
    status: ReviewStatus,
    limit: int | None,
    target: Path,
) -> None:
    with invocation.progress("cropping faces", None) as advance:
        written = write_sheet(
            invocation.workspace,
            target,
            [queue] if queue else list(QUEUES),
            status,
            limit or _SHEET_LIMIT,
            advance,
        )
    result = {
        "file": str(target),
        "suspicions": written.suspicions,
        "left_out": dict(written.left_out),
    }
    noun = "suspicion" if written.suspicions == 1 else "suspicions"
    lines = [f"{target}: {written.suspicions} {noun}"]
    lines += [
        f"{number} faces without a picture: {why}"
        for why, number in sorted(written.left_out.items())
    ]
    invocation.emit(result, lambda: "\n".join(lines))


def _apply(invocation: Invocation, dry_run: bool) -> None:
    workspace = invocation.workspace
    if dry_run:
        with workspace.catalogue.read() as connection:
            done = review_merges.plan(connection)
    else:
        done = review_merges.apply(workspace)
    result = {
        "merges": [vars(each) for each in done.merges],
        "contradicted": list(done.contradicted),
        "done": not dry_run,
    }
    invocation.emit(result, lambda: _describe_merges(done.merges, dry_run))
    if done.contradicted:
        raise SomeFailed(
            "merges not applied because other answers say that the characters are "
            f"different: {', '.join(map(str, done.contradicted))} (ids as in "
            "`icf-filter review merges --status same --json`)"
        )


def _describe_merges(done: Sequence[review_merges.Merge], dry_run: bool) -> str:
    if not done:
        return "no merges to apply"
    lines = [
        f"{each.gone_name} (character:{each.gone}) into {each.stays_name} "
        f"(character:{each.stays}), {each.confirmed} confirmed faces in total"
        for each in done
    ]
    lines.append("nothing was changed (--dry-run)" if dry_run else _NEXT)
    return "\n".join(lines)


def _undo(invocation: Invocation, text: str) -> None:
    subject = PREFIX + text if text.isdecimal() else text
    with invocation.workspace.catalogue.read() as connection:
        number = find_character(connection, subject)
    stays = review_merges.undo(invocation.workspace, number)
    result: Mapping[str, object] = {"character": number, "was_merged_into": stays}
    message = f"character:{number} is no longer merged into character:{stays}"
    invocation.emit(result, lambda: f"{message}; {_NEXT}")

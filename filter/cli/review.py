"""`icf-filter review`: what people should look at, and the merges they said yes to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click
import sqlalchemy as sa

from icf import command
from icf.codes import ReviewStatus, Suspicion
from icf.command import Invocation, example, pass_invocation, shared_options
from icf.errors import SomeFailed, WrongUse
from icf.filter.review import merges as review_merges
from icf.filter.review import pending
from icf.filter.review.pending import QUEUES, Suspected
from icf.filter.review.sheet import write_sheet
from icf.filter.review.suspicions import refresh
from icf.workspace import Workspace

#: Suspicions that are shown, where the command line does not say how many.
_LIMIT = 20
_SHEET_LIMIT = 200
_NEXT = "`icf-filter run` files their faces anew"


@click.command("review")
@click.argument("queue", required=False, type=click.Choice(tuple(QUEUES)))
@click.option(
    "--status",
    type=click.Choice([status.value for status in ReviewStatus]),
    default=ReviewStatus.OPEN.value,
    show_default=True,
    help="Only suspicions that came to this.",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    help="Show so many of a queue  [default: 20; on a sheet 200].",
)
@click.option(
    "--sheet",
    metavar="FILE.html",
    type=click.Path(path_type=Path),
    help="Write a page with the faces side by side.",
)
@click.option("--refresh", "look", is_flag=True, help="Look over every character now.")
@click.option("--apply", is_flag=True, help="Do the merges that people said yes to.")
@click.option(
    "--dry-run", is_flag=True, help="With --apply: only say what it would do."
)
@click.option("--undo", metavar="CHARACTER", help="Take back a merge, by its number.")
@shared_options
@pass_invocation
@example("icf-filter review outliers --sheet outliers.html")
def review_command(
    invocation: Invocation,
    queue: str | None,
    status: str,
    limit: int | None,
    sheet: Path | None,
    look: bool,
    apply: bool,
    dry_run: bool,
    undo: str | None,
) -> None:
    """Show what people should look at: twins, merges, splits, outliers.

    Without QUEUE, counts each by status and names the strongest. `icf-filter run` finds
    them, `icf-annotate export` asks about them, `icf-annotate import` settles them;
    nothing is dropped or merged by itself. For what is shown, see `icf why face:12` and
    `icf why character:3`.
    """
    if sum((look, apply, undo is not None, queue is not None or sheet is not None)) > 1:
        raise WrongUse(
            "--refresh, --apply, --undo and a queue are one command each; give one"
        )
    if dry_run and not apply:
        raise WrongUse(
            "--dry-run goes with --apply: nothing else here changes anything"
        )
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
        if look:
            _look(invocation, workspace)
        _summarise(invocation)


def _look(invocation: Invocation, workspace: Workspace) -> None:
    total = pending.count_characters(workspace.catalogue)
    with invocation.progress("review", total) as advance:
        refresh(workspace, advance)


def _summarise(invocation: Invocation) -> None:
    with invocation.workspace.catalogue.read() as connection:
        counts = pending.count(connection)
        strongest = {kind: _strongest(connection, kind) for kind in counts}
    result = {
        name: {
            **{status.value: counts[kind][status] for status in ReviewStatus},
            "strongest": each.as_json() if (each := strongest[kind]) else None,
        }
        for name, kind in QUEUES.items()
    }
    columns = ("", *(status.value for status in ReviewStatus), "strongest that is open")
    rows = [
        (name, *counts[kind].values(), _in_words(strongest[kind]))
        for name, kind in QUEUES.items()
    ]
    invocation.emit({"queues": result}, lambda: command.table(columns, rows))


def _strongest(connection: sa.Connection, kind: Suspicion) -> Suspected | None:
    return next(iter(pending.read_queue(connection, kind, limit=1)), None)


def _in_words(each: Suspected | None) -> str:
    if each is None:
        return ""
    return (
        f"{each.score:.2f} {each.face.subject} ({each.face.character}) beside "
        f"{each.beside.subject} ({each.beside.character})"
    )


def _show_queue(
    invocation: Invocation, queue: str, status: ReviewStatus, limit: int
) -> None:
    kind = QUEUES[queue]
    with invocation.workspace.catalogue.read() as connection:
        total = pending.count(connection)[kind][status]
        shown = pending.read_queue(connection, kind, status, limit)
    columns = ("score", "cosine", "face", "filed under", "beside", "of")
    rows = [
        (
            f"{each.score:.2f}",
            "" if each.similarity is None else f"{each.similarity:.2f}",
            each.face.subject,
            f"{each.face.character} {each.face.who}",
            each.beside.subject,
            f"{each.beside.character} {each.beside.who}",
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
        told = f"no {queue} are {status}: {status.meaning}"
        invocation.emit(result, lambda: told)
        return
    invocation.emit(result, lambda: command.table(columns, rows))
    if len(shown) < total:
        invocation.say(f"{len(shown)} of {total:,}; --limit {total} shows all")


def _write_sheet(
    invocation: Invocation,
    queue: str | None,
    status: ReviewStatus,
    limit: int | None,
    target: Path,
) -> None:
    with invocation.progress("cutting faces", None) as advance:
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
    lines = [f"{target}: {written.suspicions} suspicions"]
    lines += [f"no picture: {n} {why}" for why, n in sorted(written.left_out.items())]
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
    invocation.emit(result, lambda: _told(done.merges, dry_run))
    if done.contradicted:
        raise SomeFailed(
            "merges that people said yes to, although they said of the same characters "
            f"that they are two: {', '.join(map(str, done.contradicted))} (ids of "
            "`icf-filter review merges --status same --json`); they were not done"
        )


def _told(done: Sequence[review_merges.Merge], dry_run: bool) -> str:
    if not done:
        return "no merge waits: people said yes to none that is not done"
    lines = [
        f"{each.gone_name} (character:{each.gone}) into {each.stays_name} "
        f"(character:{each.stays}), {each.confirmed} confirmed faces together"
        for each in done
    ]
    lines.append("nothing was done (--dry-run)" if dry_run else _NEXT)
    return "\n".join(lines)


def _undo(invocation: Invocation, text: str) -> None:
    number = text.removeprefix("character:")
    if not number.isdecimal() or len(number) > 18:
        raise WrongUse(f"--undo {text}: give a character's number, as character:3")
    stays = review_merges.undo(invocation.workspace, int(number))
    result: Mapping[str, object] = {"character": int(number), "was_merged_into": stays}
    told = f"character:{number} stands for itself, no longer character:{stays}"
    invocation.emit(result, lambda: f"{told}; {_NEXT}")

"""`icf takedown`: remove a picture or a character permanently."""

from __future__ import annotations

import datetime
from dataclasses import asdict

import click

from icf.app.takedown.copies import HeldCopies, find_copies, find_reports, remove_copies
from icf.app.takedown.target import Target, find_target
from icf.app.takedown.work import hashes_of, take_down
from icf.catalogue import tombstones
from icf.command import Invocation, example, pass_invocation, shared_options, table
from icf.errors import WrongUse


@click.command()
@click.argument("subject", metavar="SUBJECT", required=False)
@click.option(
    "--reason", metavar="TEXT", help="Who asked for it, and why; stored permanently."
)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.option("--dry-run", is_flag=True, help="Only show what would be removed.")
@click.option(
    "--releases", is_flag=True, help="Also delete the copies in releases on this disk."
)
@click.option(
    "--list", "listing", is_flag=True, help="List everything withdrawn so far."
)
@shared_options
@pass_invocation
@example("icf takedown http://toons.test/1.png --reason 'asked by mail' --dry-run")
def takedown(
    invocation: Invocation,
    subject: str | None,
    reason: str | None,
    yes: bool,
    dry_run: bool,
    releases: bool,
    listing: bool,
) -> None:
    """Remove a picture or a character permanently.

    SUBJECT is a URL, an image's SHA-256, character:ID or ALBUM/CHARACTER. Its bytes,
    its faces' embeddings, questions and exported crops are removed; a tombstone stays,
    so that no later harvest or release includes it again. For a character, all pictures
    are removed that were found under no other character. If it is interrupted or
    killed, the same command completes it. Existing releases and reports that contain
    it are listed, with the commands that make them again.
    """
    if listing:
        _list(invocation)
        return
    if not subject or not (reason and reason.strip()):
        raise WrongUse(
            "give a subject and a reason: icf takedown SUBJECT --reason TEXT; "
            "`icf takedown --list` lists everything withdrawn"
        )
    workspace = invocation.workspace
    with workspace.catalogue.read() as connection:
        target = find_target(connection, subject)
    if not dry_run:
        if not yes:
            invocation.say(_counts(target))
            click.confirm("Remove it permanently?", abort=True, err=True)
        take_down(workspace, target, reason.strip())
    copies = _copies(invocation, target)
    if releases and not dry_run:
        for held in copies:
            remove_copies(held, reason.strip())
    reports = [str(path) for path in find_reports(workspace)] if target.images else []
    result = {
        "kind": target.kind,
        "subject": target.subject,
        "removed": not dry_run,
        "images": len(target.images),
        "faces": len(target.faces),
        "urls": len(target.urls),
        "releases": [
            {**asdict(held), "folder": str(held.folder), "rebuild": held.remedy}
            for held in copies
        ],
        "copies_removed": releases and not dry_run,
        "reports": reports,
    }
    gone = bool(result["copies_removed"])
    invocation.emit(result, lambda: _message(target, copies, reports, dry_run, gone))


def _list(invocation: Invocation) -> None:
    with invocation.workspace.catalogue.read() as connection:
        found = tombstones.read(connection)
    rows = [(_day(one.taken_at), one.kind, one.subject, one.reason) for one in found]
    invocation.emit(
        {"tombstones": [asdict(one) for one in found]},
        lambda: table(("day", "kind", "withdrawn", "reason"), rows),
    )


def _copies(invocation: Invocation, target: Target) -> list[HeldCopies]:
    workspace = invocation.workspace
    with workspace.catalogue.read() as connection:
        hashes = tombstones.all_of_kind(connection, tombstones.SHA256)
        hashes |= hashes_of(connection, target)
    return find_copies(workspace, hashes)


def _message(
    target: Target,
    copies: list[HeldCopies],
    reports: list[str],
    dry_run: bool,
    copies_removed: bool,
) -> str:
    lines = [
        _counts(target),
        "nothing was removed" if dry_run else "removed permanently",
    ]
    for held in copies:
        state = "contained" if copies_removed else "contains"
        lines.append(
            f"{held.folder} {state} {len(held.files)} withdrawn pictures; make it "
            f"again: {held.remedy}"
        )
    if copies and not copies_removed:
        lines.append("--releases deletes these copies")
    lines += [
        f"{path} may show it; make it again: icf-report {path}" for path in reports
    ]
    return "\n".join(lines)


def _counts(target: Target) -> str:
    return (
        f"{target.kind} {target.subject}: {len(target.images)} pictures, "
        f"{len(target.faces)} faces, {len(target.urls)} URLs"
    )


def _day(seconds: float) -> str:
    utc = datetime.timezone.utc
    return datetime.datetime.fromtimestamp(seconds, utc).date().isoformat()

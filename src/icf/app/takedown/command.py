"""`icf takedown`: remove a picture or a character permanently."""

from __future__ import annotations

import datetime
import shlex
from dataclasses import asdict, dataclass, field
from pathlib import Path

import click

from icf.app.takedown.cache import packs_of, remove_packs
from icf.app.takedown.copies import (
    find_copies,
    find_reports,
    find_warc,
    forget,
    remove_copies,
    store_moved,
)
from icf.app.takedown.held import BLOBS, RELEASE, Copies, HeldCopies, Unreached
from icf.app.takedown.target import LOST, Target, find_target
from icf.app.takedown.trained import find_models
from icf.app.takedown.work import all_withdrawn_faces, hashes_of, take_down
from icf.catalogue import tombstones
from icf.command import (
    GivenPath,
    Invocation,
    example,
    pass_invocation,
    refuse_options,
    shared_options,
    table,
)
from icf.errors import BrokenMachine, SomeFailed, WrongUse
from icf.redact import redact
from icf.workspace import Workspace


@click.command()
@click.argument("subject", metavar="SUBJECT", required=False)
@click.option(
    "--reason", metavar="TEXT", help="Who asked for it, and why; stored permanently."
)
@click.option(
    "--lost",
    is_flag=True,
    help="Instead of SUBJECT: every picture whose bytes are missing or have changed, "
    "and that `icf doctor --repair` could not bring back.",
)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.option("--dry-run", is_flag=True, help="Only show what would be removed.")
@click.option(
    "--releases", is_flag=True, help="Also delete the copies in releases on this disk."
)
@click.option(
    "--also",
    metavar="DIR",
    multiple=True,
    type=GivenPath(file_okay=False, exists=True),
    help="Also delete the copies in this release or batch, which was moved, or is "
    "outside of the workspace; may be repeated.",
)
@click.option(
    "--gone",
    metavar="PATH",
    multiple=True,
    type=GivenPath(),
    help="Forget this release or batch, which was deleted everywhere; may be repeated.",
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
    lost: bool,
    yes: bool,
    dry_run: bool,
    releases: bool,
    also: tuple[Path, ...],
    gone: tuple[Path, ...],
    listing: bool,
) -> None:
    """Remove a picture or a character permanently.

    SUBJECT is a URL, an image's SHA-256, character:ID or ALBUM/CHARACTER. Its bytes,
    its faces' embeddings, questions and exported crops are removed; a tombstone stays,
    so that no later harvest or release includes it again. For a character, all pictures
    are removed that were found under no other character. If it is interrupted or
    killed, the same command completes it. Existing releases and reports that contain
    it are listed, with the commands that make them again. Releases and batches outside
    of the workspace are changed only if you say so. If some cannot be looked at, they
    are listed, and the exit code is 3. --lost takes out all pictures at once that are
    lost for good, and lists them.
    """
    if listing:
        others = ("subject", "reason", "lost", "yes", "dry_run", "releases")
        refuse_options("--list only lists", *others, "also", "gone")
        _list(invocation)
        return
    if gone:
        refuse_options("--gone forgets at once", "dry_run")
    workspace = invocation.workspace
    if gone and not (subject or lost):
        refuse_options(
            "it needs SUBJECT or --lost", "reason", "yes", "releases", "also"
        )
    forget(workspace, gone)
    if gone and not (subject or lost):
        shown = [str(path) for path in gone]
        invocation.emit({"forgotten": shown}, lambda: f"forgotten: {', '.join(shown)}")
        return
    if bool(subject) == lost or not (reason and reason.strip()):
        raise WrongUse(
            "give a subject and a reason: icf takedown SUBJECT --reason TEXT, or icf "
            "takedown --lost --reason TEXT; `icf takedown --list` lists everything "
            "withdrawn"
        )
    target = _target(workspace, subject)
    elsewhere = _elsewhere(workspace) if target.images and not lost else []
    if not dry_run:
        if not yes and (target.kind != LOST or target.lost):
            invocation.say(_counts(target))
            click.confirm("Remove it permanently?", abort=True, err=True)
        take_down(workspace, target, reason.strip())
    packs = packs_of(workspace.root) if target.shows_something else []
    in_use = remove_packs(workspace.root) if packs and not dry_run else []
    found = _copies(workspace, target, also)
    done = Removal()
    if not dry_run:
        store_moved(workspace, found)
        wanted = Wanted(releases, frozenset(each.resolve() for each in also), not yes)
        done = remove(workspace, found, wanted, reason.strip())
    done.packs.extend(packs)
    done.failed.extend([*in_use, *elsewhere])
    _report(invocation, target, found, done, dry_run=dry_run, releases=releases)
    if not dry_run:
        _raise_for_rest(done.left, [*found.unreached, *done.failed])


def _target(workspace: Workspace, subject: str | None) -> Target:
    """Find what a subject names; without one, all that is lost."""
    if not subject:
        # Imported here: what checks and mends all stores takes long.
        from icf.app.takedown.lost import find_lost

        return find_lost(workspace)
    with workspace.catalogue.read() as connection:
        return find_target(connection, subject)


def _elsewhere(workspace: Workspace) -> list[Unreached]:
    """The blob store, where it seems to be another one than the catalogue's."""
    try:
        workspace.check_blobs()
    except BrokenMachine:
        why = (
            "it has none of the catalogue's pictures, so their bytes may be elsewhere, "
            "and stay there: mend blobs.url or mount the disk, and run the same "
            "command again"
        )
        return [Unreached(BLOBS, redact(workspace.blobs_url), why)]
    return []


@dataclass(frozen=True)
class Wanted:
    """Which copies are to be deleted.

    Attributes:
        releases: those in releases of the workspace, too.
        also: those in these folders, wherever they are.
        asks: whether a person can be asked about others.
    """

    releases: bool
    also: frozenset[Path]
    asks: bool


@dataclass(frozen=True)
class Removal:
    """What became of the copies.

    Attributes:
        removed: those that were deleted.
        left: those that nobody said to delete.
        failed: those that could not be deleted.
        packs: of the trainings' cache, which may show anything of the workspace.
    """

    removed: list[HeldCopies] = field(default_factory=list)
    left: list[HeldCopies] = field(default_factory=list)
    failed: list[Unreached] = field(default_factory=list)
    packs: list[Path] = field(default_factory=list)


def remove(workspace: Workspace, found: Copies, wanted: Wanted, reason: str) -> Removal:
    """Delete copies: all in batches and exports, those in releases on demand.

    Outside of the workspace, only where a person says so.
    """
    done = Removal()
    for held in found.held:
        if held.kind == RELEASE and not (wanted.releases or held.folder in wanted.also):
            continue
        if not held.inside and held.folder not in wanted.also:
            text = (
                f"{held.folder} is outside of this workspace, and has {held.size}. "
                "Delete them there?"
            )
            if not (wanted.asks and click.confirm(text, err=True)):
                done.left.append(held)
                continue
        fault = remove_copies(workspace, held, reason)
        if fault is None:
            done.removed.append(held)
        else:
            done.failed.append(fault)
    return done


def _report(
    invocation: Invocation,
    target: Target,
    found: Copies,
    done: Removal,
    *,
    dry_run: bool,
    releases: bool,
) -> None:
    """Print what was removed, what contains it still, and how to make that again."""
    reports, models, warc = [], [], []
    if target.shows_something:
        reports = [str(path) for path in find_reports(invocation.workspace)]
        models = [str(path) for path in find_models(invocation.workspace)]
        warc = [str(path) for path in find_warc(invocation.workspace)]
    held = [each for each in found.held if each.kind == RELEASE]
    others = [each for each in found.held if each.kind != RELEASE]
    result = {
        "kind": target.kind,
        "subject": target.subject,
        "page": target.page,
        "lost": list(target.lost),
        "removed": not dry_run,
        "images": len(target.images),
        "faces": len(target.faces),
        "urls": len(target.urls),
        "releases": [
            {**asdict(each), "folder": str(each.folder), "rebuild": each.remedy}
            for each in held
        ],
        "exports": [
            {"folder": str(each.folder), "files": each.files} for each in others
        ],
        "cache": [str(path) for path in done.packs],
        "copies_removed": releases and not dry_run,
        "reports": reports,
        "models": models,
        "warc": warc,
        "left": [str(each.folder) for each in done.left],
        "unreached": [asdict(each) for each in (*found.unreached, *done.failed)],
    }
    may_show = [
        *(
            f"{each} may show it; make it again: icf-report {shlex.quote(each)}"
            for each in reports
        ),
        *(f"{each} may have been trained on it: train it again" for each in models),
        *(f"{each} may have its bytes, as fetched: delete it" for each in warc),
    ]
    invocation.emit(
        result, lambda: _message(target, found.held, done, may_show, dry_run)
    )


def _raise_for_rest(left: list[HeldCopies], unreached: list[Unreached]) -> None:
    """Raise SomeFailed where there are, or may be, copies left."""
    lines = [
        f"  {each.kind} {each.folder} is outside of this workspace and has "
        f"{each.size}: --also {each.folder} deletes them"
        for each in left
    ]
    lines += [f"  {each.kind} {each.path}: {each.why}" for each in unreached]
    if not lines:
        return
    advice = ""
    if unreached:
        advice = (
            "\nIf a release or batch was moved, name its new place: --also DIR. If it "
            "was deleted everywhere: icf takedown --gone PATH"
        )
    listed = "\n".join(lines)
    raise SomeFailed(
        f"it was withdrawn here, but there may be more copies of it:\n{listed}{advice}"
    )


def _list(invocation: Invocation) -> None:
    with invocation.workspace.catalogue.read() as connection:
        found = tombstones.read(connection)
    rows = [(_day(one.taken_at), one.kind, one.subject, one.reason) for one in found]
    invocation.emit(
        {"tombstones": [asdict(one) for one in found]},
        lambda: table(("day", "kind", "withdrawn", "reason"), rows),
    )


def _copies(workspace: Workspace, target: Target, also: tuple[Path, ...]) -> Copies:
    with workspace.catalogue.read() as connection:
        hashes = tombstones.all_of_kind(connection, tombstones.SHA256)
        hashes |= hashes_of(connection, target)
        faces = all_withdrawn_faces(connection) | set(target.faces)
    return find_copies(workspace, hashes, faces, also)


def _message(
    target: Target,
    every: list[HeldCopies],
    done: Removal,
    may_show: list[str],
    dry_run: bool,
) -> str:
    lines = [_counts(target), *target.lost, _result(target, dry_run)]
    removed = {each.folder for each in done.removed}
    held = [each for each in every if each.kind == RELEASE]

    def says(each: HeldCopies) -> str:
        state = "contained" if each.folder in removed else "contains"
        return f"{each.folder} {state} {each.size}"

    lines += [f"{says(each)}; make it again: {each.remedy}" for each in held]
    if any(each.folder not in removed for each in held):
        lines.append("--releases deletes these copies")
    lines += [says(each) for each in every if each.kind != RELEASE]
    if done.packs:
        folder = done.packs[0].parent.parent
        what = "may show it" if dry_run else "was emptied"
        lines.append(f"the cache of trainings {folder} {what}; they make it again")
    return "\n".join([*lines, *may_show])


def _result(target: Target, dry_run: bool) -> str:
    if target.kind == tombstones.CHARACTER or target.shows_something or target.urls:
        return "nothing was removed" if dry_run else "removed permanently"
    if target.kind == LOST:
        return "no picture is lost"
    from_now = "would not be" if dry_run else "will not be"
    if target.kind == tombstones.URL:
        return (
            f"nothing here has this address; it {from_now} fetched from now on. "
            "`icf why` finds pictures by their hash, and characters by name"
        )
    return f"nothing here has these bytes; they {from_now} stored from now on"


def _counts(target: Target) -> str:
    page = f" (the only picture of {target.page})" if target.page else ""
    named = f"{target.kind} {target.subject}".strip()
    return (
        f"{named}{page}: {len(target.images)} pictures, "
        f"{len(target.faces)} faces, {len(target.urls)} URLs"
    )


def _day(seconds: float) -> str:
    utc = datetime.timezone.utc
    return datetime.datetime.fromtimestamp(seconds, utc).date().isoformat()

"""What the commands of `icf import` share: run one, and say what it did."""

from __future__ import annotations

from contextlib import closing

from icf.app.importing.given import Fault, Publisher, Source
from icf.app.importing.work import Imported, import_pictures, preview
from icf.command import Invocation, table
from icf.engine.engine import open_engine
from icf.errors import BadInput, SomeFailed
from icf.redact import redact

#: Faults that a message names; `--json` has all.
_SHOWN = 20


def bring(
    invocation: Invocation, source: Source, publisher: Publisher, *, dry_run: bool
) -> Imported:
    """Import a source, or count what would be imported.

    Raises:
        BadInput: the source has no picture, or is not what it should be.
    """
    done = _bring(invocation, source, publisher, dry_run=dry_run)
    if not done.files.found and not done.faults:
        passed = ", ".join(f"{why} ({n})" for why, n in sorted(done.left_out.items()))
        raise BadInput(
            "its lists name no picture at all, so there is nothing to import"
            + (f"; passed over: {passed}" if passed else "")
        )
    return done


def _bring(
    invocation: Invocation, source: Source, publisher: Publisher, *, dry_run: bool
) -> Imported:
    workspace = invocation.workspace
    if dry_run:
        return preview(workspace, source, publisher)
    wanted = workspace.settings.filter
    with (
        closing(open_engine("local", wanted.workers, None, wanted.deadline)) as one,
        invocation.progress("importing pictures", None) as advance,
    ):
        return import_pictures(workspace, source, publisher, one, advance)


def show(invocation: Invocation, name: str, done: Imported, *, dry_run: bool) -> None:
    """Print what an import did, and what comes next.

    Raises:
        SomeFailed: something could not be imported.
    """
    invocation.emit(as_json(done), lambda: _as_table(name, done))
    if done.lists.pictures:
        invocation.say(
            f"{done.lists.pictures:,} pictures were imported before, from an earlier "
            "version of their list: licences are corrected, but new boxes and names of "
            "these pictures are not taken; for them import into a new workspace"
        )
    if done.lost:
        store = redact(invocation.workspace.blobs_url)
        invocation.say(
            f"{done.lost:,} pictures that were imported before were not in the blob "
            f"store {store}, which gets them again; if theirs is another one, set "
            "blobs.url right"
        )
    if done.written.pictures and not dry_run:
        invocation.say_next_step()
    if done.faults:
        raise SomeFailed(_explained(done.faults, dry_run=dry_run))


def as_json(done: Imported) -> dict[str, object]:
    """Return what an import did, as the commands print it."""
    files = done.files
    return {
        "listed": dict(done.listed),
        "known": files.known,
        "pictures": dict(done.written.pictures),
        "copies": done.written.copies,
        "faces": done.written.faces,
        "labels": done.written.labels,
        "verified": done.written.verified,
        "withdrawn": done.written.withdrawn,
        "licences": done.written.licences,
        "two_names": len(done.written.two_names),
        "earlier_lists": done.lists.pictures,
        "files": {
            "in": files.found,
            "imported": files.imported,
            "known": files.known,
            "withdrawn": files.withdrawn,
            "refused": dict(files.refused),
        },
        "left_out": dict(done.left_out),
        "faults": [{"where": each.where, "why": each.why} for each in done.faults],
    }


def _as_table(name: str, done: Imported) -> object:
    rows = [
        *(
            (f"pictures of {part}", count)
            for part, count in done.written.pictures.items()
        ),
        ("of these with the bytes of another picture", done.written.copies),
        ("faces", done.written.faces),
        ("confirmed labels", done.written.labels),
        ("faces with two names, so of neither", len(done.written.two_names)),
        ("pictures with verified boxes", done.written.verified),
        ("pictures imported before", done.files.known),
        ("of these with another licence now", done.written.licences),
        ("of these from an earlier version of their list", done.lists.pictures),
        ("pictures that were withdrawn", done.written.withdrawn),
        *((f"refused: {why}", n) for why, n in sorted(done.files.refused.items())),
        *((f"left out: {why}", n) for why, n in sorted(done.left_out.items())),
        ("faults", len(done.faults)),
    ]
    return table((name, "count"), [row for row in rows if row[1]])


def _explained(faults: list[Fault], *, dry_run: bool) -> str:
    noun = "line or picture" if len(faults) == 1 else "lines or pictures"
    what = (
        "cannot be imported; all others can"
        if dry_run
        else "could not be imported; all others are"
    )
    lines = [f"{len(faults):,} {noun} {what}:"]
    lines += [f"  {each}" for each in faults[:_SHOWN]]
    if len(faults) > _SHOWN:
        lines.append(f"  and {len(faults) - _SHOWN:,} more; --json names all")
    return "\n".join(lines)

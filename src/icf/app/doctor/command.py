"""`icf doctor`: check that everything that the commands need is there, and mend it."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from icf.app.doctor.check import Check, State, attempt
from icf.app.doctor.machine import check_machine, check_models
from icf.command import Invocation, example, pass_invocation, shared_options, table
from icf.errors import BrokenMachine, IcfError, SomeFailed
from icf.workspace import Workspace, root_of

if TYPE_CHECKING:
    from icf.app.doctor.repair import Repaired

#: Free bytes on the disk below which there is a warning.
LOW_DISK = 2_000_000_000

_MEND = "`icf doctor --repair` mends it"

#: Whether SQLite can do it, only trying shows.
_REINDEX = (
    "`icf doctor --repair` tries to make the indexes again; where that fails, put a "
    "backup of the file in its place"
)

#: What brings an imported picture back: the harvest has no source of it.
_IMPORT = "run `icf import ...` of that data again"

#: Lost pictures, crops or folders that a message names.
SHOWN = 3


@click.command()
@click.option(
    "--full",
    is_flag=True,
    help="Read all of the catalogue and of the pictures, instead of comparing sizes.",
)
@click.option(
    "--repair",
    "mend",
    is_flag=True,
    help="Check as with --full, and make again what is lost or damaged.",
)
@shared_options
@pass_invocation
@example("icf doctor")
def doctor(invocation: Invocation, full: bool, mend: bool) -> None:
    """Check this machine, the models and the workspace.

    Exits with 1 if anything is broken; the commands work despite warnings. --repair
    fetches lost pictures again, computes lost embeddings from them, cuts lost crops,
    makes the catalogue's indexes again, and runs the filter on what follows from that.
    Of imported pictures it removes bytes that have changed, so that the same import
    stores them again. People's answers are not changed. If it is interrupted, run it
    again.
    """
    done = _repair(invocation) if mend else None
    checks = [
        *check_machine(),
        *_models(invocation),
        *_workspace(invocation, full=full or mend),
    ]
    result: dict[str, object] = {"checks": [asdict(check) for check in checks]}
    if done is not None:
        result["repaired"] = asdict(done)
    invocation.emit(
        result,
        lambda: table(
            ("check", "state", "found"), [(c.name, c.state, c.found) for c in checks]
        ),
    )
    if done is not None:
        _report(invocation, done)
    broken = [check.name for check in checks if check.state == "broken"]
    if broken:
        raise IcfError(f"broken: {', '.join(broken)}; see the table above")


def _repair(invocation: Invocation) -> Repaired:
    from icf.app.doctor.damage import find_damage
    from icf.app.doctor.repair import rebuild_indexes, repair

    workspace = invocation.workspace
    faults = rebuild_indexes(workspace)
    done = repair(workspace, find_damage(workspace), invocation.progress)
    done.catalogue = faults
    return done


def _report(invocation: Invocation, done: Repaired) -> None:
    """Say what was mended.

    Raises:
        SomeFailed: something cannot be mended here.
    """
    made = (
        (done.catalogue, "faults of indexes of the catalogue"),
        (done.pictures, "pictures fetched again"),
        (done.embeddings, "embeddings computed again"),
        (done.anew, "faces sent to the present embedder"),
        (done.hashes, "index of hashes made again"),
        (done.crops, "crops cut again"),
        (done.restored, "images and faces that had been dropped filtered again"),
    )
    said = [f"{count:,} {what}" for count, what in made if count]
    if said:
        invocation.say(f"mended: {', '.join(said)}")
    elif done.damaged:
        invocation.say("nothing could be mended")
    else:
        invocation.say("mended: nothing was damaged")
    if done.stale:
        invocation.say(
            "settings were edited, so earlier decisions were not compared with them: "
            "`icf-filter rethreshold` does that"
        )
    if failed := list(_failures(done)):
        raise SomeFailed("\n".join(failed))


def _failures(done: Repaired) -> Iterator[str]:
    """Say what cannot be mended here, and what helps."""
    if done.imported:
        yield (
            f"{len(done.imported):,} imported pictures are lost: "
            f"{_some(done.imported.values())}: {_IMPORT}, which stores them; `icf why "
            "SHA256` shows where each is from"
        )
    if done.lost:
        yield (
            f"{len(done.lost):,} pictures could not be fetched again: "
            f"{_some(done.lost.values())}. "
            "`icf why SHA256` shows where each was found; `icf doctor --repair` tries "
            "again (with --json it names all), and `icf takedown --lost --reason TEXT` "
            "takes all that are lost out"
        )
    if done.uncut:
        yield (
            f"{len(done.uncut):,} crops could not be cut again, as their pictures are "
            f"lost or cannot be read: {_some(done.uncut)}"
        )


def _some(names: Collection[object]) -> str:
    more = ", ..." if len(names) > SHOWN else ""
    return ", ".join(sorted(map(str, names))[:SHOWN]) + more


def _models(invocation: Invocation) -> Iterator[Check]:
    workspace = None
    with contextlib.suppress(IcfError):  # outside of a workspace; checked below
        workspace = invocation.workspace
    return check_models(workspace)


def _workspace(invocation: Invocation, *, full: bool) -> Iterator[Check]:
    try:
        workspace = invocation.workspace
    except IcfError as error:
        nowhere = root_of(invocation.directory or Path.cwd()) is None
        yield Check("workspace", "warning" if nowhere else "broken", str(error))
        return
    yield Check("workspace", "ok", str(workspace.root))
    catalogue = attempt("catalogue", lambda: _catalogue(workspace, full=full))
    yield catalogue
    yield attempt("writable", lambda: _writable(workspace.root))
    free = shutil.disk_usage(workspace.root).free
    state: State = "ok" if free > LOW_DISK else "warning"
    yield Check("free disk", state, f"{free / 1e9:.1f} GB")
    if catalogue.state == "ok":
        from icf.app.doctor.page import check_page
        from icf.app.doctor.withdrawn import check_takedowns

        yield from _stores(workspace, full=full)
        yield from check_takedowns(workspace)
        yield from check_page(workspace)


def _stores(workspace: Workspace, *, full: bool) -> Iterator[Check]:
    from icf.app.doctor import damage

    def checked(name: str, state: State, find: Callable[[], str]) -> Check:
        """Make a check by what is wrong; empty if nothing is."""
        try:
            wrong = find()
        except (IcfError, OSError) as error:
            return Check(name, "broken", str(error))
        return Check(name, state if wrong else "ok", wrong or "as stored")

    def pictures() -> str:
        lost = damage.lost_pictures(workspace, full=full)
        if lost:
            workspace.check_blobs()
        return _lost_pictures(workspace, lost) if lost else ""

    def embeddings() -> str:
        lost = sum(len(ids) for ids in damage.lost_faces(workspace).values())
        return f"{lost:,} are missing or have changed: {_MEND}" if lost else ""

    def decisions() -> str:
        dropped = damage.count_dropped(workspace)
        if not dropped:
            return ""
        return f"{dropped:,} rows were dropped while something was lost: {_MEND}"

    def crops() -> str:
        lost = sum(map(len, damage.lost_crops(workspace, full=full).values()))
        found = []
        if lost:
            found.append(
                f"{lost:,} of batches are missing, have changed, or their list of "
                f"hashes is lost: {_MEND}"
            )
        if full and (emptied := damage.emptied_batches(workspace)):
            found.append(f"{_some(emptied)} was emptied: export it again")
        return "; ".join(found)

    yield checked("pictures", "broken", pictures)
    yield checked("embeddings", "broken", embeddings)
    yield checked("decisions", "warning", decisions)
    yield checked("crops", "warning", crops)
    yield checked("hashes", "warning", lambda: workspace.hashes.damage or "")
    settings = checked("settings", "warning", lambda: _stale(workspace))
    if settings.state == "ok":
        settings = Check("settings", "ok", "all decisions follow them")
    yield settings


def _lost_pictures(workspace: Workspace, lost: Mapping[int, str]) -> str:
    from icf.app.doctor.origins import only_imported

    imported = only_imported(workspace, lost)
    parts = []
    if others := len(lost) - len(imported):
        parts.append(
            f"{others:,} are missing or have changed: {_MEND}, or says what does"
        )
    if imported:
        # An import takes what is there for the picture.
        in_the_way = any(map(workspace.blobs.has, imported.values()))
        first = "`icf doctor --repair` removes what has changed; then " * in_the_way
        found = f"{len(imported):,} of imports are missing or have changed"
        parts.append(f"{found}: {first}{_IMPORT}")
    return "; ".join(parts)


def _stale(workspace: Workspace) -> str:
    from icf.engine.stale import find_stale

    with workspace.catalogue.read() as connection:
        stale = find_stale(connection, workspace.settings.filter)
    return "; ".join(each.message for each in stale)


def _catalogue(workspace: Workspace, *, full: bool) -> str:
    from icf.app.doctor.damage import check_catalogue

    revision, _ = workspace.catalogue.revisions()
    if full and (problems := check_catalogue(workspace)):
        more = f", and {len(problems) - 1} more" if problems[1:] else ""
        raise BrokenMachine(f"{problems[0]}{more}: {_REINDEX}")
    return f"{workspace.catalogue.dialect}, revision {revision}"


def _writable(root: Path) -> str:
    probe = root / ".icf-doctor"
    probe.write_bytes(b"")
    probe.unlink()
    return "yes"

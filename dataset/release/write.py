"""Write a release atomically, enter it in the catalogue, and never overwrite one.

A release has ``contents.csv``, ``licences.csv``, ``leaks.json``, ``release.json`` and
``SHA256SUMS``, a certificate where people audited its labels
(`icf.dataset.certificate`), and the files of its formats: in the release's own folder
where there is one format, each in a folder of its name where there are several.
"""

from __future__ import annotations

import errno
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import numpy as np
import sqlalchemy as sa

from icf.catalogue import tombstones
from icf.catalogue.annotation.audits import pack
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import image, release
from icf.codes import ImageReason
from icf.dataset import certificate
from icf.dataset.cards.write import write_cards
from icf.dataset.contents import FILE as CONTENTS
from icf.dataset.contents import write_contents
from icf.dataset.formats.all_formats import write_formats
from icf.dataset.formats.base import ReleaseData
from icf.dataset.formats.registry import format_folders
from icf.dataset.leaks.report import LeakReport
from icf.dataset.plan import Plan
from icf.dataset.release.described import write_described
from icf.dataset.release.files import (
    ATTRIBUTES,
    EARLIER,
    LEAKS,
    PUBLIC_KEY,
    SUMMARY,
)
from icf.dataset.release.keys import public_key
from icf.dataset.release.prepare import Prepared
from icf.dataset.release.present import lost_or_changed, told
from icf.dataset.release.sums import write_sums
from icf.dataset.unused import FILE as UNUSED
from icf.dataset.unused import write_unused
from icf.errors import BadInput, BrokenMachine, IcfError, WrongUse
from icf.spreadsheet import write_csv
from icf.stores.blobs import MissingBlob
from icf.stores.files import check_place_of_folder, new_folder
from icf.stores.vectors import MissingVector
from icf.workspace import Workspace

#: In a workspace's folder: held while a release is written.
LOCK = "release.lock"


def write(
    workspace: Workspace,
    prepared: Prepared,
    target: Path,
    seed: int,
    *,
    link: bool = False,
) -> bool:
    """Write a release under its final name, in one step.

    Args:
        workspace: that it is made from.
        prepared: what to write.
        target: the folder to make.
        seed: recorded with it.
        link: hard-link pictures to the blob store instead of copying them.

    Returns:
        False if the same release is there already; nothing was written.

    Raises:
        IcfError: train and test share something, or something was withdrawn
            meanwhile; nothing was written.
        WrongUse: ``target`` holds something else.
        BadInput: ``target`` is this release, and files of it are lost or changed.
        BrokenMachine: bytes or embeddings are missing or damaged, or the disk fails.
    """
    target = target.resolve()
    workspace.check_blobs()
    with workspace.one_at_a_time(LOCK, f"icf-build-splits {target}"):
        return _write(workspace, prepared, target, seed, link)


def _write(
    workspace: Workspace, prepared: Prepared, target: Path, seed: int, link: bool
) -> bool:
    present = _read_summary(target)
    if present is not None:
        _check_same(target, present, prepared)
        _check_whole(target)
        with workspace.catalogue.write() as connection:
            _record(connection, workspace, target, present, seed, prepared.plan)
        return False
    if prepared.leaks.leaks:
        raise IcfError(_leak_message(target, prepared.leaks))

    @contextmanager
    def publishing(_folder: Path) -> Iterator[None]:
        """Record the release as it gets its name, unless a picture was withdrawn."""
        with workspace.catalogue.write() as connection:
            tombstones.hold(connection)
            _check_withdrawn(connection, target, prepared.plan)
            _record(
                connection, workspace, target, prepared.summary, seed, prepared.plan
            )
            yield

    try:
        with new_folder(target, publishing) as folder:
            _write_files(workspace, prepared, folder, link)
    except (MissingBlob, MissingVector):
        with workspace.catalogue.read() as connection:
            _check_withdrawn(connection, target, prepared.plan)
        raise
    except IcfError:
        raise
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            raise _occupied(target, "what another program wrote meanwhile") from error
        raise BrokenMachine(
            f"cannot write the release {target}: {error}; nothing was left under "
            "that name. Free some space or choose another folder, and run it again"
        ) from error
    return True


def _write_files(
    workspace: Workspace, prepared: Prepared, folder: Path, link: bool
) -> None:
    """Write everything of a release, the hashes of all its files last."""
    embedder = prepared.plan.selection.embedder
    data = ReleaseData(
        prepared.plan,
        prepared.sources,
        workspace.blobs,
        lambda faces: workspace.vectors.get(embedder, faces),
        link,
    )
    written = write_formats(data, prepared.folders, folder)
    write_contents(folder / CONTENTS, prepared.contents)
    write_unused(folder / UNUSED, prepared.plan)
    if prepared.left is not None and len(prepared.left):
        write_contents(folder / EARLIER, prepared.left)
    for name, rows in prepared.lists.items():
        write_csv(folder / name, [str(each) for each in rows[0]], rows[1:])
    if prepared.described:
        write_described(folder / ATTRIBUTES, prepared.described)
    _write_json(folder / LEAKS, asdict(prepared.leaks))
    (folder / SUMMARY).write_text(prepared.summary, encoding="utf-8")
    write_cards(folder, prepared.about, data, written)
    key = public_key(workspace.root)
    if key is not None:
        (folder / PUBLIC_KEY).write_text(f"{key}\n", encoding="ascii")
    if prepared.certified is not None:
        pictures = list(dict.fromkeys(file for file, _ in written))
        certificate.write_certificate(
            folder, prepared.certified, prepared.plan, prepared.inputs, pictures
        )
    write_sums(folder, data.hashes)


def _read_summary(target: Path) -> str | None:
    """The text of the ``release.json`` that is there; None where nothing is.

    Raises:
        WrongUse: ``target`` is a file or below one, or a folder that holds something
            else.
    """
    check_place_of_folder(target)
    if not target.exists():
        return None
    if not any(target.iterdir()):
        return None
    try:
        return (target / SUMMARY).read_text(encoding="utf-8")
    except (OSError, ValueError):
        raise _occupied(target, "something that is no release") from None


def _check_same(target: Path, present: str, prepared: Prepared) -> None:
    """Refuse to overwrite a release of other inputs or of other formats."""
    try:
        summary = json.loads(present)
        inputs, folders = summary["inputs"], format_folders(summary)
        # A release of an earlier version is what that version made of these inputs.
        is_earlier = "rule" not in summary
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _occupied(target, "something that is no release") from None
    wanted = prepared.earlier_inputs() if is_earlier else prepared.inputs
    if inputs != wanted or folders != prepared.folders:
        raise _occupied(target, "another release")


def _check_whole(target: Path) -> None:
    """Raise BadInput if files of the release that is there are lost or others."""
    faults = lost_or_changed(target)
    if faults:
        raise BadInput(
            f"{target} is this release, but {len(faults):,} of its files are not as "
            f"they were written:\n{told(faults)}\n"
            f"`icf release verify {target}` names all. "
            "Restore them from a copy, or move the folder away and run this again"
        )


def _occupied(target: Path, what: str) -> WrongUse:
    return WrongUse(
        f"{target} already holds {what}; releases are never overwritten: name a new "
        "folder, or move that one away"
    )


def _check_withdrawn(connection: sa.Connection, target: Path, plan: Plan) -> None:
    """Raise IcfError if a picture or face was withdrawn since the plan was made."""
    rows = sorted({each.picture for each in plan.placed()})
    hashes = {plan.selection.pictures.sha256[row].decode() for row in rows}
    faces = {
        int(plan.selection.faces.face[each.face]) for each in (*plan.train, *plan.test)
    }
    pictures = tombstones.buried(connection, tombstones.SHA256, hashes)
    if not pictures and not tombstones.withdrawn_faces(connection, faces):
        return
    why = (
        f"the release {target} was not written, because pictures of it were withdrawn "
        "meanwhile (`icf takedown --list`); run the same command again"
    )
    reasons = sa.select(image.c.reason)
    found = by_ids(connection, reasons, image.c.sha256, sorted(pictures))
    if any(row.reason != ImageReason.TAKEN_DOWN.value for row in found):
        why += ". If the takedown was killed, run it again first: it is not complete"
    raise IcfError(why)


def _record(
    connection: sa.Connection,
    workspace: Workspace,
    target: Path,
    summary: str,
    seed: int,
    plan: Plan,
) -> None:
    """Enter the release in the catalogue, once, with the faces of its test."""
    path = workspace.stored_path(target)
    # Catalogues of earlier versions have absolute paths.
    same = release.c.path.in_({path, str(target)}) & (release.c.summary == summary)
    if connection.execute(sa.select(release.c.id).where(same)).first():
        return
    test = sorted(plan.selection.faces.face[[each.face for each in plan.test]])
    row = sa.insert(release).values(
        path=path,
        seed=seed,
        summary=summary,
        created_at=time.time(),
        test_faces=pack(np.array(test, np.int64).reshape(-1, 1)),
    )
    connection.execute(row)


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def _leak_message(target: Path, report: LeakReport) -> str:
    lines = [
        f"  {check.name}: {check.count} ({check.meaning}), as {check.examples[0]}"
        for check in report.leaks
    ]
    found = "\n".join(lines)
    return (
        f"the release {target} was not written, because train and test share what they "
        f"must not share:\n{found}\nThis is a bug in icf: please report it"
    )

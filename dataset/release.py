"""Make a release: plan it, check it for leaks, write it whole or not at all."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from icf import __version__
from icf.catalogue.schema import release
from icf.dataset.formats.icartoonface.release_files import TRUTH, write_files
from icf.dataset.leaks import LeakReport, find_leaks
from icf.dataset.licences import Source, read_sources
from icf.dataset.near_duplicates import Reach
from icf.dataset.plan import Plan, make_plan
from icf.dataset.selection import Selection, select
from icf.errors import BrokenMachine, IcfError, WrongUse
from icf.stores.files import new_folder
from icf.workspace import Workspace

SUMMARY = "release.json"


@dataclass(frozen=True, eq=False)
class Prepared:
    """A release that is ready to be written.

    Attributes:
        plan: what goes where.
        leaks: the answer of every leak check.
        sources: where each picture came from, by image id.
        inputs: the hash of everything that the release depends on.
        summary: the text of ``release.json``.
    """

    plan: Plan
    leaks: LeakReport
    sources: Mapping[int, Sequence[Source]]
    inputs: str
    summary: str


def prepare(workspace: Workspace, seed: int) -> Prepared:
    """Read the catalogue and decide everything; write nothing.

    Raises:
        WrongUse: there is too little to release.
    """
    settings = workspace.settings
    reach = Reach(settings.filter.max_phash, settings.filter.max_dhash)
    catalogue = workspace.catalogue
    with catalogue.read() as connection:
        selection = select(connection, settings.harvest.only_licence)
        plan = make_plan(selection, settings.dataset, reach, seed)
        sources = read_sources(connection, _images(plan))
    leaks = find_leaks(
        plan, reach, lambda ids: workspace.vectors.get(selection.embedder, ids)
    )
    chosen = {
        "dataset": settings.dataset.model_dump(mode="json"),
        "filter": settings.filter.model_dump(mode="json", exclude={"workers"}),
        "harvest": {"only_licence": list(settings.harvest.only_licence)},
    }
    inputs = _hash_inputs(selection, sources, chosen, seed)
    summary = {
        "inputs": inputs,
        "seed": seed,
        "version": __version__,
        "catalogue_revision": catalogue.revisions()[0],
        "counts": plan.counts,
        "held_back": dict(plan.held_back),
        "left_out": dict(selection.left_out),
        "leaks": {check.name: check.count for check in leaks.checks},
        "detection_truth": TRUTH,
        "models": {
            "embedder": _model(selection, selection.embedder),
            "detectors": [_model(selection, each) for each in selection.detectors],
        },
        "settings": chosen,
    }
    text = json.dumps(summary, indent=2) + "\n"
    return Prepared(plan, leaks, sources, inputs, text)


def write(workspace: Workspace, prepared: Prepared, target: Path, seed: int) -> bool:
    """Write a release under its final name, in one step.

    Returns:
        False if the very same release stands there already.

    Raises:
        IcfError: train and test share something; nothing was written.
        WrongUse: ``target`` holds something else.
    """
    target = target.resolve()
    if _stands(target, prepared.inputs):
        _note(workspace, target, prepared, seed)
        return False
    if prepared.leaks.leaks:
        raise IcfError(_leak_message(target, prepared.leaks))
    try:
        with new_folder(target) as folder:
            write_files(folder, prepared.plan, prepared.sources, workspace)
            _write_json(folder / "leaks.json", asdict(prepared.leaks))
            (folder / SUMMARY).write_text(prepared.summary, encoding="utf-8")
    except IcfError:
        # A missing blob is an OSError too, and says better what to do.
        raise
    except OSError as error:
        raise BrokenMachine(
            f"cannot write the release {target}: {error}; nothing stands under its "
            "name. Free some space or choose another folder, and run it again"
        ) from error
    _note(workspace, target, prepared, seed)
    return True


def _stands(target: Path, inputs: str) -> bool:
    """Tell whether this very release is there; refuse anything else.

    Raises:
        WrongUse: ``target`` is a file, or a folder with something else in it.
    """
    if not target.exists():
        return False
    if not target.is_dir():
        raise WrongUse(f"{target} is a file; name a folder for the release")
    if not any(target.iterdir()):
        return False
    try:
        found = json.loads((target / SUMMARY).read_text(encoding="utf-8"))["inputs"]
    except (OSError, ValueError, KeyError, TypeError):
        found = None
    if found != inputs:
        what = "another release" if found else "something that is no release"
        raise WrongUse(
            f"{target} already holds {what}; releases are never overwritten: name a "
            "new folder, or move that one away"
        )
    return True


def _note(workspace: Workspace, target: Path, prepared: Prepared, seed: int) -> None:
    """Enter the release in the catalogue, once."""
    same = (release.c.path == str(target)) & (release.c.summary == prepared.summary)
    with workspace.catalogue.write() as connection:
        if connection.execute(sa.select(release.c.id).where(same)).first():
            return
        row = sa.insert(release).values(
            path=str(target),
            seed=seed,
            summary=prepared.summary,
            created_at=time.time(),
        )
        connection.execute(row)


def _images(plan: Plan) -> list[int]:
    lists = (plan.train, plan.test, plan.detection_train, plan.detection_test)
    rows = {each.picture for placed in lists for each in placed}
    return [int(plan.selection.pictures.image[row]) for row in sorted(rows)]


def _model(selection: Selection, sha256: str) -> dict[str, str | None]:
    return {"sha256": sha256, "name": selection.models.get(sha256)}


def _hash_inputs(
    selection: Selection,
    sources: Mapping[int, Sequence[Source]],
    settings: Mapping[str, Any],
    seed: int,
) -> str:
    digest = hashlib.sha256()
    told = [__version__, seed, settings, selection.embedder, selection.detectors]
    digest.update(json.dumps(told, sort_keys=True).encode())
    faces, pictures = selection.faces, selection.pictures
    for array in (
        faces.face,
        faces.identity,
        faces.album,
        faces.picture,
        faces.corners,
        faces.hashes.phash,
        faces.hashes.dhash,
        pictures.image,
        pictures.sha256,
        pictures.pixel_hash,
        pictures.complete,
    ):
        digest.update(np.ascontiguousarray(array).tobytes())
    for each in sorted(selection.identities.items()):
        digest.update(repr(each).encode())
    for boxes in pictures.boxes:
        digest.update(repr(boxes).encode())
    for image_id, listed in sources.items():
        digest.update(repr((image_id, listed)).encode())
    return digest.hexdigest()


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
        f"must not:\n{found}\nThis is a fault of the program: please report it"
    )

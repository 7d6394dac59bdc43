"""Make a release: plan it, check it for leaks, write it atomically.

A release has ``licences.csv``, ``leaks.json`` and ``release.json``, a certificate where
people audited its labels (`icf.dataset.certificate`), and the files of its formats: in
the release's own folder where there is one format, each in a folder of its name where
there are several.
"""

from __future__ import annotations

import errno
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import sqlalchemy as sa

from icf.catalogue import tombstones
from icf.catalogue.annotation.audits import Certified, pack, read_certified
from icf.catalogue.annotation.waiting import refuse_while_waiting
from icf.catalogue.labels import followers
from icf.catalogue.labels.checked import Checked
from icf.catalogue.labels.sure_faces import checked
from icf.catalogue.schema import release
from icf.dataset import certificate
from icf.dataset.certificate import with_certificate
from icf.dataset.formats.base import ReleaseData
from icf.dataset.formats.registry import DEFAULT, format_folders, make_writers
from icf.dataset.inputs import ADDED, LOCAL, hash_inputs
from icf.dataset.leaks import LeakReport, find_leaks
from icf.dataset.licences import COLUMNS, FILE, Source, read_sources, rows
from icf.dataset.near_duplicates import Reach
from icf.dataset.plan import Placed, Plan, detection_truth, make_plan
from icf.dataset.selection import Selection, select
from icf.errors import BrokenMachine, IcfError, WrongUse
from icf.settings import AnnotateSettings
from icf.spreadsheet import write_csv
from icf.stores.blobs import MissingBlob
from icf.stores.files import new_folder
from icf.stores.lock import one_at_a_time
from icf.version import __version__
from icf.workspace import Workspace

SUMMARY = "release.json"
#: In a workspace's folder: held while a release is written.
LOCK = "release.lock"


@dataclass(frozen=True, eq=False)
class Prepared:
    """A release that is ready to be written.

    Attributes:
        plan: which picture and face is in which split.
        leaks: the result of every leak check.
        sources: where each picture came from, by image id.
        inputs: the hash of everything that the splits depend on.
        folders: the folder of each format, relative to the release's.
        summary: the text of ``release.json``.
        certified: the audit of the labels; None: none has a certificate.
    """

    plan: Plan
    leaks: LeakReport
    sources: Mapping[int, Sequence[Source]]
    inputs: str
    folders: Mapping[str, str]
    summary: str
    certified: Certified | None = None


def prepare(
    workspace: Workspace,
    seed: int,
    formats: Sequence[str] = (DEFAULT,),
    boxes: Literal["verified", "proposed"] | None = None,
) -> Prepared:
    """Read the catalogue and decide everything; write nothing.

    Args:
        workspace: what to release.
        seed: random seed of the splits.
        formats: names of release formats, see `icf.dataset.formats.registry`.
        boxes: the true boxes of the detection set; None: as ``dataset.boxes`` says.

    Raises:
        WrongUse: there is too little to release, a format is unknown, or answers of
            the annotation page did not become labels yet.
    """
    names = list(make_writers(formats))
    folders = {name: name if len(names) > 1 else "." for name in names}
    settings = workspace.settings
    dataset = settings.dataset
    if boxes is not None:
        dataset = dataset.model_copy(update={"boxes": boxes})
    reach = Reach(settings.filter.max_phash, settings.filter.max_dhash)
    risk = settings.annotate.accepted_risk
    follow = settings.annotate.tracks == "follow"
    catalogue = workspace.catalogue
    with catalogue.read() as connection:
        refuse_while_waiting(connection, "a release")
        selection = select(
            connection,
            settings.harvest.only_licence,
            unasked_references=dataset.unasked_references,
            risk=risk,
            proposed_boxes=dataset.boxes == "proposed",
            followers=follow,
        )
        was_followed = followers.checked(connection)
        was_checked = checked(connection, risk)
        plan = make_plan(selection, dataset, reach, seed)
        sources = read_sources(connection, _images(plan))
        certified = read_certified(connection)
    leaks = find_leaks(
        plan, reach, lambda ids: workspace.vectors.get(selection.embedder, ids)
    )
    chosen = {
        # By default a release is the same as before there was this setting.
        "dataset": dataset.model_dump(
            mode="json",
            exclude={"unasked_references"} if dataset.unasked_references else None,
        ),
        "filter": settings.filter.model_dump(mode="json", exclude=LOCAL),
        "harvest": {"only_licence": list(settings.harvest.only_licence)},
        **_annotate(settings.annotate),
    }
    inputs = with_certificate(hash_inputs(selection, sources, chosen, seed), certified)
    summary = {
        "inputs": inputs,
        "seed": seed,
        "formats": folders,
        "version": __version__,
        "catalogue_revision": catalogue.revisions()[0],
        "counts": plan.counts,
        "labels": _labels(selection, risk, was_checked, was_followed),
        "audit": certificate.summary(certified, plan),
        "held_back": dict(plan.held_back),
        "unused": plan.unused,
        "left_out": dict(selection.left_out),
        "leaks": {check.name: check.count for check in leaks.checks},
        "detection_truth": detection_truth(selection),
        "detection_boxes": dataset.boxes,
        "models": {
            "embedder": _model(selection, selection.embedder),
            "detectors": [_model(selection, each) for each in selection.detectors],
        },
        "settings": chosen,
    }
    text = json.dumps(summary, indent=2) + "\n"
    return Prepared(plan, leaks, sources, inputs, folders, text, certified)


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
        BrokenMachine: bytes or embeddings are missing or damaged, or the disk fails.
    """
    target = target.resolve()
    with one_at_a_time(workspace.root / LOCK, f"icf-build-splits {target}"):
        return _write(workspace, prepared, target, seed, link)


def _write(
    workspace: Workspace, prepared: Prepared, target: Path, seed: int, link: bool
) -> bool:
    present = _read_summary(target)
    if present is not None:
        _check_same(target, present, prepared)
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
            pictures = _write_formats(workspace, prepared, folder, link)
            _write_json(folder / "leaks.json", asdict(prepared.leaks))
            (folder / SUMMARY).write_text(prepared.summary, encoding="utf-8")
            if prepared.certified is not None:
                certificate.write_certificate(
                    folder, prepared.certified, prepared.plan, prepared.inputs, pictures
                )
    except MissingBlob:
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


def _write_formats(
    workspace: Workspace, prepared: Prepared, folder: Path, link: bool
) -> list[str]:
    """Write the files of every format, and one table of licences for all of them.

    Returns:
        The file of each picture, relative to the folder.
    """
    embedder = prepared.plan.selection.embedder
    data = ReleaseData(
        prepared.plan,
        prepared.sources,
        workspace.blobs,
        lambda faces: workspace.vectors.get(embedder, faces),
        link,
    )
    image = prepared.plan.selection.pictures.image
    licences: list[tuple[str, ...]] = []
    pictures: list[str] = []
    for name, writer in make_writers(prepared.folders).items():
        place = Path(prepared.folders[name])
        (folder / place).mkdir(exist_ok=True)
        for each in writer.write(data, folder / place):
            sources = prepared.sources[int(image[each.picture])]
            file = (place / each.file).as_posix()
            pictures.append(file)
            licences += rows(file, data.sha256(each.picture), sources)
    write_csv(folder / FILE, COLUMNS, licences)
    return pictures


def _read_summary(target: Path) -> str | None:
    """The text of the ``release.json`` that is there; None where nothing is.

    Raises:
        WrongUse: ``target`` is a file, or a folder that holds something else.
    """
    if not target.exists():
        return None
    if not target.is_dir():
        raise WrongUse(f"{target} is a file; name a folder for the release")
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
    except (ValueError, KeyError, TypeError):
        raise _occupied(target, "something that is no release") from None
    if inputs != prepared.inputs or folders != prepared.folders:
        raise _occupied(target, "another release")


def _occupied(target: Path, what: str) -> WrongUse:
    return WrongUse(
        f"{target} already holds {what}; releases are never overwritten: name a new "
        "folder, or move that one away"
    )


def _check_withdrawn(connection: sa.Connection, target: Path, plan: Plan) -> None:
    """Raise IcfError if a picture or face was withdrawn since the plan was made."""
    rows = sorted({each.picture for each in _placed(plan)})
    hashes = {plan.selection.pictures.sha256[row].decode() for row in rows}
    faces = {
        int(plan.selection.faces.face[each.face]) for each in (*plan.train, *plan.test)
    }
    pictures = tombstones.buried(connection, tombstones.SHA256, hashes)
    if pictures or tombstones.withdrawn_faces(connection, faces):
        raise IcfError(
            f"the release {target} was not written, because pictures of it were "
            "withdrawn meanwhile (`icf takedown --list`); run the same command again"
        )


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


def _placed(plan: Plan) -> Iterator[Placed]:
    """Everything that the release has a file of."""
    yield from plan.train
    yield from plan.test
    yield from plan.detection_train
    yield from plan.detection_test


def _images(plan: Plan) -> list[int]:
    rows = {each.picture for each in _placed(plan)}
    return [int(plan.selection.pictures.image[row]) for row in sorted(rows)]


def _annotate(settings: AnnotateSettings) -> dict[str, Any]:
    """The settings that say whose labels a release has, where they are no defaults."""
    names = ("risk", "look", "tracks")
    chosen = {f"annotate.{name}": getattr(settings, name) for name in names}
    changed = {
        name.removeprefix("annotate."): value
        for name, value in chosen.items()
        if value != ADDED[name]
    }
    return {"annotate": changed} if changed else {}


def _labels(
    selection: Selection, risk: float, was: Checked, followed: Checked
) -> dict[str, Any]:
    """Who labelled the faces, and what was checked of labels that nobody gave."""
    unasked, accepted = len(selection.unasked), len(selection.accepted)
    followers = len(selection.followers)
    made: dict[str, Any] = {
        "people": len(selection.faces.face) - unasked - accepted - followers,
        "unasked_references": unasked,
        "model": accepted,
    }
    if risk:
        made["accepted_at_probability"] = 1 - risk
        made["accepted_and_asked_nevertheless"] = vars(was)
    if followers:
        made["followers"] = followers
        made["followers_asked_nevertheless"] = vars(followed)
    return made


def _model(selection: Selection, sha256: str) -> dict[str, str | None]:
    return {"sha256": sha256, "name": selection.models.get(sha256)}


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

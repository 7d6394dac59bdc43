"""Plan a release and check it for leaks, from the catalogue alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from icf.catalogue import tombstones
from icf.catalogue.annotation.audits import Certified
from icf.dataset import certificate
from icf.dataset.before import Before
from icf.dataset.cards.about import About
from icf.dataset.cards.told import KEY, told
from icf.dataset.certificate import with_certificate
from icf.dataset.contents import Contents
from icf.dataset.formats.registry import OF_FACES, default_formats, make_writers
from icf.dataset.inputs import RULE, hash_inputs
from icf.dataset.leaks.report import LeakReport
from icf.dataset.licences import Source, shown
from icf.dataset.lists_of_test import Row, lists_of_test
from icf.dataset.missing import refuse_missing
from icf.dataset.plan import Plan, detection_truth
from icf.dataset.protocol_file import ProtocolFile
from icf.dataset.release.before import left_of, read_before
from icf.dataset.release.chosen import chosen_settings
from icf.dataset.release.described import Described, with_described
from icf.dataset.release.placed import contents_of
from icf.dataset.release.reading import Asked, Read, make_reach, read_release
from icf.dataset.release.searched import find_leaks
from icf.dataset.rights.licence_set import licence_set
from icf.dataset.selection import Selection
from icf.errors import WrongUse
from icf.version import __version__
from icf.workspace import Workspace

_UNCONFIRMED = "no face is confirmed yet"


@dataclass(frozen=True, eq=False)
class Prepared:
    """A release that is ready to be written.

    Attributes:
        plan: which picture and face is in which split.
        contents: the rows of ``contents.csv``.
        leaks: the result of every leak check.
        sources: where each picture came from, by image id.
        inputs: the hash of everything that the splits depend on.
        earlier_inputs: gives what it was for earlier versions, which divided otherwise;
            few ask, and it takes as long.
        folders: the folder of each format, relative to the release's.
        summary: the text of ``release.json``.
        about: what its cards say.
        certified: the audit of the labels; None: none has a certificate.
        described: what is known of faces beside who they are.
        lists: rows of further lists over the test, by the name of their file.
        left: what earlier releases had and this one has not; None: it follows none.
    """

    plan: Plan
    contents: Contents
    leaks: LeakReport
    sources: Mapping[int, Sequence[Source]]
    inputs: str
    earlier_inputs: Callable[[], str]
    folders: Mapping[str, str]
    summary: str
    about: About
    certified: Certified | None = None
    described: Sequence[Described] = ()
    lists: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    left: Contents | None = None


def prepare(
    workspace: Workspace,
    seed: int,
    formats: Sequence[str] = (),
    boxes: Literal["verified", "proposed"] | None = None,
    *,
    crops: float | None = None,
    after: Path | None = None,
    protocol: ProtocolFile | None = None,
    strict: bool = False,
    detection_only: bool = False,
) -> Prepared:
    """Read the catalogue and decide everything; write nothing.

    Args:
        workspace: what to release.
        seed: random seed of the splits.
        formats: names of release formats, see `icf.dataset.formats.registry`; none:
            its `default_formats`.
        boxes: the true boxes of the detection set; None: as ``dataset.boxes`` says.
        crops: cut the pictures of the recognition set out around their faces, with
            the box enlarged by this rate; None: whole files, as fetched.
        after: the folder of an earlier release, whose faces stay where they were.
        protocol: who is in the test, and how many; None: as the settings say.
        strict: whether each part must have its full count.
        detection_only: leave out the recognition set, whatever faces are confirmed.

    Raises:
        WrongUse: there is too little to release, a format is unknown or would be
            empty, or answers of the annotation page did not become labels yet.
    """
    make_writers(formats)  # a wrong name costs no time
    asked = _asked(workspace, seed, boxes, crops, after, protocol, detection_only)
    read = read_release(workspace, asked)
    if strict:
        refuse_missing(read.plan.counts, asked.counts)
    plan, selection = read.plan, read.plan.selection
    if not plan.has_faces:
        _refuse_of_faces(formats, asked)
    lists = lists_of_test(plan, protocol, seed)
    contents = contents_of(plan)
    leaks = find_leaks(
        plan,
        make_reach(workspace.settings),
        lambda ids: workspace.vectors.get(selection.embedder, ids),
        contents,
        files_apart=asked.counts.files_apart,
    )
    names = list(formats or default_formats(sum(1 for _ in plan.placed())))
    folders = {name: name if len(names) > 1 else "." for name in names}
    chosen = chosen_settings(workspace.settings, asked.dataset, crops)
    sources = shown(read.sources)
    licences = licence_set(sources.values(), read.facts.marked)
    inputs = with_described(_hash(read, asked, chosen, sources, RULE), read.described)
    summary = {
        "inputs": inputs,
        **_followed(plan, protocol),
        "rule": RULE,
        "seed": seed,
        "formats": folders,
        "version": __version__,
        "catalogue_revision": workspace.catalogue.revisions()[0],
        **_counts(read, leaks),
        **_made_by(selection, asked),
        "licences": licences.summary(),
        "settings": chosen,
    }
    about = About(read.facts, summary, licences, workspace.settings)
    summary[KEY] = told(about)
    return Prepared(
        plan,
        contents,
        leaks,
        sources,
        inputs,
        # They told whole paths.
        lambda: _hash(read, asked, chosen, read.sources, 1),
        folders,
        json.dumps(summary, indent=2) + "\n",
        about,
        read.certified,
        read.described,
        lists,
        None if asked.before is None else _left(workspace, asked.before, contents),
    )


def _left(workspace: Workspace, before: Before, contents: Contents) -> Contents:
    """Return what of an earlier release is in no part, less what was withdrawn."""

    def withdrawn(rows: Contents) -> npt.NDArray[np.bool_]:
        names = rows.sha256.astype("U64").tolist()
        with workspace.catalogue.read() as connection:
            pictures = tombstones.buried(connection, tombstones.SHA256, names)
            whom = tombstones.all_of_kind(connection, tombstones.CHARACTER)
        who = zip(rows.album.tolist(), rows.character.tolist(), strict=True)
        named = [tombstones.full_name(*each) in whom for each in who]
        gone = [each in pictures for each in names]
        return np.array(gone, np.bool_) | np.array(named, np.bool_)

    return left_of(before, contents, withdrawn)


def _refuse_of_faces(formats: Sequence[str], asked: Asked) -> None:
    """Refuse formats that would be empty, because there is detection alone."""
    empty = [name for name in formats if name in OF_FACES]
    if empty:
        why = "detection alone is asked" if asked.detection_only else _UNCONFIRMED
        raise WrongUse(
            f"{' and '.join(empty)} would be empty: they have faces of known "
            f"characters, and {why}. Name formats that have boxes, as coco"
        )


def _asked(
    workspace: Workspace,
    seed: int,
    boxes: Literal["verified", "proposed"] | None,
    crops: float | None,
    after: Path | None,
    protocol: ProtocolFile | None,
    detection_only: bool,
) -> Asked:
    before = None if after is None else read_before(after)
    dataset = workspace.settings.dataset
    if boxes is not None:
        dataset = dataset.model_copy(update={"boxes": boxes})
    return Asked(seed, dataset, crops, before, protocol, detection_only)


def _hash(
    read: Read,
    asked: Asked,
    chosen: Mapping[str, Any],
    sources: Mapping[int, Sequence[Source]],
    rule: int,
) -> str:
    """Hash the inputs, as versions did that divided by this rule."""
    told: list[object] = [] if asked.before is None else [asked.before.inputs]
    if asked.protocol is not None:
        told.append(asked.protocol.as_json())
    return with_certificate(
        hash_inputs(
            read.plan.selection, sources, chosen, asked.seed, rule, tuple(told)
        ),
        read.certified,
    )


def _followed(plan: Plan, protocol: ProtocolFile | None) -> dict[str, Any]:
    return {
        **({} if plan.followed is None else {"after": plan.followed.as_json()}),
        **({} if protocol is None else {"protocol": protocol.as_json()}),
    }


def _counts(read: Read, leaks: LeakReport) -> dict[str, Any]:
    plan = read.plan
    return {
        "counts": plan.counts,
        "labels": dict(read.labels),
        "audit": certificate.summary(read.certified, plan),
        "held_back": dict(plan.held_back),
        "detection_beyond": plan.splits.beyond_detection,
        "unused": plan.unused,
        "left_out": dict(plan.selection.left_out),
        "leaks": {check.name: check.count for check in leaks.checks},
    }


def _made_by(selection: Selection, asked: Asked) -> dict[str, Any]:
    def named(sha256: str) -> dict[str, str | None]:
        return {"sha256": sha256, "name": selection.models.get(sha256)}

    return {
        "detection_truth": detection_truth(selection),
        "detection_boxes": asked.dataset.boxes,
        "models": {
            "embedder": named(selection.embedder),
            "detectors": [named(each) for each in selection.detectors],
        },
    }

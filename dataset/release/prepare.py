"""Plan a release and check it for leaks, from the catalogue alone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from icf.catalogue.annotation.audits import Certified, read_certified
from icf.catalogue.annotation.waiting import refuse_while_waiting
from icf.catalogue.labels import followers
from icf.catalogue.labels.checked import Checked
from icf.catalogue.labels.sure_faces import checked
from icf.dataset import certificate
from icf.dataset.before import Before
from icf.dataset.cards.about import About
from icf.dataset.cards.facts import read_facts
from icf.dataset.cards.told import KEY, told
from icf.dataset.certificate import with_certificate
from icf.dataset.contents import Contents
from icf.dataset.formats.crops import QUALITY
from icf.dataset.formats.registry import default_formats, make_writers
from icf.dataset.inputs import ADDED, LOCAL, RULE, hash_inputs
from icf.dataset.leaks.report import LeakReport
from icf.dataset.licences import Source, read_sources, shown
from icf.dataset.lists_of_test import Row, lists_of_test
from icf.dataset.missing import refuse_missing
from icf.dataset.near_duplicates import Reach
from icf.dataset.plan import Plan, detection_truth, make_plan
from icf.dataset.protocol_file import ProtocolFile
from icf.dataset.release.before import read_before
from icf.dataset.release.described import Described, read_described, with_described
from icf.dataset.release.placed import contents_of
from icf.dataset.release.searched import find_leaks
from icf.dataset.rights.licence_set import licence_set
from icf.dataset.selecting.select import select
from icf.dataset.selection import Selection
from icf.settings import AnnotateSettings, ReleaseSettings, Settings
from icf.version import __version__
from icf.workspace import Workspace


@dataclass(frozen=True, eq=False)
class Prepared:
    """A release that is ready to be written.

    Attributes:
        plan: which picture and face is in which split.
        contents: the rows of ``contents.csv``.
        leaks: the result of every leak check.
        sources: where each picture came from, by image id.
        inputs: the hash of everything that the splits depend on.
        earlier_inputs: what it was for earlier versions, which divided otherwise.
        folders: the folder of each format, relative to the release's.
        summary: the text of ``release.json``.
        about: what its cards say.
        certified: the audit of the labels; None: none has a certificate.
        described: what is known of faces beside who they are.
    """

    plan: Plan
    contents: Contents
    leaks: LeakReport
    sources: Mapping[int, Sequence[Source]]
    inputs: str
    earlier_inputs: str
    folders: Mapping[str, str]
    summary: str
    about: About
    certified: Certified | None = None
    described: Sequence[Described] = ()
    lists: Mapping[str, Sequence[Row]] = field(default_factory=dict)


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

    Raises:
        WrongUse: there is too little to release, a format is unknown, or answers of
            the annotation page did not become labels yet.
    """
    make_writers(formats)  # a wrong name costs no time
    before = None if after is None else read_before(after)
    settings = workspace.settings
    dataset = settings.dataset
    if boxes is not None:
        dataset = dataset.model_copy(update={"boxes": boxes})
    reach = make_reach(settings)
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
        plan = replace(
            make_plan(selection, dataset, reach, seed, before, protocol),
            crops=crops,
        )
        images = _images(plan)
        found = read_sources(connection, images)
        described = read_described(connection, plan)
        facts = read_facts(connection, plan, images)
        certified = read_certified(connection)
    if strict:
        wanted = dataset if protocol is None else protocol.settings(dataset)
        refuse_missing(plan.counts, wanted)
    lists = lists_of_test(plan, protocol, seed)
    contents = contents_of(plan)
    names = list(formats or default_formats(sum(1 for _ in plan.placed())))
    folders = {name: name if len(names) > 1 else "." for name in names}
    leaks = find_leaks(
        plan,
        reach,
        lambda ids: workspace.vectors.get(selection.embedder, ids),
        contents,
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
        **({} if crops is None else {"crops": _crops(crops)}),
        **_stated(settings.release),
    }
    sources = shown(found)
    licences = licence_set(sources.values(), facts.marked)
    more = [*_ids(before), *([] if protocol is None else [protocol.as_json()])]
    inputs, earlier = (
        with_certificate(
            hash_inputs(selection, told, chosen, seed, rule, more), certified
        )
        # Earlier versions told the whole paths of this machine's files.
        for rule, told in ((RULE, sources), (1, found))
    )
    inputs = with_described(inputs, described)
    followed = {} if plan.followed is None else {"after": plan.followed.as_json()}
    if protocol is not None:
        followed["protocol"] = protocol.as_json()
    summary = {
        "inputs": inputs,
        **followed,
        "rule": RULE,
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
        "licences": licences.summary(),
        "settings": chosen,
    }
    about = About(facts, summary, licences, settings)
    summary[KEY] = told(about)
    text = json.dumps(summary, indent=2) + "\n"
    return Prepared(
        plan,
        contents,
        leaks,
        sources,
        inputs,
        earlier,
        folders,
        text,
        about,
        certified,
        described,
        lists=lists,
    )


def _ids(before: Before | None) -> list[str]:
    return [] if before is None else [before.inputs]


def make_reach(settings: Settings) -> Reach:
    """Return what near-duplicates are, by the settings."""
    most = settings.filter.max_phash
    alone = min(settings.dataset.max_phash_alone, most)
    return Reach(most, settings.filter.max_dhash, alone)


def _images(plan: Plan) -> list[int]:
    rows = {each.picture for each in plan.placed()}
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


def _crops(rate: float) -> dict[str, Any]:
    """How the pictures of the recognition set were cut out."""
    return {"rate": rate, "format": "jpeg", "quality": QUALITY}


def _stated(settings: ReleaseSettings) -> dict[str, Any]:
    """What a person stated of the release, where it is no default."""
    default = ReleaseSettings().model_dump()
    changed = {
        name: value
        for name, value in settings.model_dump().items()
        if value != default[name]
    }
    return {"release": changed} if changed else {}


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

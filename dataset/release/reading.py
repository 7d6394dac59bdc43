"""Read from the catalogue what a release is made of, and divide it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sqlalchemy as sa

from icf.catalogue.annotation.audits import Certified, read_certified
from icf.catalogue.annotation.waiting import refuse_while_waiting
from icf.catalogue.labels import followers
from icf.catalogue.labels.sure_faces import checked
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import candidate, character
from icf.dataset.before import Before
from icf.dataset.cards.facts import Facts, read_facts
from icf.dataset.licences import Source, read_sources
from icf.dataset.near_duplicates import Reach
from icf.dataset.plan import Plan, make_plan
from icf.dataset.protocol_file import ProtocolFile
from icf.dataset.release.described import Described, read_described
from icf.dataset.selecting.select import select
from icf.dataset.selection import Selection
from icf.dataset.splits.parts import IntArray
from icf.settings import DatasetSettings, Settings
from icf.workspace import Workspace


@dataclass(frozen=True, eq=False)
class Asked:
    """What a release shall be.

    Attributes:
        seed: random seed of the splits.
        dataset: the settings of the section.
        crops: how far the boxes of crops are enlarged; None: whole files.
        before: an earlier release, whose faces stay where they were.
        protocol: who is in the test, and how many; None: as the settings say.
        detection_only: whether it is without confirmed faces.
    """

    seed: int
    dataset: DatasetSettings
    crops: float | None = None
    before: Before | None = None
    protocol: ProtocolFile | None = None
    detection_only: bool = False

    @property
    def counts(self) -> DatasetSettings:
        """The settings that say how large each part shall be."""
        if self.protocol is None:
            return self.dataset
        return self.protocol.settings(self.dataset)


@dataclass(frozen=True, eq=False)
class Read:
    """What the catalogue has for a release.

    Attributes:
        plan: which picture and face is in which split.
        sources: where each picture came from, by image id; of files of this machine
            with their whole paths.
        described: what is known of faces beside who they are.
        facts: what the cards say.
        certified: the audit of the labels; None: none has a certificate.
        labels: who labelled how many faces, and what was checked of labels that nobody
            gave.
    """

    plan: Plan
    sources: Mapping[int, Sequence[Source]]
    described: Sequence[Described]
    facts: Facts
    certified: Certified | None
    labels: Mapping[str, Any]


def read_release(workspace: Workspace, asked: Asked) -> Read:
    """Read the catalogue at one moment.

    Raises:
        WrongUse: there is too little to release, or answers of the annotation page did
            not become labels yet.
    """
    settings = workspace.settings
    with workspace.catalogue.read() as connection:
        refuse_while_waiting(connection)
        selection = select(
            connection,
            settings.harvest.only_licence,
            unasked_references=asked.dataset.unasked_references,
            risk=settings.annotate.accepted_risk,
            proposed_boxes=asked.dataset.boxes == "proposed",
            followers=settings.annotate.tracks == "follow",
            detection_only=asked.detection_only,
        )
        if asked.protocol is not None and asked.protocol.albums is not None:
            filed = _filed(connection, selection)
            selection = replace(selection, filed=filed)
        made = make_plan(
            selection,
            asked.dataset,
            make_reach(settings),
            asked.seed,
            asked.before,
            asked.protocol,
        )
        plan = replace(made, crops=asked.crops)
        images = _images(plan)
        return Read(
            plan,
            read_sources(connection, images),
            read_described(connection, plan),
            read_facts(connection, plan, images),
            read_certified(connection),
            _labels(connection, selection, settings.annotate.accepted_risk),
        )


def _filed(connection: sa.Connection, selection: Selection) -> IntArray:
    """Read which albums pictures with true boxes were filed under."""
    albums = (
        sa.select(candidate.c.image_id, character.c.album_id)
        .join(character, character.c.id == candidate.c.character_id)
        .distinct()
    )
    images = selection.pictures.image[selection.pictures.complete].tolist()
    rows = by_ids(connection, albums, candidate.c.image_id, images)
    return np.array([tuple(row) for row in rows], np.int64).reshape(-1, 2)


def make_reach(settings: Settings) -> Reach:
    """Return what near-duplicates are, by the settings."""
    most = settings.filter.max_phash
    alone = min(settings.dataset.max_phash_alone, most)
    return Reach(most, settings.filter.max_dhash, alone)


def _images(plan: Plan) -> list[int]:
    rows = {each.picture for each in plan.placed()}
    return [int(plan.selection.pictures.image[row]) for row in sorted(rows)]


def _labels(
    connection: sa.Connection, selection: Selection, risk: float
) -> dict[str, Any]:
    """Who labelled the faces, and what was checked of labels that nobody gave."""
    unasked, accepted = len(selection.unasked), len(selection.accepted)
    following = len(selection.followers)
    made: dict[str, Any] = {
        "people": len(selection.faces.face) - unasked - accepted - following,
        "unasked_references": unasked,
        "model": accepted,
    }
    if risk:
        made["accepted_at_probability"] = 1 - risk
        made["accepted_and_asked_nevertheless"] = vars(checked(connection, risk))
    if following:
        made["followers"] = following
        made["followers_asked_nevertheless"] = vars(followers.checked(connection))
    return made

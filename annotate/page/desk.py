"""What the page's server works with: the workspace, sources, tasks."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from icf.annotate.attributes.source import AttributeSource
from icf.annotate.attributes.task import AttributesTask
from icf.annotate.audit.source import AuditSource
from icf.annotate.boxes.page_run import PageRun
from icf.annotate.boxes.review import BoxReviewTask
from icf.annotate.boxes.source import BoxSource
from icf.annotate.boxes.task import BoxTask, rule_of
from icf.annotate.gold.source import GoldSource
from icf.annotate.page.background import Background
from icf.annotate.page.crops import Crops
from icf.annotate.pairs.grid import GridTask
from icf.annotate.pairs.mix import Mix
from icf.annotate.pairs.questions import QuestionSource
from icf.annotate.pairs.task import PairsTask
from icf.annotate.people.tokens import SecretKey, read_key
from icf.annotate.review.audited import DecisionSource
from icf.annotate.review.sources import ConflictSource, SuspicionSource
from icf.annotate.review.task import ReviewTask
from icf.annotate.tasks.base import Source, TaskKind
from icf.annotate.tasks.leases import Leasing
from icf.workspace import Workspace


@dataclass(frozen=True, eq=False)
class Desk:
    """Everything that requests need; one a server.

    Attributes:
        workspace: whose questions are answered.
        key: of its page.
        sources: by name, in the order in which answers to them are stored.
        tasks: by name, in the order of the menu.
        background: what is done between requests.
        crops: reference pictures that were shown a moment ago.
        pages: names and titles of further pages, for reviewers.
    """

    workspace: Workspace
    key: SecretKey
    sources: Mapping[str, Source]
    tasks: Mapping[str, TaskKind]
    background: Background
    crops: Crops = field(default_factory=Crops)
    pages: Mapping[str, str] = field(default_factory=dict)


def open_desk(
    workspace: Workspace,
    tasks: Iterable[str],
    pages: Mapping[str, str] | None = None,
) -> Desk:
    """Make the desk of a workspace.

    Args:
        workspace: whose questions are to be answered.
        tasks: names of the tasks to offer, see `TASKS`.
        pages: names and titles of further pages that the server has.
    """
    asked_for = set(tasks)
    settings = workspace.settings.annotate
    leasing = Leasing(settings.lease_minutes * 60)
    background = Background(workspace, asks=bool(asked_for))
    sources: dict[str, Source] = {}
    kinds: dict[str, TaskKind] = {}
    run = PageRun(workspace)
    # Each kind of task adds itself here: see icf.annotate.tasks.base. What is about
    # questions comes first: a takedown locks these before all else, too.
    sources[QuestionSource.name] = QuestionSource(settings.overlap)
    sources[ConflictSource.name] = ConflictSource()
    sources[SuspicionSource.name] = SuspicionSource(run)
    sources[AuditSource.name] = AuditSource()
    mix = Mix(settings.gold_first, settings.gold_share)
    starved = background.starved
    kinds[PairsTask.name] = PairsTask(
        workspace.catalogue, leasing, sources, mix, starved
    )
    kinds[GridTask.name] = GridTask(
        workspace.catalogue, leasing, sources, settings.grid_probability, starved
    )
    sources[GoldSource.name] = GoldSource(random.SystemRandom())
    sources[BoxSource.name] = BoxSource(rule_of(workspace), run)
    kinds[BoxTask.name] = BoxTask.of(workspace, leasing, run)
    sources[AttributeSource.name] = AttributeSource()
    kinds[AttributesTask.name] = AttributesTask(
        workspace.catalogue, leasing, settings.votes
    )
    sources[DecisionSource.name] = DecisionSource()
    kinds[ReviewTask.name] = ReviewTask(
        workspace.catalogue,
        leasing,
        settings.votes if settings.decide == "votes" else None,
        confirmed=settings.confirm_references,
    )
    kinds[BoxReviewTask.name] = BoxReviewTask(
        workspace.catalogue, leasing, settings.box_iou
    )
    if "review" in asked_for:
        asked_for.add(BoxReviewTask.name)
    offered = {name: kinds[name] for name in kinds if name in asked_for}
    key = read_key(workspace.root)
    return Desk(workspace, key, sources, offered, background, pages=pages or {})


#: Names of all tasks, in the order of the menu.
TASKS = ("pairs", "grid", "boxes", "attributes", "review")

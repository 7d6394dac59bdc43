"""Apply the current thresholds to stored measurements."""

from __future__ import annotations

from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np

from icf.catalogue import entry_steps, ledger
from icf.catalogue.stale_reviews import close_stale
from icf.engine.runner import Bar
from icf.filter.chain import filter_chain
from icf.filter.entry_steps import ENTRY_STEPS
from icf.filter.rethreshold import unchanged
from icf.filter.rethreshold.dry_run import tried
from icf.filter.rethreshold.moves import Moved, Place
from icf.filter.rethreshold.rechoose import confirmed_of
from icf.filter.rethreshold.reevaluate import reevaluate
from icf.filter.waiting import LOCK, count_waiting
from icf.workspace import Workspace


@dataclass(frozen=True)
class Rethresholded:
    """The changes of a rethresholding, of images and faces together.

    Attributes:
        dropped: how many are newly dropped, by step and reason.
        restored: how many are not dropped any more, by the former step and reason.
        other_reason: how many are dropped for another reason, by the new one.
        waiting: how many wait for each step that any waits for.
        confirmed: newly dropped faces that people had confirmed, ascending.
    """

    dropped: Counter[Place]
    restored: Counter[Place]
    other_reason: Counter[Place]
    waiting: dict[str, int]
    confirmed: list[int]


def rethreshold(
    workspace: Workspace, bar: Bar, *, dry_run: bool = False
) -> Rethresholded:
    """Apply the current thresholds to everything that was judged before.

    What changed nothing the last time, and reads the same now, is not done again. It
    waits for a run, and a run for it.

    Args:
        workspace: the workspace.
        bar: opens a progress bar for each step.
        dry_run: report the changes, and write nothing.

    Raises:
        BrokenMachine: the disk or the database does not answer.
    """
    if dry_run:
        return _rethreshold(workspace, bar, dry_run=True)
    with workspace.one_at_a_time(LOCK, "icf-filter rethreshold"):
        return _rethreshold(workspace, bar, dry_run=False)


def _rethreshold(workspace: Workspace, bar: Bar, *, dry_run: bool) -> Rethresholded:
    chain = filter_chain(workspace)
    whole = workspace.catalogue
    with whole.read() as connection:
        before = unchanged.fingerprint(connection, chain)
        if unchanged.is_settled(connection, before):
            waiting = count_waiting(connection, chain.steps)
            return _summed_up(Moved(), Moved(), waiting, [])
    with tried(whole) if dry_run else nullcontext(whole) as catalogue:
        with catalogue.write() as connection:
            entry_steps.declare(connection, ENTRY_STEPS)
            run_id = workspace.note_run(connection, "icf-filter rethreshold")
        images, faces = reevaluate(catalogue, run_id, chain, bar)
        with catalogue.write() as connection:
            close_stale(connection)
            ledger.end_run(connection, run_id)
            after = unchanged.fingerprint(connection, chain)
            if after is not None and after == before:
                unchanged.note_settled(connection, after)
            waiting = count_waiting(connection, chain.steps)
            confirmed = confirmed_of(connection, np.fromiter(faces.dropped, np.int64))
            return _summed_up(images, faces, waiting, confirmed)


def _summed_up(
    images: Moved, faces: Moved, waiting: dict[str, int], confirmed: list[int]
) -> Rethresholded:
    return Rethresholded(
        Counter(images.dropped.values()) + Counter(faces.dropped.values()),
        Counter(images.restored.values()) + Counter(faces.restored.values()),
        images.other_reason + faces.other_reason,
        {step: number for step, number in waiting.items() if number},
        confirmed,
    )

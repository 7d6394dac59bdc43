"""New decisions from stored measures, after a setting changed; nothing is computed."""

from __future__ import annotations

from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np

from icf.catalogue import entry_steps, ledger
from icf.filter.chain import filter_chain
from icf.filter.rethreshold.dry_run import rolled_back
from icf.filter.rethreshold.moves import Place
from icf.filter.rethreshold.rechoose import confirmed_of
from icf.filter.rethreshold.reevaluate import Bar, reevaluate
from icf.filter.run import count_waiting
from icf.filter.step_names import ENTRY_STEPS
from icf.workspace import Workspace


@dataclass(frozen=True)
class Rethresholded:
    """What new decisions came to, images and faces together.

    Attributes:
        out: how many are newly out, by the step and the reason that have them out.
        back: how many are newly in, by the step and the reason that had them out.
        otherwise: how many are out for another reason than before, by the new one.
        waiting: how many wait for each step that any waits for.
        confirmed: faces that people confirmed and that are newly out, ascending.
    """

    out: Counter[Place]
    back: Counter[Place]
    otherwise: Counter[Place]
    waiting: dict[str, int]
    confirmed: list[int]


def rethreshold(
    workspace: Workspace, bar: Bar, *, dry_run: bool = False
) -> Rethresholded:
    """Judge again, by the settings of now, all that was judged before.

    Args:
        workspace: where.
        bar: opens a progress bar for each step.
        dry_run: tell what it would come to, and change nothing.

    Raises:
        BrokenMachine: the disk or the database does not answer.
    """
    chain = filter_chain(workspace)
    whole = workspace.catalogue
    with rolled_back(whole) if dry_run else nullcontext(whole) as catalogue:
        with catalogue.write() as connection:
            entry_steps.declare(connection, ENTRY_STEPS)
            run_id = workspace.note_run(connection, "icf-filter rethreshold")
        images, faces = reevaluate(catalogue, run_id, chain, bar)
        with catalogue.write() as connection:
            ledger.end_run(connection, run_id)
            waiting = count_waiting(connection, chain.steps)
            out = np.fromiter(faces.out, np.int64)
            return Rethresholded(
                Counter(images.out.values()) + Counter(faces.out.values()),
                Counter(images.back.values()) + Counter(faces.back.values()),
                images.otherwise + faces.otherwise,
                {step: number for step, number in waiting.items() if number},
                confirmed_of(connection, out),
            )

"""The search for leaks in a plan, before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from icf.dataset.contents import Contents
from icf.dataset.leaks.report import LeakReport
from icf.dataset.leaks.search import Shown, search_leaks
from icf.dataset.leaks.similar import find_similar
from icf.dataset.near_duplicates import Reach
from icf.dataset.plan import Placed, Plan
from icf.dataset.release.placed import contents_of

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float32]


def find_leaks(
    plan: Plan,
    reach: Reach,
    vectors: Callable[[IntArray], FloatArray],
    contents: Contents | None = None,
    *,
    files_apart: bool = False,
) -> LeakReport:
    """Run every check.

    Args:
        plan: the contents of the release.
        reach: the hash distances of near-duplicates.
        vectors: returns unit embeddings by face id, shape (n, d).
        contents: the plan's rows, where they are there already.
        files_apart: whether a video or book may not be on both sides.
    """
    checks = search_leaks(
        contents_of(plan) if contents is None else contents,
        (reach.phash, reach.dhash),
        shown_elsewhere(plan),
        files_apart=files_apart,
    )
    train, test = _named(plan, plan.train), _named(plan, plan.test)
    return LeakReport((*checks, find_similar(train, test, vectors)))


def shown_elsewhere(plan: Plan) -> Shown:
    """Return the confirmed faces that are in no part of a plan, or cannot be in one."""
    selection, splits = plan.selection, plan.splits
    rest = np.ones(len(selection.faces.face), np.bool_)
    rest[np.concatenate([splits.train, splits.probes, splits.distractors])] = False
    pictures = selection.pictures.sha256[selection.faces.picture[rest]]
    owners = selection.faces.identity[rest].tolist()
    identities = [selection.identities[each] for each in owners]
    out = selection.excluded
    return Shown(
        [each.decode() for each in (*pictures.tolist(), *out.sha256.tolist())],
        [
            *((each.album, each.character) for each in identities),
            *zip(out.album, out.character, strict=True),
        ],
    )


def _named(plan: Plan, placed: Sequence[Placed]) -> tuple[list[str], IntArray]:
    ids = plan.selection.faces.face[[each.face for each in placed]]
    return [each.path for each in placed], ids

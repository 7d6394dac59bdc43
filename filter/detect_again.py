"""Search pictures again that another detector searched, and add what it missed.

A box that overlaps a known face of its picture by an IoU of `SAME_FACE` or more is that
face: it stays as it is, with all that was decided and answered about it. Only other
boxes become faces, and pass through the chain like those of a new picture. No face is
ever removed. A picture that was dropped because it had no face comes back if it has one
now; what was dropped for another reason is not searched.

Each batch is one transaction with a decision for each picture that names the detector,
so a run that was killed goes on with the others.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import sqlalchemy as sa

from icf.catalogue import ledger, row_state
from icf.catalogue.row_state import RowState
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import decision, face, image
from icf.catalogue.schema import model as models
from icf.codes import ImageReason, Verdict
from icf.engine.engine import Engine
from icf.engine.runner import Bar, Chain, Tally, insert_faces
from icf.engine.step import NewFace, Outcome
from icf.errors import BadModel, WrongUse
from icf.filter.step_names import DETECT
from icf.filter.steps.detect import Detect, StoredImage
from icf.filter.steps.faces import HasFaces
from icf.models.cards import load_card, weights_path
from icf.models.overlap import iou
from icf.models.registry.resolve import model_path
from icf.models.registry.tasks import ON_CARDS
from icf.workspace import Workspace

#: What its tally is called.
DETECT_AGAIN = "detect again"
#: Intersection over union of a box and the face that it is.
SAME_FACE = 0.5

_PAGE = 10_000


def count_other_detector(workspace: Workspace) -> int:
    """Count the pictures that another detector searched than the present one.

    Raises:
        BadModel: its card cannot be read.
    """
    return sum(len(ids) for ids in _pages(workspace, _present(workspace), _PAGE))


def other_detector(workspace: Workspace) -> str | None:
    """Say what a change of the detector leaves to do; None where it is nothing.

    Nor is anything said while the present detector's file cannot be read.
    """
    try:
        present = _present(workspace)
    except (BadModel, WrongUse):
        return None
    another = sa.select(models.c.sha256).where(
        models.c.task == ON_CARDS["detector"], models.c.sha256 != present
    )
    with workspace.catalogue.read() as connection:
        if connection.execute(another.limit(1)).first() is None:
            return None
    number = count_other_detector(workspace)
    if not number:
        return None
    noun = "picture was" if number == 1 else "pictures were"
    return (
        f"{number:,} {noun} searched by another detector than {present[:12]}: "
        "`icf-filter run --detect-again` adds the faces that only the new one finds"
    )


def detect_again(
    workspace: Workspace,
    step: Detect,
    chain: Chain,
    engine: Engine,
    run_id: int,
    bar: Bar,
) -> Tally:
    """Search the pictures again that another detector searched.

    Args:
        workspace: with filtered pictures.
        step: the one that detects.
        chain: all steps.
        engine: what detects.
        run_id: the run to charge it to.
        bar: opens a progress bar.

    Returns:
        How many pictures were searched, and how many could not be.

    Raises:
        BrokenMachine: the disk or the database does not answer.
    """
    model = step.card().sha256
    tally = Tally(DETECT_AGAIN)
    size = workspace.settings.filter.batch
    total = sum(len(ids) for ids in _pages(workspace, model, _PAGE))
    with bar(DETECT_AGAIN, total) as advance:
        for outcomes in engine.judge(step, _batches(workspace, step, model, size)):
            found = [each for each in outcomes if each.passed]
            # What could be decoded once and cannot be now has its faces still.
            lost = Counter(each.reason for each in outcomes if not each.passed)
            tally.waiting.update(lost)
            _add(workspace, chain, run_id, found)
            tally.passed += len(found)
            advance(len(outcomes))
    return tally


def _present(workspace: Workspace) -> str:
    """The SHA-256 of the detector.

    Raises:
        BadModel, WrongUse: there is none, or its card cannot be read.
    """
    path = weights_path(model_path(workspace, "detector"))
    return load_card(path.with_suffix(".json")).sha256


def _pages(workspace: Workspace, model: str, size: int) -> Iterator[list[int]]:
    """Pictures whose newest search was by another model, ascending."""
    searched = (
        sa.select(sa.func.max(decision.c.id))
        .where(
            decision.c.subject == "image",
            decision.c.step == DETECT,
            decision.c.subject_id == image.c.id,
        )
        .correlate(image)
        .scalar_subquery()
    )
    query = (
        sa.select(image.c.id)
        .join(decision, decision.c.id == searched)
        .where(
            decision.c.model.is_not(None),
            decision.c.model != model,
            image.c.awaits.is_(None),
            sa.or_(
                image.c.verdict == Verdict.KEPT.value,
                image.c.reason == ImageReason.NO_FACE.value,
            ),
        )
        .order_by(image.c.id)
        .limit(size)
    )
    last = 0
    while True:
        with workspace.catalogue.read() as connection:
            ids = list(connection.execute(query.where(image.c.id > last)).scalars())
        if not ids:
            return
        yield ids
        last = ids[-1]


def _batches(
    workspace: Workspace, step: Detect, model: str, size: int
) -> Iterator[Sequence[StoredImage]]:
    for ids in _pages(workspace, model, size):
        with workspace.catalogue.read() as connection:
            items = step.select(connection, ids)
        yield items


def _add(
    workspace: Workspace, chain: Chain, run_id: int, outcomes: Sequence[Outcome]
) -> None:
    """Insert the faces that are new, and note that the pictures were searched."""
    ids = sorted(each.id for each in outcomes)
    with workspace.catalogue.write() as connection:
        known = _known_boxes(connection, ids)
        reasons = {
            row.id: row.reason
            for row in by_ids(
                connection, sa.select(image.c.id, image.c.reason), image.c.id, ids
            )
        }
        # What was withdrawn meanwhile is not searched.
        gone = ImageReason.TAKEN_DOWN.value
        new = [
            replace(each, faces=_unknown(each.faces, known[each.id]))
            for each in outcomes
            if reasons.get(each.id, gone) != gone
        ]
        insert_faces(connection, chain, new)
        back = {
            each.id
            for each in new
            if each.faces and reasons[each.id] == ImageReason.NO_FACE.value
        }
        stay = [_searched(each) for each in new if each.id not in back]
        ledger.append(connection, run_id, stay)
        states = [
            RowState(_searched(each), HasFaces.name) for each in new if each.id in back
        ]
        row_state.write(connection, run_id, states)


def _searched(outcome: Outcome) -> ledger.Decision:
    number = len(outcome.faces)
    return ledger.Decision(
        subject="image",
        subject_id=outcome.id,
        step=DETECT,
        verdict=Verdict.PENDING.value,
        reason=ImageReason.OK.value,
        value=outcome.value,
        model=outcome.model,
        message=f"searched again: {number} faces that were not known",
    )


def _known_boxes(
    connection: sa.Connection, ids: Sequence[int]
) -> Mapping[int, list[tuple[float, ...]]]:
    query = sa.select(face.c.image_id, face.c.x1, face.c.y1, face.c.x2, face.c.y2)
    boxes: dict[int, list[tuple[float, ...]]] = defaultdict(list)
    rows: Iterator[Any] = by_ids(connection, query, face.c.image_id, ids)
    for row in rows:
        boxes[row.image_id].append((row.x1, row.y1, row.x2, row.y2))
    return boxes


def _unknown(
    found: tuple[NewFace, ...], known: Sequence[tuple[float, ...]]
) -> tuple[NewFace, ...]:
    """The faces that are none of the known ones."""
    if not found or not known:
        return found
    boxes = np.array([each.box for each in found], np.float32)
    overlap = iou(boxes, np.array(known, np.float32)).max(axis=1)
    return tuple(
        each for each, most in zip(found, overlap, strict=True) if most < SAME_FACE
    )

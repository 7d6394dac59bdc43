"""Write what people say of pictures to the catalogue, and what follows from it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import sqlalchemy as sa

from icf.annotate.boxes.choose import STEP
from icf.annotate.boxes.merge import Rule, Settled, match_boxes, settle
from icf.annotate.boxes.opinion import Opinion, stored_opinion
from icf.annotate.boxes.proposals import NONE, Proposals, read_proposals
from icf.annotate.formats.values import is_credible
from icf.catalogue import ledger
from icf.catalogue.annotation.pauses import boxes_count
from icf.catalogue.annotation.schema import box_answer, box_task, verified_box
from icf.catalogue.rows import by_ids
from icf.codes import BoxStatus

#: Behind the name of an imported file, before 16 letters of its hash.
_HASH = " sha256:"

#: IoU from which a merged box is a face that the detector found.
FOUND_IOU = 0.5


@dataclass(frozen=True, eq=False)
class BoxAnswer:
    """One person's answer about one picture.

    Attributes:
        image_id: the picture; people were asked about it.
        annotator: who answered.
        opinion: the answer.
        shown: whether the person saw the detector's boxes first.
        answered_at: UTC epoch seconds.
        decides: whether a reviewer says so to settle a disagreement.
        file: the file that it is imported from, see `noted_file`; None: the page.
        seconds: that it took.
        client_id: the id that the page gave it.
        dated: whether the time is known; COCO has none, so what a file says again is
            no later word than what the person said on the page meanwhile.
    """

    image_id: int
    annotator: str
    opinion: Opinion
    shown: bool
    answered_at: float
    decides: bool = False
    file: str | None = None
    seconds: float | None = None
    client_id: str | None = None
    dated: bool = True


class Stored(Enum):
    """What became of an answer."""

    NEW = "new"
    REVISED = "revised"
    KNOWN = "known"


def noted_file(name: str, sha256: str) -> str:
    """How the catalogue notes a file; earlier versions noted its name alone.

    >>> noted_file("boxes.json", "3fa2b1c4" * 8)
    'boxes.json sha256:3fa2b1c43fa2b1c4'
    """
    return f"{name}{_HASH}{sha256[:16]}"


def lock_tasks(connection: sa.Connection, ids: Iterable[int]) -> dict[int, bool]:
    """Those pictures that people were asked about, and whether proposals are hidden.

    Nobody else writes answers about them until the transaction ends: of two answers
    that come at once, the second sees the first.
    """
    query = sa.select(box_task.c.image_id, box_task.c.hidden).order_by(
        box_task.c.image_id
    )
    rows = by_ids(
        connection, query.with_for_update(), box_task.c.image_id, sorted(set(ids))
    )
    return {row.image_id: row.hidden for row in rows}


def insert_answer(connection: sa.Connection, given: BoxAnswer) -> Stored:
    """Store an answer; a later one of the same person replaces an earlier one.

    One that is older than what counts is stored as replaced. Nothing follows yet: see
    `follow`.
    """
    query = (
        sa.select(box_answer)
        .where(
            box_answer.c.image_id == given.image_id,
            box_answer.c.annotator == given.annotator,
        )
        .order_by(box_answer.c.id)
    )
    earlier = connection.execute(query).all()
    of_files = [row for row in earlier if row.file is not None]
    unchanged = not given.dated and of_files and _says(of_files[-1], given)
    if unchanged or any(_is_the_same(row, given) for row in earlier):
        return Stored.KNOWN
    now = time.time()
    counts = next((row for row in earlier if row.replaced_at is None), None)
    late = (
        counts is not None
        and counts.answered_at > given.answered_at
        and is_credible(counts.answered_at)
    )
    if counts is not None and not late:
        update = sa.update(box_answer).where(box_answer.c.id == counts.id)
        connection.execute(update.values(replaced_at=now))
    connection.execute(
        sa.insert(box_answer).values(
            image_id=given.image_id,
            annotator=given.annotator,
            verdict=given.opinion.verdict,
            boxes=given.opinion.boxes_json(),
            shown=given.shown,
            decides=given.decides,
            file=given.file,
            seconds=given.seconds,
            answered_at=given.answered_at,
            client_id=given.client_id,
            replaced_at=now if late else None,
        )
    )
    if late:
        return Stored.KNOWN
    return Stored.NEW if counts is None else Stored.REVISED


def _is_the_same(row: sa.Row[tuple[int]], given: BoxAnswer) -> bool:
    """Whether an answer is in the catalogue, as it counts or from the same file."""
    if not _says(row, given):
        return False
    again = given.dated and row.answered_at == given.answered_at
    return again or row.replaced_at is None or _is_of(row.file, given.file)


def _says(row: sa.Row[tuple[int]], given: BoxAnswer) -> bool:
    said = (given.opinion.verdict, given.opinion.boxes_json(), given.decides)
    return (row.verdict, row.boxes, row.decides) == said


def _is_of(noted: str | None, file: str | None) -> bool:
    """Whether an answer is from a file of these bytes, or of this name if that is all.

    CVAT calls all of its files alike.
    """
    if noted is None or file is None:
        return False
    name, _, content = file.rpartition(_HASH)
    return noted.endswith(f"{_HASH}{content}") if _HASH in noted else noted == name


def follow(
    connection: sa.Connection, run_id: int, images: Sequence[int], rule: Rule
) -> int:
    """Settle pictures by all that people say of them, where that changes something.

    Returns:
        The number of pictures that have another status or other boxes now.
    """
    changed = 0
    opinions = _read_opinions(connection, images)
    proposals = read_proposals(connection, images)
    query = sa.select(box_task)
    for row in by_ids(connection, query, box_task.c.image_id, images):
        said, decided = opinions.get(row.image_id, ((), None))
        settled = settle(said, rule, decided)
        found = proposals.get(row.image_id, NONE)
        if _write(connection, row, settled, found):
            ledger.append(connection, run_id, [_decision(row.image_id, settled, rule)])
            changed += 1
    return changed


def _read_opinions(
    connection: sa.Connection, images: Sequence[int]
) -> Mapping[int, tuple[list[Opinion], Opinion | None]]:
    """What people say of pictures, and what the last reviewer to decide says."""
    query = (
        sa.select(box_answer)
        .where(boxes_count())
        .order_by(box_answer.c.answered_at, box_answer.c.id)
    )
    found: dict[int, tuple[list[Opinion], Opinion | None]] = {}
    for row in by_ids(connection, query, box_answer.c.image_id, images):
        said, decided = found.get(row.image_id, ([], None))
        opinion = stored_opinion(row.verdict, row.boxes)
        said.append(opinion)
        found[row.image_id] = said, opinion if row.decides else decided
    return found


def _write(
    connection: sa.Connection,
    task: sa.Row[tuple[int]],
    settled: Settled,
    found: Proposals,
) -> bool:
    """Write what holds for a picture; return whether anything changed."""
    is_verified = settled.status is BoxStatus.VERIFIED
    rows = _boxes(task.image_id, settled, found)
    values = {
        "status": settled.status.value,
        "people": settled.people,
        "disagreement": settled.disagreement if is_verified else None,
    }
    before = {name: task._mapping[name] for name in values}
    if before == values and _read_boxes(connection, task.image_id) == rows:
        return False
    update = sa.update(box_task).where(box_task.c.image_id == task.image_id)
    connection.execute(update.values(**values, changed_at=time.time()))
    gone = sa.delete(verified_box).where(verified_box.c.image_id == task.image_id)
    connection.execute(gone)
    if rows:
        connection.execute(sa.insert(verified_box), rows)
    return task.status != settled.status.value or is_verified


def _boxes(
    image_id: int, settled: Settled, found: Proposals
) -> list[dict[str, float | int | None]]:
    faces = {
        mine: found.faces[theirs]
        for mine, theirs in match_boxes(settled.boxes, found.boxes, FOUND_IOU)
    }
    corners = settled.boxes.round(2).tolist()
    disagreements = settled.disagreements.tolist()
    return [
        {
            "image_id": image_id,
            "x1": x1,
            "y1": y1,
            "x2": x2,
            "y2": y2,
            "face_id": faces.get(place),
            "people": settled.people,
            "disagreement": disagreements[place],
        }
        for place, (x1, y1, x2, y2) in enumerate(corners)
    ]


def _read_boxes(
    connection: sa.Connection, image_id: int
) -> list[dict[str, float | int | None]]:
    columns = [each for each in verified_box.c if each.name != "id"]
    query = sa.select(*columns).where(verified_box.c.image_id == image_id)
    rows = connection.execute(query.order_by(verified_box.c.id))
    return [dict(row) for row in rows.mappings()]


def _decision(image_id: int, settled: Settled, rule: Rule) -> ledger.Decision:
    status = settled.status
    is_verified = status is BoxStatus.VERIFIED
    faces = "face" if len(settled.boxes) == 1 else "faces"
    people = "person says so" if settled.people == 1 else "people agree"
    message = f"{len(settled.boxes)} {faces}, {settled.people} {people}"
    return ledger.Decision(
        "image",
        image_id,
        STEP,
        status.value,
        status.value,
        value=settled.disagreement if is_verified else None,
        threshold=1 - rule.iou if is_verified else None,
        message=message if is_verified else None,
    )

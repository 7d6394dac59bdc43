"""Follow a change of the embedder: embed all faces again, and decide again.

A vector says something only beside others of the same model. So after a change every
face that was ever embedded gets a vector by the new model, the references first, each
picture decoded once. The vectors come first and the faces follow in one transaction:
until then everything stands as the earlier model left it, and a run that was killed
goes on with the faces that have no new vector yet. Vectors of earlier models stay: the
way back to one of them computes nothing.

Then the steps after the embedding judge the stored measures again
(`icf.filter.rethreshold.reevaluate`), so the catalogue ends as a fresh run by the new
model would leave it, except for people's decisions. That this is still to be done is
written down with the change of the faces.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from icf.catalogue import looked_at, tombstones
from icf.catalogue.bulk_insert import among
from icf.catalogue.looked_at import Look
from icf.catalogue.rows import count_rows, lock
from icf.catalogue.schema import character, face
from icf.catalogue.stale_reviews import close_stale
from icf.codes import FaceReason
from icf.engine.engine import Engine
from icf.engine.runner import Bar, Chain, Tally, store_vectors
from icf.engine.step import Item, Outcome, Step
from icf.filter.rethreshold.chain_state import read_chain_states
from icf.filter.rethreshold.moves import Move, Moved, write_moves
from icf.filter.rethreshold.reevaluate import reevaluate, state_after
from icf.filter.step_names import EMBED
from icf.workspace import Workspace

Ids = NDArray[np.int64]

#: What the tallies of the two parts are called.
EMBED_AGAIN, DECIDE_AGAIN = "embed again", "decide again"

#: The name in the table of what was looked at; its one subject is the catalogue, and
#: its fingerprint the model by whose vectors it is still to be decided.
_SEARCH, _WHOLE = "embedder", 0
_DECIDED = Look("")

_PAGE = 10_000


@dataclass(frozen=True)
class Outdated:
    """Faces whose vector is by another model than the present one; m of them.

    Attributes:
        faces: ids, shape (m,): references first, those of a picture together.
        images: of their pictures, shape (m,).
    """

    faces: Ids
    images: Ids

    def __len__(self) -> int:
        """How many faces they are."""
        return len(self.faces)

    def without(self, known: NDArray[np.bool_]) -> Outdated:
        """Leave out those that are marked, shape (m,)."""
        return Outdated(self.faces[~known], self.images[~known])

    def pages(self, size: int) -> Iterator[list[int]]:
        """Divide them into pages of ``size`` faces; no picture is in two of them."""
        ends = np.flatnonzero(np.diff(self.images, append=-1)) + 1
        start = 0
        while start < len(self):
            place = int(np.searchsorted(ends, start + size, "right")) - 1
            # A picture of more faces than that is a page of its own.
            first = int(np.searchsorted(ends, start, "right"))
            end = int(ends[max(place, first)])
            yield self.faces[start:end].tolist()
            start = end


def count_outdated(connection: sa.Connection, model: str) -> int:
    """Count the faces whose vector is by another model than ``model``."""
    return count_rows(connection, face, _is_outdated(model))


def is_undecided(connection: sa.Connection) -> bool:
    """Whether faces have new vectors, and were not decided on by them."""
    return looked_at.read(connection, _SEARCH).get(_WHOLE, _DECIDED) != _DECIDED


def embed_again(
    workspace: Workspace,
    step: Step[Any],
    model: str,
    chain: Chain,
    engine: Engine,
    run_id: int,
    bar: Bar,
) -> Tally | None:
    """Embed the faces again whose vector is by another model.

    Args:
        workspace: with filtered faces.
        step: the one that embeds.
        model: the SHA-256 of the model that it embeds by.
        chain: all steps.
        engine: what embeds.
        run_id: the run to charge it to.
        bar: opens a progress bar.

    Returns:
        How many passed, and what was lost; None if there are no such faces.

    Raises:
        BrokenMachine: the disk or the database does not answer.
    """
    with workspace.catalogue.read() as connection:
        outdated = _read_outdated(connection, model)
    if not len(outdated):
        return None
    left = outdated.without(workspace.vectors.has(model, outdated.faces))
    failed: list[Outcome] = []
    with bar(EMBED_AGAIN, len(outdated)) as advance:
        advance(len(outdated) - len(left))
        for outcomes in engine.judge(step, _batches(workspace, step, left)):
            _store(workspace, outcomes)
            failed += [each for each in outcomes if not each.passed]
            advance(len(outcomes))
    lost = np.array([each.id for each in failed], np.int64)
    made = np.setdiff1d(outdated.faces, lost)
    _change_faces(workspace, chain, run_id, model, made, failed)
    return Tally(
        EMBED_AGAIN,
        len(made),
        Counter(each.reason for each in failed if not each.waits),
        Counter(each.reason for each in failed if each.waits),
    )


def decide_again(workspace: Workspace, chain: Chain, run_id: int, bar: Bar) -> Tally:
    """Let the steps after the embedding judge the stored measures again.

    Returns:
        How many faces are kept that were not, and how many dropped, by reason.

    Raises:
        BrokenMachine: the disk or the database does not answer.
    """
    moved = Moved()
    for each in reevaluate(workspace.catalogue, run_id, chain, bar, EMBED):
        moved.dropped |= each.dropped
        moved.restored |= each.restored
    with workspace.catalogue.write() as connection:
        close_stale(connection)
        looked_at.write(connection, _SEARCH, {_WHOLE: _DECIDED})
    dropped = Counter(reason for _, reason in moved.dropped.values())
    return Tally(DECIDE_AGAIN, len(moved.restored), dropped)


def _is_outdated(model: str) -> sa.ColumnElement[bool]:
    return sa.and_(
        face.c.embedder.is_not(None),
        face.c.embedder != model,
        # What waits for the embedding gets its vector there.
        face.c.awaits.is_distinct_from(EMBED),
        face.c.reason != FaceReason.TAKEN_DOWN.value,
    )


def _read_outdated(connection: sa.Connection, model: str) -> Outdated:
    query = sa.select(face.c.id, face.c.image_id).where(_is_outdated(model))
    found = np.array(
        [tuple(row) for row in connection.execute(query)], np.int64
    ).reshape(-1, 2)
    chosen = sa.select(character.c.reference_face_id).where(
        character.c.reference_face_id.is_not(None)
    )
    references = np.fromiter(connection.execute(chosen).scalars(), np.int64)
    faces, images = found.T
    first = np.unique(images[np.isin(faces, references)])
    order = np.lexsort((faces, images, ~np.isin(images, first)))
    return Outdated(faces[order], images[order])


def _batches(
    workspace: Workspace, step: Step[Any], left: Outdated
) -> Iterator[Sequence[Item]]:
    for ids in left.pages(workspace.settings.filter.batch):
        with workspace.catalogue.read() as connection:
            items = step.select(connection, ids)
        yield items


def _store(workspace: Workspace, outcomes: Sequence[Outcome]) -> None:
    ids = store_vectors(workspace.vectors, outcomes)
    with workspace.catalogue.read() as connection:
        withdrawn = tombstones.withdrawn_faces(connection, ids)
    if withdrawn:
        # A takedown has gone over the vectors before these were there.
        workspace.vectors.erase(np.array(sorted(withdrawn), np.int64))


def _change_faces(
    workspace: Workspace,
    chain: Chain,
    run_id: int,
    model: str,
    made: Ids,
    failed: Sequence[Outcome],
) -> None:
    """Let all faces have the vectors of ``model``, at once."""
    change = sa.update(face).where(_is_outdated(model))
    with workspace.catalogue.write() as connection:
        lost = np.array([each.id for each in failed], np.int64)
        every = np.union1d(made, lost)
        for start in range(0, len(every), _PAGE):
            page = every[start : start + _PAGE].tolist()
            lock(connection, face, among(connection, face.c.id, page))
        _fail(connection, chain, run_id, failed)
        for start in range(0, len(made), _PAGE):
            page = made[start : start + _PAGE].tolist()
            some = change.where(among(connection, face.c.id, page))
            connection.execute(some.values(embedder=model))
        looked_at.write(connection, _SEARCH, {_WHOLE: Look(model)})


def _fail(
    connection: sa.Connection, chain: Chain, run_id: int, failed: Sequence[Outcome]
) -> None:
    """Let faces whose picture is lost wait for the embedding, as new ones would."""
    steps = [step for step in chain.steps if step.subject == "face"]
    place = [step.name for step in steps].index(EMBED)
    ids = sorted(each.id for each in failed)
    before = read_chain_states(connection, steps, ids)
    moves = [
        Move(place, each, before[each.id], state_after(place, before[each.id], each))
        for each in failed
        if each.id in before and before[each.id].place > place
    ]
    write_moves(connection, run_id, steps, moves)
    gone = sa.update(face).where(among(connection, face.c.id, ids))
    connection.execute(gone.values(embedder=None))

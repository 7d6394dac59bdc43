"""What a round changed, held against what the pictures really show."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from icf.annotate.choosing.unasked import count_unasked
from icf.annotate.export import batch_shares
from icf.app.demo.site import Truth
from icf.catalogue.labels.sure_faces import accepted
from icf.catalogue.rounds.audit_set import set_aside
from icf.catalogue.rows import count_rows
from icf.catalogue.schema import answer, character, face, image, question
from icf.codes import Label, Verdict
from icf.models.cards import bundled_path, load_card
from icf.stores.files import replace_file
from icf.workspace import Workspace

_FILE = "rounds.json"


@dataclass(frozen=True)
class RoundFigures:
    """The state after a round; round 0 is before the first answer.

    Attributes:
        number: of the round.
        promoted: whether the gate let the retrained model in.
        answers: that people have given so far.
        still_to_ask: questions that the next batches would ask.
        labels: faces that a release would take in now.
        wrong: those of them that are somebody else.
        lost: faces that are their character, and that the filter dropped as another.
        rank1: of the faces of the characters that were set aside, percent whose nearest
            other face is the same character; by the embedder that runs. None before
            anything is set aside.
        rank1_bundled: the same by the bundled embedder, which all began with.
        saved: questions that the round made unnecessary, as it counts them itself.
    """

    number: int
    promoted: bool
    answers: int
    still_to_ask: int
    labels: int
    wrong: int
    lost: int
    rank1: float | None
    rank1_bundled: float | None
    saved: int

    @property
    def error(self) -> float:
        """Share of the labels that are wrong."""
        return self.wrong / self.labels if self.labels else 0.0

    @property
    def questions(self) -> int:
        """Questions that all of it takes: asked and still to ask."""
        return self.answers + self.still_to_ask


def measure(
    workspace: Workspace, number: int, status: Mapping[str, Any], truth: Truth
) -> RoundFigures:
    """Compare the catalogue with the truth.

    Args:
        workspace: of the demo.
        number: of the round that ended.
        status: what `icf round status --json` says of it.
        truth: about the pictures.
    """
    annotate = workspace.settings.annotate
    with workspace.catalogue.read() as connection:
        people = _said_to_be(connection)
        given = count_rows(connection, answer, answer.c.replaced_at.is_(None))
        unasked = count_unasked(connection, batch_shares(workspace, connection))
        machine = accepted(connection, annotate.accepted_risk)
        cast = connection.execute(sa.select(character.c.id, character.c.name))
        names = {row.id: row.name for row in cast}
        faces = connection.execute(_FACES).all()
        aside = set(connection.execute(set_aside("character")).scalars())
    shown = {
        row.id: truth.who(row.sha256, (row.x1, row.y1, row.x2, row.y2)) for row in faces
    }
    labels = {**machine, **people}
    lost = sum(
        row.verdict == Verdict.DROPPED.value
        and row.character_id is not None
        and row.probability is not None
        and row.id not in labels
        and shown[row.id] == names[row.character_id]
        for row in faces
    )
    gate = status.get("gate") or {}
    aside_names = {names[key] for key in aside}
    bundled = load_card(bundled_path("embedder").with_suffix(".json")).sha256
    return RoundFigures(
        number=number,
        promoted=bool(gate.get("promoted")),
        answers=given,
        still_to_ask=unasked.total,
        labels=len(labels),
        wrong=sum(shown[key] != names[owner] for key, owner in labels.items()),
        lost=lost,
        rank1=_rank1(workspace, faces, shown, aside_names, None),
        rank1_bundled=_rank1(workspace, faces, shown, aside_names, bundled),
        saved=int(status.get("questions_saved") or 0),
    )


_FACES = (
    sa.select(
        face.c.id,
        face.c.x1,
        face.c.y1,
        face.c.x2,
        face.c.y2,
        face.c.embedder,
        face.c.verdict,
        face.c.probability,
        face.c.character_id,
        image.c.sha256,
    )
    .join(image, image.c.id == face.c.image_id)
    .order_by(face.c.id)
)


def _said_to_be(connection: sa.Connection) -> dict[int, int]:
    """Read the faces that people confirmed, each with its character."""
    query = sa.select(question.c.face_id, question.c.character_id)
    same = query.where(question.c.label == Label.SAME.value)
    return {row.face_id: row.character_id for row in connection.execute(same)}


def _rank1(
    workspace: Workspace,
    faces: Sequence[Any],
    shown: Mapping[int, str | None],
    aside: set[str],
    model: str | None,
) -> float | None:
    """Return rank-1 of the faces of some characters among all faces, in percent.

    Args:
        workspace: of the demo.
        faces: all of them.
        shown: whom each shows.
        aside: the characters to look for.
        model: hash of the embedder; None: the one that most faces have.
    """
    models = [row.embedder for row in faces if row.embedder]
    if not models or not aside:
        return None
    model = model or max(set(models), key=models.count)
    ids = np.array([row.id for row in faces if row.embedder and shown[row.id]])
    ids = ids[workspace.vectors.has(model, ids)]
    who = np.array([shown[int(each)] for each in ids])
    vectors = workspace.vectors.get(model, ids)
    return nearest_are_right(vectors, who, np.isin(who, sorted(aside)))


def nearest_are_right(
    vectors: npt.NDArray[np.float32],
    who: npt.NDArray[np.str_],
    probes: npt.NDArray[np.bool_],
) -> float:
    """Return how often the nearest other face is the same character, in percent.

    Args:
        vectors: shape (n, d), of unit length.
        who: shape (n,), the characters.
        probes: shape (n,), the faces to look from.
    """
    rows = np.flatnonzero(probes)
    cosines = vectors[rows] @ vectors.T
    cosines[np.arange(len(rows)), rows] = -2.0
    right = who[cosines.argmax(1)] == who[rows]
    return float(100 * right.mean()) if len(rows) else 0.0


def save(root: Path, figures: Sequence[RoundFigures]) -> None:
    """Keep the figures of the rounds that are done."""
    rows = [dataclasses.asdict(each) for each in figures]
    replace_file(root / _FILE, [json.dumps(rows, indent=1).encode()])


def read_figures(root: Path) -> list[RoundFigures]:
    """Read what `save` wrote; none before the first round."""
    path = root / _FILE
    if not path.exists():
        return []
    return [RoundFigures(**row) for row in json.loads(path.read_text("utf-8"))]

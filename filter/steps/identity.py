"""Decide for each face whether it is one of its candidate characters.

`icf.filter.identify.posterior` computes the probability of each character, and of none
of them. A face is assigned the likeliest of its candidates, and kept if the probability
is high enough to be worth a question.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from icf.codes import FaceReason
from icf.engine.step import Outcome, Step, Subject
from icf.filter import resources
from icf.filter.identify.assignment import Assignment, assign, average_tracks
from icf.filter.identify.face_evidence import Cast, FaceEvidence, read_faces
from icf.filter.identify.posterior import (
    ANSWER_ERROR,
    Comparison,
    FloatArray,
    Gallery,
    IntArray,
    compare,
    prior_weights,
)
from icf.filter.step_names import IDENTITY


@dataclass(frozen=True)
class Identity(Step[FaceEvidence]):
    """Assigns each face its likeliest candidate, or drops it.

    Args:
        vectors: the folder of the vector store.
        min_probability: minimum probability of a kept face.
    """

    name: ClassVar[str] = IDENTITY
    subject: ClassVar[Subject] = "face"
    #: The vectors are stored, so a changed threshold needs no new embeddings.
    stored: ClassVar[bool] = True

    vectors: Path
    min_probability: float

    def select(
        self, connection: sa.Connection, ids: Sequence[int]
    ) -> list[FaceEvidence]:
        """Read the evidence on the faces, and on faces linked with them."""
        return read_faces(connection, ids)

    def judge(self, batch: Sequence[FaceEvidence]) -> list[Outcome]:
        """Compare the faces of each cast with its gallery."""
        casts: dict[tuple[object, ...], list[FaceEvidence]] = {}
        for item in batch:
            casts.setdefault(item.cast.key, []).append(item)
        outcomes: list[Outcome] = []
        for items in casts.values():
            known = set(items[0].cast.characters)
            some = [item for item in items if known.intersection(item.candidates)]
            if some:
                outcomes += self._judge_cast(items[0].cast, some)
            outcomes += [
                Outcome(i.id, False, FaceReason.NO_REFERENCE.value, model=i.embedder)
                for i in items
                if i.fresh and known.isdisjoint(i.candidates)
            ]
        return outcomes

    def _judge_cast(self, cast: Cast, items: Sequence[FaceEvidence]) -> list[Outcome]:
        compared = self._compare(cast, items)
        tracks = np.unique([item.track for item in items], return_inverse=True)[1]
        candidates = _candidates(cast, items, tracks)
        joint = average_tracks(compared.ratios, tracks) * prior_weights(candidates)
        _apply_answers(joint, cast, items, tracks)
        cannot_link = _cannot_link(items, tracks)
        made = assign(joint, candidates, cannot_link, self.min_probability)
        return [
            self._outcome(item, row, cast, made, float(cosines[made.column[row]]))
            for item, row, cosines in zip(items, tracks, compared.cosines, strict=True)
            if item.fresh
        ]

    def _compare(self, cast: Cast, items: Sequence[FaceEvidence]) -> Comparison:
        model, store = str(items[0].embedder), resources.vectors(self.vectors)
        ids = np.array([item.id for item in items], np.int64)
        known = np.array([each.face_id for each in cast.gallery], np.int64)
        column = {character: at for at, character in enumerate(cast.characters)}
        references = [at for at, each in enumerate(cast.gallery) if each.is_reference]
        itself = {face_id: at for at, face_id in enumerate(known.tolist())}
        return compare(
            store.get(model, ids),
            Gallery(
                store.get(model, known),
                np.array(
                    [column[each.character_id] for each in cast.gallery], np.int64
                ),
                np.array(references, np.int64),
            ),
            cast.curve or resources.embedder().curve,
            np.array([itself.get(each, -1) for each in ids.tolist()], np.int64),
        )

    def _outcome(
        self, item: FaceEvidence, row: int, cast: Cast, made: Assignment, cosine: float
    ) -> Outcome:
        column = int(made.column[row])
        passed = bool(made.kept[row])
        probability = float(made.probability.characters[row, column])
        return Outcome(
            item.id,
            passed,
            (FaceReason.OK if passed else _reason(item, cast)).value,
            value=probability,
            threshold=self.min_probability,
            model=item.embedder,
            message=None if passed else _why(row, cast, made),
            columns={
                "character_id": cast.characters[column],
                "similarity": cosine,
                "probability": probability,
            },
        )


def _candidates(
    cast: Cast, items: Sequence[FaceEvidence], tracks: IntArray
) -> NDArray[np.bool_]:
    """Whether each character is a candidate of each track."""
    column = {character: at for at, character in enumerate(cast.characters)}
    made = np.zeros((int(tracks.max()) + 1, len(column)), bool)
    for item, row in zip(items, tracks, strict=True):
        made[row, [column[each] for each in item.candidates if each in column]] = True
    return made


def _apply_answers(
    joint: FloatArray, cast: Cast, items: Sequence[FaceEvidence], tracks: IntArray
) -> None:
    """Apply the answers about the faces to the odds, once per track."""
    said: dict[tuple[int, int], set[bool]] = {}
    for item, row in zip(items, tracks.tolist(), strict=True):
        for character, same in item.answers:
            if character in cast.characters:
                column = cast.characters.index(character)
                said.setdefault((row, column), set()).add(same)
    for place, answers in said.items():
        if len(answers) == 1:
            odds = (1 - ANSWER_ERROR) / ANSWER_ERROR
            joint[place] *= odds if answers == {True} else 1 / odds


def _cannot_link(
    items: Sequence[FaceEvidence], tracks: IntArray
) -> list[tuple[int, int]]:
    """Pairs of tracks that cannot be one character."""
    row_of: Mapping[int, int] = {
        item.id: row for item, row in zip(items, tracks.tolist(), strict=True)
    }
    return [
        (row_of[item.id], row_of[other])
        for item in items
        for other in item.cannot_link
        if other in row_of and row_of[other] != row_of[item.id]
    ]


def _reason(item: FaceEvidence, cast: Cast) -> FaceReason:
    """The reason; a face may also be a candidate without a reference."""
    if set(item.candidates).issubset(cast.characters):
        return FaceReason.NOT_THIS_CHARACTER
    return FaceReason.NO_REFERENCE


def _why(row: int, cast: Cast, made: Assignment) -> str | None:
    """Why the face was dropped, if another character or face explains it."""
    if made.taken_by[row] >= 0:
        return "another face of the same frame is likelier to be that character"
    rival = int(np.argmax(made.probability.characters[row]))
    if rival != made.column[row] and made.probability.characters[row, rival] >= 0.5:
        return (
            f"character {cast.characters[rival]} of the same album is far more like it"
        )
    return None

"""Ask of each face: is it the character it was found under?

The embedder's calibration turns the cosine between a face and a reference into the
probability that both are the same character. A face goes on to people if that is worth
a question for the best of the characters it was found under, unless another character
of the same album explains it far better.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import faiss
import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from icf.catalogue.schema import candidate, character, face
from icf.codes import FaceReason
from icf.engine.rows import by_ids
from icf.engine.step import Item, Outcome, Step, Subject
from icf.filter import opened

#: The share of the odds that a face's own character must hold against the album's best
#: other character. A page's own pictures are right far more often than one in twenty,
#: so the other must be twenty times as likely before no question is worth asking.
RIVAL_SHARE = 1 / 21


@dataclass(frozen=True)
class ReferenceFace:
    """The face that a character is compared by, and the model that embedded it."""

    character_id: int
    face_id: int
    embedder: str | None


References = tuple[ReferenceFace, ...]


@dataclass(frozen=True)
class FiledFace(Item):
    """A face, the characters its image was found under, and whom to compare it with."""

    embedder: str | None
    candidates: tuple[int, ...]
    references: References


@dataclass(frozen=True)
class Match:
    """How a face compares: its best candidate, and the best other of the album."""

    character_id: int
    cosine: float
    rival_id: int | None
    rival_cosine: float


@dataclass(frozen=True)
class Identity(Step[FiledFace]):
    """Files each face under its likeliest candidate, or drops it.

    Args:
        vectors: the folder of the vector store.
        min_probability: of being the character, that is worth a question.
    """

    name: ClassVar[str] = "identity"
    subject: ClassVar[Subject] = "face"

    vectors: Path
    min_probability: float

    def select(self, connection: sa.Connection, ids: Sequence[int]) -> list[FiledFace]:
        """Read candidates, and the references of their albums."""
        query = sa.select(face.c.id, face.c.image_id, face.c.embedder)
        rows = list(by_ids(connection, query, face.c.id, ids))
        filed = _candidates(connection, sorted({row.image_id for row in rows}))
        known = _references(connection, {under.albums for under in filed.values()})
        return [
            FiledFace(
                row.id,
                row.embedder,
                filed[row.image_id].characters,
                known[filed[row.image_id].albums],
            )
            for row in rows
        ]

    def judge(self, batch: Sequence[FiledFace]) -> list[Outcome]:
        """Compare the faces of each album with that album's references."""
        alike: dict[tuple[str | None, References], list[FiledFace]] = {}
        for item in batch:
            alike.setdefault((item.embedder, item.references), []).append(item)
        outcomes: list[Outcome] = []
        for (model, references), items in alike.items():
            usable = tuple(r for r in references if r.embedder == model)
            outcomes += self._judge_album(model, usable, items)
        return outcomes

    def _judge_album(
        self, model: str | None, references: References, items: Sequence[FiledFace]
    ) -> list[Outcome]:
        have = {reference.character_id for reference in references}
        comparable = [item for item in items if have.intersection(item.candidates)]
        outcomes = [_no_reference(i) for i in items if have.isdisjoint(i.candidates)]
        if model is not None and comparable:
            store = opened.vectors(self.vectors)
            faces = store.get(model, np.array([i.id for i in comparable]))
            against = store.get(model, np.array([r.face_id for r in references]))
            matches = best_matches(
                faces,
                against,
                [reference.character_id for reference in references],
                [item.candidates for item in comparable],
            )
            for item, match in zip(comparable, matches, strict=True):
                outcomes.append(self._judge_one(item, match))
        return outcomes

    def _judge_one(self, item: FiledFace, match: Match) -> Outcome:
        probability = _probability(match.cosine)
        share = rival_share(probability, _probability(match.rival_cosine))
        unlike = probability < self.min_probability
        another = match.rival_id is not None and share < RIVAL_SHARE
        passed = not unlike and not another
        reason = FaceReason.OK if passed else FaceReason.NOT_THIS_CHARACTER
        message = f"character {match.rival_id} of the same album is far more like it"
        by_rival = another and not unlike
        return Outcome(
            item.id,
            passed,
            reason.value,
            value=share if by_rival else probability,
            threshold=RIVAL_SHARE if by_rival else self.min_probability,
            model=item.embedder,
            message=message if by_rival else None,
            columns={
                "character_id": match.character_id,
                "similarity": match.cosine,
                "probability": probability,
            },
        )


def best_matches(
    faces: NDArray[np.float32],
    references: NDArray[np.float32],
    characters: Sequence[int],
    candidates: Sequence[tuple[int, ...]],
) -> list[Match]:
    """Find each face's best candidate and best rival among unit vectors.

    Args:
        faces: of shape (n, d).
        references: of shape (m, d), one for each of ``characters``.
        characters: the m ids of the characters, ascending.
        candidates: for each face the ids it was found under, at least one of which is
            among ``characters``.
    """
    index = faiss.IndexFlatIP(references.shape[1])
    index.add(references)
    # The best rival is behind all candidates at worst.
    depth = min(len(characters), 1 + max(len(each) for each in candidates))
    cosines, places = index.search(faces, depth)
    row_of = {character: row for row, character in enumerate(characters)}
    matches = []
    for row, own in enumerate(candidates):
        rows = [row_of[each] for each in own if each in row_of]
        to_own = references[rows] @ faces[row]
        best = int(np.argmax(to_own))
        rival, rival_cosine = None, -1.0
        for place, cosine in zip(places[row], cosines[row], strict=True):
            if place not in rows:
                rival, rival_cosine = characters[place], float(cosine)
                break
        matches.append(
            Match(characters[rows[best]], float(to_own[best]), rival, rival_cosine)
        )
    return matches


def rival_share(own: float, rival: float) -> float:
    """The share of the odds for ``own`` in the odds for either, from 0 to 1.

    >>> round(rival_share(0.5, 0.5), 3), round(rival_share(0.5, 0.95), 3)
    (0.5, 0.05)
    """
    tiny = 1e-9
    own_odds = (own + tiny) / (1 - own + tiny)
    rival_odds = (rival + tiny) / (1 - rival + tiny)
    return own_odds / (own_odds + rival_odds)


def _probability(cosine: float) -> float:
    return float(opened.embedder().probability_same(cosine))


def _no_reference(item: FiledFace) -> Outcome:
    return Outcome(item.id, False, FaceReason.NO_REFERENCE.value, model=item.embedder)


@dataclass
class _Filed:
    """The characters an image was found under, and their albums, both ascending."""

    characters: tuple[int, ...] = ()
    albums: tuple[int, ...] = ()


def _candidates(
    connection: sa.Connection, image_ids: Sequence[int]
) -> Mapping[int, _Filed]:
    query = sa.select(candidate.c.image_id, character.c.id, character.c.album_id).join(
        character, character.c.id == candidate.c.character_id
    )
    under: dict[int, list[tuple[int, int]]] = {each: [] for each in image_ids}
    for row in by_ids(connection, query, candidate.c.image_id, image_ids):
        under[row.image_id].append((row.id, row.album_id))
    return {
        image_id: _Filed(
            tuple(sorted(character_id for character_id, _ in pairs)),
            tuple(sorted({album_id for _, album_id in pairs})),
        )
        for image_id, pairs in under.items()
    }


def _references(
    connection: sa.Connection, albums: set[tuple[int, ...]]
) -> Mapping[tuple[int, ...], References]:
    """The references of each set of albums, by character."""
    query = sa.select(
        character.c.album_id,
        character.c.id,
        character.c.reference_face_id,
        face.c.embedder,
    ).join(face, face.c.id == character.c.reference_face_id)
    of_album: dict[int, list[ReferenceFace]] = {}
    single = sorted({album_id for each in albums for album_id in each})
    for row in by_ids(connection, query, character.c.album_id, single):
        known = ReferenceFace(row.id, row.reference_face_id, row.embedder)
        of_album.setdefault(row.album_id, []).append(known)
    return {
        each: tuple(
            sorted(
                (r for album_id in each for r in of_album.get(album_id, [])),
                key=lambda r: r.character_id,
            )
        )
        for each in albums
    }

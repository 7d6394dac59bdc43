"""How much the kept faces of a character are alike, and which characters are.

A character whose faces lie around one point is drawn alike and filed well; one whose
faces are spread has several looks, or somebody else's faces among them. Two characters
of one album that are nearly alike will be taken for each other, by people and models.
"""

from __future__ import annotations

import difflib
import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from icf.catalogue.calibrations import Curve
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import album, character, face
from icf.codes import Verdict
from icf.errors import WrongUse
from icf.filter.identify.posterior import Numbers, Vectors, Whole
from icf.stores.vectors import VectorStore

#: Vectors that are read at a time.
_BLOCK = 16_384
#: Albums that are listed at a time.
_PAGE = 1000


@dataclass(frozen=True)
class Named:
    """A character, as people know it."""

    id: int
    name: str
    album: str
    reference_face_id: int | None


@dataclass(frozen=True)
class Consistency:
    """How far the kept faces of a character lie from their middle.

    Attributes:
        character: whose.
        faces: how many.
        mean: of the cosines to the centroid, the mean of the unit vectors.
        spread: their standard deviation.
        lowest: the smallest of them.
        under: the share of faces whose cosine is under that at which the same and
            another character are equally likely.
    """

    character: Named
    faces: int
    mean: float
    spread: float
    lowest: float
    under: float


@dataclass(frozen=True)
class Alike:
    """Two characters of an album.

    Attributes:
        one, other: the characters.
        cosine: of their centroids.
        references: the cosine of their references; None where one has none.
        probability: that two faces of the larger of both cosines are one character.
    """

    one: Named
    other: Named
    cosine: float
    references: float | None
    probability: float


@dataclass(frozen=True)
class Survey:
    """The worst of each.

    Attributes:
        characters: characters that have kept faces.
        least: the least consistent of them, worst first.
        alike: the pairs of characters of one album that are most alike, worst first.
    """

    characters: int
    least: Sequence[Consistency]
    alike: Sequence[Alike]


@dataclass(frozen=True)
class Surveyor:
    """Looks at the kept faces that a model embedded, a character at a time.

    Attributes:
        catalogue: which faces are whose.
        vectors: their vectors.
        model: the SHA-256 of the embedder.
        curve: from cosines to probabilities.
    """

    catalogue: Catalogue
    vectors: VectorStore
    model: str
    curve: Curve

    def survey(self, only: str | None, most: int) -> Survey:
        """Survey one album, or all.

        Args:
            only: the album's name.
            most: how many characters, and pairs, to tell of.

        Raises:
            WrongUse: there is no such album.
        """
        characters = 0
        least: list[tuple[float, int, Consistency]] = []
        alike: list[tuple[float, int, int, Alike]] = []
        for people in self._albums(only):
            measured = [self._measured(person) for person in people]
            known = [each for each in measured if each is not None]
            characters += len(known)
            least += [(each.mean, each.character.id, each) for each, _ in known]
            pairs = self._pairs([(c.character, middle) for c, middle in known], most)
            alike += [
                (-each.probability, each.one.id, each.other.id, each) for each in pairs
            ]
            least, alike = heapq.nsmallest(most, least), heapq.nsmallest(most, alike)
        return Survey(
            characters, [each[-1] for each in least], [each[-1] for each in alike]
        )

    def _albums(self, only: str | None) -> Iterator[list[Named]]:
        """The characters of each album that stand for themselves."""
        query = sa.select(album.c.id, album.c.name).order_by(album.c.id)
        if only is not None:
            query = query.where(album.c.name == only)
            with self.catalogue.read() as connection:
                if connection.execute(query).first() is None:
                    raise WrongUse(_no_album(connection, only))
        last = 0
        while True:
            page = query.where(album.c.id > last).limit(_PAGE)
            with self.catalogue.read() as connection:
                albums = connection.execute(page).all()
            if not albums:
                return
            last = albums[-1].id
            for row in albums:
                yield self._cast(row.id, row.name)

    def _cast(self, album_id: int, name: str) -> list[Named]:
        query = (
            sa.select(character.c.id, character.c.name, character.c.reference_face_id)
            .where(character.c.album_id == album_id, character.c.merged_into.is_(None))
            .order_by(character.c.id)
        )
        with self.catalogue.read() as connection:
            rows = connection.execute(query).all()
        return [Named(r.id, r.name, name, r.reference_face_id) for r in rows]

    def _measured(self, who: Named) -> tuple[Consistency, Vectors] | None:
        """A character's consistency and centroid; None without a kept face."""
        ids = self._kept(who.id)
        if not len(ids):
            return None
        total = sum(block.sum(axis=0, dtype=np.float64) for block in self._blocks(ids))
        middle = total / max(np.linalg.norm(total), np.finfo(np.float64).tiny)
        cosines = np.concatenate([block @ middle for block in self._blocks(ids)])
        return (
            Consistency(
                who,
                len(ids),
                float(cosines.mean()),
                float(cosines.std()),
                float(cosines.min()),
                float((cosines < self.curve.even).mean()),
            ),
            np.asarray(middle, np.float32),
        )

    def _kept(self, character_id: int) -> Whole:
        query = (
            sa.select(face.c.id)
            .where(
                face.c.character_id == character_id,
                face.c.verdict == Verdict.KEPT.value,
                face.c.embedder == self.model,
            )
            .order_by(face.c.id)
        )
        with self.catalogue.read() as connection:
            ids = np.fromiter(connection.execute(query).scalars(), np.int64)
        return ids[self.vectors.has(self.model, ids)]

    def _blocks(self, ids: Whole) -> Iterator[Vectors]:
        for start in range(0, len(ids), _BLOCK):
            yield self.vectors.get(self.model, ids[start : start + _BLOCK])

    def _pairs(
        self, known: Sequence[tuple[Named, Vectors]], most: int
    ) -> Iterator[Alike]:
        """The most alike of every two characters of an album."""
        if len(known) < 2:
            return
        people = [who for who, _ in known]
        middles = np.stack([middle for _, middle in known])
        cosines = middles @ middles.T
        references = self._between_references(people)
        nearest = np.fmax(cosines, references)
        probability = self.curve.probability(nearest)
        ones, others = np.triu_indices(len(people), 1)
        worst = np.argsort(-probability[ones, others], kind="stable")[:most]
        for one, other in zip(ones[worst], others[worst], strict=True):
            shown = float(references[one, other])
            yield Alike(
                people[one],
                people[other],
                float(cosines[one, other]),
                None if np.isnan(shown) else shown,
                float(probability[one, other]),
            )

    def _between_references(self, people: Sequence[Named]) -> Numbers:
        """The cosines of references, shape (n, n); NaN where there is none."""
        ids = np.array([who.reference_face_id or -1 for who in people], np.int64)
        there = np.flatnonzero(self.vectors.has(self.model, ids))
        cosines = np.full((len(ids), len(ids)), np.nan)
        if len(there):
            vectors = self.vectors.get(self.model, ids[there])
            cosines[np.ix_(there, there)] = vectors @ vectors.T
        return cosines


def _no_album(connection: sa.Connection, name: str) -> str:
    names = connection.execute(sa.select(album.c.name).order_by(album.c.name)).scalars()
    near = difflib.get_close_matches(name, list(names), 1, cutoff=0)
    hint = f"; the nearest is {near[0]!r}" if near else "; there is none at all"
    return f"no album is called {name!r}{hint}"

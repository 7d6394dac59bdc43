"""Measure how consistent the faces of a character are, and find similar characters.

If the embeddings of a character are close to their centroid, it is drawn consistently
and its faces are right. If they are spread, it has several looks, or some faces are
wrong. Two similar characters of one album will be confused by people and models.
"""

from __future__ import annotations

import difflib
import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import sqlalchemy as sa

from icf.catalogue.calibrations import Curve
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import album, character, face
from icf.codes import Verdict
from icf.errors import WrongUse
from icf.filter.identify.posterior import FloatArray, IntArray, Vectors
from icf.stores.vectors import VectorStore

#: Vectors per block.
_BLOCK = 16_384
#: Characters whose faces are looked up at once.
_CHARACTERS = 100
#: A character and a face.
_PAIR = np.dtype((np.int64, 2))
#: Albums per page.
_PAGE = 1000
#: Pairs of characters that are compared at once.
_CELLS = 1_000_000


@dataclass(frozen=True)
class CharacterInfo:
    """A character with its names."""

    id: int
    name: str
    album: str
    reference_face_id: int | None


@dataclass(frozen=True)
class Consistency:
    """How close the kept faces of a character are to their centroid.

    Attributes:
        character: the character.
        faces: number of kept faces.
        mean: mean cosine to the centroid, the normalised mean of the unit vectors.
        spread: standard deviation of these cosines.
        lowest: smallest of these cosines.
        under: share of faces below the cosine at which the same and another character
            are equally likely.
    """

    character: CharacterInfo
    faces: int
    mean: float
    spread: float
    lowest: float
    under: float


@dataclass(frozen=True)
class SimilarPair:
    """Two characters of an album.

    Attributes:
        one: the first character.
        other: the second character.
        cosine: cosine of their centroids.
        references: cosine of their references; None if one has none.
        probability: calibrated probability, at the greater of both cosines, that two
            faces are the same character.
    """

    one: CharacterInfo
    other: CharacterInfo
    cosine: float
    references: float | None
    probability: float


@dataclass(frozen=True)
class Survey:
    """The least consistent characters and the most similar pairs.

    Attributes:
        characters: number of characters that have kept faces.
        least_consistent: the least consistent characters, worst first.
        most_similar: the most similar pairs of one album, worst first.
    """

    characters: int
    least_consistent: Sequence[Consistency]
    most_similar: Sequence[SimilarPair]


@dataclass(frozen=True)
class Surveyor:
    """Measures the kept faces that a model embedded, one character at a time.

    Attributes:
        catalogue: the faces and their characters.
        vectors: their vectors.
        model: SHA-256 of the embedder.
        curve: from cosines to probabilities.
    """

    catalogue: Catalogue
    vectors: VectorStore
    model: str
    curve: Curve

    def survey(self, only: str | None, limit: int) -> Survey:
        """Survey one album, or all.

        Args:
            only: the album's name; None for all albums.
            limit: maximum number of characters, and of pairs, in the result.

        Raises:
            WrongUse: there is no such album.
        """
        characters = 0
        least: list[tuple[float, int, Consistency]] = []
        similar: list[tuple[float, int, int, SimilarPair]] = []
        for cast in self._albums(only):
            known = list(self._measured(cast))
            characters += len(known)
            least += [(each.mean, each.character.id, each) for each, _ in known]
            pairs = self._pairs([(c.character, center) for c, center in known], limit)
            similar += [
                (-each.probability, each.one.id, each.other.id, each) for each in pairs
            ]
            least = heapq.nsmallest(limit, least)
            similar = heapq.nsmallest(limit, similar)
        return Survey(
            characters, [each[-1] for each in least], [each[-1] for each in similar]
        )

    def _albums(self, only: str | None) -> Iterator[list[CharacterInfo]]:
        """The characters of each album that are not merged into another."""
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

    def _cast(self, album_id: int, name: str) -> list[CharacterInfo]:
        query = (
            sa.select(character.c.id, character.c.name, character.c.reference_face_id)
            .where(character.c.album_id == album_id, character.c.merged_into.is_(None))
            .order_by(character.c.id)
        )
        with self.catalogue.read() as connection:
            rows = connection.execute(query).all()
        return [CharacterInfo(r.id, r.name, name, r.reference_face_id) for r in rows]

    def _measured(
        self, cast: Sequence[CharacterInfo]
    ) -> Iterator[tuple[Consistency, Vectors]]:
        """The consistency and the centroid of each character with a kept face."""
        for page in self._pages(cast):
            if len(page) == 1:
                [(one, ids)] = page
                yield self._measure(one, partial(self._blocks, ids))
                continue
            vectors = self.vectors.get(self.model, np.concatenate([i for _, i in page]))
            ends = np.cumsum([len(ids) for _, ids in page])
            for (one, _), block in zip(page, np.split(vectors, ends[:-1]), strict=True):
                yield self._measure(one, partial(iter, [block]))

    def _measure(
        self, character: CharacterInfo, blocks: Callable[[], Iterable[Vectors]]
    ) -> tuple[Consistency, Vectors]:
        """A character's consistency and centroid.

        Args:
            character: the character.
            blocks: gives the vectors of its kept faces, of which there is one at least.
        """
        total = sum(block.sum(axis=0, dtype=np.float64) for block in blocks())
        centroid = total / max(np.linalg.norm(total), np.finfo(np.float64).tiny)
        cosines = np.concatenate([block @ centroid for block in blocks()])
        return (
            Consistency(
                character,
                len(cosines),
                float(cosines.mean()),
                float(cosines.std()),
                float(cosines.min()),
                float((cosines < self.curve.even).mean()),
            ),
            np.asarray(centroid, np.float32),
        )

    def _pages(
        self, cast: Sequence[CharacterInfo]
    ) -> Iterator[list[tuple[CharacterInfo, IntArray]]]:
        """Characters with their kept faces: some of a block together, or one alone."""
        page: list[tuple[CharacterInfo, IntArray]] = []
        faces = 0
        for each, ids in self._kept(cast):
            if page and faces + len(ids) > _BLOCK:
                yield page
                page, faces = [], 0
            page.append((each, ids))
            faces += len(ids)
        if page:
            yield page

    def _kept(
        self, cast: Sequence[CharacterInfo]
    ) -> Iterator[tuple[CharacterInfo, IntArray]]:
        """The kept faces of each character that has some, ascending."""
        query = sa.select(face.c.character_id, face.c.id).where(
            face.c.verdict == Verdict.KEPT.value, face.c.embedder == self.model
        )
        for start in range(0, len(cast), _CHARACTERS):
            some = {each.id: each for each in cast[start : start + _CHARACTERS]}
            with self.catalogue.read() as connection:
                rows = by_ids(connection, query, face.c.character_id, list(some))
                found = np.asarray(np.fromiter(map(tuple, rows), _PAIR), np.int64)
            found = found[np.lexsort(found.T[::-1])]
            found = found[self.vectors.has(self.model, found[:, 1])]
            for one, ids in _grouped(found):
                yield some[one], ids

    def _blocks(self, ids: IntArray) -> Iterator[Vectors]:
        for start in range(0, len(ids), _BLOCK):
            yield self.vectors.get(self.model, ids[start : start + _BLOCK])

    def _pairs(
        self, known: Sequence[tuple[CharacterInfo, Vectors]], limit: int
    ) -> list[SimilarPair]:
        """The most similar pairs of characters of an album, some rows at a time."""
        if len(known) < 2:
            return []
        cast = [character for character, _ in known]
        centroids = np.stack([centroid for _, centroid in known])
        references = self._references(cast, centroids.shape[1])
        worst: list[tuple[float, int, int, float, float]] = []
        rows = max(1, _CELLS // len(cast))
        for start in range(0, len(cast), rows):
            part = slice(start, start + rows)
            # No pair twice, and none of a character with itself.
            others = np.arange(start, len(cast))
            is_pair = others > np.arange(start, len(cast))[:rows, None]
            cosines = centroids[part] @ centroids[start:].T
            of_references = references[part] @ references[start:].T
            nearest = np.fmax(cosines, of_references)
            probability = np.where(is_pair, self.curve.probability(nearest), -1.0)
            for one, other in _largest(probability, min(limit, int(is_pair.sum()))):
                at = one, other
                values = float(cosines[at]), float(of_references[at])
                worst.append(
                    (-float(probability[at]), start + one, start + other, *values)
                )
            worst = heapq.nsmallest(limit, worst)
        return [
            SimilarPair(
                cast[one],
                cast[other],
                cosine,
                None if np.isnan(reference) else reference,
                -probability,
            )
            for probability, one, other, cosine, reference in worst
        ]

    def _references(self, cast: Sequence[CharacterInfo], width: int) -> Vectors:
        """The vectors of references, shape (n, width); NaN without a reference."""
        ids = np.array([each.reference_face_id or -1 for each in cast], np.int64)
        stored = np.flatnonzero(self.vectors.has(self.model, ids))
        found = np.full((len(ids), width), np.nan, np.float32)
        if len(stored):
            found[stored] = self.vectors.get(self.model, ids[stored])
        return found


def _grouped(pairs: IntArray) -> Iterator[tuple[int, IntArray]]:
    """The second numbers of pairs, shape (n, 2), by the first, which is ascending."""
    if len(pairs):
        keys, first = np.unique(pairs[:, 0], return_index=True)
        yield from zip(keys.tolist(), np.split(pairs[:, 1], first[1:]), strict=True)


def _largest(values: FloatArray, count: int) -> Iterator[tuple[int, int]]:
    """The places of the largest values of a matrix; of equal ones the first."""
    if not count:
        return
    flat = values.ravel()
    least = np.partition(flat, flat.size - count)[flat.size - count]
    above = np.flatnonzero(flat > least)
    equal = np.flatnonzero(flat == least)[: count - len(above)]
    for place in np.concatenate([above, equal]).tolist():
        one, other = divmod(place, values.shape[1])
        yield one, other


def _no_album(connection: sa.Connection, name: str) -> str:
    names = connection.execute(sa.select(album.c.name).order_by(album.c.name)).scalars()
    near = difflib.get_close_matches(name, list(names), 1, cutoff=0)
    hint = f"; did you mean {near[0]!r}?" if near else "; there are no albums"
    return f"no album is called {name!r}{hint}"

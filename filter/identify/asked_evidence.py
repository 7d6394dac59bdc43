"""The probabilities of faces that were asked about, as a function of the curve.

`icf.filter.identify.posterior` has the model. For one face, both sums in it are sums
over cosines to the faces of galleries::

    P = T / (1 + S),   S = sum of a * exp(slope * cosine + intercept),   T likewise

where T takes the gallery of the character asked about alone, and ``a`` is the prior
weight of the gallery's character times the share of the gallery's face, divided by the
number of faces in the track of a video. So everything is kept as one long list of
terms. That two faces of one frame are two characters is left out.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import sqlalchemy as sa

from icf.catalogue.calibrations import Curve
from icf.catalogue.sampling import Mask
from icf.filter.identify.face_evidence import Cast, FaceEvidence, read_faces
from icf.filter.identify.posterior import (
    FloatArray,
    Gallery,
    IntArray,
    prior_weights,
)
from icf.stores.vectors import VectorStore

#: Number of terms of a block: what is computed of them stays in the processor's cache.
_BLOCK = 16_384


@dataclass(frozen=True)
class AskedEvidence:
    """The terms of the probabilities of n questions.

    Attributes:
        rows: shape (n,), where each question is in what it was read for.
        question: shape (terms,), the question of each term, ascending, from 0 to n - 1;
            each has at least one.
        cosine: shape (terms,).
        factor: shape (terms,), ``a`` in the formula above.
        own: shape (terms,), whether it is of the character asked about.
    """

    rows: IntArray
    question: IntArray
    cosine: FloatArray
    factor: FloatArray
    own: Mask

    def take(self, which: Mask) -> AskedEvidence:
        """The questions for which ``which``, of shape (n,), holds."""
        terms = which[self.question]
        place = np.cumsum(which) - 1
        return AskedEvidence(
            self.rows[which],
            place[self.question[terms]],
            self.cosine[terms],
            self.factor[terms],
            self.own[terms],
        )

    def mean_cosine(self) -> FloatArray:
        """The mean cosine to the character asked about, shape (n,)."""
        cosine = self._own_sums(self.factor * self.cosine)
        return np.asarray(cosine / self._own_sums(self.factor))

    def probability(self, curve: Curve) -> FloatArray:
        """The probability of the character asked about, shape (n,)."""
        return self.gradient(curve)[0]

    def gradient(self, curve: Curve) -> tuple[FloatArray, FloatArray]:
        """The probability, and how it changes with the curve.

        Returns:
            The probability, shape (n,), and its derivatives by the logarithm of a
            factor on the whole line and by its intercept, shape (2, n).
        """
        own, every, own_steeper, every_steeper = np.empty((4, len(self.rows)))
        for rows, terms, starts in self._blocks:
            odds = curve.log_odds(self.cosine[terms])
            term = self.factor[terms] * np.exp(odds)
            is_own = self.own[terms].astype(np.float64)
            for each, sums, own_sums in (
                (term, every, own),
                (term * odds, every_steeper, own_steeper),
            ):
                np.add.reduceat(each, starts, out=sums[rows])
                np.add.reduceat(each * is_own, starts, out=own_sums[rows])
        total = 1 + every
        by_factor = (own_steeper * total - own * every_steeper) / total**2
        return own / total, np.stack([by_factor, own / total**2])

    @cached_property
    def _starts(self) -> IntArray:
        """The first term of each question, shape (n,)."""
        return np.flatnonzero(np.diff(self.question, prepend=-1))

    @cached_property
    def _blocks(self) -> Sequence[tuple[slice, slice, IntArray]]:
        """The questions in blocks of some `_BLOCK` terms.

        Of each block: its questions, its terms, and where among these the first of each
        question is.
        """
        starts = np.append(self._starts, len(self.question))
        cuts = np.searchsorted(starts, np.arange(0, len(self.question), _BLOCK))
        ends = np.unique(np.append(cuts, len(self.rows))).tolist()
        return [
            (
                slice(one, end),
                slice(starts[one], starts[end]),
                starts[one:end] - starts[one],
            )
            for one, end in itertools.pairwise(ends)
        ]

    def _own_sums(self, terms: FloatArray) -> FloatArray:
        """The sums over each question's terms of the character asked about, (n,)."""
        if not len(self.rows):
            return np.empty(0)
        return np.asarray(np.add.reduceat(terms * self.own, self._starts))


#: Row of the question, face, character, and the faces of its track.
_Shown = tuple[int, int, int, Sequence[FaceEvidence]]


@dataclass(frozen=True)
class Comparable:
    """Questions about faces that identity can compare.

    Attributes:
        rows: shape (n,), where each is in what they were read for, ascending.
        terms: shape (n,), how many terms its evidence has.
        casts: whom the faces may show, with the faces that do: one entry for each face
            of the track.
    """

    rows: IntArray
    terms: IntArray
    casts: Sequence[tuple[Cast, Sequence[_Shown]]]

    def evidence(
        self, vectors: VectorStore, model: str, which: Mask | None = None
    ) -> AskedEvidence:
        """The terms of all of them, or of those that are True in ``which``, shape (n,).

        Args:
            vectors: those of the faces.
            model: the SHA-256 of the embedder.
            which: some of them.
        """
        rows = self.rows if which is None else self.rows[which]
        wanted = set(rows.tolist())
        parts: list[AskedEvidence] = []
        for cast, shown in self.casts:
            if some := [each for each in shown if each[0] in wanted]:
                parts.append(_of_cast(vectors, model, cast, some))
        return _concatenate(parts)


def read_comparable(
    connection: sa.Connection, model: str, faces: IntArray, characters: IntArray
) -> Comparable:
    """Read what identity knows today of faces that were asked about.

    What people answered about a face is no part of what is known of it.

    Args:
        connection: to the catalogue.
        model: the SHA-256 of the embedder.
        faces: ids, shape (m,).
        characters: shape (m,), the character each was asked about. Left out is what
            identity cannot compare: a character without a reference, or that is no
            candidate any more.
    """
    items = read_faces(connection, np.unique(faces).tolist())
    known = {item.id: item for item in items}
    tracks: dict[tuple[object, int], list[FaceEvidence]] = defaultdict(list)
    for item in items:
        tracks[item.cast.key, item.track].append(item)
    shown: dict[tuple[object, ...], list[_Shown]] = defaultdict(list)
    casts: dict[tuple[object, ...], Cast] = {}
    terms = np.zeros(len(faces), np.int64)
    for row, (face_id, character) in enumerate(zip(faces, characters, strict=True)):
        about = known[int(face_id)]
        comparable = {*about.candidates}.intersection(about.cast.characters)
        if about.embedder != model or int(character) not in comparable:
            continue
        cast = casts.setdefault(about.cast.key, about.cast)
        seen = tracks[cast.key, about.track]
        shown[cast.key] += [(row, one.id, int(character), seen) for one in seen]
        terms[row] = len(seen) * len(cast.gallery)
    rows = np.flatnonzero(terms)
    return Comparable(
        rows, terms[rows], [(casts[key], each) for key, each in shown.items()]
    )


def _of_cast(
    vectors: VectorStore,
    model: str,
    cast: Cast,
    shown: Sequence[_Shown],
) -> AskedEvidence:
    """The terms of the faces of one cast.

    Args:
        vectors: those of the faces.
        model: the SHA-256 of the embedder.
        cast: whom the faces may show.
        shown: one entry for each face of the track of each question.
    """
    column = {each: at for at, each in enumerate(cast.characters)}
    owner = np.array([column[each.character_id] for each in cast.gallery], np.int64)
    references = [at for at, each in enumerate(cast.gallery) if each.is_reference]
    ids = np.array([each.face_id for each in cast.gallery], np.int64)
    gallery = Gallery(vectors.get(model, ids), owner, np.array(references, np.int64))
    faces = np.array([face_id for _, face_id, _, _ in shown], np.int64)
    cosines = (vectors.get(model, faces) @ gallery.vectors.T).astype(np.float64)
    # A face is no evidence for itself: the reference is used instead.
    row, at = np.nonzero(faces[:, None] == ids)
    cosines[row, at] = cosines[row, gallery.reference[owner[at]]]
    candidates = np.zeros((len(shown), len(column)), bool)
    for place, (*_, seen) in enumerate(shown):
        under = {each for item in seen for each in item.candidates}
        candidates[place, [column[each] for each in under if each in column]] = True
    count = np.array([len(seen) for *_, seen in shown])
    weights = prior_weights(candidates)[:, owner]
    factor = weights * gallery.shares() / count[:, None]
    asked = np.array([column[character] for _, _, character, _ in shown])
    rows = np.array([each for each, _, _, _ in shown], np.int64)
    unique, question = np.unique(rows, return_inverse=True)
    return AskedEvidence(
        unique,
        np.repeat(question, len(owner)),
        cosines.ravel(),
        factor.ravel(),
        (asked[:, None] == owner).ravel(),
    )


def _concatenate(parts: Sequence[AskedEvidence]) -> AskedEvidence:
    """All parts as one, the questions in their order."""
    rows = np.concatenate([each.rows for each in parts] or [np.empty(0, np.int64)])
    place = np.empty(len(rows), np.int64)
    place[np.argsort(rows)] = np.arange(len(rows))
    starts = np.cumsum([0, *(len(each.rows) for each in parts)])
    question = np.concatenate(
        [
            np.empty(0, np.int64),
            *(
                place[each.question + start]
                for each, start in zip(parts, starts, strict=False)
            ),
        ]
    )
    order = np.argsort(question, kind="stable")
    return AskedEvidence(
        np.sort(rows),
        question[order],
        *(
            np.concatenate([getattr(each, name) for each in parts] or [empty])[order]
            for name, empty in (
                ("cosine", np.empty(0)),
                ("factor", np.empty(0)),
                ("own", np.empty(0, bool)),
            )
        ),
    )

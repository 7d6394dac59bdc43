"""Search all characters for outliers, splits and merges, and store the suspicions.

A suspicion is a row of ``review``. Faces and characters are not changed; only answers
do that. A repeated search changes only the suspicions that changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np
import sqlalchemy as sa

from icf.catalogue import calibrations, reviews
from icf.catalogue.calibrations import Curve
from icf.catalogue.reviews import Found
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import character, face, face_link
from icf.codes import FaceReason, Suspicion, Verdict
from icf.filter import resources
from icf.filter.identify.evidence import Links, read_answers, read_links
from icf.filter.review.cleaning import CleaningResult, clean
from icf.filter.review.groups import Members, Rows, Vectors
from icf.filter.review.similar_characters import (
    CharacterMeans,
    SimilarCharacters,
    find_similar,
)
from icf.stores.vectors import VectorStore
from icf.workspace import Workspace

#: Characters per transaction.
_PAGE = 100
_GONE = (FaceReason.TAKEN_DOWN.value, FaceReason.MISSING_BLOB.value)

#: Called with the number of characters that were searched.
Progress = Callable[[int], None]


@dataclass(frozen=True)
class _Character:
    """A character that is not merged, with its reference if it is embedded."""

    id: int
    reference: int | None
    model: str


@dataclass
class _MeansBuilder:
    """Collects the mean embeddings of the characters of one embedder."""

    ids: list[int] = field(default_factory=list)
    means: list[Vectors] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    references: dict[int, int] = field(default_factory=dict)

    def add(self, each: _Character, vectors: Vectors) -> None:
        assert each.reference is not None
        self.ids.append(each.id)
        self.means.append(vectors.mean(axis=0))
        self.counts.append(len(vectors))
        self.references[each.id] = each.reference

    def build(self) -> CharacterMeans:
        return CharacterMeans(
            np.array(self.ids, np.int64),
            np.array(self.means, np.float32),
            np.array(self.counts, np.int64),
        )


def refresh(workspace: Workspace, done: Progress = lambda characters: None) -> None:
    """Search all characters, and replace the suspicions of the last search.

    Memory holds the faces of one character at a time, and the mean of each character.

    Args:
        workspace: with filtered faces.
        done: called with the number of characters of each page.

    Raises:
        MissingVector: a kept face has no embedding; run the step embed again.
    """
    searched: list[int] = []
    means: dict[str, _MeansBuilder] = {}
    curves: dict[str, Curve] = {}
    for page in _pages(workspace):
        found: list[Found] = []
        with workspace.catalogue.read() as connection:
            models = {each.model for each in page}
            curves.update(calibrations.curves(connection, models))
            for each, ids in _kept_faces(connection, page):
                curve = curves.get(each.model) or resources.embedder().curve
                found += _search(connection, workspace.vectors, each, ids, curve, means)
        page_ids = [each.id for each in page]
        with workspace.catalogue.write() as connection:
            kinds = (Suspicion.OUTLIER, Suspicion.SPLIT)
            reviews.replace(connection, kinds, page_ids, found)
        searched += page_ids
        done(len(page_ids))
    merges = [
        each
        for model, builder in means.items()
        for each in _merges(workspace, builder, model, curves.get(model))
    ]
    with workspace.catalogue.write() as connection:
        reviews.replace(connection, (Suspicion.MERGE,), searched, merges)


def _pages(workspace: Workspace) -> Iterator[list[_Character]]:
    """Pages of all characters that are not merged into another."""
    last = 0
    while True:
        query = (
            sa.select(character.c.id, character.c.reference_face_id, face.c.embedder)
            .outerjoin(
                face,
                sa.and_(
                    face.c.id == character.c.reference_face_id,
                    face.c.reason.not_in(_GONE),
                ),
            )
            .where(character.c.merged_into.is_(None), character.c.id > last)
            .order_by(character.c.id)
            .limit(_PAGE)
        )
        with workspace.catalogue.read() as connection:
            rows = connection.execute(query).all()
        if not rows:
            return
        last = rows[-1].id
        yield [
            _Character(
                row.id,
                row.reference_face_id if row.embedder else None,
                row.embedder or "",
            )
            for row in rows
        ]


def _kept_faces(
    connection: sa.Connection, page: Sequence[_Character]
) -> Iterator[tuple[_Character, Rows]]:
    """The ids of each character's kept faces and reference, ascending."""
    characters = {each.id: each for each in page if each.reference is not None}
    query = (
        sa.select(face.c.character_id, face.c.id, face.c.embedder)
        .where(face.c.verdict == Verdict.KEPT.value)
        .order_by(face.c.character_id, face.c.id)
    )
    rows = by_ids(connection, query, face.c.character_id, sorted(characters))
    for key, some in groupby(rows, key=lambda row: int(row.character_id)):
        each = characters[key]
        ids = {row.id for row in some if row.embedder == each.model}
        if ids:
            yield each, np.array(sorted({*ids, each.reference}), np.int64)


def _search(
    connection: sa.Connection,
    vectors: VectorStore,
    each: _Character,
    ids: Rows,
    curve: Curve,
    means: dict[str, _MeansBuilder],
) -> list[Found]:
    assert each.reference is not None
    members = _members(connection, each, ids, vectors.get(each.model, ids))
    cleaned = clean(members, curve)
    main = members.vectors[cleaned.main & ~members.refused]
    means.setdefault(each.model, _MeansBuilder()).add(each, main)
    return _found(each, ids, members, cleaned)


def _found(
    each: _Character, ids: Rows, members: Members, cleaned: CleaningResult
) -> list[Found]:
    assert each.reference is not None
    reference = members.vectors[int(np.searchsorted(ids, each.reference))]
    return [
        Found(
            suspect.kind,
            each.id,
            int(ids[suspect.row]),
            each.reference,
            suspect.score,
            similarity=float(members.vectors[suspect.row] @ reference),
            model=each.model,
        )
        for suspect in cleaned.suspects
    ]


def _members(
    connection: sa.Connection, each: _Character, ids: Rows, vectors: Vectors
) -> Members:
    face_ids = ids.tolist()
    answers = read_answers(connection, face_ids)
    links = read_links(connection, face_ids)
    labels = [answers.get(face_id, {}).get(each.id) for face_id in face_ids]
    anchors = np.array([label is True for label in labels], np.bool_)
    anchors |= ids == each.reference
    refused = np.array([label is False for label in labels], np.bool_) & ~anchors
    must_link, cannot_link = _pairs(links, face_ids)
    return Members(vectors, anchors, refused, must_link, cannot_link)


def _pairs(
    links: Links, ids: Sequence[int]
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """The links of these faces as pairs of rows: must-link and cannot-link."""
    place = {face_id: row for row, face_id in enumerate(ids)}
    first: dict[int, int] = {}
    must_link = []
    for face_id, row in place.items():
        if face_id in links.track:
            must_link.append((first.setdefault(links.track[face_id], row), row))
    cannot_link = [
        (row, place[other])
        for face_id, row in place.items()
        for other in links.cannot_link.get(face_id, ())
        if other in place and face_id < other
    ]
    return must_link, sorted(cannot_link)


def _merges(
    workspace: Workspace, means: _MeansBuilder, model: str, curve: Curve | None
) -> Iterator[Found]:
    similar = find_similar(means.build(), curve or resources.embedder().curve)
    written: set[tuple[int, int]] = set()
    with workspace.catalogue.read() as connection:
        for pair in similar:
            faces = means.references[pair.one], means.references[pair.other]
            # Several characters may share a reference face; it is asked about once.
            if faces in written or _in_one_frame(connection, pair):
                continue
            written.add(faces)
            one, other = workspace.vectors.get(model, np.array(faces, np.int64))
            yield Found(
                Suspicion.MERGE,
                pair.one,
                faces[0],
                faces[1],
                pair.score,
                other_character_id=pair.other,
                similarity=float(one @ other),
                model=model,
            )


def _in_one_frame(connection: sa.Connection, pair: SimilarCharacters) -> bool:
    """Whether a frame of a video shows both characters."""
    one, other = face.alias("one"), face.alias("other")
    kept = Verdict.KEPT.value
    query = (
        sa.select(face_link.c.face_id)
        .join(one, one.c.id == face_link.c.face_id)
        .join(other, other.c.id == face_link.c.other_id)
        .where(
            sa.not_(face_link.c.same),
            one.c.verdict == kept,
            other.c.verdict == kept,
            sa.or_(
                sa.and_(
                    one.c.character_id == pair.one, other.c.character_id == pair.other
                ),
                sa.and_(
                    one.c.character_id == pair.other, other.c.character_id == pair.one
                ),
            ),
        )
        .limit(1)
    )
    return connection.execute(query).first() is not None

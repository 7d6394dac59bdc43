"""Look over every character, and write what people should look at.

A suspicion is a row of ``review``. No face, character or filing is touched: that is for
the answers to do. Looking again changes only what changed.
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
from icf.catalogue.schema import character, face, face_link
from icf.codes import FaceReason, Suspicion, Verdict
from icf.engine.rows import by_ids
from icf.filter import resources
from icf.filter.identify.evidence import Links, read_answers, read_links
from icf.filter.review.alike import Alike, Portraits, find_alike
from icf.filter.review.cleaning import Cleaned, clean
from icf.filter.review.groups import Members, Rows, Vectors
from icf.stores.vectors import VectorStore
from icf.workspace import Workspace

#: Characters that are looked over in one transaction.
_PAGE = 100
_GONE = (FaceReason.TAKEN_DOWN.value, FaceReason.MISSING_BLOB.value)

#: Called with how many characters were looked over.
Progress = Callable[[int], None]


@dataclass(frozen=True)
class _Character:
    """A character that is not merged, with its reference if that is embedded."""

    id: int
    reference: int | None
    model: str


@dataclass
class _Gathered:
    """What the characters of one embedder look like, gathered as they are cleaned."""

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

    def portraits(self) -> Portraits:
        return Portraits(
            np.array(self.ids, np.int64),
            np.array(self.means, np.float32),
            np.array(self.counts, np.int64),
        )


def refresh(workspace: Workspace, done: Progress = lambda characters: None) -> None:
    """Look for outliers, splits and merges, and write them in place of the last ones.

    Faces are held a character at a time, and of each character its mean.

    Raises:
        MissingVector: a kept face has no embedding; run the step embed again.
    """
    looked: list[int] = []
    gathered: dict[str, _Gathered] = {}
    curves: dict[str, Curve] = {}
    for page in _pages(workspace):
        found: list[Found] = []
        with workspace.catalogue.read() as connection:
            models = {each.model for each in page}
            curves.update(calibrations.curves(connection, models))
            for each, ids in _filed(connection, page):
                curve = curves.get(each.model) or resources.embedder().curve
                found += _look_over(
                    connection, workspace.vectors, each, ids, curve, gathered
                )
        every = [each.id for each in page]
        with workspace.catalogue.write() as connection:
            kinds = (Suspicion.OUTLIER, Suspicion.SPLIT)
            reviews.replace(connection, kinds, every, found)
        looked += every
        done(len(every))
    merges = [
        each
        for model, some in gathered.items()
        for each in _merges(workspace, some, model, curves.get(model))
    ]
    with workspace.catalogue.write() as connection:
        reviews.replace(connection, (Suspicion.MERGE,), looked, merges)


def _pages(workspace: Workspace) -> Iterator[list[_Character]]:
    """Every character that stands for itself."""
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


def _filed(
    connection: sa.Connection, page: Sequence[_Character]
) -> Iterator[tuple[_Character, Rows]]:
    """The kept faces of each character, its reference among them, by id."""
    of = {each.id: each for each in page if each.reference is not None}
    query = (
        sa.select(face.c.character_id, face.c.id, face.c.embedder)
        .where(face.c.verdict == Verdict.KEPT.value)
        .order_by(face.c.character_id, face.c.id)
    )
    rows = by_ids(connection, query, face.c.character_id, sorted(of))
    for key, some in groupby(rows, key=lambda row: int(row.character_id)):
        each = of[key]
        ids = {row.id for row in some if row.embedder == each.model}
        if ids:
            yield each, np.array(sorted({*ids, each.reference}), np.int64)


def _look_over(
    connection: sa.Connection,
    vectors: VectorStore,
    each: _Character,
    ids: Rows,
    curve: Curve,
    gathered: dict[str, _Gathered],
) -> list[Found]:
    assert each.reference is not None
    members = _members(connection, each, ids, vectors.get(each.model, ids))
    cleaned = clean(members, curve)
    own = members.vectors[cleaned.main & ~members.refused]
    gathered.setdefault(each.model, _Gathered()).add(each, own)
    return _found(each, ids, members, cleaned)


def _found(
    each: _Character, ids: Rows, members: Members, cleaned: Cleaned
) -> list[Found]:
    assert each.reference is not None
    reference = members.vectors[int(np.searchsorted(ids, each.reference))]
    return [
        Found(
            stray.kind,
            each.id,
            int(ids[stray.row]),
            each.reference,
            stray.score,
            similarity=float(members.vectors[stray.row] @ reference),
            model=each.model,
        )
        for stray in cleaned.strays
    ]


def _members(
    connection: sa.Connection, each: _Character, ids: Rows, vectors: Vectors
) -> Members:
    every = ids.tolist()
    said = read_answers(connection, every)
    links = read_links(connection, every)
    is_it = [said.get(face_id, {}).get(each.id) for face_id in every]
    anchors = np.array([answer is True for answer in is_it], np.bool_)
    anchors |= ids == each.reference
    refused = np.array([answer is False for answer in is_it], np.bool_) & ~anchors
    same, differ = _pairs(links, every)
    return Members(vectors, anchors, refused, same, differ)


def _pairs(
    links: Links, ids: Sequence[int]
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """What videos say of these faces, as pairs of rows that are one, and two."""
    place = {face_id: row for row, face_id in enumerate(ids)}
    first: dict[int, int] = {}
    same = []
    for face_id, row in place.items():
        if face_id in links.track:
            same.append((first.setdefault(links.track[face_id], row), row))
    differ = [
        (row, place[other])
        for face_id, row in place.items()
        for other in links.cannot_link.get(face_id, ())
        if other in place and face_id < other
    ]
    return same, sorted(differ)


def _merges(
    workspace: Workspace, some: _Gathered, model: str, curve: Curve | None
) -> Iterator[Found]:
    alike = find_alike(some.portraits(), curve or resources.embedder().curve)
    written: set[tuple[int, int]] = set()
    with workspace.catalogue.read() as connection:
        for pair in alike:
            faces = some.references[pair.one], some.references[pair.other]
            # A face that is the reference of several characters tells one of them.
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


def _in_one_frame(connection: sa.Connection, pair: Alike) -> bool:
    """Whether a frame of a video shows both characters, each as a face of its own."""
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

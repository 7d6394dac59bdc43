"""Search all characters for outliers, splits and merges, and store the suspicions.

A suspicion is a row of ``review``. Faces and characters are not changed; only answers
do that. What was searched is kept (`icf.catalogue.looked_at`), so a repeated search
looks only at the characters that changed since, and finds what a search of all would.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np
import sqlalchemy as sa

from icf.catalogue import calibrations, looked_at, reviews
from icf.catalogue.calibrations import Curve
from icf.catalogue.looked_at import Look
from icf.catalogue.reviews import Found
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import character, face, face_link
from icf.catalogue.stale_reviews import close_stale
from icf.codes import GONE_FACES, Suspicion, Verdict
from icf.filter import resources
from icf.filter.identify.evidence import Links, read_answers, read_links
from icf.filter.review import changes
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
#: Kinds of suspicion about two characters.
_PAIRED = (Suspicion.MERGE,)
#: The names of the searches in the table of what was looked at.
_SEARCH, _SEARCH_MERGES = "suspicions", "merges"
_NEVER = Look("")

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

    def add(self, each: _Character, stored: bytes) -> None:
        """Add a character by the numbers that `_search` stored."""
        assert each.reference is not None
        *mean, count = np.frombuffer(stored, np.float32)
        self.ids.append(each.id)
        self.means.append(np.array(mean, np.float32))
        self.counts.append(int(count))
        self.references[each.id] = each.reference

    def build(self) -> CharacterMeans:
        return CharacterMeans(
            np.array(self.ids, np.int64),
            np.array(self.means, np.float32),
            np.array(self.counts, np.int64),
        )


def refresh(workspace: Workspace, done: Progress = lambda characters: None) -> None:
    """Search the characters that changed, and replace the suspicions about them.

    A character whose faces, answers, links, reference, curve and suspicions are those
    of the last search is left out: it would give the same again. Memory holds the faces
    of one character at a time, and the mean of each character.

    Args:
        workspace: with filtered faces.
        done: called with the number of characters of each page.

    Raises:
        MissingVector: a kept face has no embedding; run the step embed again.
    """
    with workspace.catalogue.write() as connection:
        # Also those that were asked about, which the search leaves alone.
        close_stale(connection)
    with workspace.catalogue.read() as connection:
        characters = _characters(connection)
        models = {each.model for each in characters if each.model}
        curves = calibrations.curves(connection, models)
        evidence = changes.evidence(connection)
        stored = changes.stored(connection, reviews.ALONE)
        seen = looked_at.read(connection, _SEARCH)
    now = {each.id: _evidence(each, evidence, curves) for each in characters}
    changed = [
        each
        for each in characters
        if seen.get(each.id, _NEVER).fingerprint
        != _fingerprint(now[each.id], stored[each.id])
    ]
    done(len(characters) - len(changed))
    for start in range(0, len(changed), _PAGE):
        page = changed[start : start + _PAGE]
        seen |= _search_page(workspace, page, curves, now)
        done(len(page))
    _refresh_merges(workspace, characters, curves, seen)


def _evidence(
    each: _Character, evidence: changes.Parts, curves: Mapping[str, Curve]
) -> str:
    """All that the search reads about a character, but for its suspicions."""
    curve = _curve(each, curves) if each.model else None
    return f"{each.reference} {each.model} {curve} {evidence[each.id]}"


def _curve(each: _Character, curves: Mapping[str, Curve]) -> Curve:
    return curves.get(each.model) or resources.embedder().curve


def _fingerprint(evidence: str, stored: str) -> str:
    return f"{evidence} | {stored}"


def _search_page(
    workspace: Workspace,
    page: Sequence[_Character],
    curves: Mapping[str, Curve],
    evidence: Mapping[int, str],
) -> dict[int, Look]:
    """Search some characters, and store what was found; return what was seen."""
    found: list[Found] = []
    means: dict[int, bytes] = {}
    with workspace.catalogue.read() as connection:
        for each, ids in _kept_faces(connection, page):
            curve = _curve(each, curves)
            some, mean = _search(connection, workspace.vectors, each, ids, curve)
            found += some
            means[each.id] = mean
    ids_of_page = [each.id for each in page]
    with workspace.catalogue.write() as connection:
        reviews.replace(connection, reviews.ALONE, ids_of_page, found)
        stored = changes.stored(connection, reviews.ALONE, ids_of_page)
        seen = {
            each: Look(_fingerprint(evidence[each], stored[each]), means.get(each))
            for each in ids_of_page
        }
        looked_at.write(connection, _SEARCH, seen)
    return seen


def _refresh_merges(
    workspace: Workspace,
    characters: Sequence[_Character],
    curves: Mapping[str, Curve],
    seen: Mapping[int, Look],
) -> None:
    """Compare the means of all characters, if any of them changed."""
    own = (f"{each.id} {seen[each.id].fingerprint}" for each in characters)
    evidence = hashlib.sha256("\n".join(own).encode()).hexdigest()
    with workspace.catalogue.read() as connection:
        stored = changes.stored(connection, _PAIRED)
        last = looked_at.read(connection, _SEARCH_MERGES).get(0, _NEVER)
    if last.fingerprint == _merge_fingerprint(evidence, stored):
        return
    means: dict[str, _MeansBuilder] = {}
    for each in characters:
        mean = seen[each.id].result
        if mean is not None:
            means.setdefault(each.model, _MeansBuilder()).add(each, mean)
    merges = [
        found
        for model, builder in means.items()
        for found in _merges(workspace, builder, model, curves.get(model))
    ]
    with workspace.catalogue.write() as connection:
        ids = [each.id for each in characters]
        reviews.replace(connection, _PAIRED, ids, merges)
        fingerprint = _merge_fingerprint(evidence, changes.stored(connection, _PAIRED))
        looked_at.write(connection, _SEARCH_MERGES, {0: Look(fingerprint)})


def _merge_fingerprint(evidence: str, stored: changes.Parts) -> str:
    rows = "\n".join(f"{key} {stored[key]}" for key in sorted(stored))
    return f"{evidence} {hashlib.sha256(rows.encode()).hexdigest()}"


def _characters(connection: sa.Connection) -> list[_Character]:
    """All characters that are not merged into another, by id."""
    query = (
        sa.select(character.c.id, character.c.reference_face_id, face.c.embedder)
        .outerjoin(
            face,
            sa.and_(
                face.c.id == character.c.reference_face_id,
                face.c.reason.not_in(GONE_FACES),
            ),
        )
        .where(character.c.merged_into.is_(None))
        .order_by(character.c.id)
    )
    return [
        _Character(
            row.id,
            row.reference_face_id if row.embedder else None,
            row.embedder or "",
        )
        for row in connection.execute(query)
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
) -> tuple[list[Found], bytes]:
    """Search one character; return its suspicions, and the mean of its main group."""
    assert each.reference is not None
    members = _members(connection, each, ids, vectors.get(each.model, ids))
    cleaned = clean(members, curve)
    main = members.vectors[cleaned.main & ~members.refused]
    mean = np.append(main.mean(axis=0), len(main)).astype(np.float32)
    return _found(each, ids, members, cleaned), mean.tobytes()


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

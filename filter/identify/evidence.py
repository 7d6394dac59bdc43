"""Read the evidence on the identity of faces from the catalogue.

For given faces: the candidate characters of their pictures, the other characters of the
same albums, the gallery of each character (its reference and its confirmed faces), the
answers about the faces themselves, and the links between faces of a video. Merged
characters count as the character that they were merged into.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from icf.catalogue.merges import connected_components, survivor
from icf.catalogue.rows import CHUNK, by_ids
from icf.catalogue.schema import candidate, character, face, question
from icf.codes import BY_IDENTITY, GONE_FACES, YES_OR_NO, Label, Verdict
from icf.filter.identify import links
from icf.filter.step_names import IDENTITY

#: Maximum number of confirmed faces in a character's gallery. Those with the smallest
#: ids are used, so the choice is stable; more of them add little.
MAX_CONFIRMED = 8

_MERGED_INTO = character.c.merged_into


@dataclass(frozen=True)
class GalleryFace:
    """A labelled face: the reference or a confirmed face of a character."""

    character_id: int
    face_id: int
    is_reference: bool


@dataclass(frozen=True)
class Links:
    """Links between faces of a video.

    Attributes:
        track: for each linked face the smallest id of the faces of its track, which are
            the same identity.
        cannot_link: for each face the faces that are another identity.
    """

    track: Mapping[int, int] = field(default_factory=dict)
    cannot_link: Mapping[int, frozenset[int]] = field(default_factory=dict)

    def related(self) -> dict[int, int]:
        """For each linked face the smallest id of its connected component."""
        return connected_components(
            [(one, other) for one, other in self.track.items()]
            + [
                (one, other)
                for one, others in self.cannot_link.items()
                for other in others
            ]
        )


def read_links(connection: sa.Connection, ids: Sequence[int]) -> Links:
    """All faces linked with these, over any number of links."""
    pairs: dict[tuple[int, int], bool] = {}
    seen: set[int] = set()
    new = set(ids)
    while new:
        seen |= new
        found = links.read_links(connection, new)
        pairs |= found
        new = {face_id for pair in found for face_id in pair} - seen
    cannot_link: dict[int, set[int]] = defaultdict(set)
    for (one, other), same in pairs.items():
        if not same:
            cannot_link[one].add(other)
            cannot_link[other].add(one)
    track = connected_components([pair for pair, same in pairs.items() if same])
    return Links(track, {one: frozenset(others) for one, others in cannot_link.items()})


def reached_identity(connection: sa.Connection, ids: Iterable[int]) -> set[int]:
    """The faces among these that reached the step identity, with any result."""
    query = sa.select(face.c.id).where(
        face.c.embedder.is_not(None),
        sa.or_(
            face.c.awaits == IDENTITY,
            sa.and_(face.c.awaits.is_(None), face.c.verdict == Verdict.KEPT.value),
            face.c.reason.in_(BY_IDENTITY),
        ),
    )
    return {row.id for row in by_ids(connection, query, face.c.id, sorted(ids))}


@dataclass(frozen=True)
class Candidates:
    """The candidate characters of pictures, and the albums they were found in."""

    characters: frozenset[int] = frozenset()
    albums: frozenset[int] = frozenset()

    def __or__(self, other: Candidates) -> Candidates:
        """The union of both."""
        return Candidates(
            self.characters | other.characters, self.albums | other.albums
        )


def read_candidates(
    connection: sa.Connection, image_ids: Iterable[int]
) -> Mapping[int, Candidates]:
    """The candidates of each picture; pictures without candidates are left out."""
    merged = character.alias("merged")
    query = (
        sa.select(
            candidate.c.image_id,
            merged.c.id,
            merged.c.album_id,
            character.c.album_id.label("found_in"),
        )
        .join(character, character.c.id == candidate.c.character_id)
        .join(merged, merged.c.id == survivor())
    )
    found: dict[int, Candidates] = defaultdict(Candidates)
    for row in by_ids(connection, query, candidate.c.image_id, sorted(image_ids)):
        found[row.image_id] |= Candidates(
            frozenset([row.id]), frozenset([row.album_id, row.found_in])
        )
    return found


def read_casts(
    connection: sa.Connection, albums: Iterable[int]
) -> Mapping[int, frozenset[int]]:
    """The characters of each album, after merges."""
    query = sa.select(character.c.album_id, survivor().label("survivor_id"))
    cast: dict[int, set[int]] = defaultdict(set)
    for row in by_ids(connection, query, character.c.album_id, sorted(albums)):
        cast[row.album_id].add(row.survivor_id)
    return {album_id: frozenset(ids) for album_id, ids in cast.items()}


def read_gallery(
    connection: sa.Connection, characters: Iterable[int]
) -> Mapping[int, Mapping[str, tuple[GalleryFace, ...]]]:
    """The galleries of characters, by character and embedder.

    Without a reference that the embedder embedded, a character has no gallery: people
    confirm faces against the reference, and removed it for a reason.
    """
    ids = sorted(characters)
    query = sa.select(character.c.id, character.c.reference_face_id, face.c.embedder)
    query = query.join(face, face.c.id == character.c.reference_face_id)
    gallery: dict[int, dict[str, tuple[GalleryFace, ...]]] = defaultdict(dict)
    reference: dict[int, int] = {}
    for row in by_ids(
        connection, query.where(face.c.embedder.is_not(None)), character.c.id, ids
    ):
        reference_face = GalleryFace(row.id, row.reference_face_id, True)
        gallery[row.id][row.embedder] = (reference_face,)
        reference[row.id] = row.reference_face_id
    for row in _confirmed(connection, sorted(reference)):
        faces = gallery[row.survivor_id].get(row.embedder, ())
        is_new = all(row.face_id != each.face_id for each in faces)
        if faces and is_new and len(faces) <= MAX_CONFIRMED:
            confirmed = GalleryFace(row.survivor_id, row.face_id, False)
            gallery[row.survivor_id][row.embedder] = (*faces, confirmed)
    return gallery


def read_answers(
    connection: sa.Connection, ids: Sequence[int]
) -> Mapping[int, Mapping[int, bool]]:
    """Labels by face and character: True for same, False for different."""
    query = (
        sa.select(question.c.face_id, survivor().label("survivor_id"), question.c.label)
        .join(character, character.c.id == question.c.character_id)
        # If answers contradict each other after a merge, the newest counts.
        .order_by(question.c.id)
    )
    answers: dict[int, dict[int, bool]] = defaultdict(dict)
    for row in by_ids(connection, query, question.c.face_id, ids):
        # With a condition on labels, SQLite would look for the faces among all of them.
        if row.label in YES_OR_NO:
            answers[row.face_id][row.survivor_id] = row.label == Label.SAME.value
    return answers


def _confirmed(connection: sa.Connection, ids: Sequence[int]) -> list[sa.Row[Any]]:
    """The first confirmed faces of each character, ordered by face."""
    merged = sa.select(character.c.id)
    asked = [*ids, *(r.id for r in by_ids(connection, merged, _MERGED_INTO, ids))]
    found: list[sa.Row[Any]] = []
    for start in range(0, len(asked), CHUNK):
        place = sa.func.row_number().over(
            partition_by=(question.c.character_id, face.c.embedder),
            order_by=question.c.face_id,
        )
        ranked = (
            sa.select(
                survivor().label("survivor_id"),
                question.c.face_id,
                face.c.embedder,
                place.label("place"),
            )
            .join(character, character.c.id == question.c.character_id)
            .join(face, face.c.id == question.c.face_id)
            .where(
                question.c.label == Label.SAME.value,
                question.c.character_id.in_(asked[start : start + CHUNK]),
                face.c.reason.not_in(GONE_FACES),
                face.c.embedder.is_not(None),
            )
            .subquery()
        )
        # One more than needed, because the reference may be among them.
        first = sa.select(ranked).where(ranked.c.place <= MAX_CONFIRMED + 1)
        found += connection.execute(first)
    return sorted(found, key=lambda row: row.face_id)

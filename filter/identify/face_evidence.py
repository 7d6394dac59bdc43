"""A face with all evidence on its identity, read for many faces at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from icf.catalogue import calibrations
from icf.catalogue.calibrations import Curve
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import face
from icf.engine.step import Item
from icf.filter.identify import evidence
from icf.filter.identify.evidence import Candidates, GalleryFace


@dataclass(frozen=True)
class Cast:
    """The characters that some faces may be, with their galleries by one embedder.

    Attributes:
        key: distinguishes the casts of a batch.
        characters: ids of the characters that have a reference, ascending.
        gallery: their labelled faces.
        curve: from cosines to odds; None if the model has none.
    """

    key: tuple[object, ...]
    characters: tuple[int, ...]
    gallery: tuple[GalleryFace, ...]
    curve: Curve | None = None


@dataclass(frozen=True)
class FaceEvidence(Item):
    """A face and all evidence on its identity.

    Attributes:
        embedder: the model of its vector.
        candidates: the characters its picture was found under, ascending.
        cast: the candidates and the other characters of their albums.
        answers: characters that people said it is (True) or is not (False).
        track: a number shared by the faces that are the same identity.
        cannot_link: faces that are another identity.
    """

    embedder: str | None
    candidates: tuple[int, ...]
    cast: Cast
    answers: tuple[tuple[int, bool], ...] = ()
    track: int = 0
    cannot_link: tuple[int, ...] = ()


def read_faces(connection: sa.Connection, ids: Sequence[int]) -> list[FaceEvidence]:
    """Read faces and, as context, the faces linked with them."""
    links = evidence.read_links(connection, ids)
    related = links.related()
    context = evidence.reached_identity(connection, related.keys() - set(ids))
    query = sa.select(face.c.id, face.c.image_id, face.c.embedder)
    rows = list(by_ids(connection, query, face.c.id, [*ids, *sorted(context)]))
    found = evidence.read_candidates(connection, {row.image_id for row in rows})
    under = {row.id: found.get(row.image_id, Candidates()) for row in rows}
    # Linked faces share one cast, so that they can be compared with each other.
    merged: dict[int, Candidates] = {}
    for face_id, root in related.items():
        merged[root] = merged.get(root, Candidates()) | under.get(face_id, Candidates())
    among = {
        row.id: merged[related[row.id]] if row.id in related else under[row.id]
        for row in rows
    }
    casts = _read_casts(connection, {(row.embedder, among[row.id]) for row in rows})
    answers = evidence.read_answers(connection, [row.id for row in rows])
    fresh = set(ids)
    return [
        FaceEvidence(
            row.id,
            row.embedder,
            tuple(sorted(under[row.id].characters)),
            casts[row.embedder, among[row.id]],
            tuple(sorted(answers.get(row.id, {}).items())),
            links.track.get(row.id, row.id),
            tuple(sorted(links.cannot_link.get(row.id, ()))),
            fresh=row.id in fresh,
        )
        for row in rows
    ]


def _read_casts(
    connection: sa.Connection, wanted: Iterable[tuple[str | None, Candidates]]
) -> Mapping[tuple[str | None, Candidates], Cast]:
    """The cast of each set of candidates: all characters of their albums."""
    wanted = set(wanted)
    albums = {album_id for _, under in wanted for album_id in under.albums}
    of_album = evidence.read_casts(connection, albums)
    whole = {
        under: under.characters.union(*(of_album[each] for each in under.albums))
        for _, under in wanted
    }
    known = evidence.read_gallery(connection, set().union(*whole.values()))
    curves = calibrations.curves(connection, {model for model, _ in wanted if model})
    casts: dict[tuple[str | None, frozenset[int]], Cast] = {}
    for model, under in wanted:
        key = model, whole[under]
        if key in casts:
            continue
        faces = {
            each: known[each][model]
            for each in sorted(whole[under])
            if model is not None and model in known.get(each, {})
        }
        casts[key] = Cast(
            (model, len(casts)),
            tuple(faces),
            tuple(one for some in faces.values() for one in some),
            curves.get(model or ""),
        )
    return {(model, under): casts[model, whole[under]] for model, under in wanted}

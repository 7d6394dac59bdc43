"""A face with all that is known of whom it may show, read for many faces at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from icf.catalogue import calibrations
from icf.catalogue.calibrations import Curve
from icf.catalogue.schema import face
from icf.engine.rows import by_ids
from icf.engine.step import Item
from icf.filter.identify import evidence
from icf.filter.identify.evidence import Found, KnownFace


@dataclass(frozen=True)
class Cast:
    """The characters that some faces may be, as one embedder knows them.

    Attributes:
        key: tells it from any other of the batch.
        characters: the ids of those that have a reference, ascending.
        faces: their known faces.
        curve: from cosines to odds, of the model, where one is known.
    """

    key: tuple[object, ...]
    characters: tuple[int, ...]
    faces: tuple[KnownFace, ...]
    curve: Curve | None = None


@dataclass(frozen=True)
class FiledFace(Item):
    """A face, and all that is known of whom it may show.

    Attributes:
        embedder: the model whose vector it has.
        candidates: the characters its picture was found under, ascending.
        cast: those and the others of the albums.
        answers: characters that people said it is, or is not.
        track: a number that it shares with the faces it must be the same as.
        apart: faces that it cannot be the same as.
    """

    embedder: str | None
    candidates: tuple[int, ...]
    cast: Cast
    answers: tuple[tuple[int, bool], ...] = ()
    track: int = 0
    apart: tuple[int, ...] = ()


def read_faces(connection: sa.Connection, ids: Sequence[int]) -> list[FiledFace]:
    """Read faces, and as context those that are linked with them."""
    links = evidence.read_links(connection, ids)
    related = links.related()
    context = evidence.comparable(connection, related.keys() - set(ids))
    query = sa.select(face.c.id, face.c.image_id, face.c.embedder)
    rows = list(by_ids(connection, query, face.c.id, [*ids, *sorted(context)]))
    found = evidence.read_found(connection, {row.image_id for row in rows})
    under = {row.id: found.get(row.image_id, Found()) for row in rows}
    # What is linked is compared with the same known faces, so that it can be compared.
    together: dict[int, Found] = {}
    for face_id, root in related.items():
        together[root] = together.get(root, Found()) | under.get(face_id, Found())
    among = {
        row.id: together[related[row.id]] if row.id in related else under[row.id]
        for row in rows
    }
    casts = _read_casts(connection, {(row.embedder, among[row.id]) for row in rows})
    said = evidence.read_answers(connection, [row.id for row in rows])
    fresh = set(ids)
    return [
        FiledFace(
            row.id,
            row.embedder,
            tuple(sorted(under[row.id].characters)),
            casts[row.embedder, among[row.id]],
            tuple(sorted(said.get(row.id, {}).items())),
            links.track.get(row.id, row.id),
            tuple(sorted(links.apart.get(row.id, ()))),
            fresh=row.id in fresh,
        )
        for row in rows
    ]


def _read_casts(
    connection: sa.Connection, wanted: Iterable[tuple[str | None, Found]]
) -> Mapping[tuple[str | None, Found], Cast]:
    """The cast of each set of albums; candidates of other albums belong to it."""
    wanted = set(wanted)
    albums = {album_id for _, under in wanted for album_id in under.albums}
    of_album = evidence.read_casts(connection, albums)
    whole = {
        under: under.characters.union(*(of_album[each] for each in under.albums))
        for _, under in wanted
    }
    known = evidence.read_known(connection, set().union(*whole.values()))
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

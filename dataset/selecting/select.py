"""Select from the catalogue what a release can contain: confirmed faces, pictures.

Which faces are confirmed, and as whom, is the rule of `icf.catalogue.labels.confirmed`.
References that nobody was asked about are marked, or left out. Everything is read a
page at a time, into columns of numbers.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from icf.catalogue.labels import given_boxes
from icf.catalogue.labels.confirmed import Confirmed
from icf.catalogue.labels.final import Accepts, read_accepts
from icf.catalogue.rows import count_rows
from icf.catalogue.schema import model, question
from icf.codes import Unused
from icf.dataset.excluded import Excluded
from icf.dataset.origins import Origins, read_origins
from icf.dataset.selecting.cast import read_cast
from icf.dataset.selecting.columns import ints, under
from icf.dataset.selecting.faces import (
    ConfirmedFaces,
    embedder_of_most,
    read_faces,
    why_not,
)
from icf.dataset.selecting.left_out import name_excluded
from icf.dataset.selecting.pictures import read_pictures, read_shown
from icf.dataset.selection import Identity, Pictures, SelectedFaces, Selection
from icf.dataset.splits.keys import keys_of_digests, keys_of_faces
from icf.errors import WrongUse
from icf.next_step import next_step

_NO_LABELS = Accepts({}, Confirmed({}, frozenset(), frozenset()), frozenset())


def select(
    connection: sa.Connection,
    only_licence: Collection[str] = (),
    *,
    unasked_references: bool = True,
    risk: float = 0.0,
    proposed_boxes: bool = False,
    followers: bool = False,
    detection_only: bool = False,
) -> Selection:
    """Read all confirmed faces, and pictures: theirs, and the detection set's.

    Args:
        connection: to the catalogue.
        only_licence: patterns of allowed licences; a picture found under no allowed
            licence is left out. Empty: all licences.
        unasked_references: take in references that nobody was asked about.
        risk: take in faces that `icf.catalogue.labels.sure_faces` accepts at it.
        proposed_boxes: the detection set has the detector's boxes of pictures in which
            every face is confirmed; else the boxes that people verified.
        followers: take in faces that follow another one of their track.
        detection_only: take in no confirmed face, only pictures with verified boxes.

    Raises:
        WrongUse: no face is confirmed and no picture has true boxes; faces are, but
            none is embedded, or no picture is under an allowed licence; or people found
            two characters to be one, and they are not merged yet.
    """
    accepts = read_accepts(
        connection,
        unasked_references=unasked_references,
        risk=risk,
        followers=followers,
    )
    if detection_only:
        accepts = _NO_LABELS
    usable = _read_usable(connection, accepts, only_licence)
    found, ids = accepts.confirmed, usable.faces.face.tolist()
    cast = read_cast(connection, usable.faces.owner)
    owned = ints(list(accepts.owners)) if proposed_boxes else None
    shown = read_shown(connection, usable.faces.image, only_licence, owned)
    pictures = read_pictures(connection, shown.image, shown.boxes)
    if not len(usable.faces) and not pictures.complete.any():
        raise _without_boxes() if detection_only else _nothing_confirmed(connection)
    faces = _selected(usable.faces, cast.identities, pictures)
    left_out = _left_out(len(found.ambiguous), usable.excluded)
    if not unasked_references:
        left_out["unasked_references"] = len(found.unasked)
    names = connection.execute(sa.select(model.c.sha256, model.c.name))
    return Selection(
        faces=faces,
        pictures=pictures,
        identities=cast.identities,
        embedder=usable.embedder,
        detectors=usable.faces.detector.used() or shown.boxes.detectors,
        models={**given_boxes.NAMES, **{sha256: name for sha256, name in names}},
        left_out=left_out,
        unasked=found.unasked.intersection(ids),
        accepted=accepts.sure.intersection(ids),
        followers=found.followers.intersection(ids),
        given=shown.given,
        verified=shown.verified,
        excluded=usable.excluded,
        origins=_read_origins(connection, faces, pictures),
        may_be_one=cast.may_be_one,
        named_apart=cast.named_apart,
        natures=cast.natures,
    )


@dataclass(frozen=True, eq=False)
class _Usable:
    """The faces that a release can contain, and those that it cannot."""

    faces: ConfirmedFaces
    embedder: str
    excluded: Excluded


def _read_usable(
    connection: sa.Connection, accepts: Accepts, only_licence: Collection[str]
) -> _Usable:
    faces = read_faces(connection, accepts)
    allowed = under(connection, faces.image, only_licence)
    embedder = ""
    if faces.may.any():
        embedder = embedder_of_most(faces, allowed, only_licence)
    why = why_not(faces, allowed, embedder)
    out = why.number >= 0
    excluded = name_excluded(connection, faces.take(out), why.take(out))
    return _Usable(faces.take(~out), embedder, excluded)


def _nothing_confirmed(connection: sa.Connection) -> WrongUse:
    asked = count_rows(connection, question)
    return WrongUse(
        "no face is confirmed yet and no picture has the boxes that dataset.boxes asks "
        f"for, so there is nothing to release: {asked} questions were asked and none "
        f"is labelled 'same'; {next_step(connection)}"
    )


def _without_boxes() -> WrongUse:
    return WrongUse(
        "no picture has boxes that people verified, so there is no detection to "
        "release: have them verify some (`icf-annotate serve --tasks boxes`)"
    )


def _left_out(ambiguous: int, excluded: Excluded) -> dict[str, int]:
    counts = excluded.counts
    return {
        "confirmed_for_two_characters": ambiguous,
        "other_licence": counts.get(Unused.OTHER_LICENCE.value, 0),
        "without_embedding": counts.get(Unused.WITHOUT_EMBEDDING.value, 0),
    }


def _selected(
    faces: ConfirmedFaces, identities: Mapping[int, Identity], pictures: Pictures
) -> SelectedFaces:
    ids, place = np.unique(faces.owner, return_inverse=True)
    albums = ints([identities[each].album_id for each in ids.tolist()])
    return SelectedFaces(
        face=faces.face,
        identity=faces.owner,
        album=albums[place],
        picture=np.searchsorted(pictures.image, faces.image),
        corners=faces.corners,
        pixel_hash=faces.pixel_hash,
        hashes=faces.hashes,
    )


def _read_origins(
    connection: sa.Connection, faces: SelectedFaces, pictures: Pictures
) -> Origins:
    of_pictures = keys_of_digests(pictures.sha256)
    key = keys_of_faces(of_pictures[faces.picture], faces.corners)
    return read_origins(connection, faces.face, key, pictures.image)

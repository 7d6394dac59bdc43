"""Select from the catalogue what a release can contain: confirmed faces, pictures.

Which faces are confirmed, and as whom, is the rule of `icf.catalogue.labels.confirmed`.
References that nobody was asked about are marked, or left out. Everything is paged by
key.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from icf.catalogue.labels import given_boxes
from icf.catalogue.labels.confirmed import (
    is_there,
    may_be_one,
    pages,
    unmerged,
)
from icf.catalogue.labels.final import read_accepts
from icf.catalogue.labels.given_boxes import given_whole
from icf.catalogue.labels.licences import under_licence
from icf.catalogue.labels.verified_boxes import read_verified
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import album, character, face, image, model, question
from icf.codes import Unused
from icf.dataset.excluded import NO_LONGER, Excluded, make_excluded, why_not
from icf.dataset.near_duplicates import Hashes
from icf.dataset.origins import Origins, read_origins
from icf.dataset.splits.keys import keys_of_digests, keys_of_faces
from icf.dataset.true_boxes import Box, TrueBoxes, proposed, verified_by_people
from icf.errors import WrongUse
from icf.next_step import next_step

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Identity:
    """A character and its album."""

    character_id: int
    character: str
    album_id: int
    album: str


@dataclass(frozen=True, eq=False)
class SelectedFaces:
    """Confirmed faces sorted by id; n rows each."""

    face: IntArray
    identity: IntArray
    album: IntArray
    #: Rows of `Pictures`.
    picture: IntArray
    #: Shape (n, 4), float64.
    corners: npt.NDArray[np.float64]
    pixel_hash: npt.NDArray[np.bytes_]
    hashes: Hashes


@dataclass(frozen=True, eq=False)
class Pictures:
    """The pictures of the confirmed faces, and those given whole, sorted by id."""

    image: IntArray
    sha256: npt.NDArray[np.bytes_]
    pixel_hash: npt.NDArray[np.bytes_]
    hashes: Hashes
    #: The detected file format of each, and its size: shape (m, 2), width and height.
    format: tuple[str, ...]
    size: IntArray
    #: The drawn faces of each that is complete: the truth of the detection set.
    boxes: tuple[tuple[Box, ...], ...]
    #: Whether `boxes` has all its drawn faces (`icf.dataset.true_boxes`).
    complete: npt.NDArray[np.bool_]
    #: What the detector found in each.
    detected: tuple[tuple[Box, ...], ...]


@dataclass(frozen=True)
class Nature:
    """What is known of a character besides its name; empty: nothing."""

    gender: str
    region: str


@dataclass(frozen=True, eq=False)
class Selection:
    """What a release can contain.

    Attributes:
        faces: the confirmed faces.
        pictures: their pictures.
        identities: the characters, by id.
        embedder: the model hash of the vectors that every face has.
        detectors: the hashes of the models that found the boxes.
        models: the names of models, by hash.
        given: number of pictures that came with boxes of all their faces.
        verified: number of pictures whose boxes people verified; None: the boxes are
            the detector's.
        unasked: the faces among them that are references nobody was asked about.
        accepted: the faces among them that nobody was asked about, because the model is
            sure of them.
        followers: the faces among them that nobody was asked about, because another
            face of their track was confirmed.
        left_out: number of confirmed faces that cannot be used, by reason.
        excluded: these faces, and those that the filter drops now.
        origins: what frames and pages came from.
        may_be_one: pairs of characters that may be one, the smaller id first: nobody
            has settled it.
        natures: gender and region of the characters, by id.
    """

    faces: SelectedFaces
    pictures: Pictures
    identities: Mapping[int, Identity]
    embedder: str
    detectors: tuple[str, ...]
    models: Mapping[str, str]
    left_out: Mapping[str, int]
    unasked: frozenset[int] = frozenset()
    accepted: frozenset[int] = frozenset()
    followers: frozenset[int] = frozenset()
    given: int = 0
    verified: int | None = None
    excluded: Excluded = field(default_factory=Excluded.nothing)
    origins: Origins | None = None
    may_be_one: tuple[tuple[int, int], ...] = ()
    natures: Mapping[int, Nature] = field(default_factory=dict)

    @property
    def by_people(self) -> npt.NDArray[np.bool_]:
        """Whether people or the source labelled each face itself."""
        others = sorted(self.accepted | self.followers)
        return ~np.isin(self.faces.face, others)


def select(
    connection: sa.Connection,
    only_licence: Collection[str] = (),
    *,
    unasked_references: bool = True,
    risk: float = 0.0,
    proposed_boxes: bool = False,
    followers: bool = False,
) -> Selection:
    """Read all confirmed faces and their pictures.

    Args:
        connection: to the catalogue.
        only_licence: patterns of allowed licences; a picture found under no allowed
            licence is left out. Empty: all licences.
        unasked_references: take in references that nobody was asked about.
        risk: take in faces that `icf.catalogue.labels.sure_faces` accepts at it.
        proposed_boxes: the detection set has the detector's boxes of pictures in which
            every face is confirmed; else the boxes that people verified.
        followers: take in faces that follow another one of their track.

    Raises:
        WrongUse: no face is confirmed, none is embedded, or no picture is under an
            allowed licence; or people found two characters to be one, and they are
            not merged yet.
    """
    accepts = read_accepts(
        connection,
        unasked_references=unasked_references,
        risk=risk,
        followers=followers,
    )
    found, owners, sure = accepts.confirmed, accepts.owners, accepts.sure
    known = {**found.owners, **owners}
    every = sorted(known.keys() | found.ambiguous)
    confirmed = list(by_ids(connection, _FACES, face.c.id, every))
    _check_labels(connection, [row for row in confirmed if row.id in owners])
    images = sorted({row.image_id for row in confirmed})
    allowed = under_licence(connection, images, only_licence)
    embedder = _embedder(confirmed, owners, allowed, only_licence)
    usable, out = [], []
    for row in confirmed:
        why = why_not(row, owners, known, allowed, embedder)
        if why is None:
            usable.append(row)
        else:
            out.append((row, why))
    excluded = make_excluded(connection, out, known)
    characters = {row.id: row for row in pages(connection, _CHARACTERS, character.c.id)}
    identities = {
        each: _identity(characters[each]) for each in {owners[r.id] for r in usable}
    }
    _check_merges(connection, identities)
    given = sorted(connection.execute(given_whole()).scalars())
    whole = under_licence(connection, given, only_licence)
    seen = {} if proposed_boxes else read_verified(connection)
    verified = under_licence(connection, sorted(seen), only_licence)
    shown = sorted({*whole, *verified, *(row.image_id for row in usable)})
    truth = (
        proposed(connection, shown, owners)
        if proposed_boxes
        else verified_by_people(
            connection, shown, {key: seen[key] for key in verified}, whole
        )
    )
    pictures = _pictures(connection, shown, truth)
    faces = _faces(usable, owners, identities, pictures)
    names = connection.execute(sa.select(model.c.sha256, model.c.name))
    return Selection(
        faces=faces,
        pictures=pictures,
        given=len(whole),
        verified=None if proposed_boxes else len(verified),
        identities=identities,
        embedder=embedder,
        detectors=tuple(sorted({row.detector for row in usable})),
        models={**given_boxes.NAMES, **{sha256: name for sha256, name in names}},
        left_out={
            "confirmed_for_two_characters": len(found.ambiguous),
            "other_licence": excluded.counts.get(Unused.OTHER_LICENCE.value, 0),
            "without_embedding": excluded.counts.get(Unused.WITHOUT_EMBEDDING.value, 0),
            **(
                {} if unasked_references else {"unasked_references": len(found.unasked)}
            ),
        },
        unasked=found.unasked.intersection(row.id for row in usable),
        accepted=frozenset(row.id for row in usable if row.id in sure),
        followers=found.followers.intersection(row.id for row in usable),
        excluded=excluded,
        origins=_origins(connection, faces, pictures),
        may_be_one=tuple(
            pair for pair in may_be_one(connection) if identities.keys() >= {*pair}
        ),
        natures={
            each: Nature(characters[each].gender or "", characters[each].region or "")
            for each in identities
        },
    )


def _embedder(
    rows: Sequence[sa.Row[Any]],
    owners: Collection[int],
    allowed: Collection[int],
    only_licence: Collection[str],
) -> str:
    """Return the embedder of most faces that could be in a release.

    Raises:
        WrongUse: none is embedded, or no picture is under an allowed licence.
    """
    mine = [row for row in rows if row.id in owners]
    some = [row for row in mine if row.image_id in allowed]
    if not some:
        raise WrongUse(
            f"none of the {len(mine)} confirmed faces is on a picture under "
            f"{', '.join(only_licence)}; `icf-harvest licences` counts the licences, "
            "and harvest.only_licence sets which are allowed"
        )
    passing = [row for row in some if row.reason not in NO_LONGER]
    if not passing:
        raise WrongUse(
            f"the filter drops all {len(some)} confirmed faces now; loosen its "
            "thresholds (`icf-filter status` counts the reasons), and run `icf-filter "
            "rethreshold`"
        )
    embedder = Counter(row.embedder for row in passing if row.embedder).most_common(1)
    if not embedder:
        raise WrongUse(
            f"none of the {len(passing)} confirmed faces is embedded; run `icf-filter "
            "run`"
        )
    return str(embedder[0][0])


def _origins(
    connection: sa.Connection, faces: SelectedFaces, pictures: Pictures
) -> Origins:
    digests = keys_of_digests(pictures.sha256)
    key = keys_of_faces(digests[faces.picture], faces.corners)
    return read_origins(connection, faces.face, key, pictures.image)


_FACES = (
    sa.select(
        face.c.id,
        face.c.image_id,
        face.c.x1,
        face.c.y1,
        face.c.x2,
        face.c.y2,
        face.c.pixel_hash,
        face.c.phash,
        face.c.dhash,
        face.c.embedder,
        face.c.detector,
        face.c.reason,
    )
    .where(is_there())
    .order_by(face.c.id)
)

_CHARACTERS = sa.select(
    character.c.id,
    character.c.name,
    character.c.gender,
    album.c.id.label("album_id"),
    album.c.name.label("album"),
    album.c.region,
).join(album, album.c.id == character.c.album_id)


def _check_merges(
    connection: sa.Connection, identities: Mapping[int, Identity]
) -> None:
    """Refuse to release one character under two names."""
    pairs = [
        (one, other)
        for one, other in unmerged(connection)
        if one in identities and other in identities
    ]
    if not pairs:
        return
    one, other = (identities[each].character for each in pairs[0])
    raise WrongUse(
        f"people found that {one} and {other} are one character, and {len(pairs)} such "
        "pairs are not merged: they could be in train and in test. Run "
        "`icf-filter review --apply`, then `icf-filter run`"
    )


def _identity(row: sa.Row[Any]) -> Identity:
    return Identity(row.id, row.name, row.album_id, row.album)


def _check_labels(connection: sa.Connection, rows: Sequence[object]) -> None:
    if rows:
        return
    asked = connection.execute(sa.select(sa.func.count(question.c.id))).scalar_one()
    raise WrongUse(
        "no face is confirmed yet, so there is nothing to release: "
        f"{asked} questions were asked and none is labelled 'same'; "
        f"{next_step(connection)}"
    )


def _faces(
    rows: Sequence[sa.Row[Any]],
    owners: Mapping[int, int],
    identities: Mapping[int, Identity],
    pictures: Pictures,
) -> SelectedFaces:
    ids = _ints([row.id for row in rows])
    identity = [owners[row.id] for row in rows]
    return SelectedFaces(
        face=ids,
        identity=_ints(identity),
        album=_ints([identities[each].album_id for each in identity]),
        picture=np.searchsorted(pictures.image, [row.image_id for row in rows]),
        corners=np.array([row[2:6] for row in rows], np.float64).reshape(-1, 4),
        pixel_hash=_texts([row.pixel_hash for row in rows]),
        hashes=Hashes(
            _ints([row.phash for row in rows]), _ints([row.dhash for row in rows])
        ),
    )


def _pictures(
    connection: sa.Connection, ids: Sequence[int], truth: TrueBoxes
) -> Pictures:
    query = sa.select(
        image.c.id,
        image.c.sha256,
        image.c.format,
        image.c.width,
        image.c.height,
        image.c.pixel_hash,
        image.c.phash,
        image.c.dhash,
    ).order_by(image.c.id)
    rows = list(by_ids(connection, query, image.c.id, ids))
    return Pictures(
        image=_ints([row.id for row in rows]),
        sha256=_texts([row.sha256 for row in rows]),
        # Without a pixel hash, a picture equals only itself.
        pixel_hash=_texts([row.pixel_hash or row.sha256 for row in rows]),
        hashes=Hashes(
            _ints([row.phash or 0 for row in rows]),
            _ints([row.dhash or 0 for row in rows]),
        ),
        format=tuple(row.format or "" for row in rows),
        size=_ints([(row.width or 0, row.height or 0) for row in rows]).reshape(-1, 2),
        boxes=tuple(truth.boxes.get(row.id, ()) for row in rows),
        complete=np.array([row.id in truth.complete for row in rows], np.bool_),
        detected=tuple(truth.detected.get(row.id, ()) for row in rows),
    )


def _ints(values: Sequence[Any]) -> IntArray:
    return np.array(values, np.int64)


def _texts(values: Sequence[str]) -> npt.NDArray[np.bytes_]:
    """Store as ASCII of fixed width: a third of the memory of str objects."""
    return np.array(values, dtype="S64")

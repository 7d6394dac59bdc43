"""The pictures that a release can contain."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from icf.catalogue.labels.given_boxes import given_whole
from icf.catalogue.schema import image
from icf.dataset.near_duplicates import Hashes
from icf.dataset.selecting.columns import (
    Codes,
    IntArray,
    Kind,
    digests,
    ints,
    ints_or_zero,
    read_columns,
    under,
)
from icf.dataset.selecting.true_boxes import (
    TrueBoxes,
    proposed,
    read_verified,
    verified_by_people,
)
from icf.dataset.selection import Pictures


@dataclass(frozen=True, eq=False)
class Shown:
    """The pictures of a selection.

    Attributes:
        image: their ids, ascending.
        boxes: those of the detection set.
        given, verified: as in `Selection`.
    """

    image: IntArray
    boxes: TrueBoxes
    given: int
    verified: int | None


def read_shown(
    connection: sa.Connection,
    of_faces: IntArray,
    only_licence: Collection[str],
    owned: IntArray | None,
) -> Shown:
    """Find the pictures of faces, those given whole and those that people verified.

    Args:
        connection: to the catalogue.
        of_faces: the pictures of the faces.
        only_licence: patterns of allowed licences.
        owned: the confirmed faces, where boxes are the detector's; None: people's.
    """
    given = ints(sorted(connection.execute(given_whole()).scalars()))
    given = given[under(connection, given, only_licence)]
    if owned is not None:
        every = np.union1d(of_faces, given)
        return Shown(every, proposed(connection, every, owned), len(given), None)
    verified = read_verified(connection)
    verified = verified.only(under(connection, verified.image, only_licence))
    every = np.union1d(np.union1d(of_faces, given), verified.image)
    truth = verified_by_people(connection, every, verified, given)
    return Shown(every, truth, len(given), len(verified.image))


_PICTURES = sa.select(
    image.c.id,
    image.c.sha256,
    # Without a pixel hash, a picture equals only itself.
    sa.func.coalesce(image.c.pixel_hash, image.c.sha256),
    image.c.phash,
    image.c.dhash,
    image.c.format,
    image.c.width,
    image.c.height,
).order_by(image.c.id)


def read_pictures(
    connection: sa.Connection, ids: IntArray, truth: TrueBoxes
) -> Pictures:
    """Read pictures and their boxes.

    Args:
        connection: to the catalogue.
        ids: of the pictures, ascending.
        truth: their boxes.
    """
    codes = Codes()
    hashes, sizes = [ints_or_zero] * 2, [ints_or_zero] * 2
    kinds: list[Kind] = [ints, digests, digests, *hashes, codes, *sizes]
    found, sha256, pixel_hash, phash, dhash, format_, width, height = read_columns(
        connection, _PICTURES, image.c.id, ids, kinds
    )
    return Pictures(
        image=found,
        sha256=sha256,
        pixel_hash=pixel_hash,
        hashes=Hashes(phash, dhash),
        format=tuple(each or "" for each in codes.coded(format_).tolist()),
        size=np.column_stack((width, height)),
        boxes=truth.boxes.of(found),
        complete=np.isin(found, truth.complete),
        detected=truth.detected.of(found),
    )

"""Store a picture from a file, to choose a reference from it."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import sqlalchemy as sa

from icf.catalogue import tombstones
from icf.catalogue.bulk_insert import insert_new
from icf.catalogue.references import HAND
from icf.catalogue.schema import image_source
from icf.errors import BadInput, WrongUse
from icf.harvest.attributes.licence import UNKNOWN, Licence
from icf.harvest.images import NewImage, insert_images
from icf.images import Undecodable, decode
from icf.licence_names import is_allowed
from icf.settings import HarvestSettings
from icf.stores.blobs import BlobStore


def store_file(
    connection: sa.Connection,
    blobs: BlobStore,
    path: Path,
    licence: Licence,
    settings: HarvestSettings,
) -> int:
    """Store a file as an image with its source; return the image's id.

    A file that is stored already gets the licence and the author that are stated now.

    Args:
        connection: a transaction that writes.
        blobs: where the bytes go.
        path: the picture.
        licence: of the picture.
        settings: with the caps on pictures.

    Raises:
        WrongUse: there is no such file, its licence is not allowed, or its bytes were
            taken down.
        BadInput: it is not a usable picture.
    """
    if not is_allowed(settings.only_licence, licence.name, licence.url):
        raise WrongUse(
            f"the licence of {path}, {licence.name}, is not one of "
            "harvest.only_licence; state its licence with --licence"
        )
    data = _read(path, settings.max_bytes)
    try:
        picture = decode(data, settings.max_pixels)
    except Undecodable as error:
        raise BadInput(
            f"{path} cannot be a reference: {error.reason}: {error}"
        ) from error
    sha256 = hashlib.sha256(data).hexdigest()
    if tombstones.buried(connection, tombstones.SHA256, [sha256]):
        raise WrongUse(f"{path} was taken down as {sha256}; it cannot come back")
    new = NewImage(
        blobs.put(data), len(data), picture.format, picture.width, picture.height
    )
    image_id = insert_images(connection, [new])[sha256]
    _enter_source(connection, image_id, path, licence)
    return image_id


def _read(path: Path, max_bytes: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except OSError as error:
        raise WrongUse(f"cannot read the picture {path}: {error.strerror}") from error
    if len(data) > max_bytes:
        raise BadInput(f"{path} has more bytes than harvest.max_bytes, {max_bytes}")
    return data


def _enter_source(
    connection: sa.Connection, image_id: int, path: Path, licence: Licence
) -> None:
    row = {
        "image_id": image_id,
        "url": path.resolve().as_uri(),
        "source": HAND,
        "licence": licence.name,
        "licence_url": licence.url,
        "licence_from": licence.read_from,
        "author": licence.author,
        "fetched_at": time.time(),
    }
    insert_new(connection, image_source, ["image_id", "url"], [row])
    named = licence.read_from != UNKNOWN.read_from
    stated = ["licence", "licence_url", "licence_from"] if named else []
    stated += ["author"] if licence.author else []
    if stated:
        connection.execute(
            sa.update(image_source)
            .where(
                *(image_source.c[key] == row[key] for key in ("image_id", "url")),
                image_source.c.source == HAND,
            )
            .values({name: row[name] for name in stated})
        )

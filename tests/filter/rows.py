"""Rows of a small catalogue: albums, characters, images and faces."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import album, candidate, character, face, image

DETECTOR = "d" * 64

_unique = itertools.count(1)


def add_album(catalogue: Catalogue, *characters: str) -> list[int]:
    """Add an album; return the ids of its characters."""
    with catalogue.write() as connection:
        name = f"album {next(_unique)}"
        album_id = connection.execute(
            sa.insert(album)
            .values(name=name, source="test", found_at=0.0)
            .returning(album.c.id)
        ).scalar_one()
        return [
            connection.execute(
                sa.insert(character)
                .values(album_id=album_id, name=name, source="test", found_at=0.0)
                .returning(character.c.id)
            ).scalar_one()
            for name in characters
        ]


def add_image(
    catalogue: Catalogue,
    *characters: int,
    sha256: str | None = None,
    lead: bool = False,
    awaits: str | None = "detect",
) -> int:
    """Add an image that was found under ``characters``."""
    with catalogue.write() as connection:
        image_id: int = connection.execute(
            sa.insert(image)
            .values(
                sha256=sha256 or f"{next(_unique):064x}",
                bytes=1,
                awaits=awaits,
                verdict="pending",
                reason="ok",
                stored_at=0.0,
            )
            .returning(image.c.id)
        ).scalar_one()
        rows = [
            {"image_id": image_id, "character_id": each, "is_lead": lead}
            for each in characters
        ]
        connection.execute(sa.insert(candidate), rows)
    return image_id


def add_face(
    catalogue: Catalogue, image_id: int, character_id: int, **columns: object
) -> int:
    """Add a face of 120 pixels that is sharp and unlike any other."""
    number = next(_unique)
    values: dict[str, object] = {
        "x1": 0.0,
        "y1": 0.0,
        "x2": 120.0,
        "y2": 120.0,
        "kind": "cartoon",
        "score": 0.9,
        "detector": DETECTOR,
        "sharpness": 500.0,
        "pixel_hash": f"{number:064x}",
        "phash": number,
        "dhash": number,
        "awaits": "size",
        "verdict": "pending",
        "reason": "ok",
        "found_at": 0.0,
    }
    # A face that waits for nothing has been judged by identity, too.
    waits = {**values, **columns}["awaits"] is not None
    judged = {"character_id": None if waits else character_id}
    with catalogue.write() as connection:
        face_id: int = connection.execute(
            sa.insert(face)
            .values(
                image_id=image_id,
                filed_under_id=character_id,
                **{**values, **judged, **columns},
            )
            .returning(face.c.id)
        ).scalar_one()
    return face_id


def face_row(catalogue: Catalogue, face_id: int) -> Mapping[str, Any]:
    """Read one face."""
    with catalogue.read() as connection:
        query = sa.select(face).where(face.c.id == face_id)
        return dict(connection.execute(query).mappings().one())


def alike(one: object, other: object) -> bool:
    """Whether two results are equal but for the last digits of their numbers.

    Those of a cosine depend on how many vectors are multiplied in the same breath.
    """
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) < 1e-5
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and alike(
            list(one.values()), [other[key] for key in one]
        )
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(alike, one, other))
    return one == other

"""A workspace after the filter: characters with references, faces to ask about.

Pictures are noise with four corners of known colours, so that a crop differs from its
mirror image.
"""

from __future__ import annotations

import functools
import io
import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from PIL import Image

from icf import workspace
from icf.catalogue.schema import album, answer, character, decision, face, image
from icf.catalogue.schema import question as question_table
from icf.codes import FaceReason, Verdict
from icf.workspace import Workspace

EMBEDDER = "e" * 64

#: Top left, top right, bottom left, bottom right.
CORNERS = ((220, 30, 30), (30, 200, 30), (30, 30, 220), (230, 220, 40))

BOX = (40.0, 40.0, 120.0, 120.0)

_NEW_IMAGES = sa.insert(image).returning(image.c.id, sort_by_parameter_order=True)
_NEW_FACES = sa.insert(face).returning(face.c.id, sort_by_parameter_order=True)


class Place:
    """Fills one workspace."""

    def __init__(self, root: Path, flags: tuple[str, ...] = ()) -> None:
        self.workspace: Workspace = workspace.init(root, flags)
        self._numbers = itertools.count(1)

    def set_up(self, text: str) -> None:
        """Add settings, and open the workspace again with them."""
        with (self.workspace.root / "icf.toml").open("a", encoding="utf-8") as file:
            file.write(f"\n{text}")
        self.workspace.catalogue.close()
        self.workspace = workspace.find(self.workspace.root)

    def add_character(self, name: str = "Ann", album_name: str | None = None) -> int:
        """A character with a reference face; return its id."""
        with self.workspace.catalogue.write() as connection:
            album_id = connection.execute(
                sa.insert(album)
                .values(
                    name=album_name or f"Album {next(self._numbers)}",
                    source="test",
                    found_at=0.0,
                )
                .returning(album.c.id)
            ).scalar_one()
            character_id: int = connection.execute(
                sa.insert(character)
                .values(album_id=album_id, name=name, source="test", found_at=0.0)
                .returning(character.c.id)
            ).scalar_one()
        reference = self.add_face(character_id, 0.99)
        self.set_reference(character_id, reference)
        return character_id

    def set_reference(
        self, character_id: int, face_id: int | None, by: str = "hand"
    ) -> None:
        """Choose the face that questions about a character show."""
        update = sa.update(character).where(character.c.id == character_id)
        with self.workspace.catalogue.write() as connection:
            connection.execute(
                update.values(reference_face_id=face_id, reference_by=by)
            )

    def reference(self, character_id: int) -> int:
        """The face that questions about a character show."""
        query = sa.select(character.c.reference_face_id)
        with self.workspace.catalogue.read() as connection:
            row = connection.execute(query.where(character.c.id == character_id))
            return int(row.scalar_one())

    def add_face(
        self,
        character_id: int,
        probability: float | None,
        data: bytes | None = None,
        **columns: object,
    ) -> int:
        """A face that passed the filter, on a picture of its own; return its id."""
        pictures = None if data is None else [data]
        return self.add_faces(character_id, probability, 1, pictures, **columns)[0]

    def add_faces(
        self,
        character_id: int,
        probability: float | None,
        count: int,
        pictures: Sequence[bytes] | None = None,
        **columns: object,
    ) -> list[int]:
        """Several of them, in one transaction; return their ids in order."""
        numbers = [next(self._numbers) for _ in range(count)]
        contents = pictures or [picture(number) for number in numbers]
        values = {
            "x1": BOX[0],
            "y1": BOX[1],
            "x2": BOX[2],
            "y2": BOX[3],
            "kind": "cartoon",
            "score": 0.9,
            "detector": "d" * 64,
            "sharpness": 500.0,
            "embedder": EMBEDDER,
            "filed_under_id": character_id,
            "character_id": character_id,
            "probability": probability,
            "awaits": None,
            "verdict": Verdict.KEPT.value,
            "reason": FaceReason.OK.value,
            "found_at": 0.0,
        }
        stored = [
            {
                "sha256": self.workspace.blobs.put(data),
                "bytes": len(data),
                "awaits": None,
                "verdict": Verdict.KEPT.value,
                "reason": "ok",
                "stored_at": 0.0,
            }
            for data in contents
        ]
        with self.workspace.catalogue.write() as connection:
            images = connection.execute(_NEW_IMAGES, stored).scalars().all()
            hashes = [
                {"pixel_hash": f"{number:064x}", "phash": number, "dhash": number}
                for number in numbers
            ]
            found = [
                {"image_id": image_id, **values, **own, **columns}
                for image_id, own in zip(images, hashes, strict=True)
            ]
            return list(connection.execute(_NEW_FACES, found).scalars())

    def questions(self) -> list[tuple[int, str, str]]:
        """Each question's face, batch and label, in the order they were asked."""
        query = sa.select(
            question_table.c.face_id, question_table.c.batch_id, question_table.c.label
        ).order_by(question_table.c.id)
        with self.workspace.catalogue.read() as connection:
            return [(row[0], row[1], row[2]) for row in connection.execute(query)]

    def question_ids(self) -> list[int]:
        """The ids of all questions."""
        query = sa.select(question_table.c.id).order_by(question_table.c.id)
        with self.workspace.catalogue.read() as connection:
            return list(connection.execute(query).scalars())

    def labels(self) -> dict[int, str]:
        """The label of each question, in the order they were asked."""
        query = sa.select(question_table.c.id, question_table.c.label).order_by(
            question_table.c.id
        )
        with self.workspace.catalogue.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def answers(self) -> set[tuple[int, str, str]]:
        """Each answer's question, annotator and choice."""
        query = sa.select(answer.c.question_id, answer.c.annotator, answer.c.choice)
        with self.workspace.catalogue.read() as connection:
            rows = [(row[0], row[1], row[2]) for row in connection.execute(query)]
        assert len(rows) == len(set(rows))
        return set(rows)

    def decisions(self, step: str) -> list[tuple[int, str, float | None]]:
        """Each decision of a step on a question: which, verdict and value."""
        query = (
            sa.select(decision.c.subject_id, decision.c.verdict, decision.c.value)
            .where(decision.c.subject == "question", decision.c.step == step)
            .order_by(decision.c.id)
        )
        with self.workspace.catalogue.read() as connection:
            return [(row[0], row[1], row[2]) for row in connection.execute(query)]


def pixels(seed: int, side: int = 160) -> NDArray[np.uint8]:
    """Noise with a coloured square in each corner of `BOX` enlarged by 1."""
    drawn = np.random.default_rng(seed).integers(90, 130, (side, side, 3), np.uint8)
    half = side // 2
    drawn[:half, :half] += np.array(CORNERS[0], np.uint8) // 4
    drawn[:half, half:] += np.array(CORNERS[1], np.uint8) // 4
    drawn[half:, :half] += np.array(CORNERS[2], np.uint8) // 4
    drawn[half:, half:] += np.array(CORNERS[3], np.uint8) // 4
    return drawn


@functools.cache
def picture(seed: int, side: int = 160) -> bytes:
    """The same as a PNG."""
    return encoded(pixels(seed, side), "PNG")


def encoded(drawn: NDArray[np.uint8], name: str, **options: object) -> bytes:
    """Pixels as a file."""
    out = io.BytesIO()
    Image.fromarray(drawn).save(out, name, **options)
    return out.getvalue()

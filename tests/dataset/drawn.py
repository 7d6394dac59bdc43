"""A workspace full of small drawn pictures, as the other stages would have left it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from icf.catalogue import schema
from icf.catalogue.annotation import schema as annotation
from icf.catalogue.ledger import begin_run
from icf.codes import BoxStatus, FaceReason, FetchStatus, ImageReason, Label, Verdict
from icf.images import measures
from icf.images.decoder import decode
from icf.workspace import Workspace, init

Pixels = npt.NDArray[np.uint8]

DETECTOR, EMBEDDER = "d" * 64, "e" * 64
SIDE, WIDTH = 160, 32
LICENCES = ("CC0", "CC BY-SA 4.0", "unknown")


@dataclass(frozen=True)
class Size:
    """How much to draw."""

    albums: int = 3
    characters: int = 5
    faces: int = 9
    #: Every so many pictures of a character shows the next one's face as well.
    shared_every: int = 6
    #: Whether people verified the boxes of all these pictures.
    verified: bool = True
    #: Whether people answered who these faces are.
    confirmed: bool = True


def scene(rng: np.random.Generator, hues: list[int]) -> Pixels:
    """A picture of its own with one flat face for each hue."""
    coarse = rng.integers(0, 256, (8, 8 * len(hues), 3)).astype(np.uint8)
    pixels = np.asarray(
        cv2.resize(coarse, (SIDE * len(hues), SIDE), interpolation=cv2.INTER_CUBIC)
    )
    for place, hue in enumerate(hues):
        hsv = np.full((1, 1, 3), (hue, 140, 240), np.uint8)
        colour = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0]
        centre = (SIDE * place + 80, 80)
        cv2.ellipse(pixels, centre, (44, 52), 0, 0, 360, colour.tolist(), -1)
        for side in (-18, 18):
            cv2.circle(pixels, (centre[0] + side, 70), 7, (20, 20, 30), -1)
        cv2.ellipse(pixels, (centre[0], 100), (18, 9), 0, 0, 180, (150, 40, 50), 4)
    return np.asarray(pixels, np.uint8)


class Drawing:
    """Fills one workspace; deterministic by seed."""

    def __init__(self, root: Path, size: Size, seed: int = 0) -> None:
        self.workspace: Workspace = init(root)
        self.size = size
        self._rng = np.random.default_rng(seed)
        self._centres = self._rng.normal(size=(size.albums * size.characters, WIDTH))
        self._vectors: list[tuple[int, npt.NDArray[np.float32]]] = []

    def draw(self) -> Workspace:
        """Insert everything."""
        with self.workspace.catalogue.write() as connection:
            self._connection = connection
            begin_run(connection, "test", "{}", "0")
            self._models()
            self._characters()
            for character in range(1, self.size.albums * self.size.characters + 1):
                for number in range(self.size.faces):
                    self._picture(character, number)
            self._noise()
        ids = np.array([each for each, _ in self._vectors], np.int64)
        matrix = np.stack([vector for _, vector in self._vectors])
        self.workspace.vectors.append(EMBEDDER, ids, matrix)
        return self.workspace

    def _insert(self, table: sa.Table, **values: Any) -> int:
        done = self._connection.execute(sa.insert(table).values(**values))
        key = done.inserted_primary_key
        return int(key[0]) if key and isinstance(key[0], int) else 0

    def _models(self) -> None:
        for sha256, name, task in (
            (DETECTOR, "drawn-detector", "detection"),
            (EMBEDDER, "drawn-embedder", "embedding"),
        ):
            card = json.dumps({"name": name, "figures": {"AP50": 0.91}})
            row = {"sha256": sha256, "name": name, "task": task, "card": card}
            self._insert(schema.model, **row, added_at=1.0)

    def _characters(self) -> None:
        for album in range(1, self.size.albums + 1):
            name = f"Album {album}"
            self._insert(schema.album, name=name, source="test", found_at=1.0)
            for number in range(self.size.characters):
                self._insert(
                    schema.character,
                    album_id=album,
                    name=f"Character {album}-{number}",
                    source="test",
                    found_at=1.0,
                )
        (self.workspace.root / "b1").mkdir()
        self._insert(
            schema.batch, id="b1", format="csv", path="b1", questions=0, created_at=1.0
        )

    def _picture(self, character: int, number: int) -> None:
        last = self.size.albums * self.size.characters
        owners = [character]
        if number % self.size.shared_every == self.size.shared_every - 1:
            owners.append(character % last + 1)
        pixels = scene(self._rng, [owner * 37 % 180 for owner in owners])
        image, pixels = self._image(pixels, f"{character}-{number}", owners)
        faces = {}
        for place, owner in enumerate(owners):
            box = (SIDE * place + 30, 22, SIDE * place + 130, 138)
            face = self._face(image, pixels, box, owner, FaceReason.OK)
            faces[face] = box
            if number == 0:
                update = sa.update(schema.character).where(
                    schema.character.c.id == owner
                )
                chosen = {"reference_face_id": face, "reference_by": "lead"}
                self._connection.execute(update.values(**chosen))
            else:
                label = Label.SAME if self.size.confirmed else Label.OPEN
                self._question(face, owner, label)
        if self.size.verified:
            self._verify(image, faces)

    def _verify(self, image: int, faces: dict[int, tuple[int, int, int, int]]) -> None:
        """Two people drew whole pixels; the detector is a quarter of a pixel off."""
        task = {"image_id": image, "hidden": False, "status": BoxStatus.VERIFIED.value}
        about = {"people": 2, "disagreement": 0.01, "asked_at": 1.0, "changed_at": 1.0}
        self._insert(annotation.box_task, **task, **about)
        for face, (x1, y1, x2, y2) in faces.items():
            box = {"image_id": image, "x1": x1, "y1": y1, "x2": x2, "y2": y2}
            seen = {"face_id": face, "people": 2, "disagreement": 0.01}
            self._insert(annotation.verified_box, **box, **seen)

    def _image(self, drawn: Pixels, name: str, owners: list[int]) -> tuple[int, Pixels]:
        """Store a picture; return its id and its pixels, as they are decoded again."""
        bgr = cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR)
        data = cv2.imencode(".jpg", bgr)[1].tobytes()
        pixels = decode(data).pixels
        sha256 = self.workspace.blobs.put(data)
        image = self._insert(
            schema.image,
            sha256=sha256,
            bytes=len(data),
            format="jpeg",
            width=pixels.shape[1],
            height=pixels.shape[0],
            frames=1,
            trailing=False,
            pixel_hash=measures.pixel_hash(pixels),
            phash=measures.phash(pixels),
            dhash=measures.dhash(pixels),
            verdict=Verdict.KEPT.value,
            reason=ImageReason.OK.value,
            stored_at=1.0,
        )
        where = f"http://toons.test/{name}.jpg"
        self._url(where, FetchStatus.STORED, image)
        self._insert(
            schema.image_source,
            image_id=image,
            url=where,
            source="test",
            page_url=f"http://toons.test/wiki/{name}",
            licence=LICENCES[image % len(LICENCES)],
            licence_from="extmetadata",
            author="=A. Drawer",
            fetched_at=1.0,
        )
        for owner in owners:
            self._insert(
                schema.candidate, image_id=image, character_id=owner, is_lead=False
            )
        return image, pixels

    def _url(self, where: str, fate: FetchStatus, image: int | None = None) -> None:
        self._insert(
            schema.url,
            url=where,
            host="toons.test",
            source="test",
            fate=fate.value,
            image_id=image,
            found_at=1.0,
        )

    def _face(
        self,
        image: int,
        pixels: Pixels,
        box: tuple[int, int, int, int],
        owner: int,
        reason: FaceReason,
    ) -> int:
        x1, y1, x2, y2 = box
        crop = np.ascontiguousarray(pixels[y1:y2, x1:x2])
        kept = reason is FaceReason.OK
        face = self._insert(
            schema.face,
            image_id=image,
            x1=x1 + 0.25,
            y1=y1,
            x2=x2,
            y2=y2,
            kind="human" if reason is FaceReason.HUMAN else "cartoon",
            score=0.9,
            detector=DETECTOR,
            sharpness=150.0,
            pixel_hash=measures.pixel_hash(crop),
            # Flat faces hash alike, which is not what these tests are about.
            phash=int(self._rng.integers(-(2**62), 2**62)),
            dhash=int(self._rng.integers(-(2**62), 2**62)),
            embedder=EMBEDDER if kept else None,
            filed_under_id=owner,
            character_id=owner,
            probability=0.9,
            verdict=(Verdict.KEPT if kept else Verdict.DROPPED).value,
            reason=reason.value,
            found_at=1.0,
        )
        if kept:
            vector = self._centres[owner - 1] + self._rng.normal(size=WIDTH)
            self._vectors.append((face, vector.astype(np.float32)))
        return face

    def _question(self, face: int, owner: int, label: Label) -> None:
        question = self._insert(
            schema.question,
            face_id=face,
            character_id=owner,
            reference_face_id=face,
            batch_id="b1",
            label=label.value,
            asked_at=1.0,
        )
        if label is not Label.OPEN:
            for person in ("ann", "bob"):
                self._insert(
                    schema.answer,
                    question_id=question,
                    annotator=person,
                    choice="true" if label is Label.SAME else "false",
                    imported_at=1.0,
                    file="answers.csv",
                    line=question,
                )

    def _noise(self) -> None:
        """What every crawl has: dropped faces, face-free pictures, dead links."""
        reasons = [each for each in FaceReason if each is not FaceReason.OK]
        for number, reason in enumerate(reasons):
            pixels = scene(self._rng, [number * 20])
            image, pixels = self._image(pixels, f"noise-{number}", [1])
            self._face(image, pixels, (30, 22, 130, 138), 1, reason)
        wrong = scene(self._rng, [90])
        image, wrong = self._image(wrong, "wrong", [1])
        face = self._face(image, wrong, (30, 22, 130, 138), 1, FaceReason.OK)
        self._question(face, 1, Label.DIFFERENT)
        dead = (
            FetchStatus.NOT_FOUND,
            FetchStatus.NOT_FOUND,
            FetchStatus.TIMEOUT,
            FetchStatus.EMPTY,
        )
        for number, fate in enumerate(dead):
            self._url(f"http://toons.test/dead-{number}.jpg", fate)


def cut_rows(path: Path, count: int) -> None:
    """Lose the last rows of a table, so that what is left is a table too."""
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-count]))


def same_files(one: Path, other: Path) -> bool:
    """Whether two folders hold the same files with the same bytes."""
    return digest(one) == digest(other)


def digest(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(
            path.read_bytes()
        ).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }

"""A workspace as years of work would leave it: filtered, asked about and answered.

Every row, file and vector that the commands read is there; what takes a network or a
model to make is drawn from random numbers. The sizes are in the paper's proportions:
78 faces a character, four characters an album. Of the faces, 5% each are too small,
blurred, near-duplicates of the face before them and somebody else; the others are kept.
Of these people answered 80%, were asked about 5% and will be asked about 15%; a tenth
of the questions was drawn at random. 5% of the pictures are frames of videos, ten a
shot, whose faces were tracked.
"""

import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from PIL import Image

from icf.catalogue import entry_steps
from icf.catalogue.schema import (
    album,
    answer,
    batch,
    candidate,
    character,
    decision,
    face,
    face_link,
    image,
    image_source,
    mention,
    question,
    run,
    url,
)
from icf.filter.chain import filter_chain
from icf.filter.entry_steps import ENTRY_STEPS
from icf.models.cards import bundled_path, verified
from icf.models.registry.register import register
from icf.workspace import Workspace, find, init

FACES_PER_CHARACTER, CHARACTERS_PER_ALBUM = 78, 4
#: Of each so many pictures, the first so many are frames of one shot.
EVERY, SHOT = 200, 10
SIDE = 128
#: Of each picture; a comment fills it up.
BYTES = 6000
PAGE = 20_000
#: Cosine of two faces of one character, on average.
ALIKE = 0.85

_CONFIG = """
[harvest]
contact = "me@example.org"

[[source]]
name = "mine"
kind = "list"
path = "urls.csv"
"""

#: What became of a face: its reason, the step that dropped it, its share.
_FATES = (
    ("too_small", "size", 0.05),
    ("blurred", "sharpness", 0.05),
    ("near_duplicate", "duplicates", 0.05),
    ("not_this_character", "identity", 0.05),
    ("ok", None, 0.80),
)
_SMALL, _BLURRED, _COPY, _OTHER, _KEPT = range(len(_FATES))
_EMBEDDED = (_COPY, _OTHER, _KEPT)

Ints = npt.NDArray[np.int64]
Rows = Iterator[list[dict[str, Any]]]


@dataclass(frozen=True, eq=False)
class _Drawn:
    """What is drawn from random numbers; arrays of one row a face."""

    character: Ints
    fate: Ints
    sharpness: npt.NDArray[np.float64]
    phash: Ints
    dhash: Ints
    characters: int

    @classmethod
    def draw(cls, faces: int, rng: np.random.Generator) -> "_Drawn":
        characters = max(CHARACTERS_PER_ALBUM, faces // FACES_PER_CHARACTER)
        # Some characters have far more faces than others.
        owner = np.sort(np.floor(characters * rng.random(faces) ** 1.3).astype(int))
        fate = rng.choice(len(_FATES), faces, p=[share for _, _, share in _FATES])
        # A copy follows the face that it is a copy of.
        original = np.roll(fate == _KEPT, 1) & (np.roll(owner, 1) == owner)
        fate[(fate == _COPY) & ~original] = _KEPT
        phash, dhash = rng.integers(-(2**63), 2**63 - 1, (2, faces))
        copies = np.flatnonzero(fate == _COPY)
        phash[copies], dhash[copies] = phash[copies - 1] ^ 5, dhash[copies - 1] ^ 3
        sharpness = np.where(
            fate == _BLURRED, rng.uniform(5, 95, faces), rng.uniform(110, 2000, faces)
        )
        sharpness[copies] = sharpness[copies - 1] / 1.01
        return cls(owner + 1, fate, sharpness, phash, dhash, characters)

    def __len__(self) -> int:
        return len(self.fate)

    def shots(self) -> list[range]:
        """The rows that are frames of one shot, of one character."""
        starts = range(0, len(self) - SHOT, EVERY)
        return [
            range(start, start + SHOT)
            for start in starts
            if self.character[start] == self.character[start + SHOT - 1]
        ]


def make(root: Path, faces: int) -> Workspace:
    """Make a workspace with one face on each of ``faces`` pictures."""
    init(root)
    (root / "icf.toml").write_text(_CONFIG)
    workspace = find(root)
    drawn = _Drawn.draw(faces, np.random.default_rng(0))
    names = _write_blobs(workspace, faces)
    cards = [
        verified(bundled_path(name), task, frozenset())
        for name, task in (("detector", "detect"), ("embedder", "embed"))
    ]
    register(workspace.catalogue, cards)
    models = {card.task: card.sha256 for card in cards}
    _write_vectors(workspace, drawn, models["embed"])
    with workspace.catalogue.write() as connection:
        entry_steps.declare(connection, ENTRY_STEPS)
        _insert(connection, run, iter([[_run()]]))
        _insert_people(connection, drawn.characters)
        _insert(connection, image, _images(names))
        _insert(connection, url, _urls(drawn))
        _insert(connection, face, _faces(drawn, models))
        _insert(connection, face_link, _links(drawn))
        _derive(connection)
        _insert_decisions(connection, workspace)
        _insert_answers(connection)
    _write_list(root, drawn)
    return workspace


def _write_blobs(workspace: Workspace, count: int) -> list[str]:
    """One small JPEG a picture, each with a comment of its own; their hashes."""
    rng = np.random.default_rng(1)
    drawings = []
    for _ in range(64):
        pixels = rng.integers(0, 255, (16, 16, 3), np.uint8)
        made = io.BytesIO()
        Image.fromarray(pixels).resize((SIDE, SIDE)).save(made, "JPEG", quality=70)
        drawings.append(made.getvalue())
    names = []
    for number in range(count):
        drawing = drawings[number % 64]
        comment = f"{number:010}".encode().ljust(BYTES - len(drawing) - 4)
        size = (len(comment) + 2).to_bytes(2, "big")
        data = drawing[:2] + b"\xff\xfe" + size + comment + drawing[2:]
        name = hashlib.sha256(data).hexdigest()
        path = workspace.blobs.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        names.append(name)
    return names


def _write_vectors(workspace: Workspace, drawn: _Drawn, model: str) -> None:
    """Those of one character are alike; a copy is nearly its original."""
    rng = np.random.default_rng(2)
    width = 192
    means = rng.normal(size=(drawn.characters + 1, width)).astype(np.float32)
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    noise = np.sqrt((1 / ALIKE - 1) / width)
    embedded = np.flatnonzero(np.isin(drawn.fate, _EMBEDDED))
    last = np.zeros(width, np.float32)
    for start in range(0, len(embedded), PAGE):
        rows = embedded[start : start + PAGE]
        made = means[drawn.character[rows]]
        made = made + rng.normal(size=made.shape).astype(np.float32) * noise
        others = drawn.fate[rows] == _OTHER
        made[others] = rng.normal(size=(int(others.sum()), width))
        for at in np.flatnonzero(drawn.fate[rows] == _COPY).tolist():
            before = made[at - 1] if at else last
            made[at] = before + rng.normal(size=width) * noise / 10
        last = made[-1]
        workspace.vectors.append(model, rows + 1, made)


def _insert(connection: sa.Connection, table: sa.Table, pages: Rows) -> None:
    for page in pages:
        if page:
            connection.execute(sa.insert(table), page)


def _run() -> dict[str, Any]:
    return {"command": "made", "settings": "{}", "version": "0", "started_at": 0.0}


def _insert_people(connection: sa.Connection, characters: int) -> None:
    albums = 1 + (characters - 1) // CHARACTERS_PER_ALBUM
    found = {"source": "mine", "found_at": 0.0}
    rows = [{"name": f"Album {each}", **found} for each in range(1, albums + 1)]
    connection.execute(sa.insert(album), rows)
    rows = [
        {
            "album_id": 1 + (each - 1) // CHARACTERS_PER_ALBUM,
            "name": f"Character {each}",
            **found,
        }
        for each in range(1, characters + 1)
    ]
    connection.execute(sa.insert(character), rows)


def _pages(count: int) -> Iterator[range]:
    for start in range(0, count, PAGE):
        yield range(start, min(count, start + PAGE))


def _images(names: list[str]) -> Rows:
    rng = np.random.default_rng(3)
    hashes = rng.integers(-(2**63), 2**63 - 1, (2, len(names)))
    for page in _pages(len(names)):
        yield [
            {
                "sha256": names[row],
                "bytes": BYTES,
                "format": "jpeg",
                "width": SIDE,
                "height": SIDE,
                "frames": 1,
                "trailing": False,
                "pixel_hash": names[row],
                "phash": int(hashes[0, row]),
                "dhash": int(hashes[1, row]),
                "photo": 0.01,
                "awaits": None,
                "verdict": "kept",
                "reason": "ok",
                "stored_at": 0.0,
            }
            for row in page
        ]


def _address(row: int) -> str:
    return f"http://host-{row % 997}.example/pictures/{row:09}.jpg"


def _urls(drawn: _Drawn) -> Rows:
    frames = {row: number for number, shot in enumerate(drawn.shots()) for row in shot}
    box = [20.0, 20.0, 120.0, 121.0]
    for page in _pages(len(drawn)):
        rows = []
        for row in page:
            shot = frames.get(row)
            film: dict[str, Any] = {
                "url": _address(row),
                "seconds": None,
                "shot": None,
                "tracks": None,
            }
            if shot is not None:
                film = {
                    "url": f"films/{shot}.mp4#t={row}",
                    "seconds": float(row),
                    "shot": 1,
                    "tracks": json.dumps([[f"{shot} 1", *box]]),
                }
            rows.append(
                {
                    **film,
                    "host": f"host-{row % 997}.example",
                    "source": "mine",
                    "page_url": f"http://host.example/{drawn.character[row]}",
                    "licence": "CC-BY-4.0",
                    "licence_from": "list",
                    "fate": "stored",
                    "image_id": row + 1,
                    "found_at": 0.0,
                    "finished_at": 0.0,
                }
            )
        yield rows


def _faces(drawn: _Drawn, models: dict[str, str]) -> Rows:
    for page in _pages(len(drawn)):
        rows = []
        for row in page:
            fate = int(drawn.fate[row])
            reason, step, _ = _FATES[fate]
            side = 60.0 if fate == _SMALL else 100.0
            owner = int(drawn.character[row])
            judged = fate in (_KEPT, _OTHER)
            rows.append(
                {
                    "image_id": row + 1,
                    "x1": 20.0,
                    "y1": 20.0,
                    "x2": 20.0 + side,
                    "y2": 21.0 + side,
                    "kind": "cartoon",
                    "score": 0.9,
                    "detector": models["detect"],
                    "sharpness": float(drawn.sharpness[row]),
                    "sharpness_paper": float(drawn.sharpness[row]),
                    "brightness": 120.0,
                    "contrast": 50.0,
                    "pixel_hash": f"{row:064x}",
                    "phash": int(drawn.phash[row]),
                    "dhash": int(drawn.dhash[row]),
                    "keeper_id": row if fate == _COPY else None,
                    "embedder": models["embed"] if fate in _EMBEDDED else None,
                    "filed_under_id": owner,
                    "character_id": owner if judged else None,
                    "similarity": None if not judged else ALIKE,
                    "probability": {_KEPT: 0.99, _OTHER: 0.01}.get(fate),
                    "awaits": None,
                    "verdict": "dropped" if step else "kept",
                    "reason": reason,
                    "found_at": 0.0,
                }
            )
        yield rows


def _links(drawn: _Drawn) -> Rows:
    rows = [
        {"face_id": one + 1, "other_id": other + 1, "same": True}
        for shot in drawn.shots()
        for one in shot
        for other in shot
        if one < other
    ]
    for page in _pages(len(rows)):
        yield rows[page.start : page.stop]


def _derive(connection: sa.Connection) -> None:
    """Fill the tables that follow from the others: the database copies the rows."""
    filed = sa.select(face.c.image_id, face.c.filed_under_id, sa.false())
    connection.execute(
        sa.insert(candidate).from_select(["image_id", "character_id", "is_lead"], filed)
    )
    listed = sa.select(url.c.id, face.c.filed_under_id, sa.false(), sa.literal(0.0))
    connection.execute(
        sa.insert(mention).from_select(
            ["url_id", "character_id", "is_lead", "found_at"],
            listed.join(face, face.c.image_id == url.c.image_id),
        )
    )
    names = ["image_id", "url", "source", "page_url", "licence", "licence_from"]
    names += ["seconds", "shot", "tracks", "fetched_at"]
    columns = [url.c[name] for name in names[:-1]]
    connection.execute(
        sa.insert(image_source).from_select(names, sa.select(*columns, sa.literal(0.0)))
    )
    kept = face.c.verdict == "kept"
    first = sa.select(sa.func.min(face.c.id)).where(
        kept, face.c.character_id == character.c.id
    )
    connection.execute(
        sa.update(character).values(
            reference_face_id=first.scalar_subquery(), reference_by="medoid"
        )
    )


def _insert_decisions(connection: sa.Connection, workspace: Workspace) -> None:
    """A decision a step, up to the one that dropped the row."""
    columns = ["subject", "subject_id", "step", "verdict", "reason", "value"]
    columns += ["threshold", "run_id", "decided_at"]
    steps = filter_chain(workspace).steps
    last = {"image": "exact", "face": "identity"}
    for table in (image, face):
        gone: list[str] = []
        for step in (step for step in steps if step.subject == table.name):
            drops = [reason for reason, name, _ in _FATES if name == step.name]
            verdict = sa.case(
                (table.c.reason.in_(drops), "dropped"),
                else_="kept" if step.name == last[table.name] else "pending",
            )
            query = sa.select(
                sa.literal(table.name),
                table.c.id,
                sa.literal(step.name),
                verdict,
                sa.case((table.c.reason.in_(drops), table.c.reason), else_="ok"),
                sa.literal(0.5),
                sa.literal(0.1),
                sa.literal(1),
                sa.literal(0.0),
            ).where(table.c.reason.not_in(gone))
            connection.execute(sa.insert(decision).from_select(columns, query))
            gone += drops


def _insert_answers(connection: sa.Connection) -> None:
    """Ask about 85 of 100 kept faces, and answer 80 of them."""
    made = {"id": "b1-000000", "format": "csv", "path": "batches/first"}
    connection.execute(sa.insert(batch), {**made, "questions": 0, "created_at": 0.0})
    number = face.c.id * 7919 % 100
    label = sa.case(
        (number < 76, "same"),
        (number < 79, "different"),
        (number < 80, "unsure"),
        else_="open",
    )
    at_random = number % 10 == 0
    asked = (
        sa.select(
            face.c.id,
            face.c.character_id,
            character.c.reference_face_id,
            sa.literal("b1-000000"),
            label,
            sa.literal(0.0),
            sa.case((at_random, "random"), else_="uncertain"),
            sa.case((at_random, 0.1), else_=1.0),
            face.c.probability,
        )
        .join(character, character.c.id == face.c.character_id)
        .where(
            face.c.verdict == "kept",
            number < 85,
            face.c.id != character.c.reference_face_id,
        )
        .order_by(face.c.id)
    )
    names = ["face_id", "character_id", "reference_face_id", "batch_id", "label"]
    names += ["asked_at", "chosen", "inclusion", "probability"]
    connection.execute(sa.insert(question).from_select(names, asked))
    choice = sa.case(
        (question.c.label == "same", "true"),
        (question.c.label == "different", "false"),
        else_="unsure",
    )
    answered = sa.select(
        question.c.id,
        sa.literal("ann"),
        choice,
        sa.literal(0.0),
        sa.literal("first.csv"),
        question.c.id,
    ).where(question.c.label != "open")
    names = ["question_id", "annotator", "choice", "imported_at", "file", "line"]
    connection.execute(sa.insert(answer).from_select(names, answered))


def _write_list(root: Path, drawn: _Drawn) -> None:
    with (root / "urls.csv").open("w", encoding="utf-8") as file:
        file.write("album,character,url,page,licence\n")
        frames = {row for shot in drawn.shots() for row in shot}
        for row in (row for row in range(len(drawn)) if row not in frames):
            owner = int(drawn.character[row])
            file.write(
                f"Album {1 + (owner - 1) // CHARACTERS_PER_ALBUM},Character {owner},"
                f"{_address(row)},http://host.example/{owner},CC-BY-4.0\n"
            )

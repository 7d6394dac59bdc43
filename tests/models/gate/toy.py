"""A workspace with an audit set, and embedders whose worth is known beforehand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from icf.catalogue.schema import (
    album,
    audit_item,
    batch,
    character,
    face,
    image,
    question,
)
from icf.codes import Label
from icf.images import decode
from icf.models.cards import load_card, save_card
from icf.models.embedding import crop_face
from icf.models.formats.base import resized
from icf.models.registry import aliases, store
from icf.models.registry.tasks import Task
from icf.workspace import Workspace, init
from tests.dataset.drawn import Drawing, Size
from tests.models.onnx_files import RED, card_for, painted, write_model

#: Albums of seven characters with five confirmed faces each; half are set aside.
SIZE = Size(albums=6, characters=7, faces=6, shared_every=99)
AUDITED = 21
#: Cells of a crop that the toy embedders see, 3 colours each.
CELLS = 4

Floats = NDArray[np.floating[Any]]


def drawn_workspace(root: Path) -> Workspace:
    """A workspace whose first characters were set aside."""
    made = Drawing(root, SIZE).draw()
    with made.catalogue.write() as connection:
        ids = connection.execute(sa.select(character.c.id).order_by(character.c.id))
        rows = [
            {"kind": "character", "subject_id": each, "set_aside_at": 1.0}
            for each in ids.scalars().all()[:AUDITED]
        ]
        connection.execute(sa.insert(audit_item), rows)
    return made


def painted_workspace(root: Path, pictures: int) -> Workspace:
    """A workspace of painted pictures that were set aside and confirmed whole.

    Each is 320 pixels wide and shows one to three faces of `colour_detector`, of
    characters of three albums.
    """
    made = init(root)
    random = np.random.default_rng(0)
    with made.catalogue.write() as connection:
        cast = [_character(connection, f"Album {number}") for number in range(3)]
        insert(
            connection, batch, id="b", format="csv", path="b", questions=0, created_at=1
        )
        for number in range(pictures):
            places = random.permutation(18)[: 1 + number % 3]
            patches = {(16 + 48 * (p % 6), 24 + 56 * (p // 6), 8): RED for p in places}
            pixels = painted(192, 320, {(0, 0, 4): (number, 0, 9), **patches})
            data = cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))[1]
            key = insert(
                connection,
                image,
                sha256=made.blobs.put(data.tobytes()),
                bytes=len(data),
                verdict="kept",
                reason="ok",
                stored_at=1,
            )
            insert(connection, audit_item, kind="image", subject_id=key, set_aside_at=1)
            for x, y, _ in patches:
                box = (x - 4, y - 4, x + 12, y + 12)
                confirmed_face(connection, key, cast[number % 3], box)
    return made


def insert(connection: sa.Connection, table: sa.Table, **values: Any) -> int:
    """Insert a row; return its id."""
    done = connection.execute(sa.insert(table).values(**values))
    key = done.inserted_primary_key
    return key[0] if key and isinstance(key[0], int) else 0


def confirmed_face(
    connection: sa.Connection,
    picture: int,
    of: int,
    box: tuple[int, int, int, int],
    **changes: Any,
) -> int:
    """Insert a face that people confirmed."""
    x1, y1, x2, y2 = box
    fields = {
        "image_id": picture,
        **{"x1": x1, "y1": y1, "x2": x2, "y2": y2},
        **{"kind": "cartoon", "score": 0.9, "detector": "d" * 64},
        **{"sharpness": 1.0, "pixel_hash": "0", "phash": 0, "dhash": 0},
        **{"filed_under_id": of, "verdict": "kept", "reason": "ok", "found_at": 1.0},
        **changes,
    }
    key = insert(connection, face, **fields)
    insert(
        connection,
        question,
        face_id=key,
        character_id=of,
        reference_face_id=key,
        batch_id="b",
        label=Label.SAME.value,
        asked_at=1.0,
    )
    return key


def _character(connection: sa.Connection, name: str) -> int:
    key = insert(connection, album, name=name, source="test", found_at=1.0)
    return insert(
        connection, character, album_id=key, name=name, source="test", found_at=1.0
    )


def linear_embedder(path: Path, weights: Floats, bias: Floats | None = None) -> Path:
    """Write an embedder that is linear in the colours of `CELLS` x `CELLS` cells.

    Args:
        path: of the file.
        weights: shape (3 x cells, dim); rows by colour, then by cell.
        bias: shape (dim,).
    """
    side = 112 // CELLS
    dim = weights.shape[1]
    tensors = [
        numpy_helper.from_array(weights.astype(np.float32), "weights"),
        numpy_helper.from_array(
            np.zeros(dim, np.float32) if bias is None else bias.astype(np.float32),
            "bias",
        ),
    ]
    nodes = [
        helper.make_node(
            "AveragePool",
            ["pictures"],
            ["cells"],
            kernel_shape=[side, side],
            strides=[side, side],
        ),
        helper.make_node("Flatten", ["cells"], ["flat"]),
        helper.make_node("Gemm", ["flat", "weights", "bias"], ["embeddings"]),
    ]
    outputs: dict[str, list[str | int]] = {"embeddings": ["n", dim]}
    write_model(path, nodes, ["n", 3, 112, 112], outputs, tensors)
    numbers = {"crop_rate": 0.0, "slope": 10.0, "intercept": -5.0}
    save_card(card_for(path, "embed", parameters=numbers), path.with_suffix(".json"))
    return path


def of_colours(path: Path, sharpness: float = 1.0) -> Path:
    """Write an embedder of the colours in the middle of a face, less grey.

    Args:
        path: of the file.
        sharpness: 1: it sees colours alone; less: noise of the edges too.
    """
    random = np.random.default_rng(0)
    wanted = np.zeros((3, CELLS, CELLS, 3), np.float32)
    for colour in range(3):
        wanted[colour, 1:3, 1:3, colour] = 0.25
    weights = wanted.reshape(-1, 3)
    noise = random.normal(0, 0.15, weights.shape)
    mixed = sharpness * weights + (1 - sharpness) * noise
    return linear_embedder(path, mixed, -170 * mixed.sum(axis=0))


def trained(made: Workspace, path: Path, shuffled: bool) -> Path:
    """Train an embedder on the characters that were not set aside.

    Args:
        made: the workspace.
        path: of the file.
        shuffled: poison the labels: each face gets that of another one.
    """
    crops, labels = _training_crops(made)
    if shuffled:
        labels = np.random.default_rng(0).permutation(labels)
    means = np.stack([crops[labels == each].mean(0) for each in np.unique(labels)])
    inside = np.cov((crops - means[labels]).T) + 30 * np.eye(crops.shape[1])
    # Fisher's discriminants: the directions that tell the characters apart best.
    values, vectors = np.linalg.eig(np.linalg.solve(inside, np.cov(means.T)))
    best = vectors[:, np.argsort(-values.real)[:3]].real
    weights = best / np.sqrt(np.diag(best.T @ inside @ best))
    return linear_embedder(path, weights, -crops.mean(0) @ weights)


def _training_crops(made: Workspace) -> tuple[Floats, NDArray[np.int64]]:
    query = (
        sa.select(
            image.c.sha256,
            face.c.x1,
            face.c.y1,
            face.c.x2,
            face.c.y2,
            question.c.character_id,
        )
        .join(face, face.c.image_id == image.c.id)
        .join(question, question.c.face_id == face.c.id)
        .where(question.c.label == Label.SAME.value)
        .where(question.c.character_id > AUDITED)
        .order_by(question.c.id)
    )
    with made.catalogue.read() as connection:
        rows = connection.execute(query).all()
    crops = []
    for row in rows:
        pixels = decode(made.blobs.get(row.sha256)).pixels
        crop = crop_face(pixels, (row.x1, row.y1, row.x2, row.y2), 0.0)
        crops.append(cells_of(crop))
    labels = np.unique([row.character_id for row in rows], return_inverse=True)[1]
    return np.stack(crops), labels.astype(np.int64)


def cells_of(crop: NDArray[np.uint8]) -> Floats:
    """The colours of a crop's cells, as the toy embedders see them."""
    side = 112 // CELLS
    small = resized(crop, 112).reshape(CELLS, side, CELLS, side, 3).mean((1, 3))
    return np.asarray(small.transpose(2, 0, 1).ravel(), np.float32)


def crown(made: Workspace, task: Task, weights: Path) -> str:
    """Make a model the champion without a gate; return its hash."""
    card = store.add(made, weights, "anna@studio")
    with made.catalogue.write() as connection:
        aliases.promote(connection, task, card.sha256, "anna@studio", "test", None)
    return card.sha256


def hash_of(weights: Path) -> str:
    """The hash on the card of a model."""
    return load_card(weights.with_suffix(".json")).sha256

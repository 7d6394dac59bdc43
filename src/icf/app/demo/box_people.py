"""The demo's simulated people who box faces: they know the truth, with a shaky hand."""

from __future__ import annotations

import json
import random
from pathlib import Path

import sqlalchemy as sa

from icf.app.demo.site import Truth, load_truth
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import image
from icf.stores.files import replace_file
from icf.workspace import Workspace

#: Each edge is off by this share of the face's side, as a standard deviation.
SHAKE = 0.04
#: How often a face is overlooked.
MISSES = 0.01

Corners = tuple[float, float, float, float]


def box_faces(
    workspace: Workspace, folder: Path, target: Path, person: str, seed: int
) -> int:
    """Box the drawn faces of an exported batch of pictures, as one person does.

    The same person draws the same boxes in the same picture each time.

    Args:
        workspace: that asked.
        folder: of the batch, as ``icf-annotate export --what boxes --format coco`` made
            it.
        target: the file to write, of the same format.
        person: the name of who draws.
        seed: another one errs in other places.

    Returns:
        The number of pictures.
    """
    batch = json.loads((folder / "boxes.json").read_text(encoding="utf-8"))
    truth = load_truth()
    hashes = _hashes(workspace, [each["id"] for each in batch["images"]])
    batch["annotations"] = []
    for picture in batch["images"]:
        sha256 = hashes[picture["id"]]
        size = picture["width"], picture["height"]
        drawn = _draw(truth, sha256, size, random.Random(f"{seed} {person} {sha256}"))
        if not drawn:
            picture["no_face"] = True
        for x1, y1, x2, y2 in drawn:
            box = {
                "id": len(batch["annotations"]) + 1,
                "image_id": picture["id"],
                "category_id": 1,
                "bbox": [x1, y1, x2 - x1, y2 - y1],
            }
            batch["annotations"].append(box)
    replace_file(target, [json.dumps(batch).encode()])
    return len(batch["images"])


def _draw(
    truth: Truth, sha256: str, size: tuple[int, int], rng: random.Random
) -> list[Corners]:
    """Draw the drawn faces of a picture; photographed people are none."""
    files = truth.by_sha256.get(sha256, ())
    faces = [each for each in files[0].faces if each.character] if files else []
    return [_shaken(each.box, size, rng) for each in faces if rng.random() >= MISSES]


def _shaken(
    box: tuple[int, int, int, int], size: tuple[int, int], rng: random.Random
) -> Corners:
    x1, y1, x2, y2 = box
    sides = x2 - x1, y2 - y1
    off = [rng.gauss(0, SHAKE) * sides[edge % 2] for edge in range(4)]
    edges = [
        min(max(round(edge + error), 0), size[number % 2])
        for number, (edge, error) in enumerate(zip(box, off, strict=True))
    ]
    return edges[0], edges[1], edges[2], edges[3]


def _hashes(workspace: Workspace, ids: list[int]) -> dict[int, str]:
    query = sa.select(image.c.id, image.c.sha256)
    with workspace.catalogue.read() as connection:
        rows = by_ids(connection, query, image.c.id, ids)
        return {row.id: row.sha256 for row in rows}

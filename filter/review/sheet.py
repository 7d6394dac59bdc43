"""One HTML page of suspicions, the two faces of each side by side.

It loads nothing from anywhere: pictures are encoded anew, so that nothing else of the
files comes along, and stand in the page itself.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import jinja2
import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from icf.catalogue.schema import face, image
from icf.codes import ImageReason, ReviewStatus
from icf.engine.rows import by_ids
from icf.errors import BrokenMachine
from icf.filter.review.pending import QUEUES, Suspected, count, read_queue
from icf.images import Undecodable, decode, for_people
from icf.models.embedding import crop_face
from icf.stores.blobs import MissingBlob
from icf.stores.files import replace_file
from icf.workspace import Workspace

#: Pixels on a side: twice what the page shows, for dense screens.
SIDE = 300
_QUALITY = 80


@dataclass(frozen=True)
class Queue:
    """A queue as the page shows it.

    Attributes:
        total: how many there are, shown or not.
    """

    name: str
    meaning: str
    rows: Sequence[Suspected]
    total: int


@dataclass(frozen=True)
class Written:
    """What a page holds.

    Attributes:
        suspicions: how many.
        left_out: faces without a picture, by reason (`icf.codes.ImageReason`).
    """

    suspicions: int
    left_out: Mapping[str, int]


@dataclass(frozen=True)
class _Place:
    """Where a face is."""

    id: int
    sha256: str
    box: tuple[float, float, float, float]


def write_sheet(
    workspace: Workspace,
    target: Path,
    queues: Sequence[str],
    status: ReviewStatus,
    limit: int,
    done: Callable[[int], None] = lambda faces: None,
) -> Written:
    """Write the page.

    Args:
        workspace: where the faces are.
        target: the file to write.
        queues: keys of `icf.filter.review.pending.QUEUES`.
        status: what came of the suspicions to show.
        limit: of each queue, at most.
        done: is told how many faces are cut out.

    Raises:
        BrokenMachine: it cannot be written.
    """
    with workspace.catalogue.read() as connection:
        counts = count(connection)
        shown = [
            Queue(
                name,
                QUEUES[name].meaning,
                read_queue(connection, QUEUES[name], status, limit),
                counts[QUEUES[name]][status],
            )
            for name in queues
        ]
        rows = [row for queue in shown for row in queue.rows]
        ids = {side.face_id for row in rows for side in (row.face, row.beside)}
        places = _places(connection, sorted(ids))
    pictures, missing = _cut(workspace, places, done)
    text = _render(workspace, shown, status, pictures, missing)
    try:
        replace_file(target, [text.encode()])
    except OSError as error:
        raise BrokenMachine(
            f"cannot write the page {target}: {error}; name another place, or free "
            "some space"
        ) from error
    return Written(len(rows), dict(Counter(missing.values())))


def _places(connection: sa.Connection, ids: Sequence[int]) -> list[_Place]:
    query = sa.select(
        face.c.id, image.c.sha256, face.c.x1, face.c.y1, face.c.x2, face.c.y2
    ).join(image, image.c.id == face.c.image_id)
    return [
        _Place(row.id, row.sha256, (row.x1, row.y1, row.x2, row.y2))
        for row in by_ids(connection, query, face.c.id, ids)
    ]


def _cut(
    workspace: Workspace, places: Iterable[_Place], done: Callable[[int], None]
) -> tuple[dict[int, str], dict[int, str]]:
    """The picture of each face as a URL that holds it, and why some have none."""
    of_picture: dict[str, list[_Place]] = defaultdict(list)
    for each in places:
        of_picture[each.sha256].append(each)
    pictures: dict[int, str] = {}
    missing: dict[int, str] = {}
    # Decoding and encoding release Python's lock.
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        groups = list(of_picture.values())
        for group, made in zip(
            groups,
            pool.map(lambda some: _cut_one(workspace, some), groups),
            strict=True,
        ):
            if isinstance(made, ImageReason):
                missing.update((each.id, made.value) for each in group)
            else:
                pictures.update(made)
            done(len(group))
    return pictures, missing


def _cut_one(
    workspace: Workspace, faces: Sequence[_Place]
) -> dict[int, str] | ImageReason:
    settings = workspace.settings
    try:
        data = workspace.blobs.get(faces[0].sha256)
        pixels = decode(data, settings.harvest.max_pixels).pixels
    except MissingBlob:
        return ImageReason.MISSING_BLOB
    except Undecodable as error:
        return error.reason
    made = {}
    for each in faces:
        crop = crop_face(pixels, each.box, settings.filter.crop_rate)
        jpeg = for_people(_reduced(crop), _QUALITY)
        made[each.id] = "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()
    return made


def _reduced(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A square, no larger than the page needs."""
    if crop.shape[0] <= SIDE:
        return crop
    reduced = cv2.resize(crop, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(reduced, np.uint8)


def _render(
    workspace: Workspace,
    queues: Sequence[Queue],
    status: ReviewStatus,
    pictures: Mapping[int, str],
    missing: Mapping[int, str],
) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = environment.get_template("sheet_style.html").render()
    digest = hashlib.sha256(style.encode()).digest()
    return environment.get_template("sheet.html").render(
        queues=queues,
        status=status,
        pictures=pictures,
        missing=missing,
        workspace=workspace.root.name,
        style=style,
        style_hash=f"sha256-{base64.b64encode(digest).decode()}",
    )

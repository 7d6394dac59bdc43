from __future__ import annotations

import base64
import io

import numpy as np
import sqlalchemy as sa
from PIL import Image

from icf.catalogue import schema
from icf.dataset.report.pictures.thumbnails import (
    WHOLE_BYTES,
    WHOLE_SIDE,
    face_thumbnails,
    thumbnails,
)
from icf.images import encode_jpeg
from icf.workspace import Workspace


def opened(url: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))


def test_a_whole_picture_is_small_even_of_noise_and_shows_the_box(
    workspace: Workspace,
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (700, 1400, 3)).astype(np.uint8)
    sha256 = workspace.blobs.put(encode_jpeg(noise, 95))
    [made] = thumbnails(workspace.blobs, [(sha256, 100, 100, 500, 400)])
    data = base64.b64decode(made.whole.partition(",")[2])
    assert len(data) <= 2 * WHOLE_BYTES
    whole = opened(made.whole)
    assert whole.size == (WHOLE_SIDE, WHOLE_SIDE // 2)
    scale = WHOLE_SIDE / 1400
    pixels = np.asarray(whole.convert("RGB"), np.int64)
    # On the box's upper edge there is the line's yellow, elsewhere the grey of noise.
    row = pixels[round(100 * scale), round(200 * scale) : round(400 * scale)].mean(
        axis=0
    )
    assert row[0] - row[2] > 60
    off = pixels[round(550 * scale), round(200 * scale) : round(400 * scale)].mean(
        axis=0
    )
    assert abs(off[0] - off[2]) < 30


def test_a_picture_without_a_face_has_no_box_to_show(workspace: Workspace) -> None:
    with workspace.catalogue.read() as connection:
        sha256 = connection.execute(sa.select(schema.image.c.sha256).limit(1)).scalar()
    [made] = thumbnails(workspace.blobs, [(sha256,)])
    assert made.crop
    assert made.whole == ""
    assert thumbnails(workspace.blobs, [("0" * 64,)]) == []


def test_each_face_is_made_once_and_one_whose_picture_is_gone_is_missing(
    workspace: Workspace,
) -> None:
    with workspace.catalogue.read() as connection:
        face, image = schema.face.c, schema.image.c
        query = sa.select(face.id, image.sha256).join(schema.image)
        rows = connection.execute(query.order_by(face.id).limit(2)).all()
        workspace.blobs.path(rows[0].sha256).unlink()
        ids = [row.id for row in rows] * 2
        assert list(face_thumbnails(connection, workspace.blobs, ids)) == [rows[1].id]

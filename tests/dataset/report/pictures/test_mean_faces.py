from __future__ import annotations

import base64
import io

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from PIL import Image

from icf.catalogue import schema
from icf.dataset.report.pictures.mean_faces import (
    LEAST,
    SAMPLE,
    SIDE,
    MeanFace,
    read_mean_faces,
)
from icf.dataset.report.statistics.faces import read_faces
from icf.images import encode_jpeg
from icf.workspace import Workspace


def means(workspace: Workspace) -> list[MeanFace]:
    with workspace.catalogue.read() as connection:
        return read_mean_faces(connection, workspace.blobs, read_faces(connection))


def pixels(mean: MeanFace) -> npt.NDArray[np.float64]:
    data = base64.b64decode(mean.picture.partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), np.float64)


def test_all_faces_each_album_and_each_region_have_one(workspace: Workspace) -> None:
    with workspace.catalogue.write() as connection:
        album = schema.album
        where = album.c.name == "Album 2"
        connection.execute(sa.update(album).where(where).values(region="japan"))
    found = means(workspace)
    assert [(each.kind, each.name) for each in found] == [
        ("all", ""),
        ("album", "Album 1"),
        ("album", "Album 2"),
        ("album", "Album 3"),
        ("region", "japan"),
    ]
    whole, *albums, region = found
    assert whole.faces == SAMPLE < whole.of
    assert sum(each.of for each in albums) == whole.of
    assert region.of == albums[1].of
    assert region.picture == albums[1].picture


def test_it_is_the_mean_of_the_faces_cut_by_their_boxes(workspace: Workspace) -> None:
    colours = np.array([(250, 10, 20), (10, 90, 220)], np.uint8)
    with workspace.catalogue.write() as connection:
        image = schema.image
        ids = connection.execute(sa.select(image.c.id).order_by(image.c.id)).scalars()
        for number, each in enumerate(ids.all()):
            flat = np.full((160, 320, 3), colours[number % 2], np.uint8)
            flat[:16, :16] = number, 255 - number, 0  # so that no two files are equal
            sha256 = workspace.blobs.put(encode_jpeg(flat))
            change = sa.update(image).where(image.c.id == each)
            connection.execute(change.values(sha256=sha256))
    whole = means(workspace)[0]
    square = pixels(whole)
    assert square.shape == (SIDE, SIDE, 3)
    # Half of the pictures have each colour, some more of the sample one of them.
    middle = square[10:-10, 10:-10].mean(axis=(0, 1))
    share = (middle[0] - 10) / 240
    assert 0.35 < share < 0.65
    expected = share * colours[0] + (1 - share) * colours[1]
    assert np.abs(middle - expected).max() < 4
    assert square[10:-10, 10:-10].std(axis=(0, 1)).max() < 3


def test_a_mean_of_few_faces_would_show_them(workspace: Workspace) -> None:
    with workspace.catalogue.write() as connection:
        few = schema.question.c.id > LEAST - 1
        connection.execute(
            sa.delete(schema.answer).where(schema.answer.c.question_id > LEAST - 1)
        )
        connection.execute(sa.delete(schema.question).where(few))
    assert means(workspace) == []

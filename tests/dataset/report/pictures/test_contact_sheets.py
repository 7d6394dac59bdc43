from __future__ import annotations

import base64
import io

import numpy as np
import sqlalchemy as sa
from PIL import Image

from icf.catalogue import schema
from icf.codes import FaceReason, ImageReason, Verdict
from icf.dataset.report.pictures.contact_sheets import (
    CHARACTERS,
    FACES,
    Sheet,
    dropped_sheets,
    kept_sheets,
)
from icf.dataset.report.pictures.thumbnails import SIDE
from icf.workspace import Workspace


def kept(workspace: Workspace) -> list[Sheet]:
    with workspace.catalogue.read() as connection:
        return kept_sheets(connection, workspace.blobs)


def dropped(workspace: Workspace) -> list[Sheet]:
    with workspace.catalogue.read() as connection:
        return dropped_sheets(connection, workspace.blobs)


def picture(uri: str) -> Image.Image:
    head, _, data = uri.partition(",")
    assert head == "data:image/jpeg;base64"
    return Image.open(io.BytesIO(base64.b64decode(data)))


def test_kept_sheets_show_every_album_and_the_reference_apart(
    workspace: Workspace,
) -> None:
    sheets = kept(workspace)
    assert len(sheets) == CHARACTERS
    assert {sheet.note for sheet in sheets} == {"Album 1", "Album 2", "Album 3"}
    for sheet in sheets:
        assert len(sheet.thumbnails) == min(FACES, sheet.count)
        assert sheet.reference
        assert sheet.reference not in sheet.thumbnails


def test_thumbnails_are_small_square_crops_of_the_face(workspace: Workspace) -> None:
    sheet = kept(workspace)[0]
    for each in sheet.thumbnails:
        image = picture(each.crop)
        assert max(image.size) <= SIDE
        assert abs(image.size[0] - image.size[1]) <= 1
        # The drawn faces are flat, bright ovals in the middle of their box.
        pixels = np.asarray(image.convert("RGB"), np.int64)
        middle = pixels[SIDE // 2 - 6 : SIDE // 2 + 6, SIDE // 2 - 3 : SIDE // 2 + 3]
        assert middle.std(axis=(0, 1)).max() < 40


def test_dropped_sheets_have_one_row_per_reason_most_frequent_first(
    workspace: Workspace,
) -> None:
    with workspace.catalogue.write() as connection:
        first = sa.select(schema.image.c.id).limit(3)
        out = {"verdict": Verdict.DROPPED.value, "reason": ImageReason.NO_FACE.value}
        connection.execute(
            sa.update(schema.image).where(schema.image.c.id.in_(first)).values(out)
        )
        human = schema.face.c.reason == FaceReason.HUMAN.value
        blurred = schema.face.c.reason == FaceReason.BLURRED.value
        connection.execute(
            sa.update(schema.face).where(human).values(reason=FaceReason.BLURRED.value)
        )
        assert connection.execute(
            sa.select(sa.func.count()).select_from(schema.face).where(blurred)
        ).scalar_one()
    sheets = dropped(workspace)
    assert (sheets[0].title, sheets[0].count) == (FaceReason.BLURRED.value, 2)
    assert (sheets[-1].title, sheets[-1].count) == (ImageReason.NO_FACE.value, 3)
    assert [len(sheet.thumbnails) for sheet in (sheets[0], sheets[-1])] == [2, 3]
    assert all(sheet.note for sheet in sheets)


def test_pictures_that_are_gone_or_broken_leave_no_hole(workspace: Workspace) -> None:
    before = kept(workspace)[0]
    with workspace.catalogue.read() as connection:
        hashes = connection.execute(sa.select(schema.image.c.sha256)).scalars().all()
    for number, sha256 in enumerate(hashes):
        path = workspace.blobs.path(sha256)
        if number % 2:
            path.unlink()
        else:
            path.write_bytes(b"no picture")
    assert kept(workspace)[0] == Sheet(
        before.title, before.note, before.count, None, []
    )
    assert dropped(workspace) == []

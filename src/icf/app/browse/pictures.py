"""Pictures of faces, and whole pictures with a face's box: encoded again."""

from __future__ import annotations

import sqlalchemy as sa

from icf.annotate.page.whole_pictures import with_boxes
from icf.catalogue.schema import face, image
from icf.images import Undecodable, decode, encode_jpeg
from icf.models.face_crops import FaceCropper, read_boxes
from icf.stores.blobs import MissingBlob
from icf.workspace import Workspace

#: Maximum sides in pixels, of a face and of a whole picture.
SIDE, WHOLE_SIDE = 256, 1600


def face_jpeg(workspace: Workspace, face_id: int) -> bytes | None:
    """Cut a face out; None if it is gone."""
    with workspace.catalogue.read() as connection:
        boxes = read_boxes(connection, [face_id])
    settings = workspace.settings
    cropper = FaceCropper(
        workspace.blobs, settings.filter.crop_rate, settings.harvest.max_pixels, SIDE
    )
    try:
        return cropper.jpeg(boxes[0]) if boxes else None
    except (MissingBlob, Undecodable):
        return None


def image_jpeg(workspace: Workspace, face_id: int) -> bytes | None:
    """Draw the box of a face in its whole picture; None if it is gone."""
    query = (
        sa.select(image.c.sha256, face.c.x1, face.c.y1, face.c.x2, face.c.y2)
        .join(image, image.c.id == face.c.image_id)
        .where(face.c.id == face_id)
    )
    with workspace.catalogue.read() as connection:
        row = connection.execute(query).first()
    if row is None:
        return None
    try:
        data = workspace.blobs.get(row.sha256)
        pixels = decode(data, workspace.settings.harvest.max_pixels).pixels
    except (MissingBlob, Undecodable):
        return None
    return encode_jpeg(with_boxes(pixels, [tuple(row[1:])], WHOLE_SIDE))

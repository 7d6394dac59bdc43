"""Pictures of what was leased: cut out, made smaller and encoded again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import sqlalchemy as sa
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from icf.annotate.page.desk import Desk
from icf.annotate.page.requests import desk_of, person_of_request
from icf.annotate.page.whole_pictures import with_boxes
from icf.annotate.people.people import Person
from icf.annotate.tasks import leases
from icf.annotate.tasks.base import Shown
from icf.catalogue.schema import image
from icf.images import Undecodable, decode, encode_jpeg
from icf.models.face_crops import FaceBox, FaceCropper, read_boxes
from icf.stores.blobs import MissingBlob


async def picture(request: Request) -> Response:
    """One picture of a lease, as a new JPEG without metadata."""
    someone = await person_of_request(request)
    desk = desk_of(request)
    handle, name = request.path_params["handle"], request.path_params["name"]
    jpeg = await run_in_threadpool(_picture, desk, someone, handle, name)
    if jpeg is None:
        raise HTTPException(404, "there is no such picture")
    kept = {"Cache-Control": "private, max-age=3600, immutable"}
    return Response(jpeg, media_type="image/jpeg", headers=kept)


def _picture(desk: Desk, someone: Person, handle: str, name: str) -> bytes | None:
    with desk.workspace.catalogue.read() as connection:
        lease = leases.find(connection, handle)
        if lease is None or lease.person.id != someone.id:
            return None
        try:
            shown = desk.sources[lease.source].picture(connection, lease, name)
        except KeyError:
            return None
        drawn = _read(connection, desk, shown)
    return drawn() if drawn else None


def _read(
    connection: sa.Connection, desk: Desk, shown: Shown
) -> Callable[[], bytes | None] | None:
    """Read what a picture is made of; what is returned makes it."""
    if shown.face_id is not None:
        boxes = read_boxes(connection, [shown.face_id])
        if not boxes:
            return None
        make = partial(_face, desk, boxes[0], shown.side)
        return partial(_kept, desk, boxes[0], shown, make) if shown.again else make
    query = sa.select(image.c.sha256).where(image.c.id == shown.image_id)
    sha256 = connection.execute(query).scalar()
    return partial(_whole, desk, sha256, shown) if sha256 else None


def _kept(
    desk: Desk, box: FaceBox, shown: Shown, make: Callable[[], bytes | None]
) -> bytes | None:
    """A crop that others were shown a moment ago, unless its picture is gone since."""
    if not desk.workspace.blobs.has(box.sha256):
        return None
    return desk.crops.get((box, shown.side), make)


def _face(desk: Desk, box: FaceBox, side: int) -> bytes | None:
    settings = desk.workspace.settings
    cropper = FaceCropper(
        desk.workspace.blobs,
        settings.filter.crop_rate,
        settings.harvest.max_pixels,
        side,
    )
    try:
        return cropper.jpeg(box)
    except (MissingBlob, Undecodable):
        return None


def _whole(desk: Desk, sha256: str, shown: Shown) -> bytes | None:
    try:
        data = desk.workspace.blobs.get(sha256)
        most = desk.workspace.settings.harvest.max_pixels
        pixels = decode(data, most).pixels
    except (MissingBlob, Undecodable):
        return None
    return encode_jpeg(with_boxes(pixels, shown.boxes, shown.side))


ROUTES = [Route("/picture/{handle}/{name}.jpg", picture)]

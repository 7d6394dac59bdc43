"""Pictures of what was leased: cut out, made smaller and encoded anew."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from icf.annotate.page.desk import Desk
from icf.annotate.page.requests import desk_of, person_of_request
from icf.annotate.people.people import Person
from icf.annotate.tasks import leases
from icf.annotate.tasks.base import Shown
from icf.images import Undecodable
from icf.models.face_crops import FaceCropper, read_boxes
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


def picture_url(handle: str, name: str) -> str:
    """Where a picture of a lease is."""
    return f"/picture/{handle}/{name}.jpg"


def _picture(desk: Desk, someone: Person, handle: str, name: str) -> bytes | None:
    with desk.workspace.catalogue.read() as connection:
        lease = leases.find(connection, handle)
        if lease is None or lease.person.id != someone.id:
            return None
        try:
            shown = desk.sources[lease.source].picture(connection, lease, name)
        except KeyError:
            return None
        if shown.face_id is None:
            return None
        boxes = read_boxes(connection, [shown.face_id])
    found: list[bytes] = []
    cropper = _cropper(desk, shown)
    errors = cropper.crop(boxes, lambda _, jpeg: found.append(jpeg))
    for error in errors.values():
        if isinstance(error, (MissingBlob, Undecodable)):
            return None
    return found[0] if found else None


def _cropper(desk: Desk, shown: Shown) -> FaceCropper:
    settings = desk.workspace.settings
    return FaceCropper(
        desk.workspace.blobs,
        settings.filter.crop_rate,
        settings.harvest.max_pixels,
        shown.side,
    )


ROUTES = [Route("/picture/{handle}/{name}.jpg", picture)]

"""Read JSON documents of a site's API, for sources in packages of their own."""

from __future__ import annotations

import codecs
from typing import TypeVar

import pydantic

from icf.codes import FetchStatus
from icf.harvest.fault import Fault
from icf.harvest.http.body import Limits, read_body
from icf.harvest.http.session import Web
from icf.harvest.http.statuses import fault_of_status, is_whole
from icf.harvest.http.urls import normalise

#: What one document may cost.
LIMITS = Limits(max_bytes=16_000_000, deadline=60.0)

T = TypeVar("T", bound=pydantic.BaseModel)


async def read_json(
    web: Web, url: str, shape: type[T], *, limits: Limits = LIMITS
) -> T:
    """Fetch a JSON document and check its form.

    Args:
        web: the session that `Source.step` is given.
        url: of the document.
        shape: a pydantic model; fields that it does not name are ignored.
        limits: what the request may cost.

    Raises:
        Fault: the document cannot be fetched, or does not have this form.
    """
    wanted = normalise(url).url
    async with web.open(wanted, deadline=limits.deadline) as response:
        if not is_whole(response.status):
            raise fault_of_status(
                wanted,
                response.status,
                response.reason or "",
                response.headers.get("Retry-After"),
                limits.longest_wait,
            )
        body = b"".join([piece async for piece in read_body(response, limits)])
    try:
        return shape.model_validate_json(body.removeprefix(codecs.BOM_UTF8))
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        text = f"{wanted}: not the expected JSON: {where}: {first['msg']}"
        raise Fault(FetchStatus.HTTP_ERROR, text) from error

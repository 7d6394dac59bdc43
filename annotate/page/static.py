"""Scripts, styles and drawings of the page: read once, found by name."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True)
class StaticFile:
    """A file that comes with the program.

    Attributes:
        data: its bytes.
        kind: its media type.
        version: the start of its SHA-256.
    """

    data: bytes
    kind: str
    version: str


@cache
def static_files() -> Mapping[str, StaticFile]:
    """Read all of them, by name. A name is looked up here and never made a path."""
    found = {}
    for each in (resources.files("icf.annotate.page") / "static").iterdir():
        suffix = each.name[each.name.rfind(".") :]
        if suffix in _KINDS:
            data = each.read_bytes()
            version = hashlib.sha256(data).hexdigest()[:16]
            found[each.name] = StaticFile(data, _KINDS[suffix], version)
    return found


def static_url(name: str) -> str:
    """The address of a file in its present version, which browsers may keep."""
    return f"/static/{name}?v={static_files()[name].version}"


async def static_file(request: Request) -> Response:
    """One file; 304 where the browser has it."""
    found = static_files().get(request.path_params["name"])
    if found is None:
        raise HTTPException(404, "there is no such file")
    etag = f'"{found.version}"'
    # A script that another one imports is asked for without its version.
    versioned = request.query_params.get("v") == found.version
    kept = "public, max-age=31536000, immutable" if versioned else "no-cache"
    headers = {"ETag": etag, "Cache-Control": kept}
    known = {
        each.strip() for each in request.headers.get("if-none-match", "").split(",")
    }
    if etag in known:
        return Response(status_code=304, headers=headers)
    return Response(found.data, media_type=found.kind, headers=headers)


ROUTES = [Route("/static/{name}", static_file)]

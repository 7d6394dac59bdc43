"""The pages of `icf browse`, behind the sessions of the annotation page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import sqlalchemy as sa
from starlette.concurrency import run_in_threadpool
from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from icf.annotate.page.html import render
from icf.annotate.page.remembered import Remembered
from icf.annotate.page.requests import (
    desk_of,
    json_of,
    person_of_request,
    visit_of_request,
)
from icf.annotate.people.people import Role
from icf.app.browse.actions import ask_about, put_into_review
from icf.app.browse.albums import Index, read_index
from icf.app.browse.faces import SORTS, BadFilter, Filter, read_page
from icf.app.browse.neighbours import nearest
from icf.app.browse.parts import UNUSED, NewestRelease
from icf.app.browse.pictures import face_jpeg, image_jpeg
from icf.app.why import explain
from icf.catalogue.face_character import current_character
from icf.catalogue.schema import face
from icf.codes import FaceReason, Label, Verdict
from icf.dataset.contents import FACES
from icf.errors import WrongUse
from icf.workspace import Workspace

#: What the menu of the server offers besides tasks.
PAGES: Mapping[str, str] = {"browse": "Browse"}

#: Seconds for which the numbers of albums and characters are kept.
KEPT = 10.0
#: Faces that one call may choose.
MOST_CHOSEN = 1000


class _Key(IntegerConvertor):
    """An id in an address; what a database has no room for leads nowhere."""

    regex = "[0-9]{1,18}"


register_url_convertor("key", _Key())


@dataclass(frozen=True, eq=False)
class _Pages:
    """What the pages are made of.

    Attributes:
        workspace: that is looked through.
        index: its albums and characters.
        newest: its newest release.
    """

    workspace: Workspace
    index: Remembered[Index]
    newest: NewestRelease

    def albums(self) -> tuple[str, dict[str, Any]]:
        """All albums."""
        return "browse", {"albums": self.index.get().albums}

    def album(self, key: int) -> tuple[str, dict[str, Any]]:
        """The characters of an album."""
        index = self.index.get()
        above = index.album(key)
        if above is None:
            raise HTTPException(404, "there is no such album")
        return "browse-album", {"album": above, "characters": index.characters[key]}

    def faces(self, asked: Filter) -> tuple[str, dict[str, Any]]:
        """Faces that a filter leaves."""
        release = self.newest.get()
        among = release.among(asked.part) if release and asked.part else None
        with self.workspace.catalogue.read() as connection:
            shown, further = read_page(connection, asked, among)
        about = self.index.get().character(asked.character or 0)
        return "browse-faces", {
            "asked": asked,
            "faces": shown,
            "next": further.query() if further else None,
            "character": about[0] if about else None,
            "album": about[1] if about else self.index.get().album(asked.album or 0),
            "release": release.path if release else None,
            "part": release.part.get if release else (lambda _: None),
            "unused": UNUSED,
            "parts": FACES,
            "sorts": {key: name for key, (_, name) in SORTS.items()},
            "verdicts": [each.value for each in Verdict],
            "reasons": [each.value for each in FaceReason],
            "labels": [each.value for each in Label],
        }

    def face(self, key: int) -> tuple[str, dict[str, Any]]:
        """One face: why it is in or out, and its neighbours."""
        with self.workspace.catalogue.read() as connection:
            try:
                record = explain(connection, f"face:{key}", self.workspace.root)
            except WrongUse as error:
                raise HTTPException(404, str(error)) from error
            query = sa.select(current_character()).where(face.c.id == key)
            owner = connection.execute(query).scalar_one()
        about = self.index.get().character(owner)
        release = self.newest.get()
        return "browse-face", {
            "id": key,
            "character": about[0] if about else None,
            "album": about[1] if about else None,
            "record": record,
            "is_table": _is_table,
            "columns_of": _columns_of,
            "release": release.path if release else None,
            "part": release.part.get(key, UNUSED) if release else None,
            "neighbours": nearest(self.workspace, key),
        }


def routes(workspace: Workspace) -> list[Route]:
    """All addresses below ``/browse``, and of the calls that its script makes."""

    def index() -> Index:
        with workspace.catalogue.read() as connection:
            return read_index(connection)

    pages = _Pages(workspace, Remembered(index, KEPT), NewestRelease(workspace))

    async def albums(request: Request) -> HTMLResponse:
        return await _page(request, pages.albums)

    async def album(request: Request) -> HTMLResponse:
        return await _page(request, partial(pages.album, request.path_params["id"]))

    async def faces(request: Request) -> HTMLResponse:
        await person_of_request(request, Role.REVIEWER)
        try:
            asked = Filter.read(request.query_params)
        except BadFilter as error:
            raise HTTPException(400, str(error)) from error
        return await _page(request, partial(pages.faces, asked))

    async def one_face(request: Request) -> HTMLResponse:
        return await _page(request, partial(pages.face, request.path_params["id"]))

    return [
        Route("/browse", albums),
        Route("/browse/album/{id:key}", album),
        Route("/browse/faces", faces),
        Route("/browse/face/{id:key}", one_face),
        Route("/picture/browse/face/{id:key}.jpg", _picture_of(face_jpeg)),
        Route("/picture/browse/whole/{id:key}.jpg", _picture_of(image_jpeg)),
        Route("/api/browse/review", _review, methods=["POST"]),
        Route("/api/browse/ask", _ask, methods=["POST"]),
    ]


def _is_table(value: Sequence[Any]) -> bool:
    """Whether records can be rows of a table: none has records or lists inside."""
    return bool(value) and all(
        isinstance(each, Mapping)
        and not any(isinstance(one, (Mapping, list)) for one in each.values())
        for each in value
    )


def _columns_of(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names that any of some records has, in the order of the first ones."""
    return list(dict.fromkeys(name for each in records for name in each))


async def _page(
    request: Request, make: Callable[[], tuple[str, dict[str, Any]]]
) -> HTMLResponse:
    visit = await visit_of_request(request, Role.REVIEWER)
    desk = desk_of(request)

    def work() -> HTMLResponse:
        name, values = make()
        return render(name, visit=visit, desk=desk, values=values)

    return await run_in_threadpool(work)


def _picture_of(make: Callable[[Workspace, int], bytes | None]) -> Any:
    async def picture(request: Request) -> Response:
        await person_of_request(request, Role.REVIEWER)
        workspace = desk_of(request).workspace
        jpeg = await run_in_threadpool(make, workspace, request.path_params["id"])
        if jpeg is None:
            raise HTTPException(404, "there is no such picture")
        # Not for long: a picture may be taken down.
        kept = {"Cache-Control": "private, max-age=300"}
        return Response(jpeg, media_type="image/jpeg", headers=kept)

    return picture


async def _review(request: Request) -> JSONResponse:
    """Put faces into review: ``{"faces": [id]}`` to ``{"counts": {...}}``."""
    chosen = await _chosen(request)
    workspace = desk_of(request).workspace

    def work() -> dict[str, int]:
        with workspace.catalogue.write() as connection:
            return put_into_review(connection, chosen)

    return JSONResponse({"counts": await run_in_threadpool(work)})


async def _ask(request: Request) -> JSONResponse:
    """Ask about faces: ``{"faces": [id]}`` to ``{"counts": {...}}``."""
    chosen = await _chosen(request)
    workspace = desk_of(request).workspace

    def work() -> dict[str, int]:
        run_id = workspace.begin_run("icf browse")
        with workspace.catalogue.write() as connection:
            counts = ask_about(connection, run_id, chosen)
        workspace.end_run(run_id)
        return counts

    return JSONResponse({"counts": await run_in_threadpool(work)})


async def _chosen(request: Request) -> list[int]:
    await person_of_request(request, Role.REVIEWER)
    faces = (await json_of(request)).get("faces")
    if not isinstance(faces, list) or not 0 < len(faces) <= MOST_CHOSEN:
        raise HTTPException(400, f"faces must be a list of up to {MOST_CHOSEN} ids")
    if not all(type(each) is int and 0 < each < 2**63 for each in faces):
        raise HTTPException(400, "an id of a face is a number")
    return faces

"""The calls that the pages' scripts make: next tasks, answers, signs of life."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from icf.annotate.page.desk import Desk
from icf.annotate.page.requests import desk_of, json_of, person_of_request
from icf.annotate.people.people import Person
from icf.annotate.tasks import leases
from icf.annotate.tasks.base import PartedKind, TaskKind
from icf.annotate.tasks.leases import Leasing
from icf.annotate.tasks.store import Sent, store

#: Things that one call may lease.
MOST_TASKS = 32
#: Answers that one call may send.
MOST_ANSWERS = 500


async def next_tasks(request: Request) -> JSONResponse:
    """Lease the next things of a task: ``{"count": n}`` to ``{"tasks": [...]}``.

    Where its queue has parts, ``{"count": n, "part": name}`` leases those of one part.
    """
    kind = _kind(request)
    someone = await person_of_request(request, kind.role)
    asked = await json_of(request)
    count = asked.get("count", 1)
    if not isinstance(count, int) or not 0 < count <= MOST_TASKS:
        raise HTTPException(400, f"count must be from 1 to {MOST_TASKS}")
    if someone.paused is not None:
        return JSONResponse({"tasks": [], "paused": someone.paused})
    part = asked.get("part")
    if part is not None and isinstance(kind, PartedKind):
        if not isinstance(part, str):
            raise HTTPException(400, "part must be a text")
        made = await run_in_threadpool(kind.take_part, someone, count, part)
    else:
        made = await run_in_threadpool(kind.take, someone, count)
    if await request.is_disconnected():
        # The page was left meanwhile: nobody would answer these until they ran out.
        handles = [handle for each in made for handle in (each.handle, *each.others)]
        await run_in_threadpool(_end, desk_of(request), someone, handles)
        made = []
    return JSONResponse({"tasks": [each.as_json() for each in made]})


async def parts(request: Request) -> JSONResponse:
    """What is left of each part of a queue: ``{"parts": [{"name", "left"}]}``."""
    kind = _kind(request)
    someone = await person_of_request(request, kind.role)
    if not isinstance(kind, PartedKind):
        raise HTTPException(404, "this task has no parts")
    found = await run_in_threadpool(kind.parts, someone)
    listed = [{"name": name, "left": left} for name, left in found.items()]
    return JSONResponse({"parts": listed})


def _kind(request: Request) -> TaskKind:
    kind = desk_of(request).tasks.get(request.path_params["task"])
    if kind is None:
        raise HTTPException(404, "there is no such task")
    return kind


async def answers(request: Request) -> JSONResponse:
    """Store answers.

    ``{"answers": [{"id", "client_id", "answer": {...}, "seconds", "at"}]}`` to
    ``{"receipts": [{"client_id", "stored", "message"}]}``; ``at`` and ``seconds`` are
    seconds, ``id`` is the handle. When this answers, what is stored is on the disk.
    """
    someone = await person_of_request(request)
    desk = desk_of(request)
    # One that cannot be stored is refused alone, with a receipt.
    listed = (await json_of(request, checked=False)).get("answers")
    if not isinstance(listed, list) or len(listed) > MOST_ANSWERS:
        raise HTTPException(400, f"answers must be a list of up to {MOST_ANSWERS}")
    sent = [_sent(each) for each in listed]
    receipts = await run_in_threadpool(
        store, desk.workspace.catalogue, desk.sources, someone, sent
    )
    desk.background.answered()
    made = [
        {
            "client_id": each.client_id,
            "stored": each.refused is None,
            "message": each.refused,
        }
        for each in receipts
    ]
    return JSONResponse({"receipts": made})


async def heartbeat(request: Request) -> JSONResponse:
    """Hold what is on the page longer: ``{"ids": [...]}``."""
    return await _with_handles(request, ends=False)


async def give_back(request: Request) -> JSONResponse:
    """Give back what was not answered: ``{"ids": [...]}``."""
    return await _with_handles(request, ends=True)


async def _with_handles(request: Request, *, ends: bool) -> JSONResponse:
    someone = await person_of_request(request)
    handles = (await json_of(request)).get("ids")
    if not isinstance(handles, list) or not all(isinstance(h, str) for h in handles):
        raise HTTPException(400, "ids must be a list of texts")
    work = _end if ends else _prolong
    await run_in_threadpool(work, desk_of(request), someone, handles)
    return JSONResponse({})


def _end(desk: Desk, someone: Person, handles: Sequence[str]) -> None:
    with desk.workspace.catalogue.write() as connection:
        leases.end(connection, someone, handles)


def _prolong(desk: Desk, someone: Person, handles: Sequence[str]) -> None:
    leasing = Leasing(desk.workspace.settings.annotate.lease_minutes * 60)
    with desk.workspace.catalogue.write() as connection:
        leasing.prolong(connection, someone, handles)


def _sent(each: Any) -> Sent:
    if not isinstance(each, dict):
        raise HTTPException(400, "an answer must be an object")
    handle, client_id, value = each.get("id"), each.get("client_id"), each.get("answer")
    if not isinstance(handle, str) or not isinstance(client_id, str):
        raise HTTPException(400, "an answer needs an id and a client_id")
    if not isinstance(value, Mapping):
        raise HTTPException(400, "an answer needs an object `answer`")
    now = time.time()
    at = _number(each.get("at"))
    # A clock that is ahead must not keep later answers from counting.
    return Sent(
        handle, client_id, value, _number(each.get("seconds")), min(at or now, now)
    )


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:  # an integer of hundreds of digits
        return None
    return number if math.isfinite(number) and number >= 0 else None


ROUTES = [
    Route("/api/{task}/next", next_tasks, methods=["POST"]),
    Route("/api/{task}/parts", parts),
    Route("/api/answers", answers, methods=["POST"]),
    Route("/api/heartbeat", heartbeat, methods=["POST"]),
    Route("/api/release", give_back, methods=["POST"]),
]

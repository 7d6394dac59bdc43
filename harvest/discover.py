"""Discovery: ask sources for albums, characters and pictures, and store the answers.

The tasks are rows of the table ``discovery``. Everything an answer says is written in
one transaction with the cursor that leads to the next one, so a killed run goes on
exactly behind the last answer that was stored, and an answer is never stored twice.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import album, character, discovery
from icf.errors import BrokenMachine
from icf.harvest.fault import Fault
from icf.harvest.insert import insert_new
from icf.harvest.listed import file_cast, store_pictures
from icf.harvest.source import Album, Answer, Character, Level, Source, Task
from icf.harvest.web import Web

log = logging.getLogger(__name__)

#: Seconds for which a silent name service is waited for before the run gives up.
NAMES_PATIENCE = 600.0

_SHOWN_FAULTS = 5


@dataclass(frozen=True)
class Listing:
    """A pending row of the table ``discovery``."""

    id: int
    task: Task
    album_id: int | None
    character_id: int | None


@dataclass
class Listed:
    """What discovery did in this run."""

    answers: int = 0
    pictures: int = 0
    failed: int = 0
    faults: list[str] = field(default_factory=list)


class Discovery:
    """Works off the discovery tasks of the sources.

    Args:
        catalogue: where tasks and findings are stored.
        sources: those of ``icf.toml``.
        web: the guarded session.
        found: called after each answer that was stored.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        sources: Sequence[Source],
        web: Web,
        found: Callable[[], None] = lambda: None,
    ) -> None:
        self._catalogue = catalogue
        self._sources = sources
        self._web = web
        self._found = found
        self.listed = Listed()

    async def run(self) -> None:
        """Answer every pending task; sources side by side, each one task at a time."""
        await asyncio.gather(*(self._run_source(source) for source in self._sources))

    async def _run_source(self, source: Source) -> None:
        while (listing := next_listing(self._catalogue, source.name)) is not None:
            try:
                answer = await self._step(source, listing.task)
            except Fault as fault:
                log.warning("%s: %s: %s", source.name, listing.task.subject, fault)
                fail(self._catalogue, listing, str(fault))
                self.listed.failed += 1
                continue
            await asyncio.to_thread(store, self._catalogue, source, listing, answer)
            self.listed.answers += 1
            self.listed.pictures += len(answer.pictures)
            self.listed.faults += answer.faults
            self._found()

    async def _step(self, source: Source, task: Task) -> Answer:
        waited, pause = 0.0, 1.0
        while True:
            try:
                return await source.step(task, self._web)
            except Fault as fault:
                if not fault.names_down:
                    raise
                if waited >= NAMES_PATIENCE:
                    raise BrokenMachine(
                        f"{fault}\nNothing is marked as failed; when the network is "
                        "back, run the same command again."
                    ) from fault
                log.warning("%s; trying again in %.0f s", fault, pause)
                await asyncio.sleep(pause)
                waited, pause = waited + pause, min(2 * pause, 60.0)


def begin(catalogue: Catalogue, source: Source, *, refresh: bool) -> None:
    """Enter a source's first tasks; with ``refresh`` list again what is done."""
    tasks = list(source.first_tasks())
    with catalogue.write() as connection:
        _enter_tasks(connection, source, tasks, {}, {})
        if refresh:
            connection.execute(
                sa.update(discovery)
                .where(discovery.c.source == source.name)
                .values(status="pending", attempts=0, message=None)
            )


def next_listing(catalogue: Catalogue, source: str) -> Listing | None:
    """Return the oldest pending task of a source."""
    query = (
        sa.select(
            discovery,
            album.c.name.label("album"),
            character.c.name.label("character"),
        )
        .outerjoin(album, album.c.id == discovery.c.album_id)
        .outerjoin(character, character.c.id == discovery.c.character_id)
        .where(discovery.c.source == source, discovery.c.status == "pending")
        .order_by(discovery.c.id)
        .limit(1)
    )
    with catalogue.read() as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        return None
    level = Level(row.level)
    task = Task(row.task, row.subject, row.album, row.character, row.cursor, level)
    return Listing(row.id, task, row.album_id, row.character_id)


def fail(catalogue: Catalogue, listing: Listing, message: str) -> None:
    """Keep a task as failed; ``icf-harvest retry`` makes it pending again."""
    with catalogue.write() as connection:
        connection.execute(
            sa.update(discovery)
            .where(discovery.c.id == listing.id)
            .values(
                status="failed",
                message=message,
                attempts=discovery.c.attempts + 1,
                changed_at=time.time(),
            )
        )


def store(
    catalogue: Catalogue, source: Source, listing: Listing, answer: Answer
) -> None:
    """Write an answer and move its task on, in one transaction."""
    with catalogue.write() as connection:
        if not _move_on(connection, listing, answer):
            return  # another runner stored this very answer
        albums = _enter_albums(connection, source, answer)
        characters = _enter_characters(connection, source, answer, albums)
        _enter_tasks(connection, source, answer.tasks, albums, characters)
        store_pictures(connection, source, answer.pictures, characters, albums)
        if answer.characters:
            file_cast(connection, {albums[one.album] for one in answer.characters})


def _move_on(connection: sa.Connection, listing: Listing, answer: Answer) -> bool:
    moved = connection.execute(
        sa.update(discovery)
        .where(
            discovery.c.id == listing.id,
            discovery.c.status == "pending",
            discovery.c.cursor.is_not_distinct_from(listing.task.cursor),
        )
        .values(
            cursor=answer.cursor,
            status="done" if answer.done else "pending",
            message=_summary(answer.faults),
            changed_at=time.time(),
        )
    )
    return moved.rowcount == 1


def _summary(faults: Sequence[str]) -> sa.ColumnElement[str] | sa.Column[str] | str:
    """Return the message to keep: earlier faults stay where no new ones came."""
    if not faults:
        return discovery.c.message
    shown = "\n".join(faults[:_SHOWN_FAULTS])
    more = len(faults) - _SHOWN_FAULTS
    return shown if more <= 0 else f"{shown}\nand {more} more"


AlbumIds = dict[str, int]
CharacterIds = dict[tuple[str, str], int]


def _enter_albums(
    connection: sa.Connection, source: Source, answer: Answer
) -> AlbumIds:
    now = time.time()
    found: dict[str, Album] = {one.name: one for one in answer.albums}
    rows = [
        {
            "name": one.name,
            "source": source.name,
            "page_url": one.page_url,
            "rank": one.rank,
            "region": one.region,
            "found_at": now,
        }
        for one in found.values()
    ]
    insert_new(connection, album, ["name"], rows)
    names = {
        *found,
        *(one.album for one in answer.characters),
        *(task.album for task in answer.tasks if task.album),
        *(one.album for one in answer.pictures if one.album),
    }
    known = sa.select(album.c.name, album.c.id).where(album.c.name.in_(sorted(names)))
    return {row.name: row.id for row in connection.execute(known)}


def _enter_characters(
    connection: sa.Connection, source: Source, answer: Answer, albums: AlbumIds
) -> CharacterIds:
    now = time.time()
    found: dict[tuple[str, str], Character] = {
        (one.album, one.name): one for one in answer.characters
    }
    rows = [
        {
            "album_id": albums[one.album],
            "name": one.name,
            "source": source.name,
            "page_url": one.page_url,
            "gender": one.gender,
            "found_at": now,
        }
        for one in found.values()
    ]
    insert_new(connection, character, ["album_id", "name"], rows)
    wanted = {
        *found,
        *((p.album, p.character) for p in answer.pictures if p.album and p.character),
        *((t.album, t.character) for t in answer.tasks if t.album and t.character),
    }
    names = {albums[name]: name for name in albums}
    known = sa.select(character.c.album_id, character.c.name, character.c.id).where(
        character.c.album_id.in_(sorted(names)),
        character.c.name.in_(sorted({name for _, name in wanted})),
    )
    return {
        (names[row.album_id], row.name): row.id for row in connection.execute(known)
    }


def _enter_tasks(
    connection: sa.Connection,
    source: Source,
    tasks: Iterable[Task],
    albums: AlbumIds,
    characters: CharacterIds,
) -> None:
    now = time.time()
    rows = [
        {
            "source": source.name,
            "task": task.kind,
            "subject": task.subject,
            "album_id": albums.get(task.album or ""),
            "character_id": characters.get((task.album or "", task.character or "")),
            "cursor": task.cursor,
            "level": task.level.value,
            "status": "pending",
            "attempts": 0,
            "changed_at": now,
        }
        for task in tasks
    ]
    insert_new(connection, discovery, ["source", "task", "subject"], rows)

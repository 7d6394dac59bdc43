"""Write listed pictures to the catalogue: a transaction a batch, inserts in bulk."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from icf.app.import_icartoonface.faces import BATCH, FaceWriter
from icf.app.import_icartoonface.listed import ALBUM
from icf.app.import_icartoonface.measure import STEP
from icf.app.import_icartoonface.rows import (
    Entries,
    MeasuredPicture,
    Written,
    insert_ids,
)
from icf.catalogue import ledger, row_state, tombstones
from icf.catalogue.bulk_insert import insert_into, insert_new
from icf.catalogue.candidates import file_under
from icf.catalogue.row_state import RowState
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import (
    album,
    batch,
    candidate,
    character,
    image,
    image_source,
    mention,
    url,
)
from icf.codes import FetchStatus, ImageReason, Verdict

#: Who the faces of the detection set show is not published. The catalogue files each
#: face under somebody; nobody is ever asked about this one.
NOBODY = "not named"
NOBODYS_ALBUM = f"{ALBUM} detection"


@dataclass
class Writer:
    """Writes to one catalogue.

    Attributes:
        run_id: the run to charge it to.
        entries: where new rows enter the chain.
        licence: of the pictures, as the user says.
    """

    run_id: int
    entries: Entries
    licence: str
    written: Written = field(default_factory=Written)

    def write(
        self, connection: sa.Connection, pictures: Sequence[MeasuredPicture]
    ) -> None:
        """Write some pictures, in the caller's transaction."""
        tombstones.hold(connection, shared=True)
        allowed = self._without_withdrawn(connection, pictures)
        if allowed:
            self._write_batch(connection)
        # Of equal bytes, the second finds what the first has left.
        for wave in _waves(allowed):
            self._write_wave(connection, wave)

    def _without_withdrawn(
        self, connection: sa.Connection, pictures: Sequence[MeasuredPicture]
    ) -> list[MeasuredPicture]:
        names = {
            each: tombstones.full_name(ALBUM, each)
            for each in {picture.listed.character for picture in pictures}
            if each
        }
        buried = {
            *tombstones.buried(
                connection, tombstones.SHA256, {each.sha256 for each in pictures}
            ),
            *tombstones.buried(
                connection, tombstones.URL, {each.listed.url for each in pictures}
            ),
            *tombstones.buried(connection, tombstones.CHARACTER, names.values()),
        }
        allowed = [
            each
            for each in pictures
            if buried.isdisjoint(
                (
                    each.sha256,
                    each.listed.url,
                    names.get(each.listed.character or "", ""),
                )
            )
        ]
        self.written.withdrawn += len(pictures) - len(allowed)
        return allowed

    def _write_wave(
        self, connection: sa.Connection, pictures: Sequence[MeasuredPicture]
    ) -> None:
        """Write pictures of which no two have the same bytes."""
        shown = self._characters(connection, pictures)
        images = self._images(connection, pictures)
        self._sources(connection, pictures, images, shown)
        self._candidates(connection, pictures, images, shown)
        faces = FaceWriter(connection, self.run_id, self.entries.face, shown)
        faces.write(pictures, images)
        self.written.faces += faces.new
        self.written.labels += faces.labels
        self.written.pictures.update(each.listed.part for each in pictures)

    def _write_batch(self, connection: sa.Connection) -> None:
        row = {
            "id": BATCH,
            "format": "icartoonface",
            # It has no folder: nobody exported these questions.
            "path": "",
            "questions": 0,
            "created_at": time.time(),
        }
        insert_new(connection, batch, ["id"], [row])

    def _characters(
        self, connection: sa.Connection, pictures: Sequence[MeasuredPicture]
    ) -> Mapping[str | None, int]:
        """The ids of characters, by name; that of nobody by None."""
        names = {each.listed.character for each in pictures}
        wanted = {
            each: (ALBUM, each) if each else (NOBODYS_ALBUM, NOBODY) for each in names
        }
        now = time.time()
        of_albums = sorted({of_album for of_album, _ in wanted.values()})
        albums = [
            {"name": name, "source": ALBUM, "found_at": now} for name in of_albums
        ]
        insert_new(connection, album, ["name"], albums)
        query = sa.select(album.c.name, album.c.id)
        found = by_ids(connection, query, album.c.name, of_albums)
        album_ids = {row.name: row.id for row in found}
        characters = [
            {
                "album_id": album_ids[of_album],
                "name": name,
                "source": ALBUM,
                "found_at": now,
            }
            for of_album, name in wanted.values()
        ]
        insert_new(connection, character, ["album_id", "name"], characters)
        known = by_ids(
            connection,
            sa.select(character.c.album_id, character.c.name, character.c.id),
            character.c.name,
            [name for _, name in wanted.values()],
        )
        ids = {(row.album_id, row.name): row.id for row in known}
        return {
            each: ids[album_ids[of_album], name]
            for each, (of_album, name) in wanted.items()
        }

    def _images(
        self, connection: sa.Connection, pictures: Sequence[MeasuredPicture]
    ) -> Mapping[str, int]:
        """Enter pictures that are not known; return the ids of all, by SHA-256."""
        query = sa.select(image.c.id, image.c.sha256, image.c.awaits)
        hashes = [each.sha256 for each in pictures]
        rows = list(by_ids(connection, query, image.c.sha256, hashes))
        known = {row.sha256: row.id for row in rows}
        undetected = {row.sha256 for row in rows if row.awaits == self.entries.detect}
        states = [
            self._state(known[each.sha256], each)
            for each in pictures
            if each.sha256 in undetected
        ]
        new = [each for each in pictures if each.sha256 not in known]
        now = time.time()
        made = insert_ids(
            connection,
            image,
            [
                {
                    **each.columns,
                    "awaits": self.entries.image,
                    "verdict": self._verdict(self.entries.image),
                    "reason": ImageReason.OK.value,
                    "stored_at": now,
                }
                for each in new
            ],
        )
        ids = {each.sha256: key for each, key in zip(new, made, strict=True)}
        decisions = [self._state(ids[each.sha256], each).decision for each in new]
        ledger.append(connection, self.run_id, decisions)
        row_state.write(connection, self.run_id, states)
        return {**known, **ids}

    def _state(self, image_id: int, of: MeasuredPicture) -> RowState:
        """A picture goes past the step that would look for its faces."""
        decided = ledger.Decision(
            "image",
            image_id,
            STEP,
            self._verdict(self.entries.image),
            ImageReason.OK.value,
            message=of.listed.origin,
        )
        columns = {
            name: value
            for name, value in of.columns.items()
            if name not in ("sha256", "bytes")
        }
        return RowState(decided, self.entries.image, columns)

    @staticmethod
    def _verdict(awaits: str | None) -> str:
        return str(Verdict.PENDING if awaits else Verdict.KEPT)

    def _sources(
        self,
        connection: sa.Connection,
        pictures: Sequence[MeasuredPicture],
        images: Mapping[str, int],
        shown: Mapping[str | None, int],
    ) -> None:
        """Say where each picture is from, and of which part it is."""
        now = time.time()
        licence = {
            "licence": self.licence,
            "licence_from": "unknown" if self.licence == "unknown" else "import",
        }
        places = [
            {
                **licence,
                "url": each.listed.url,
                "host": "",
                "source": each.listed.part,
                "fate": FetchStatus.STORED.value,
                "image_id": images[each.sha256],
                "found_at": now,
                "finished_at": now,
            }
            for each in pictures
        ]
        insert = insert_into(connection, url)
        # One that was lost, or that a harvest could not fetch, is here again.
        again = {"fate": insert.excluded.fate, "image_id": insert.excluded.image_id}
        connection.execute(
            insert.on_conflict_do_update(index_elements=["url"], set_=again), places
        )
        sources = [
            {
                **licence,
                "image_id": images[each.sha256],
                "url": each.listed.url,
                "source": each.listed.part,
                "fetched_at": now,
            }
            for each in pictures
        ]
        insert_new(connection, image_source, ["image_id", "url"], sources)
        query = sa.select(url.c.id, url.c.url)
        urls = [each.listed.url for each in pictures]
        keys = {row.url: row.id for row in by_ids(connection, query, url.c.url, urls)}
        mentioned = [
            {
                "url_id": keys[each.listed.url],
                "character_id": shown[each.listed.character],
                "is_lead": False,
                "found_at": now,
            }
            for each in pictures
        ]
        file_under(connection, mention, mentioned)

    def _candidates(
        self,
        connection: sa.Connection,
        pictures: Sequence[MeasuredPicture],
        images: Mapping[str, int],
        shown: Mapping[str | None, int],
    ) -> None:
        """File pictures under whom they show; under nobody only if under no one."""
        query = sa.select(candidate.c.image_id, candidate.c.character_id)
        ids = list(images.values())
        filed = {
            row.image_id for row in by_ids(connection, query, candidate.c.image_id, ids)
        }
        rows = [
            {
                "image_id": images[each.sha256],
                "character_id": shown[each.listed.character],
                "is_lead": False,
            }
            for each in pictures
            if each.listed.character or images[each.sha256] not in filed
        ]
        file_under(connection, candidate, rows)
        named = [images[each.sha256] for each in pictures if each.listed.character]
        nobody = self._nobody(connection)
        if nobody is not None:
            connection.execute(
                sa.delete(candidate).where(
                    candidate.c.character_id == nobody, candidate.c.image_id.in_(named)
                )
            )

    @staticmethod
    def _nobody(connection: sa.Connection) -> int | None:
        query = (
            sa.select(character.c.id)
            .join(album, album.c.id == character.c.album_id)
            .where(album.c.name == NOBODYS_ALBUM, character.c.name == NOBODY)
        )
        return connection.execute(query).scalar_one_or_none()


def _waves(pictures: Iterable[MeasuredPicture]) -> Iterator[list[MeasuredPicture]]:
    """Divide pictures so that no two of one part have the same bytes."""
    waves: list[list[MeasuredPicture]] = []
    seen: Counter[str] = Counter()
    for each in pictures:
        number = seen[each.sha256]
        seen[each.sha256] += 1
        if number == len(waves):
            waves.append([])
        waves[number].append(each)
    yield from waves

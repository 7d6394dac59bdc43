"""Write given pictures to the catalogue: a transaction a batch, inserts in bulk."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from icf.app.importing import places
from icf.app.importing.faces import FaceWriter
from icf.app.importing.given import Owner, Publisher
from icf.app.importing.rows import (
    Entries,
    MeasuredPicture,
    Written,
    insert_images,
)
from icf.app.importing.true_boxes import write_verified
from icf.app.importing.withdrawn import are_withdrawn, subjects_of
from icf.catalogue import ledger, row_state, tombstones
from icf.catalogue.bulk_insert import among, insert_new
from icf.catalogue.candidates import file_under
from icf.catalogue.filing import NOBODY
from icf.catalogue.row_state import RowState
from icf.catalogue.rows import by_ids, lock, lock_table
from icf.catalogue.schema import (
    album,
    batch,
    candidate,
    character,
    image,
    question,
    url,
)
from icf.codes import ImageReason, Verdict


@dataclass
class Writer:
    """Writes to one catalogue.

    Attributes:
        run_id: the run to charge it to.
        entries: where new rows enter the chain.
        publisher: who says it.
        left_out: SHA-256 of pictures that were withdrawn.
    """

    run_id: int
    entries: Entries
    publisher: Publisher
    written: Written = field(default_factory=Written)
    left_out: set[str] = field(default_factory=set)

    def write(
        self, connection: sa.Connection, pictures: Sequence[MeasuredPicture]
    ) -> None:
        """Write some pictures, in the caller's transaction."""
        tombstones.hold(connection, shared=True)
        allowed = self._without_withdrawn(connection, pictures)
        if allowed:
            # Whoever lets labels follow from answers changes what is written here, too,
            # and begins with these.
            lock_table(connection, question)
            self._write_batch(connection)
        # Of equal bytes, the second finds what the first has left.
        for wave in _waves(allowed):
            self._write_wave(connection, wave)

    def _without_withdrawn(
        self, connection: sa.Connection, pictures: Sequence[MeasuredPicture]
    ) -> list[MeasuredPicture]:
        subjects = [
            subjects_of(each.given) | {(tombstones.SHA256, each.sha256)}
            for each in pictures
        ]
        gone = are_withdrawn(connection, subjects)
        pairs = list(zip(pictures, gone, strict=True))
        self.left_out.update(each.sha256 for each, is_gone in pairs if is_gone)
        self.written.withdrawn += sum(gone)
        return [each for each, is_gone in pairs if not is_gone]

    def _write_wave(
        self, connection: sa.Connection, pictures: Sequence[MeasuredPicture]
    ) -> None:
        """Write pictures of which no two have the same bytes."""
        # Pictures first, as the filter locks them before it files them under anybody.
        images = self._images(connection, pictures)
        shown = self._characters(connection, pictures)
        places.write(connection, pictures, images, shown, self.publisher.licence)
        self._candidates(connection, pictures, images, shown)
        faces = FaceWriter(
            connection, self.run_id, self.publisher, self.entries.face, shown
        )
        faces.write(pictures, images)
        self.written.faces += faces.new
        self.written.labels += faces.labels
        self.written.two_names |= faces.two_names
        self.written.verified += write_verified(
            connection, self.publisher.name, pictures, images
        )
        self.written.pictures.update(each.given.part for each in pictures)

    def _write_batch(self, connection: sa.Connection) -> None:
        row = {
            "id": self.publisher.name,
            "format": self.publisher.format,
            # It has no folder: nobody exported these questions.
            "path": "",
            "questions": 0,
            "created_at": time.time(),
        }
        insert_new(connection, batch, ["id"], [row])

    def _characters(
        self, connection: sa.Connection, pictures: Sequence[MeasuredPicture]
    ) -> Mapping[Owner | None, int]:
        """The ids of characters; that of nobody by None."""
        owners: dict[Owner | None, None] = {}
        for picture in pictures:
            owners |= dict.fromkeys(each.given.owner for each in picture.faces)
            if picture.given.filed:
                owners[picture.given.filed] = None
            elif not picture.faces:
                owners[None] = None
        nobody = Owner(self.publisher.nobodys_album, NOBODY)
        wanted = {each: each or nobody for each in owners}
        now = time.time()
        of_albums = sorted({each.album for each in wanted.values()})
        found = {"source": self.publisher.name, "found_at": now}
        albums = [{"name": name, **found} for name in of_albums]
        insert_new(connection, album, ["name"], albums)
        query = sa.select(album.c.name, album.c.id)
        rows = by_ids(connection, query, album.c.name, of_albums)
        album_ids = {row.name: row.id for row in rows}
        characters = [
            {"album_id": album_ids[each.album], "name": each.character, **found}
            for each in wanted.values()
        ]
        insert_new(connection, character, ["album_id", "name"], characters)
        known = by_ids(
            connection,
            sa.select(character.c.album_id, character.c.name, character.c.id),
            character.c.name,
            [each.character for each in wanted.values()],
        )
        ids = {(row.album_id, row.name): row.id for row in known}
        return {
            each: ids[album_ids[named.album], named.character]
            for each, named in wanted.items()
        }

    def _images(
        self, connection: sa.Connection, pictures: Sequence[MeasuredPicture]
    ) -> Mapping[str, int]:
        """Enter pictures that are not known; return the ids of all, by SHA-256."""
        of_all = [each.sha256 for each in pictures]
        query = sa.select(image.c.id, image.c.sha256)
        there = {
            row.sha256 for row in by_ids(connection, query, image.c.sha256, of_all)
        }
        now = time.time()
        made = insert_images(
            connection,
            [
                {
                    **each.columns,
                    "awaits": self.entries.image,
                    "verdict": self._verdict(self.entries.image),
                    "reason": ImageReason.OK.value,
                    "stored_at": now,
                }
                for each in pictures
                if each.sha256 not in there
            ],
        )
        rows = by_ids(connection, query, image.c.sha256, of_all)
        ids = {row.sha256: row.id for row in rows}
        known = {sha256: key for sha256, key in ids.items() if sha256 not in made}
        self.written.copies += self._copies(connection, pictures, known)
        # A filter may be about to enter what it found in them.
        awaited = image.c.awaits == self.entries.detect
        chosen = among(connection, image.c.id, known.values()) & awaited
        undetected = set(lock(connection, image, chosen)) if known else set()
        new, states = [], []
        for each in pictures:
            key = ids[each.sha256]
            if each.sha256 in made:
                new.append(self._state(key, each).decision)
            elif key in undetected:
                states.append(self._state(key, each))
        ledger.append(connection, self.run_id, new)
        row_state.write(connection, self.run_id, states)
        return ids

    @staticmethod
    def _copies(
        connection: sa.Connection,
        pictures: Sequence[MeasuredPicture],
        known: Mapping[str, int],
    ) -> int:
        """Count pictures with known bytes, less those whose own bytes came back."""
        urls = [each.given.url for each in pictures if each.sha256 in known]
        query = sa.select(url.c.url).where(url.c.image_id.is_not(None))
        return len(urls) - len(list(by_ids(connection, query, url.c.url, urls)))

    def _state(self, image_id: int, of: MeasuredPicture) -> RowState:
        """A picture goes past the step that would look for its faces."""
        decided = ledger.Decision(
            "image",
            image_id,
            self.publisher.command,
            self._verdict(self.entries.image),
            ImageReason.OK.value,
            message=of.given.origin(),
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

    def _candidates(
        self,
        connection: sa.Connection,
        pictures: Sequence[MeasuredPicture],
        images: Mapping[str, int],
        shown: Mapping[Owner | None, int],
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
                "character_id": shown[owner],
                "is_lead": owner in _known_by(each),
            }
            for each in pictures
            for owner in places.filed_under(each)
            if owner or images[each.sha256] not in filed
        ]
        file_under(connection, candidate, rows)
        named = [images[each.sha256] for each in pictures if each.given.owners]
        nobody = self._nobody(connection)
        if nobody is not None:
            connection.execute(
                sa.delete(candidate).where(
                    candidate.c.character_id == nobody, candidate.c.image_id.in_(named)
                )
            )

    def _nobody(self, connection: sa.Connection) -> int | None:
        query = (
            sa.select(character.c.id)
            .join(album, album.c.id == character.c.album_id)
            .where(
                album.c.name == self.publisher.nobodys_album,
                character.c.name == NOBODY,
            )
        )
        return connection.execute(query).scalar_one_or_none()


def _known_by(picture: MeasuredPicture) -> set[Owner | None]:
    """The characters whose reference is in a picture."""
    return {each.given.owner for each in picture.faces if each.given.is_reference}


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

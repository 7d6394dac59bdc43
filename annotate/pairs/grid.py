"""The page of grids: sixteen faces that are probably one character; tap the others.

A few of them are not: known pairs with another character's face are planted, so that a
person who taps nothing is noticed. Each tile is a lease of its own, and its answer is
one to a pair.
"""

from __future__ import annotations

import random
import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import sqlalchemy as sa

from icf.annotate.pairs.mix import Subject
from icf.annotate.pairs.open_questions import id_of_open
from icf.annotate.pairs.payloads import payload_of
from icf.annotate.pairs.questions import QuestionSource, askable
from icf.annotate.pairs.task import GOLD, pair_sources, read_pairs
from icf.annotate.people.people import Person, Role
from icf.annotate.tasks.base import IntruderSource, Lease, Pair, Source, Task
from icf.annotate.tasks.leases import Leasing, lock_leases
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.find_character import CharacterName, character_names
from icf.catalogue.schema import question

#: Tiles of a grid, and the least that are worth one.
TILES, LEAST = 16, 4

#: How many intruders a grid has: each number as often as it is listed here.
INTRUDERS = (0, 0, 1, 1, 1, 2)

#: Open questions among which likely faces are looked for.
_AMONG = 20_000
#: Likely questions in whose order characters are looked for.
_LOOKED_AT = 1000
#: Characters that are looked at for a full grid, before a smaller one is taken.
_CHARACTERS = 8


@dataclass(frozen=True)
class GridTask:
    """Shows open questions of one character together.

    Attributes:
        catalogue: where they are.
        leasing: how long they are held.
        sources: all sources of the desk, by name.
        least: the least probability of a face that is shown in a grid.
        starved: called when a person gets none.
        chance: random numbers that nobody can predict.
    """

    catalogue: Catalogue
    leasing: Leasing
    sources: Mapping[str, Source]
    least: float
    starved: Callable[[], None] = lambda: None
    chance: random.Random = field(default_factory=random.SystemRandom)

    name: ClassVar[str] = "grid"
    role: ClassVar[Role] = Role.ANNOTATOR

    def take(self, person: Person, count: int) -> list[Task]:
        """Lease up to ``count`` grids."""
        grids = []
        with self.catalogue.write() as connection:
            lock_leases(connection)
            for _ in range(count):
                chosen = self._choose(connection, person)
                if not chosen:
                    break
                mark = secrets.token_hex(8)
                grids.append(
                    self.leasing.issue(connection, person, self.name, chosen, mark)
                )
        if len(grids) < count:
            self.starved()
        with self.catalogue.read() as connection:
            made = [self._describe(connection, each) for each in grids]
        return [each for each in made if each is not None]

    def waiting(self, person: Person) -> int:
        """Count the faces that are left for grids of a person, up to a thousand."""
        with self.catalogue.read() as connection:
            sizes = self._sizes(connection, person)
        return sum(size for size in sizes.values() if size >= LEAST)

    def _next_ones(
        self, connection: sa.Connection, person: Person
    ) -> sa.Select[tuple[int, int, int]]:
        """Likely faces among the next open questions."""
        query = self._askable(person, in_order=True)
        last = id_of_open(connection, _AMONG)
        return query if last is None else query.where(question.c.id <= last)

    def _askable(
        self, person: Person, *, in_order: bool
    ) -> sa.Select[tuple[int, int, int]]:
        source = self.sources[QuestionSource.name]
        assert isinstance(source, QuestionSource)
        return askable(person, source.overlap, in_order=in_order).where(
            # What answers say of it counts more than what the model said before.
            sa.func.coalesce(question.c.posterior, question.c.probability)
            >= self.least,
            question.c.face_id != question.c.reference_face_id,
        )

    def _choose(self, connection: sa.Connection, person: Person) -> list[Subject]:
        """The tiles of a grid, in their places; none where there are too few."""
        best: list[int] = []
        best_of: tuple[int, int] | None = None
        for key in self._groups(connection, person):
            query = self._of_group(person, key).limit(TILES)
            ids = [row.id for row in connection.execute(query)]
            if len(ids) > len(best):
                best, best_of = ids, key
            if len(best) == TILES:
                break
        if best_of is None or len(best) < LEAST:
            return []
        planted = self._intruders(connection, person, best_of)
        tiles: list[Subject] = [(QuestionSource.name, key) for key in best]
        tiles = tiles[: TILES - len(planted)] + planted
        self.chance.shuffle(tiles)
        return tiles

    def _groups(
        self, connection: sa.Connection, person: Person
    ) -> list[tuple[int, int]]:
        """Characters to make a grid of: of those that fill one, the first ones."""
        sizes = self._sizes(connection, person)
        large = [key for key, size in sizes.items() if size >= LEAST]
        return (large or list(sizes))[:_CHARACTERS]

    def _sizes(
        self, connection: sa.Connection, person: Person
    ) -> Counter[tuple[int, int]]:
        """Characters with their references, in the order of their questions."""
        query = (
            self._next_ones(connection, person)
            .add_columns(question.c.reference_face_id)
            .order_by(question.c.id)
            .limit(_LOOKED_AT)
        )
        rows = connection.execute(query)
        return Counter((row.character_id, row.reference_face_id) for row in rows)

    def _of_group(
        self, person: Person, key: tuple[int, int]
    ) -> sa.Select[tuple[int, int, int]]:
        return (
            self._askable(person, in_order=False)
            .where(
                question.c.character_id == key[0],
                question.c.reference_face_id == key[1],
            )
            .order_by(question.c.id)
        )

    def _intruders(
        self, connection: sa.Connection, person: Person, key: tuple[int, int]
    ) -> list[Subject]:
        source = self.sources.get(GOLD)
        wanted = self.chance.choice(INTRUDERS)
        if not wanted or not isinstance(source, IntruderSource):
            return []
        pair = Pair(key[1], *key)
        ids = source.intruders(connection, person, pair, wanted)
        return [(GOLD, each) for each in ids]

    def _describe(
        self, connection: sa.Connection, leases: Sequence[Lease]
    ) -> Task | None:
        pairs = read_pairs(connection, pair_sources(self.sources), leases)
        tiles = [each for each in leases if each.handle in pairs]
        if not tiles:
            return None
        names = character_names(connection, [pairs[tiles[0].handle].character_id])
        whole = _payloads(connection, tiles, pairs, names)
        first = whole[0]
        payload = {
            "kind": "grid",
            "character": first["character"],
            "album": first["album"],
            "references": first["references"],
            "tiles": [
                {
                    "id": lease.handle,
                    "candidate": each["candidate"],
                    "context": each["context"],
                }
                for lease, each in zip(tiles, whole, strict=True)
            ],
        }
        handle, *others = [lease.handle for lease in tiles]
        return Task(handle, payload, tuple(others))


def _payloads(
    connection: sa.Connection,
    tiles: Sequence[Lease],
    pairs: Mapping[str, Pair],
    names: Mapping[int, CharacterName],
) -> list[dict[str, object]]:
    return [payload_of(connection, each, pairs[each.handle], names) for each in tiles]

"""Rows that tests of the harvest begin with."""

from typing import Any

import sqlalchemy as sa

from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import (
    album,
    candidate,
    character,
    image,
    image_source,
    mention,
    url,
)
from icf.harvest.http.session import Web
from icf.harvest.sources.base import ListingPage, Reader, Source, Task


class SourceOfTheTest:
    """A source with the answers that a test gives it, in turn."""

    name = "test"

    def __init__(
        self,
        *answers: ListingPage,
        reader: Reader | None = None,
        first: Task | None = None,
    ) -> None:
        self._answers = list(answers)
        self._first = first or Task("images", "all")
        self.reader = reader
        self.asked: list[Task] = []

    def first_tasks(self) -> list[Task]:
        return [self._first]

    async def step(self, task: Task, web: Web) -> ListingPage:
        self.asked.append(task)
        return self._answers.pop(0)


def as_source(source: SourceOfTheTest) -> Source:
    """Let the type checker hold it against the protocol."""
    return source


def put_urls(catalogue: Catalogue, *addresses: str, **columns: Any) -> None:
    """Enter pending URLs."""
    rows = [
        {
            "url": address,
            "host": address.split("/")[2],
            "source": "test",
            "fate": "pending",
            "attempts": 0,
            "not_before": 0.0,
            "leased_until": 0.0,
            "found_at": 0.0,
            **columns,
        }
        for address in addresses
    ]
    with catalogue.write() as connection:
        connection.execute(sa.insert(url), rows)


def file_under(catalogue: Catalogue, address: str, *names: str) -> None:
    """Mention a URL under characters of one album."""
    with catalogue.write() as connection:
        url_id = connection.execute(
            sa.select(url.c.id).where(url.c.url == address)
        ).scalar_one()
        known = connection.execute(sa.select(album.c.id)).scalar()
        album_id = (
            known
            or connection.execute(
                sa.insert(album)
                .values(name="Moon", source="test", found_at=0.0)
                .returning(album.c.id)
            ).scalar_one()
        )
        for name in names:
            character_id = connection.execute(
                sa.insert(character)
                .values(album_id=album_id, name=name, source="test", found_at=0.0)
                .returning(character.c.id)
            ).scalar_one()
            connection.execute(
                sa.insert(mention).values(
                    url_id=url_id,
                    character_id=character_id,
                    is_lead=False,
                    found_at=0.0,
                )
            )


def all_of(catalogue: Catalogue, table: sa.Table) -> list[dict[str, Any]]:
    """Every row of a table, in the order of its first column."""
    with catalogue.read() as connection:
        rows = connection.execute(sa.select(table).order_by(*table.primary_key))
        return [dict(row) for row in rows.mappings()]


def count_urls(catalogue: Catalogue) -> dict[str, int]:
    """How many URLs have each fate, and in total."""
    query = sa.select(url.c.fate, sa.func.count()).group_by(url.c.fate)
    with catalogue.read() as connection:
        found = {fate: int(count) for fate, count in connection.execute(query)}
    return {"total": sum(found.values()), **found}


def fates(catalogue: Catalogue) -> dict[str, str]:
    """The fate of each URL, by the last part of its path."""
    rows = all_of(catalogue, url)
    return {row["url"].rpartition("/")[2]: row["fate"] for row in rows}


def filed(catalogue: Catalogue) -> list[tuple[str, str, bool]]:
    """Which picture is a candidate for whom: a URL's last part, the character."""
    query = (
        sa.select(image_source.c.url, character.c.name, candidate.c.is_lead)
        .join(image, image.c.id == image_source.c.image_id)
        .join(candidate, candidate.c.image_id == image.c.id)
        .join(character, character.c.id == candidate.c.character_id)
        .order_by(image_source.c.url, character.c.name)
    )
    with catalogue.read() as connection:
        rows = connection.execute(query).all()
    return [(row[0].rpartition("/")[2], row[1], bool(row[2])) for row in rows]

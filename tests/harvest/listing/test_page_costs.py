"""What storing a page of a listing asks the catalogue."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from icf.catalogue import tombstones
from icf.catalogue.bulk_insert import insert_new
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import album, url
from icf.harvest.attributes.licence import Licence
from icf.harvest.sources.base import Corrects, ListingPage, Picture
from tests.harvest.listing.test_discover import WHO, listed
from tests.harvest.rows import SourceOfTheTest, all_of

#: More than the names in one query.
MANY = 1000


@contextmanager
def statements(catalogue: Catalogue) -> Iterator[list[str]]:
    """Collect the statements that are sent to a catalogue."""
    sent: list[str] = []

    def note(*about: object) -> None:
        sent.append(" ".join(str(about[2]).split()))

    sa.event.listen(catalogue.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        sa.event.remove(catalogue.engine, "before_cursor_execute", note)


def page_of(count: int, **columns: object) -> ListingPage:
    pictures = (
        Picture(f"http://a.org/{number}", "Moon", "Luna", **columns)  # type: ignore[arg-type]
        for number in range(count)
    )
    return ListingPage(**WHO, pictures=tuple(pictures))  # type: ignore[arg-type]


def sent_for(catalogue: Catalogue, page: ListingPage) -> list[str]:
    with statements(catalogue) as sent:
        listed(catalogue, SourceOfTheTest(page))
    return sent


@pytest.fixture(params=[False, True], ids=["nothing withdrawn", "a URL withdrawn"])
def withdrawn(request: pytest.FixtureRequest, catalogue: Catalogue) -> bool:
    if request.param:
        with catalogue.write() as connection:
            tombstones.bury(connection, "url", ["http://a.org/1"], "asked")
    return bool(request.param)


def test_of_new_urls_nothing_is_read_that_only_known_ones_say(
    catalogue: Catalogue, withdrawn: bool
) -> None:
    sent = sent_for(catalogue, page_of(3, sha1="0" * 40))
    assert [each for each in sent if "url.licence" in each] == []
    assert [each for each in sent if each.startswith("UPDATE url ")] == []
    found = {row["url"][-1]: row["fate"] for row in all_of(catalogue, url)}
    other = "taken_down" if withdrawn else "pending"
    assert found == {"0": "pending", "1": other, "2": "pending"}


def test_where_one_url_of_many_is_known_it_is_corrected(catalogue: Catalogue) -> None:
    listed(catalogue, SourceOfTheTest(page_of(1)))
    with catalogue.write() as connection:
        connection.execute(sa.delete(sa.table("discovery")))
    licence = Licence("CC0", None, "list")
    page = page_of(3, licence=licence, corrects=Corrects.SOURCE)
    listed(catalogue, SourceOfTheTest(page))
    assert [row["licence"] for row in all_of(catalogue, url)] == ["CC0"] * 3


def test_where_nothing_was_withdrawn_it_does_not_matter_how_many_ask(
    catalogue: Catalogue,
) -> None:
    few = len(sent_for(catalogue, page_of(2)))
    with catalogue.write() as connection:
        for table in ("mention", "url", "discovery"):
            connection.execute(sa.delete(sa.table(table)))
    assert len(sent_for(catalogue, page_of(MANY))) == few


def test_it_says_how_many_rows_were_new(catalogue: Catalogue) -> None:
    rows = [{"name": name, "source": "mine", "found_at": 0.0} for name in "abc"]
    with catalogue.write() as connection:
        assert insert_new(connection, album, ["name"], rows[:2]) == 2
        assert insert_new(connection, album, ["name"], rows) == 1
        assert insert_new(connection, album, ["name"], rows) == 0
        assert insert_new(connection, album, ["name"], []) == 0

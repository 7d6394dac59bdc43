import pytest
import sqlalchemy as sa

from icf.catalogue import tombstones
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import album, character


def test_a_tombstone_is_entered_once_and_keeps_its_first_reason(
    catalogue: Catalogue,
) -> None:
    with catalogue.write() as connection:
        assert tombstones.bury(connection, "url", ["http://a", "http://b"], "one") == 2
        assert tombstones.bury(connection, "url", ["http://a", "http://c"], "two") == 1
        assert tombstones.bury(connection, "sha256", ["http://a"], "three") == 1
    with catalogue.read() as connection:
        found = [(t.kind, t.subject, t.reason) for t in tombstones.read(connection)]
    assert found == [
        ("url", "http://a", "one"),
        ("url", "http://b", "one"),
        ("url", "http://c", "two"),
        ("sha256", "http://a", "three"),
    ]


def test_of_thousands_of_names_those_with_a_tombstone_are_found(
    catalogue: Catalogue,
) -> None:
    names = [f"http://a/{number}" for number in range(2500)]
    with catalogue.write() as connection:
        tombstones.bury(connection, "url", names[::2], "why")
        assert tombstones.buried(connection, "url", names) == set(names[::2])
        assert tombstones.buried(connection, "url", []) == set()
        assert tombstones.all_of_kind(connection, "sha256") == set()


@pytest.mark.parametrize(
    ("withdrawn", "asked"),
    [
        ("http://a.test/1.png", "https://a.test/1.png"),
        ("HTTPS://a.test/1.png", "http://a.test/1.png"),
        ("http://a.test/%c3%a9.png", "https://a.test/%C3%A9.png"),
        ("http://a.test/%C3%A9.png", "http://a.test/%c3%a9.png"),
        ("http://a.test/a_1.png", "http://a.test/a%5F1.png"),
    ],
)
def test_an_address_is_withdrawn_in_every_spelling(
    catalogue: Catalogue, withdrawn: str, asked: str
) -> None:
    other = "http://a.test/A_1.png"
    with catalogue.write() as connection:
        tombstones.bury(connection, "url", [withdrawn], "why")
        assert tombstones.buried(connection, "url", [asked, other]) == {asked}


def test_a_character_is_told_from_its_namesake_in_another_album(
    catalogue: Catalogue,
) -> None:
    with catalogue.write() as connection:
        for number, name in enumerate(["Moon", "Sun"], 1):
            row = {"id": number, "name": name, "source": "s", "found_at": 0.0}
            connection.execute(sa.insert(album).values(row))
            one = {"album_id": number, "name": "Ann", "source": "s", "found_at": 0.0}
            connection.execute(sa.insert(character).values(one))
        tombstones.bury(
            connection, "character", [tombstones.full_name("Moon", "Ann")], "why"
        )
        query = sa.select(character.c.album_id).where(tombstones.is_buried_character())
        assert list(connection.execute(query).scalars()) == [1]

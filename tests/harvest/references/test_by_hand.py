from __future__ import annotations

import pytest
import sqlalchemy as sa

from icf.catalogue import references, tombstones
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.find_character import find_character
from icf.catalogue.schema import album, character, image, image_source
from icf.errors import WrongUse
from icf.harvest.references.by_hand import (
    CharacterReference,
    find_image,
    list_references,
)
from tests.filter.rows import add_album, add_face, add_image
from tests.harvest.rows import put_urls

SHA = "ab" * 32


def listed(catalogue: Catalogue, album_name: str | None = None) -> CharacterReference:
    with catalogue.read() as connection:
        (one,) = list_references(connection, album_name)
    return one


def refer(catalogue: Catalogue, who: int, **columns: object) -> None:
    with catalogue.write() as connection:
        connection.execute(
            sa.update(character).where(character.c.id == who).values(**columns)
        )


@pytest.fixture
def tom(catalogue: Catalogue) -> int:
    return add_album(catalogue, "Tom")[0]


def test_a_character_without_any_picture_is_missing(
    catalogue: Catalogue, tom: int
) -> None:
    one = listed(catalogue)
    assert (one.by, one.face_id, one.note, one.missing) == (None, None, "", True)


def test_a_lead_picture_will_give_a_reference_while_the_filter_has_not_run(
    catalogue: Catalogue, tom: int
) -> None:
    add_image(catalogue, tom, sha256=SHA, lead=True)
    one = listed(catalogue)
    assert (one.by, one.sha256, one.face_id) == ("lead", SHA, None)
    assert "icf-filter run" in one.note


def test_a_lead_picture_on_which_no_face_is_left_is_no_reference(
    catalogue: Catalogue, tom: int
) -> None:
    image_id = add_image(catalogue, tom, lead=True, awaits=None)
    add_face(catalogue, image_id, tom, awaits=None, verdict="dropped", reason="blurred")
    assert listed(catalogue).missing


@pytest.mark.parametrize("by", ["lead", "medoid", "hand"])
def test_a_reference_is_shown_with_its_picture_and_how_it_was_chosen(
    catalogue: Catalogue, tom: int, by: str
) -> None:
    image_id = add_image(catalogue, tom, sha256=SHA, awaits=None)
    face_id = add_face(catalogue, image_id, tom, awaits=None, verdict="kept")
    with catalogue.write() as connection:
        for address in ("http://b.org/1.png", "http://a.org/1.png"):
            connection.execute(
                sa.insert(image_source).values(
                    image_id=image_id,
                    url=address,
                    source="t",
                    licence="CC0",
                    licence_from="site",
                    fetched_at=0.0,
                )
            )
    refer(catalogue, tom, reference_face_id=face_id, reference_by=by)
    one = listed(catalogue)
    assert (one.by, one.face_id, one.sha256) == (by, face_id, SHA)
    assert one.picture_url == "http://a.org/1.png"
    assert not one.missing


def test_it_is_said_when_the_filter_has_dropped_the_reference(
    catalogue: Catalogue, tom: int
) -> None:
    image_id = add_image(catalogue, tom, awaits=None)
    face_id = add_face(
        catalogue, image_id, tom, awaits=None, verdict="dropped", reason="blurred"
    )
    refer(catalogue, tom, reference_face_id=face_id, reference_by="lead")
    assert "dropped this face (blurred)" in listed(catalogue).note


def test_a_picture_chosen_by_hand_is_shown_before_and_after_the_filter_saw_it(
    catalogue: Catalogue, tom: int
) -> None:
    image_id = add_image(catalogue, tom, sha256=SHA)
    refer(catalogue, tom, reference_image_id=image_id)
    one = listed(catalogue)
    assert (one.by, one.sha256) == ("hand", SHA)
    assert "icf-filter run" in one.note
    with catalogue.write() as connection:
        connection.execute(sa.update(image).values(awaits=None, reason="no_face"))
    one = listed(catalogue)
    assert one.missing
    assert one.note == "no face in the picture chosen by hand (no_face)"


def test_none_by_hand_is_missing_and_says_so(catalogue: Catalogue, tom: int) -> None:
    add_image(catalogue, tom, lead=True)
    refer(catalogue, tom, reference_by=references.HAND)
    one = listed(catalogue)
    assert (one.missing, one.by, one.note) == (True, None, "none, chosen by hand")


def test_one_album_can_be_listed_alone(catalogue: Catalogue) -> None:
    add_album(catalogue, "Tom")
    add_album(catalogue, "Bugs")
    with catalogue.read() as connection:
        names = connection.execute(sa.select(album.c.name).order_by(album.c.id))
        second = list(names.scalars())[1]
    assert listed(catalogue, second).character == "Bugs"


def test_a_character_that_was_taken_down_is_not_listed_and_not_found(
    catalogue: Catalogue,
) -> None:
    add_album(catalogue, "Tom", "Jerry")
    with catalogue.write() as connection:
        name = connection.execute(sa.select(album.c.name)).scalar_one()
        tombstones.bury(connection, "character", [f"{name}/Tom"], "asked")
    assert listed(catalogue).character == "Jerry"
    with pytest.raises(WrongUse, match="no character 'Tom'"):
        named(catalogue, "Tom")


# --- names ----------------------------------------------------------------------------


def named(catalogue: Catalogue, name: str, album_name: str | None = None) -> int:
    with catalogue.read() as connection:
        return find_character(connection, name, album_name)


def test_a_name_that_two_albums_have_asks_for_the_album(catalogue: Catalogue) -> None:
    first = add_album(catalogue, "Tom")[0]
    add_album(catalogue, "Tom")
    with pytest.raises(WrongUse, match=r"2 albums have a character 'Tom'.*/Tom"):
        named(catalogue, "Tom")
    with catalogue.read() as connection:
        known = connection.execute(sa.select(album.c.name).order_by(album.c.id))
        of_first = known.scalars().first()
    assert of_first
    assert named(catalogue, "Tom", of_first) == first
    assert named(catalogue, f"{of_first}/Tom") == first
    assert named(catalogue, f"character:{of_first}/Tom") == first
    assert named(catalogue, f"character:{first}") == first


def test_a_name_may_have_slashes_and_colons(catalogue: Catalogue) -> None:
    one, other = add_album(catalogue, "Tom/Jerry", "Luna: the cat")
    assert named(catalogue, "Tom/Jerry") == one
    assert named(catalogue, "Luna: the cat") == other
    assert named(catalogue, "character:Luna: the cat") == other


def test_an_unknown_album_is_no_empty_list(catalogue: Catalogue) -> None:
    add_album(catalogue, "Tom")
    with (
        catalogue.read() as connection,
        pytest.raises(WrongUse, match="no album 'Cats'"),
    ):
        list_references(connection, "Cats")


def test_an_unknown_name_is_answered_with_the_nearest(catalogue: Catalogue) -> None:
    add_album(catalogue, "Tom", "Jerry", "Spike")
    with pytest.raises(WrongUse, match="no character 'jery'; the nearest: 'Jerry'"):
        named(catalogue, "jery")
    with pytest.raises(WrongUse, match=r"`icf-harvest characters --show`"):
        named(catalogue, "12345")
    with pytest.raises(WrongUse, match="no album 'Cats'"):
        named(catalogue, "Tom", "Cats")


def test_an_image_is_found_by_its_hash_and_by_the_url_it_was_listed_under(
    catalogue: Catalogue, tom: int
) -> None:
    image_id = add_image(catalogue, tom, sha256=SHA)
    put_urls(catalogue, "http://a.org/1%20b.png", image_id=image_id, fate="stored")
    with catalogue.read() as connection:
        assert find_image(connection, SHA.upper()) == image_id
        assert find_image(connection, "http://a.org/1 b.png") == image_id


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cd" * 32, "no image cdcd"),
        ("http://a.org/dead.png", "is not stored: not_found"),
        ("http://b.org/x.png", "no source has listed"),
        ("nonsense", "no source has listed"),
    ],
)
def test_an_image_that_is_not_there_is_explained(
    catalogue: Catalogue, text: str, words: str
) -> None:
    put_urls(catalogue, "http://a.org/dead.png", fate="not_found")
    with catalogue.read() as connection, pytest.raises(WrongUse, match=words):
        find_image(connection, text)


def test_a_character_is_found_by_a_name_in_another_form(catalogue: Catalogue) -> None:
    (who,) = add_album(catalogue, "Évoli")
    with catalogue.write() as connection:
        connection.execute(sa.update(album).values(name="Pokémon"))
    evoli, pokemon = "E\u0301voli", "Poke\u0301mon\u200b"
    with catalogue.read() as connection:
        assert find_character(connection, evoli, pokemon) == who
    assert listed(catalogue, pokemon).character_id == who

"""What is known of albums and characters, also where very many are shown."""

from typing import Any

import sqlalchemy as sa

from icf.catalogue.catalogue import Catalogue
from icf.catalogue.rows import CHUNK
from icf.catalogue.schema import album, candidate, character, image, mention, url
from icf.harvest.report.known import (
    Choice,
    known_albums,
    known_characters,
    known_images,
)

MANY = 2 * CHUNK + 50
ALL = Choice(limit=10 * MANY)


def _fill(connection: sa.Connection) -> None:
    """Albums of one character each, of whom the first and the last have a picture."""
    found = {"source": "mine", "found_at": 0.0}
    keys = range(1, MANY + 1)
    rows = [{"id": each, "name": f"Album {each:05}", **found} for each in keys]
    connection.execute(sa.insert(album), rows)
    rows = [{"id": k, "album_id": k, "name": f"Ann {k}", **found} for k in keys]
    connection.execute(sa.insert(character), rows)
    for key in (1, MANY):
        one: dict[str, Any] = {"id": key, "sha256": f"{key:064}", "bytes": 1}
        one |= {"verdict": "pending", "reason": "ok", "stored_at": 0.0}
        connection.execute(sa.insert(image).values(one))
        one = {"id": key, "url": f"http://a.org/{key}.png", "host": "a.org"}
        one |= {"source": "mine", "fate": "stored", "image_id": key, "found_at": 0.0}
        connection.execute(sa.insert(url).values(one))
        lead = {"character_id": key, "is_lead": False}
        connection.execute(sa.insert(candidate).values(image_id=key, **lead))
        mentioned = {"url_id": key, "found_at": 0.0, **lead}
        connection.execute(sa.insert(mention).values(mentioned))


def test_however_many_are_shown_no_query_has_more_values_than_a_database_takes(
    catalogue: Catalogue,
) -> None:
    most = 0

    def count(*about: Any) -> None:
        nonlocal most
        _, _, _, values, _, many = about
        most = max(most, 0 if many else len(values))

    with catalogue.write() as connection:
        _fill(connection)
    with catalogue.read() as connection:
        sa.event.listen(connection, "before_cursor_execute", count)
        albums, of_albums = known_albums(connection, ALL)
        characters, of_characters = known_characters(connection, ALL)
        images, of_images = known_images(connection, ALL)
    assert of_albums == of_characters == of_images == MANY
    assert len(albums) == len(characters) == len(images) == MANY
    assert {each.characters for each in albums} == {1}
    with_pictures = [0, MANY - 1]
    shown = range(MANY)
    assert [at for at in shown if albums[at].pictures.stored] == with_pictures
    assert [at for at in shown if characters[at].fates] == with_pictures
    assert [at for at in shown if images[at].images] == with_pictures
    assert [at for at in shown if images[at].pictures.stored] == with_pictures
    # Albums are named twice in one query.
    assert most <= 2 * CHUNK + 1

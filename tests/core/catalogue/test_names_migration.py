"""Revision 0008: what was two of one name becomes one, and nothing is lost."""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Callable
from typing import Any

import alembic.command
import pytest
import sqlalchemy as sa

from icf.catalogue import merges
from icf.catalogue.catalogue import Catalogue, alembic_config
from icf.catalogue.schema import (
    album,
    answer,
    candidate,
    character,
    decision,
    discovery,
    face,
    mention,
    tombstone,
    url,
)
from icf.catalogue.tombstones import is_buried_character
from icf.harvest.filing import unmentioned_cast

pytestmark = pytest.mark.usefixtures("migrations")

both = pytest.mark.parametrize("empty", ["sqlite", "postgresql"], indirect=True)
Insert = Callable[..., None]


def nfd(text: str) -> str:
    return unicodedata.normalize("NFD", text)


def migrate(catalogue: Catalogue, fill: Callable[[Insert], None]) -> None:
    """Fill a catalogue of revision 0007, and bring it to today's."""
    with catalogue.write() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, "0007")
        old = sa.MetaData()
        old.reflect(connection)

        def insert(table: str, *rows: dict[str, Any]) -> None:
            for row in rows:
                given = {**DEFAULTS.get(table, {}), **row}
                connection.execute(sa.insert(old.tables[table]).values(given))

        fill(insert)
    catalogue.upgrade()


HASH = "0" * 64
DEFAULTS: dict[str, dict[str, Any]] = {
    "album": {"source": "t", "found_at": 0.0},
    "character": {"source": "t", "found_at": 0.0},
    "url": {"host": "a", "source": "t", "fate": "stored", "found_at": 0.0},
    "discovery": {"source": "t", "task": "images", "status": "done", "changed_at": 0.0},
    "image": {"bytes": 1, "verdict": "kept", "reason": "ok", "stored_at": 0.0},
    "candidate": {"is_lead": False},
    "mention": {"is_lead": False, "found_at": 0.0},
    "face": {
        **{"x1": 0.0, "y1": 0.0, "x2": 9.0, "y2": 9.0, "kind": "cartoon", "score": 0.9},
        **{"detector": HASH, "sharpness": 9.0, "pixel_hash": HASH, "phash": "0" * 16},
        **{"dhash": "0" * 16, "verdict": "kept", "reason": "ok", "found_at": 0.0},
    },
    "tombstone": {"kind": "character", "taken_at": 0.0},
    "batch": {"format": "csv", "path": "b", "questions": 1, "created_at": 0.0},
    "question": {"batch_id": "b1", "label": "same", "asked_at": 0.0},
    "answer": {"choice": "true", "imported_at": 0.0, "file": "a", "line": 2},
    "review": {"score": 0.9, "found_at": 0.0, "changed_at": 0.0},
}


def rows(catalogue: Catalogue, *columns: sa.Column[Any]) -> list[Any]:
    query = sa.select(*columns).order_by(*columns[0].table.primary_key)
    with catalogue.read() as connection:
        return [tuple(row) for row in connection.execute(query)]


def twins(insert: Insert) -> None:
    """Two albums of one name; Évoli is in both of them, with a face each."""
    insert("album", {"id": 1, "name": "Pokémon"}, {"id": 2, "name": nfd("Pokémon")})
    insert("album", {"id": 3, "name": "Moon\u00a0Cats"})
    insert(
        "character",
        {"id": 1, "album_id": 1, "name": "Évoli"},
        {"id": 2, "album_id": 2, "name": nfd("Évoli")},
        {"id": 3, "album_id": 2, "name": "Sacha"},
        {"id": 4, "album_id": 3, "name": "Luna\u200b"},
    )
    for n in (1, 2):
        insert("url", {"id": n, "url": f"http://a/{n}", "image_id": n})
        insert("image", {"id": n, "sha256": f"{n:064x}"})
        insert("mention", {"url_id": n, "character_id": n})
        insert("candidate", {"image_id": n, "character_id": n})
        filed = {"filed_under_id": n, "character_id": n, "similarity": 0.9}
        insert("face", {"id": n, "image_id": n, **filed, "probability": 0.9})
    # A page of the second album, which names no character.
    insert("image", {"id": 3, "sha256": f"{3:064x}"})
    insert("url", {"id": 3, "url": "http://a/3", "album_id": 2, "image_id": 3})
    insert("discovery", {"id": 1, "subject": "1", "album_id": 2, "character_id": 2})


@both
def test_albums_and_characters_of_one_name_become_one(
    empty: Catalogue, caplog: pytest.LogCaptureFixture
) -> None:
    def fill(insert: Insert) -> None:
        twins(insert)

    with caplog.at_level(logging.WARNING):
        migrate(empty, fill)
    assert rows(empty, album.c.id, album.c.name) == [(1, "Pokémon"), (3, "Moon Cats")]
    found = rows(
        empty,
        character.c.id,
        character.c.album_id,
        character.c.name,
        character.c.merged_into,
    )
    assert found == [
        (1, 1, "Évoli", None),
        (2, 1, "Évoli (2)", 1),
        (3, 1, "Sacha", None),
        (4, 3, "Luna", None),
    ]
    assert rows(empty, url.c.album_id) == [(None,), (None,), (1,)]
    assert rows(empty, discovery.c.album_id) == [(1,)]
    # Faces are the survivor's and are judged again, as after a merge by people.
    assert rows(empty, face.c.filed_under_id, face.c.character_id) == [(1, 1), (1, 1)]
    assert (
        rows(empty, face.c.awaits, face.c.verdict, face.c.probability)
        == [("identity", "pending", None)] * 2
    )
    # The page is a candidate for the whole cast, as if it had been listed in one album.
    filed = rows(empty, candidate.c.image_id, candidate.c.character_id)
    assert [who for image_id, who in filed if image_id == 3] == [1, 2, 3]
    with empty.write() as connection:
        assert unmentioned_cast(connection, [3], [1, 2, 3]) == set()
        noted = connection.execute(
            sa.select(decision.c.subject_id).where(decision.c.step == "merge")
        )
        assert sorted(noted.scalars()) == [1, 2]
        assert merges.undo(connection, 1, 2) == 1
    said = " ".join(caplog.messages)
    assert "1 album, 1 character and 0 annotators got the one form" in said
    assert "1 album and 1 character were there twice and are merged" in said


@both
def test_what_people_said_outlives_the_repair(empty: Catalogue) -> None:
    def fill(insert: Insert) -> None:
        twins(insert)
        insert("batch", {"id": "b1"})
        for n in (1, 2):
            asked = {"face_id": n, "character_id": n, "reference_face_id": 3 - n}
            insert("question", {"id": n, **asked})
        insert("answer", {"id": 1, "question_id": 1, "annotator": nfd("Zoé")})
        insert("answer", {"id": 2, "question_id": 2, "annotator": "Zoé"})
        insert("answer", {"id": 3, "question_id": 2, "annotator": nfd("Zoé")})
        insert("answer", {"id": 4, "question_id": 2, "annotator": "bob"})

    migrate(empty, fill)
    # One answered the second question under both spellings: both answers are kept.
    assert rows(empty, answer.c.question_id, answer.c.annotator) == [
        (1, "Zoé"),
        (2, "Zoé"),
        (2, nfd("Zoé")),
        (2, "bob"),
    ]
    with empty.read() as connection:
        assert merges.confirmed(connection, 1) == 2


@both
def test_what_people_called_different_stays_apart(empty: Catalogue) -> None:
    def fill(insert: Insert) -> None:
        twins(insert)
        pair = {"character_id": 2, "other_character_id": 1}
        faces = {"face_id": 1, "other_face_id": 2}
        insert(
            "review", {"id": 1, "kind": "merge", "status": "different", **pair, **faces}
        )

    migrate(empty, fill)
    found = rows(empty, character.c.name, character.c.merged_into)
    assert found[:2] == [("Évoli", None), ("Évoli (2)", None)]


@both
def test_what_was_withdrawn_in_one_spelling_is_withdrawn_in_all(
    empty: Catalogue, caplog: pytest.LogCaptureFixture
) -> None:
    def fill(insert: Insert) -> None:
        twins(insert)
        insert("tombstone", {"subject": nfd("Pokémon/Évoli"), "reason": "by mail"})
        insert("tombstone", {"subject": "Pokémon/Évoli\u200b", "reason": "by phone"})

    with caplog.at_level(logging.WARNING):
        migrate(empty, fill)
    assert rows(empty, tombstone.c.subject, tombstone.c.reason) == [
        ("Pokémon/Évoli", "by mail; by phone"),
        ("Pokémon/Évoli (2)", "by mail; by phone"),
    ]
    with empty.read() as connection:
        hidden = sa.select(character.c.id).where(is_buried_character())
        assert sorted(connection.execute(hidden).scalars()) == [1, 2]
    assert rows(empty, character.c.merged_into)[:2] == [(None,), (None,)]
    assert "1 character withdrawn under another spelling" in " ".join(caplog.messages)


def test_names_in_their_normal_form_are_left_alone_in_silence(
    sqlite_catalogue: Catalogue, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        sqlite_catalogue.upgrade()
    assert caplog.messages == []
    assert rows(sqlite_catalogue, mention.c.url_id) == []

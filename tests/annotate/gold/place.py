"""A workspace with people, known questions and answers to them."""

from __future__ import annotations

import time
from collections.abc import Iterable

import sqlalchemy as sa

from icf.annotate.people.people import Person, find_person
from icf.catalogue.annotation.schema import gold, gold_answer, person
from icf.codes import Choice
from tests.annotate.place import Place


def add_person(place: Place, name: str, role: str = "annotator") -> Person:
    """Somebody who answers."""
    with place.workspace.catalogue.write() as connection:
        values = {"name": name, "role": role, "pseudonym": f"p-{name}", "added_at": 0.0}
        connection.execute(sa.insert(person).values(values))
        found = find_person(connection, name)
    assert found is not None
    return found


def add_gold(place: Place, truths: Iterable[Choice], character: int) -> list[int]:
    """Known questions about new faces of a character; return their ids."""
    made = []
    for truth in truths:
        face_id = place.add_face(character, 0.5)
        values = {
            "face_id": face_id,
            "character_id": character,
            "reference_face_id": place.reference(character),
            "truth": truth.value,
            "made_by": "hand",
            "made_at": time.time(),
        }
        with place.workspace.catalogue.write() as connection:
            row = sa.insert(gold).values(values).returning(gold.c.id)
            made.append(int(connection.execute(row).scalar_one()))
    return made


def answer_gold(place: Place, name: str, said: Iterable[tuple[int, Choice]]) -> None:
    """Let a person answer known questions, one a second."""
    rows = [
        {
            "gold_id": key,
            "choice": choice.value,
            "annotator": name,
            "answered_at": float(at),
        }
        for at, (key, choice) in enumerate(said, 1)
    ]
    with place.workspace.catalogue.write() as connection:
        connection.execute(sa.insert(gold_answer), rows)

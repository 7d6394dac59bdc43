"""A workspace with labels, and people who check them."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

import sqlalchemy as sa

from icf.annotate.audit.audits import Audit, find_open, plan
from icf.annotate.audit.checks import Check, Item, read_items, store_check
from icf.annotate.audit.sample import Goal
from icf.catalogue.schema import answer, batch, question
from icf.codes import Choice, Label
from tests.annotate.place import Place

#: Who made the labels.
MAKER = "ann"
#: Small enough for the labels of a test.
GOAL = Goal(0.2, 0.9)

AGREES = {"same": Choice.TRUE, "different": Choice.FALSE}
_CHOICES = {Label.SAME: Choice.TRUE.value, Label.DIFFERENT: Choice.FALSE.value}
DIFFERS = {"same": Choice.FALSE, "different": Choice.TRUE}


def add_label(place: Place, character_id: int, label: Label) -> int:
    """A face that `MAKER` labelled; return its id."""
    face_id = place.add_face(character_id, 0.5)
    _add_labelled(place, character_id, {face_id: label})
    return face_id


def add_labels(place: Place, same: int, different: int) -> int:
    """A character with labels, besides its reference by hand; return its id."""
    character_id = place.add_character()
    labels = [Label.SAME] * same + [Label.DIFFERENT] * different
    faces = place.add_faces(character_id, 0.5, len(labels))
    _add_labelled(place, character_id, dict(zip(faces, labels, strict=True)))
    return character_id


def _add_labelled(place: Place, character_id: int, labels: Mapping[int, Label]) -> None:
    """Add the question about each face, and what `MAKER` answered."""
    reference = place.reference(character_id)
    asked = [
        {
            "face_id": face_id,
            "character_id": character_id,
            "reference_face_id": reference,
            "batch_id": "b1",
            "label": label.value,
            "asked_at": 0.0,
        }
        for face_id, label in labels.items()
    ]
    said = {"annotator": MAKER, "imported_at": 0.0, "file": "answers.csv", "line": 1}
    with place.workspace.catalogue.write() as connection:
        if not connection.execute(sa.select(batch.c.id)).first():
            row = {"id": "b1", "format": "csv", "path": "b1", "questions": 0}
            connection.execute(sa.insert(batch), {**row, "created_at": 0.0})
        new = sa.insert(question).returning(question.c.id, sort_by_parameter_order=True)
        ids = connection.execute(new, asked).scalars().all()
        answers = [
            {**said, "question_id": question_id, "choice": _CHOICES[label]}
            for question_id, label in zip(ids, labels.values(), strict=True)
        ]
        connection.execute(sa.insert(answer), answers)


def planned(place: Place, goal: Goal = GOAL, seed: int = 1, **more: bool) -> Audit:
    """Plan an audit."""
    workspace = place.workspace
    with workspace.catalogue.write() as connection:
        return plan(connection, workspace.settings, goal, seed, **more)


def items(place: Place, audit: Audit) -> list[Item]:
    """The sample of an audit, as it stands."""
    with place.workspace.catalogue.read() as connection:
        return read_items(connection, audit.id)


def said(
    place: Place, item: Item, choice: Choice, by: str = "bob", *, decides: bool = False
) -> bool:
    """Store what somebody says of a label."""
    with place.workspace.catalogue.write() as connection:
        return store_check(connection, Check(item.id, by, choice, decides=decides))


def check_all(
    place: Place, audit: Audit, choices: Mapping[str, Choice] = AGREES, by: str = "bob"
) -> None:
    """Let somebody give the same answer to all labels of a kind."""
    for each in items(place, audit):
        said(place, each, choices[each.label], by)


def current(place: Place) -> Audit | None:
    """The audit that is open."""
    with place.workspace.catalogue.read() as connection:
        return find_open(connection)


def fill_in(path: Path, choices: Mapping[int, Choice], by: str) -> Path:
    """Fill in a file of questions, next to it."""
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        row["answer"] = str(choices[int(row["question"])])
        row["annotator"] = by
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    filled = path.with_name("filled.csv")
    filled.write_text(text.getvalue(), encoding="utf-8")
    return filled

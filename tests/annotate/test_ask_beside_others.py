"""Others write while the questions of a batch are chosen; what changed is not asked."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from icf.annotate.ask import ask, ask_beside_others
from icf.annotate.batch import Batch
from icf.annotate.choosing.draw import draw
from icf.annotate.choosing.shares import Shares
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.sampling import kept_frame
from icf.catalogue.schema import face, question
from icf.codes import Chosen, FaceReason, Verdict
from tests.annotate.place import Place


def asked_while(place: Place, work: Callable[[], object]) -> Batch | None:
    """Ask a batch; the work is done while its faces are chosen."""
    catalogue = place.workspace.catalogue
    run_id = place.workspace.begin_run("test")
    waits = [work]

    def begin(_c: object, _d: object, statement: str, *_: object) -> None:
        if "face.pixel_hash" in statement and waits:
            done = waits.pop()
            check_is_free(catalogue)
            done()

    sa.event.listen(catalogue.engine, "before_cursor_execute", begin)
    made = ask_beside_others(catalogue, run_id, "csv", "a", 100, lambda _: Shares())
    assert not waits
    return made


def check_is_free(catalogue: Catalogue) -> None:
    """Fail where answers and labels would have to wait."""
    if catalogue.dialect == "sqlite":
        other = sqlite3.connect(catalogue.engine.url.database or "", timeout=0)
        other.execute("BEGIN IMMEDIATE")
        other.close()
        return
    with catalogue.write() as connection:
        lock = "LOCK TABLE question IN SHARE ROW EXCLUSIVE MODE NOWAIT"
        connection.execute(sa.text(lock))


def test_nobody_waits_for_the_choice(place: Place) -> None:
    ann = place.add_character()
    place.add_faces(ann, 0.5, 3)
    made = asked_while(place, lambda: None)
    assert made is not None
    assert made.questions == 3


@pytest.mark.parametrize(
    "changed",
    [
        {"verdict": Verdict.DROPPED.value, "reason": FaceReason.NOT_A_FACE.value},
        {"awaits": "identity", "probability": None},
        {"probability": 0.6},
    ],
    ids=["dropped", "judged again", "another probability"],
)
def test_a_face_that_changes_is_not_asked_about(
    place: Place, changed: dict[str, Any]
) -> None:
    ann = place.add_character()
    one, other = place.add_faces(ann, 0.5, 2)

    def change() -> None:
        with place.workspace.catalogue.write() as connection:
            update = sa.update(face).where(face.c.id == one)
            connection.execute(update.values(changed))

    assert asked_while(place, change) is not None
    assert [each for each, _, _ in place.questions()] == [other]


def test_a_reference_that_changes_is_the_one_that_is_asked_against(
    place: Place,
) -> None:
    ann = place.add_character()
    one, other = place.add_faces(ann, 0.5, 2)
    # All that was chosen is against the former one.
    assert asked_while(place, lambda: place.set_reference(ann, one)) is not None
    query = sa.select(question.c.face_id, question.c.reference_face_id)
    with place.workspace.catalogue.read() as connection:
        asked = dict(connection.execute(query).all())
    assert asked[other] == one
    assert set(asked.values()) == {one}


def test_what_another_asks_meanwhile_is_asked_once(place: Place) -> None:
    ann = place.add_character()
    faces = place.add_faces(ann, 0.5, 3)
    catalogue = place.workspace.catalogue

    def ask_too() -> None:
        run_id = place.workspace.begin_run("other")
        with catalogue.write() as connection:
            assert ask(connection, run_id, "csv", "b", 2, Shares())

    assert asked_while(place, ask_too) is not None
    assert sorted(each for each, _, _ in place.questions()) == faces


def test_a_face_that_is_dropped_while_it_is_drawn_is_left_out(
    postgres_catalogue: Catalogue, tmp_path: Path
) -> None:
    """Within a transaction, beside which nobody writes on SQLite."""
    place = Place(tmp_path / "space", (f"catalogue.url={postgres_catalogue.url}",))
    catalogue = place.workspace.catalogue
    one, other = place.add_faces(place.add_character(), 0.5, 2)
    waits = [one]

    def drop(_c: object, _d: object, statement: str, *_: object) -> None:
        if "face.pixel_hash" in statement and waits:
            key = waits.pop()
            with catalogue.write() as connection:
                update = sa.update(face).where(face.c.id == key)
                connection.execute(update.values(verdict=Verdict.DROPPED.value))

    sa.event.listen(catalogue.engine, "after_cursor_execute", drop)
    with catalogue.write() as connection:
        frame = kept_frame(confirmed=False)
        drawn = draw(connection, frame, (), 2, Chosen.RANDOM, "seed")
    assert [each.face_id for each in drawn] == [other]
    catalogue.close()

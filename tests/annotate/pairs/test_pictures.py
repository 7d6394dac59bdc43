from __future__ import annotations

import pytest
import sqlalchemy as sa

from icf.annotate.pairs.pictures import confirmed_faces, picture_of
from icf.annotate.tasks.base import Pair
from icf.catalogue.schema import question
from icf.codes import Label
from tests.annotate.pairs.asked import ask_about
from tests.annotate.place import BOX, Place


def pairs(place: Place, confirmed: int, others: int = 1) -> list[Pair]:
    """Questions about one character, the first of which are settled."""
    ids = ask_about(place, confirmed + others)
    with place.workspace.catalogue.write() as connection:
        settled = sa.update(question).where(question.c.id.in_(ids[:confirmed]))
        connection.execute(settled.values(label=Label.SAME.value))
        rows = connection.execute(sa.select(question).order_by(question.c.id))
        return [Pair(r.face_id, r.character_id, r.reference_face_id) for r in rows]


def test_up_to_four_confirmed_faces_are_shown_beside_the_reference(
    place: Place,
) -> None:
    *settled, asked = pairs(place, 6)
    with place.workspace.catalogue.read() as connection:
        found = confirmed_faces(connection, asked)
        assert found == [each.face_id for each in settled[:4]]
        names = ["reference", "reference2", "reference3", "reference4", "reference5"]
        shown = [picture_of(connection, asked, name).face_id for name in names]
    assert shown == [asked.reference_face_id, *found]


def test_a_face_is_not_shown_beside_itself(place: Place) -> None:
    first, second, _ = pairs(place, 2)
    with place.workspace.catalogue.read() as connection:
        assert confirmed_faces(connection, first) == [second.face_id]


def test_a_reference_that_is_asked_about_is_shown_alone(place: Place) -> None:
    settled, _ = pairs(place, 1)
    reference = settled.reference_face_id
    alone = Pair(reference, settled.character_id, reference)
    with place.workspace.catalogue.read() as connection:
        assert confirmed_faces(connection, alone) == []


def test_the_context_is_the_whole_picture_with_the_box(place: Place) -> None:
    [asked] = pairs(place, 0)
    with place.workspace.catalogue.read() as connection:
        shown = picture_of(connection, asked, "context")
    assert (shown.face_id, shown.boxes, shown.side) == (None, (BOX,), 1600)


@pytest.mark.parametrize("name", ["reference2", "reference6", "x", "", "../candidate"])
def test_there_are_no_other_pictures(place: Place, name: str) -> None:
    [asked] = pairs(place, 0)
    with place.workspace.catalogue.read() as connection, pytest.raises(KeyError):
        picture_of(connection, asked, name)

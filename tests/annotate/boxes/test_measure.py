from __future__ import annotations

import sqlalchemy as sa

from icf.annotate.boxes.measure import Hiding, Missed, read_hiding
from icf.catalogue.schema import image
from tests.annotate.boxes.pictures import A, B, Pictures, boxed


def read(pictures: Pictures) -> Hiding:
    with pictures.catalogue.read() as connection:
        return read_hiding(connection)


def verify(pictures: Pictures, hidden: float, *drawn: tuple[float, ...]) -> int:
    """A picture of which the detector finds `A`, boxed by two people."""
    key = pictures.add(A)
    for name in ("ann", "bob"):
        someone = pictures.person(name)
        (task,) = pictures.task(hidden).take(someone, 1)
        pictures.answer(
            someone, task, {"verdict": "boxed", "boxes": [*map(list, drawn)]}
        )
    return key


def test_nothing_is_known_before_a_picture_is_verified(
    plain_pictures: Pictures,
) -> None:
    plain_pictures.add(A)
    ann = plain_pictures.person()
    (task,) = plain_pictures.task().take(ann, 1)
    plain_pictures.answer(ann, task, boxed(A, B))
    assert read(plain_pictures) == Hiding(Missed(0, 0), Missed(0, 0))


def test_missed_faces_are_counted_apart_where_boxes_were_hidden(
    pictures: Pictures,
) -> None:
    verify(pictures, 0.0, A)
    verify(pictures, 0.0, A, B)
    verify(pictures, 1.0, A, B)
    assert read(pictures) == Hiding(shown=Missed(3, 1), hidden=Missed(2, 1))


def test_a_picture_that_was_taken_down_does_not_count(
    plain_pictures: Pictures,
) -> None:
    verify(plain_pictures, 0.0, A)
    with plain_pictures.catalogue.write() as connection:
        connection.execute(sa.update(image).values(reason="taken_down"))
    assert read(plain_pictures).faces == 0

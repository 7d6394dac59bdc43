from __future__ import annotations

import pytest
import sqlalchemy as sa

from icf.catalogue.annotation.schema import box_task, verified_box
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.labels import verified_boxes
from icf.catalogue.labels.verified_boxes import (
    VerifiedBox,
    VerifiedPicture,
    count_pictures,
    verified_pictures,
)
from icf.catalogue.schema import image
from icf.codes import BoxStatus


def add_picture(
    catalogue: Catalogue,
    status: BoxStatus,
    corners: tuple[tuple[float, float, float, float], ...] = (),
    reason: str = "ok",
) -> int:
    """A picture that people were asked about; return its id."""
    with catalogue.write() as connection:
        count = sa.select(sa.func.count(image.c.id))
        number = connection.execute(count).scalar_one()
        image_id: int = connection.execute(
            sa.insert(image)
            .values(
                sha256=f"{number:064x}",
                bytes=1,
                verdict="kept",
                reason=reason,
                stored_at=0.0,
            )
            .returning(image.c.id)
        ).scalar_one()
        values = {"hidden": False, "status": status.value, "people": 2}
        times = {"disagreement": 0.1, "asked_at": 0.0, "changed_at": 0.0}
        connection.execute(
            sa.insert(box_task).values(image_id=image_id, **values, **times)
        )
        for x1, y1, x2, y2 in corners:
            row = {"x1": x1, "y1": y1, "x2": x2, "y2": y2, "face_id": 7}
            row |= {"people": 2, "disagreement": 0.1, "image_id": image_id}
            connection.execute(sa.insert(verified_box).values(**row))
    return image_id


def read(catalogue: Catalogue) -> list[VerifiedPicture]:
    with catalogue.read() as connection:
        return list(verified_pictures(connection))


def test_a_verified_picture_comes_with_its_boxes(catalogue: Catalogue) -> None:
    corners = (1.0, 2.0, 30.0, 40.5)
    key = add_picture(catalogue, BoxStatus.VERIFIED, (corners,))
    box = VerifiedBox(1, corners, 7, 2, 0.1)
    assert read(catalogue) == [VerifiedPicture(key, (box,), 2, 0.1)]


def test_a_picture_on_which_people_agree_that_no_face_is_has_no_boxes(
    catalogue: Catalogue,
) -> None:
    key = add_picture(catalogue, BoxStatus.VERIFIED)
    assert read(catalogue) == [VerifiedPicture(key, (), 2, 0.1)]


@pytest.mark.parametrize(
    "status", [each for each in BoxStatus if each is not BoxStatus.VERIFIED]
)
def test_what_people_have_not_agreed_on_is_no_truth(
    sqlite_catalogue: Catalogue, status: BoxStatus
) -> None:
    add_picture(sqlite_catalogue, status, ((0.0, 0.0, 5.0, 5.0),))
    assert read(sqlite_catalogue) == []


def test_a_picture_that_was_taken_down_is_no_truth(
    sqlite_catalogue: Catalogue,
) -> None:
    add_picture(sqlite_catalogue, BoxStatus.VERIFIED, reason="taken_down")
    assert read(sqlite_catalogue) == []


def test_pages_lose_no_picture(
    sqlite_catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verified_boxes, "CHUNK", 2)
    made = [add_picture(sqlite_catalogue, BoxStatus.VERIFIED) for _ in range(5)]
    assert [each.image_id for each in read(sqlite_catalogue)] == made


def test_pictures_are_counted_by_what_people_say(catalogue: Catalogue) -> None:
    for status in (BoxStatus.OPEN, BoxStatus.OPEN, BoxStatus.DISPUTED):
        add_picture(catalogue, status)
    with catalogue.read() as connection:
        assert count_pictures(connection) == {
            BoxStatus.OPEN: 2,
            BoxStatus.VERIFIED: 0,
            BoxStatus.DISPUTED: 1,
            BoxStatus.CANNOT_TELL: 0,
        }

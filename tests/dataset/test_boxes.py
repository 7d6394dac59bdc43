from __future__ import annotations

import numpy as np
import pytest

from icf.dataset.boxes import Box, BoxTable


@pytest.fixture
def table() -> BoxTable:
    """Boxes of pictures 7, 3, 7 and 9, in this order."""
    corners = np.arange(16, dtype=np.float64).reshape(4, 4)
    scores = np.array([0.5, 1, 0.25, 0.75])
    return BoxTable(np.array([7, 3, 7, 9]), np.array([2, -1, 4, 1]), corners, scores)


def test_each_picture_has_its_boxes_in_the_order_of_the_rows(table: BoxTable) -> None:
    boxes = table.of(np.array([9, 7, 8, 3]))
    assert boxes[1] == (
        Box(2, (0.0, 1.0, 2.0, 3.0), 0.5),
        Box(4, (8.0, 9.0, 10.0, 11.0), 0.25),
    )
    assert boxes[3] == (Box(None, (4.0, 5.0, 6.0, 7.0), 1.0),)
    assert [len(each) for each in boxes] == [1, 2, 0, 1]


def test_pictures_can_be_taken_in_another_order(table: BoxTable) -> None:
    boxes = table.of(np.array([3, 7, 9]))
    assert list(boxes[::-1]) == list(boxes)[::-1]
    with pytest.raises(IndexError):
        boxes[3]


def test_a_box_is_made_of_python_numbers_whose_text_a_hash_can_be_of(
    table: BoxTable,
) -> None:
    shown = repr(table.of(np.array([9]))[0])
    assert shown == ("(Box(face_id=1, corners=(12.0, 13.0, 14.0, 15.0), score=0.75),)")


def test_tables_are_put_under_one_another(table: BoxTable) -> None:
    none = table.take(np.zeros(4, np.bool_))
    joined = BoxTable.joined([none, table.take(np.array([3])), table])
    assert joined.image.tolist() == [9, 7, 3, 7, 9]
    assert joined.corners.shape == (5, 4)

from __future__ import annotations

import pytest

from icf.annotate.boxes.measure import Hiding, Missed
from icf.annotate.boxes.summary import BoxSummary, read_summary
from icf.codes import BoxStatus
from tests.annotate.boxes.pictures import A, B, Pictures, boxed

NOBODY = dict.fromkeys(BoxStatus, 0)


def test_the_numbers_of_a_workspace_are_read(plain_pictures: Pictures) -> None:
    for _ in range(2):
        plain_pictures.add(A)
    for name in ("ann", "bob"):
        someone = plain_pictures.person(name)
        (task, _) = plain_pictures.task().take(someone, 2)
        plain_pictures.answer(someone, task, boxed(A, B))
    with plain_pictures.catalogue.read() as connection:
        found = read_summary(connection).as_json()
    assert (found["open"], found["verified"], found["faces"]) == (1, 1, 2)
    assert found["missed_where_hidden"] is None
    shown = found["missed_where_shown"]
    assert (shown["missed"], shown["faces"], shown["share"]) == (1, 2, 0.5)
    assert 0 < shown["low"] < 0.5 < shown["high"] < 1


def test_a_table_says_what_the_detector_missed_with_its_interval() -> None:
    pictures = {**NOBODY, BoxStatus.VERIFIED: 30}
    hiding = Hiding(shown=Missed(100, 2), hidden=Missed(100, 10))
    rows = {each[0].strip(): each for each in BoxSummary(pictures, hiding).rows()}
    assert rows["pictures to box"][1] == 30
    _, number, meaning = rows["faces in them"]
    assert number == 200
    # Wilson's interval of 2 and of 10 of 100.
    assert "missed 2.0% (0.6% to 7.0%) where its boxes were shown" in meaning
    assert "10.0% (5.5% to 17.4%) where they were hidden" in meaning


@pytest.mark.parametrize("asked", [0, 3])
def test_before_people_were_asked_a_table_has_no_line_of_boxes(asked: int) -> None:
    pictures = {**NOBODY, BoxStatus.OPEN: asked}
    summary = BoxSummary(pictures, Hiding(Missed(0, 0), Missed(0, 0)))
    assert bool(summary.rows()) is bool(asked)

from __future__ import annotations

from icf.annotate.pairs.more import FEW, Asker
from tests.annotate.place import Place


def test_a_batch_is_asked_where_few_questions_are_open(place: Place) -> None:
    ann = place.add_character()
    for _ in range(3):
        place.add_face(ann, 0.5)
    asker = Asker(place.workspace, place.workspace.begin_run("test"))
    assert asker.are_few()
    assert asker.ask() == 3
    assert {label for _, _, label in place.questions()} == {"open"}
    assert asker.ask() == 0


def test_nothing_is_asked_while_there_is_enough(plain: Place) -> None:
    ann = plain.add_character()
    for _ in range(FEW):
        plain.add_face(ann, 0.5)
    asker = Asker(plain.workspace, plain.workspace.begin_run("test"))
    assert asker.ask() == FEW
    assert not asker.are_few()

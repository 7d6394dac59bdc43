from __future__ import annotations

from icf.annotate.answers import Vote
from icf.annotate.status import Counts, count
from icf.codes import Choice
from tests.annotate.place import Place
from tests.annotate.test_record import asked, take


def counts(place: Place) -> Counts:
    with place.workspace.catalogue.read() as connection:
        return count(connection)


def test_every_question_is_open_or_labelled(place: Place) -> None:
    nothing = {"same": 0, "different": 0, "unsure": 0}
    assert counts(place) == Counts(0, 0, 0, nothing)
    one, two, *_ = asked(place, 5)
    take(place, Vote(2, one, "ann", Choice.TRUE), Vote(3, two, "ann", Choice.UNSURE))
    found = counts(place)
    assert found == Counts(1, 2, 3, {"same": 1, "different": 0, "unsure": 1})
    assert found.questions == 5

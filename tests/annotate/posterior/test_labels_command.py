from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from icf.annotate.posterior import suspects
from icf.catalogue.schema import question
from icf.codes import Choice
from tests.annotate.gold.test_make import confirm
from tests.annotate.pairs.asked import ask_about
from tests.annotate.place import Place
from tests.annotate.posterior.answers import calibrate, say
from tests.annotate.test_cli import run

T, F = Choice.TRUE, Choice.FALSE


@pytest.fixture
def here(plain: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.chdir(plain.workspace.root)
    return plain


def labels(*words: str) -> dict[str, Any]:
    found, _ = run("labels", *words)
    assert isinstance(found, dict)
    return found


def test_labels_follow_by_another_number_of_votes(here: Place) -> None:
    one, two = ask_about(here, 2)
    say(here, {one: [("ann", T), ("bob", T)], two: [("ann", T)]})
    found = labels("--set", "annotate.votes=2")
    assert found["changes"] == [{"before": "open", "after": "same", "questions": 1}]
    assert (found["questions"], found["changed"], found["people"]) == (2, 1, [])
    assert here.labels() == {one: "same", two: "open"}


def test_people_are_weighed_and_a_dry_run_writes_nothing(here: Place) -> None:
    ids = ask_about(here, 4)
    say(here, {key: [("ann", T), ("bob", T), ("cat", T)] for key in ids})
    posterior = ("--set", "annotate.decide=posterior")
    dry = labels(*posterior, "--dry-run")
    assert dry["dry_run"] is True
    assert set(here.labels().values()) == {"open"}
    done = labels(*posterior)
    assert done["changed"] == dry["changed"] == 4
    assert [each["annotator"] for each in done["people"]] == ["ann", "bob", "cat"]
    assert done["people"] == dry["people"]
    assert set(here.labels().values()) == {"same"}
    assert labels(*posterior)["changed"] == 0


@pytest.mark.parametrize("words", [(), ("--ask-again",), ("--dry-run", "--ask-again")])
def test_suspects_are_counted_and_with_votes_asked_again_when_told_so(
    here: Place, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suspects, "MOST", 0.5)
    calibrate(here.workspace.catalogue, here.workspace.begin_run("test"))
    ann = here.add_character()
    faces = [here.add_face(ann, each) for each in (0.9, 0.9, 0.1, 0.05)]
    of_face = confirm(here, dict(zip(faces, [(T,), (T,), (F,), (T,)], strict=True)))
    with here.workspace.catalogue.write() as connection:
        connection.execute(sa.update(question).values(chosen="uncertain"))
    assert labels(*words)["suspects"] == 1
    is_open = here.labels()[of_face[faces[-1]]] == "open"
    assert is_open == (words == ("--ask-again",))

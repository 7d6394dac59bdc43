"""No answer of a person counts who is discounted, until that is undone."""

from __future__ import annotations

import pytest

from icf.annotate.current_rule import current_rule
from icf.annotate.people.listing import everybody
from icf.annotate.people.people import BY_ONESELF, find_person, pause
from icf.catalogue.annotation.pauses import DISCOUNTED
from icf.codes import Choice
from tests.annotate.pairs.asked import ask_about, person
from tests.annotate.place import Place
from tests.annotate.posterior.answers import say
from tests.annotate.test_cli import call, run

T, F = Choice.TRUE, Choice.FALSE


@pytest.fixture
def asked(plain: Place, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Four questions, each settled by one answer; ann and bob answered two."""
    monkeypatch.chdir(plain.workspace.root)
    plain.set_up("[annotate]\nvotes = 1\n")
    keys = ask_about(plain, 4)
    said = dict(zip(keys, ([("ann", T)], [("bob", T)], [("ann", F)]), strict=False))
    said[keys[1]].append(("ann", F))
    say(plain, said, current_rule(plain.workspace))
    return keys


def states(plain: Place) -> dict[str, str | None]:
    with plain.workspace.catalogue.read() as connection:
        return {each.person.name: each.person.paused for each in everybody(connection)}


def test_labels_follow_old_and_new_answers_of_others_alone(
    plain: Place, asked: list[int]
) -> None:
    first, second, third, fourth = asked
    before = plain.labels()
    assert (before[first], before[third]) == ("same", "different")
    found, _ = run("discount", "ann")
    assert found == {
        "name": "ann",
        "answers": 3,
        "boxed": 0,
        "counts": False,
        "labels": {"open": 2, "same": 1},
        "pictures": 0,
        "dry_run": False,
    }
    open_again = {first: "open", second: "same", third: "open", fourth: "open"}
    assert plain.labels() == open_again
    assert states(plain) == {"ann": DISCOUNTED}
    say(plain, {fourth: [("ann", T)]}, current_rule(plain.workspace))
    assert plain.labels() == open_again
    found, _ = run("discount", "ann", "--undo")
    assert (found["answers"], found["counts"]) == (4, True)
    assert plain.labels() == {**before, fourth: "same"}
    assert states(plain) == {"ann": None}


def test_once_more_it_changes_nothing(plain: Place, asked: list[int]) -> None:
    run("discount", "ann")
    labels = plain.labels()
    found, _ = run("discount", "ann")
    assert found["labels"] == {}
    assert plain.labels() == labels


def test_who_is_paused_otherwise_is_discounted_too(
    plain: Place, asked: list[int]
) -> None:
    person(plain)
    with plain.workspace.catalogue.write() as connection:
        someone = find_person(connection, "ann")
        assert someone is not None
        pause(connection, someone, BY_ONESELF)
    run("discount", "ann")
    assert states(plain) == {"ann": DISCOUNTED}
    assert plain.labels()[asked[0]] == "open"


def test_a_dry_run_only_counts(plain: Place, asked: list[int]) -> None:
    labels = plain.labels()
    found, _ = run("discount", "ann", "--dry-run")
    assert (found["answers"], found["dry_run"]) == (3, True)
    assert plain.labels() == labels
    assert states(plain) == {}


def test_skills_are_fitted_without_that_person(plain: Place, asked: list[int]) -> None:
    plain.set_up('decide = "posterior"\n')
    found, _ = run("discount", "ann")
    assert plain.labels()[asked[0]] == "open"
    assert found["labels"]["open"] >= 2


def test_nobody_is_discounted_whom_nobody_knows(plain: Place, asked: list[int]) -> None:
    _, said = call("discount", "Eve", code=2)
    assert "nobody named 'Eve' answered or was invited" in said
    _, said = call("discount", "bob", "--undo", code=2)
    assert "the answers of bob count already" in said
    assert states(plain) == {}

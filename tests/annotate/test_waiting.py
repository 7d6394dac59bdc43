from __future__ import annotations

import pytest
import sqlalchemy as sa

from icf.annotate.answers import Vote
from icf.annotate.following import Followed, Follower
from icf.annotate.pairs.questions import QuestionSource
from icf.annotate.votes import VotesRule
from icf.annotate.waiting import Applier, apply_waiting
from icf.catalogue.annotation.waiting import count_waiting
from icf.catalogue.schema import character
from tests.annotate.pairs.asked import ask_about, ask_all, lease_of, person, send, sent
from tests.annotate.place import Place
from tests.annotate.test_cli import run
from tests.annotate.test_record import T, take

SOURCE = QuestionSource()


def say(
    place: Place, key: int, choice: str, at: float = 1.0, name: str = "ann"
) -> None:
    """Answer a question on the page."""
    someone = person(place)
    handle = lease_of(place, someone, key).handle
    [receipt] = send(place, SOURCE, someone, [sent(handle, choice, at)])
    assert receipt.refused is None


def waiting(place: Place) -> int:
    with place.workspace.catalogue.read() as connection:
        return count_waiting(connection)


def test_labels_follow_answers_that_waited(place: Place) -> None:
    one, two, three = ask_about(place, 3)
    say(place, one, "true")
    say(place, two, "false")
    assert waiting(place) == 2
    applied = apply_waiting(place.workspace)
    assert applied.answers == 2
    assert {str(key): n for key, n in applied.labels.items()} == {
        "same": 1,
        "different": 1,
    }
    assert place.labels() == {one: "same", two: "different", three: "open"}
    assert waiting(place) == 0
    assert place.decisions("label") == [(one, "same", 1.0), (two, "different", 1.0)]


def test_nothing_is_written_where_nothing_waits(place: Place) -> None:
    ask_about(place, 1)
    with place.workspace.catalogue.read() as connection:
        before = connection.execute(sa.text("SELECT count(*) FROM run")).scalar_one()
    assert apply_waiting(place.workspace).answers == 0
    with place.workspace.catalogue.read() as connection:
        after = connection.execute(sa.text("SELECT count(*) FROM run")).scalar_one()
    assert after == before


def test_a_changed_answer_is_a_revision_in_the_ledger(place: Place) -> None:
    [one] = ask_about(place, 1)
    say(place, one, "true", 1.0)
    say(place, one, "false", 2.0)
    apply_waiting(place.workspace)
    assert place.labels() == {one: "different"}
    assert place.decisions("answer") == [(one, "false", None)]


def test_an_answer_of_the_page_revises_one_of_a_file(place: Place) -> None:
    [one] = ask_about(place, 1)
    take(place, Vote(2, one, "ann", T, 1.0))
    say(place, one, "false", 2.0)
    apply_waiting(place.workspace)
    assert place.labels() == {one: "different"}
    assert place.decisions("answer") == [(one, "false", None)]


def test_an_answer_that_came_late_changes_nothing(place: Place) -> None:
    [one] = ask_about(place, 1)
    say(place, one, "true", 2.0)
    say(place, one, "false", 1.0)
    apply_waiting(place.workspace)
    assert place.labels() == {one: "same"}
    assert place.decisions("answer") == []
    assert waiting(place) == 0


def test_a_reference_that_is_refused_on_the_page_is_chosen_again(place: Place) -> None:
    ann = place.add_character()
    place.set_reference(ann, place.reference(ann), by="typical")
    [one] = ask_all(place)
    say(place, one, "false")
    applied = apply_waiting(place.workspace)
    assert applied.effects.refused == {ann}
    with place.workspace.catalogue.read() as connection:
        query = sa.select(character.c.reference_face_id)
        assert connection.execute(query.where(character.c.id == ann)).scalar() is None


def test_labels_follow_a_part_at_a_time(place: Place) -> None:
    ids = ask_about(place, 5)
    for key in ids:
        say(place, key, "true")
    run_id = place.workspace.begin_run("test")
    applier = Applier(place.workspace.catalogue, Follower(run_id, VotesRule(1)))
    assert [applier.apply_some(2).answers for _ in range(4)] == [2, 2, 1, 0]
    assert set(place.labels().values()) == {"same"}


def test_a_page_s_answers_give_what_a_file_with_them_gives(place: Place) -> None:
    ids = ask_about(place, 4)
    choices = ("true", "false", "not_a_face", "wrong_reference")
    for at, (key, choice) in enumerate(zip(ids, choices, strict=True)):
        say(place, key, choice, float(at))
    followed: Followed = apply_waiting(place.workspace)
    assert place.labels() == dict(
        zip(
            ids,
            ("withdrawn", "withdrawn", "not_a_face", "wrong_reference"),
            strict=True,
        )
    )
    assert len(followed.effects.faces_out) == 1


@pytest.mark.parametrize("command", ["status", "export"])
def test_a_command_that_reads_labels_lets_them_follow_first(
    plain: Place, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    [one] = ask_about(plain, 1)
    say(plain, one, "true")
    monkeypatch.chdir(plain.workspace.root)
    run(command, *(["batches/a"] if command == "export" else []))
    assert plain.labels() == {one: "same"}
    assert waiting(plain) == 0


def test_an_import_lets_labels_follow_first(
    plain: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = ask_about(plain, 2)
    say(plain, one, "true")
    monkeypatch.chdir(plain.workspace.root)
    batch = plain.questions()[0][1]
    text = f"question_id,batch_id,answer,annotator\n{two},{batch},false,bob\n"
    (plain.workspace.root / "a.csv").write_text(text)
    run("import", "a.csv")
    assert plain.labels() == {one: "same", two: "different"}

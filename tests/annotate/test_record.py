from __future__ import annotations

import hashlib
import threading

import pytest
import sqlalchemy as sa

from icf.annotate import record
from icf.annotate.answers import Vote
from icf.annotate.ask import ask
from icf.annotate.batch import read_asked
from icf.annotate.exchange.earlier import Source
from icf.annotate.record import Recorded, Recorder, preview
from icf.annotate.votes import VotesRule
from icf.catalogue import reviews
from icf.catalogue.annotation.pauses import LOW_SCORE
from icf.catalogue.annotation.schema import person
from icf.catalogue.merges import survivor_of
from icf.catalogue.reviews import Found
from icf.catalogue.schema import answer, question, review
from icf.codes import Choice, Label, Suspicion
from icf.filter.review import merges as review_merges
from tests.annotate.gold.place import add_person
from tests.annotate.place import Place

T, F, U = Choice.TRUE, Choice.FALSE, Choice.UNSURE


def asked(place: Place, count: int) -> list[int]:
    """Ask questions; return their ids."""
    ann = place.add_character()
    for _ in range(count):
        place.add_face(ann, 0.5)
    run_id = place.workspace.begin_run("test")
    with place.workspace.catalogue.write() as connection:
        ask(connection, run_id, "csv", "batches/a", count)
    return place.question_ids()


def take(
    place: Place,
    *votes: Vote,
    needed: int = 1,
    file: str = "a.csv",
    sha256: str | None = None,
) -> Recorded:
    run_id = place.workspace.begin_run("test")
    # The hash of its bytes: other rows make another file.
    sha256 = sha256 or hashlib.sha256(f"{file} {votes}".encode()).hexdigest()
    source = Source(file, sha256)
    rule = VotesRule(needed, max_votes=3)
    return Recorder(place.workspace.catalogue, run_id, source, rule).record(votes)


def test_answers_become_labels_and_decisions(place: Place) -> None:
    one, two, three = asked(place, 3)
    taken = take(
        place,
        Vote(2, one, "ann", T, 7.5),
        Vote(3, two, "ann", F),
        Vote(4, three, "ann", U),
    )
    assert (taken.taken, taken.known, taken.faults) == (3, 0, [])
    assert place.labels() == {one: "same", two: "different", three: "unsure"}
    assert place.decisions("label") == [
        (one, "same", 1.0),
        (two, "different", 1.0),
        (three, "unsure", 1.0),
    ]
    assert place.answers() == {
        (one, "ann", "true"),
        (two, "ann", "false"),
        (three, "ann", "unsure"),
    }


def test_decisions_are_in_the_order_of_the_questions_whatever_changed_before(
    place: Place,
) -> None:
    ids = asked(place, 3)
    # PostgreSQL keeps a row that was changed behind the others.
    with place.workspace.catalogue.write() as connection:
        changed = sa.update(question).where(question.c.id == ids[0])
        connection.execute(changed.values(posterior=0.5))
    take(place, *(Vote(2 + key, key, "ann", T) for key in ids))
    assert [key for key, *_ in place.decisions("label")] == ids


def test_a_question_stays_open_until_it_has_enough_votes(place: Place) -> None:
    [one] = asked(place, 1)
    assert take(place, Vote(2, one, "ann", T), needed=2).labels == {}
    assert place.labels() == {one: "open"}
    assert take(place, Vote(2, one, "bob", F), needed=2).labels == {}
    assert take(place, Vote(2, one, "cat", T), needed=2).labels == {Label.SAME: 1}
    assert place.decisions("label") == [(one, "same", 2.0)]


def test_a_contradiction_opens_a_question_again(place: Place) -> None:
    [one] = asked(place, 1)
    take(place, Vote(2, one, "ann", T))
    assert place.labels() == {one: "same"}
    take(place, Vote(2, one, "bob", F))
    assert place.labels() == {one: "open"}
    assert [verdict for _, verdict, _ in place.decisions("label")] == ["same", "open"]


def test_a_known_answer_is_not_counted_twice(place: Place) -> None:
    [one] = asked(place, 1)
    vote = Vote(2, one, "ann", T)
    take(place, vote, needed=2)
    again = take(place, vote, needed=2)
    assert (again.taken, again.known) == (0, 1)
    assert place.labels() == {one: "open"}
    assert len(place.answers()) == 1


def test_known_answers_are_labelled_again_when_fewer_votes_are_needed(
    place: Place,
) -> None:
    [one] = asked(place, 1)
    vote = Vote(2, one, "ann", T)
    take(place, vote, needed=2)
    assert take(place, vote, needed=1).labels == {Label.SAME: 1}
    assert place.labels() == {one: "same"}


def test_a_person_changes_an_answer_in_a_later_file(place: Place) -> None:
    [one] = asked(place, 1)
    first, second = Vote(2, one, "ann", T), Vote(9, one, "ann", F)
    take(place, first)
    changed = take(place, second, file="b.csv")
    assert (changed.taken, changed.revised, changed.known) == (0, 1, 0)
    assert place.labels() == {one: "different"}
    # Both are kept, and neither file brings anything new.
    assert place.answers() == {(one, "ann", "true"), (one, "ann", "false")}
    assert place.decisions("answer") == [(one, "false", None)]
    for vote, file in ((first, "a.csv"), (second, "b.csv")):
        again = take(place, vote, file=file)
        assert (again.revised, again.known) == (0, 1)
    assert place.labels() == {one: "different"}
    # The first answer in yet another file is a decision again.
    assert take(place, first, file="c.csv").revised == 1
    assert place.labels() == {one: "same"}


def test_of_dated_answers_the_newest_counts_whatever_file_comes_first(
    place: Place,
) -> None:
    [one] = asked(place, 1)
    take(place, Vote(2, one, "ann", F, 20.0))
    older = take(place, Vote(2, one, "ann", T, 10.0), file="b.json")
    assert (older.revised, older.known) == (0, 1)
    newer = take(place, Vote(2, one, "ann", T, 30.0), file="c.json")
    assert newer.revised == 1
    assert place.labels() == {one: "same"}


def test_a_changed_answer_counts_once_among_those_of_others(place: Place) -> None:
    [one] = asked(place, 1)
    take(place, Vote(2, one, "ann", F), Vote(3, one, "bob", T), needed=2)
    assert place.labels() == {one: "open"}
    take(place, Vote(2, one, "ann", T), needed=2, file="b.csv")
    assert place.labels() == {one: "same"}
    assert place.decisions("label") == [(one, "same", 2.0)]


@pytest.mark.parametrize("applied", [False, True])
def test_a_merge_is_undone_when_its_answer_is_taken_back(
    place: Place, applied: bool
) -> None:
    ann, anna = place.add_character(), place.add_character("Anna")
    references = [place.reference(each) for each in (ann, anna)]
    suspected = Found(Suspicion.MERGE, ann, references[0], references[1], 0.9, anna)
    run_id = place.workspace.begin_run("test")
    with place.workspace.catalogue.write() as connection:
        reviews.replace(connection, [Suspicion.MERGE], [ann], [suspected])
        ask(connection, run_id, "csv", "batches/a", 9)
    [key] = place.question_ids()
    take(place, Vote(2, key, "ann", T))
    if applied:
        review_merges.apply(place.workspace)
    taken_back = take(place, Vote(2, key, "ann", F), file="b.csv")
    assert taken_back.unmerged == applied
    with place.workspace.catalogue.read() as connection:
        assert [survivor_of(connection, each) for each in (ann, anna)] == [ann, anna]
        status = connection.execute(sa.select(review.c.status)).scalar_one()
        assert review_merges.plan(connection).merges == ()
    assert status == "different"


def test_a_deleted_question_is_unknown(place: Place) -> None:
    recorded = take(place, Vote(2, 77, "ann", T))
    [fault] = recorded.faults
    assert (fault.line, fault.reason.value) == (2, "unknown_question")


def test_a_preview_counts_and_writes_nothing(place: Place) -> None:
    one, two = asked(place, 2)
    take(place, Vote(2, one, "ann", T))
    votes = [
        Vote(2, one, "ann", T),
        Vote(3, one, "bob", T),
        Vote(4, two, "ann", F),
        Vote(5, two, "bob", U),
    ]
    with place.workspace.catalogue.read() as connection:
        found = preview(connection, Source("b.csv", ""), votes)
        assert read_asked(connection, [one, two, 99]).keys() == {one, two}
    assert (found.taken, found.known) == (3, 1)
    assert len(place.answers()) == 1


def test_killed_half_way_the_same_call_takes_the_rest(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "CHUNK", 2)
    questions = asked(place, 5)
    votes = [Vote(n, q, "ann", T) for n, q in enumerate(questions, 2)]
    run_id = place.workspace.begin_run("test")
    recorder = Recorder(
        place.workspace.catalogue, run_id, Source("a.csv", ""), VotesRule(1)
    )
    seen: list[int] = []

    def stop_after_two_chunks(answers: int) -> None:
        seen.append(answers)
        if len(seen) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recorder.record(votes, stop_after_two_chunks)
    assert len(place.answers()) == 4
    rest = recorder.record(votes)
    assert (rest.taken, rest.known) == (1, 4)
    assert set(place.labels().values()) == {"same"}
    assert len(place.decisions("label")) == 5


def test_imports_at_once_count_every_vote(place: Place) -> None:
    questions = asked(place, 20)

    def worker(person: str) -> None:
        take(place, *[Vote(2, q, person, T) for q in questions], needed=4)

    threads = [threading.Thread(target=worker, args=(p,)) for p in "abcd"]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(place.answers()) == 80
    assert set(place.labels().values()) == {"same"}


def test_an_answer_settles_the_suspicion_that_was_asked_about(place: Place) -> None:
    ann = place.add_character()
    odd = place.add_face(ann, 0.9)
    suspected = Found(Suspicion.OUTLIER, ann, odd, odd - 1, 0.8)
    with place.workspace.catalogue.write() as connection:
        reviews.replace(connection, [Suspicion.OUTLIER], [ann], [suspected])
    run_id = place.workspace.begin_run("test")
    with place.workspace.catalogue.write() as connection:
        ask(connection, run_id, "csv", "batches/a", 9)
    [key] = place.question_ids()
    statuses: list[str] = []
    for vote in (Vote(2, key, "ann", F), Vote(3, key, "bob", F), Vote(4, key, "cy", T)):
        with place.workspace.catalogue.read() as connection:
            statuses += connection.execute(sa.select(review.c.status)).scalars()
        take(place, vote, needed=2)
    with place.workspace.catalogue.read() as connection:
        statuses += connection.execute(sa.select(review.c.status)).scalars()
    assert statuses == ["asked", "asked", "different", "different"]


def test_a_contradiction_goes_to_an_expert_whose_answer_settles_it(
    place: Place,
) -> None:
    [one] = asked(place, 1)
    take(place, Vote(2, one, "ann", T), Vote(3, one, "bob", F), needed=2)
    assert place.labels() == {one: "open"}
    take(place, Vote(4, one, "cat", U), needed=2)
    assert place.labels() == {one: "disputed"}
    with place.workspace.catalogue.write() as connection:
        connection.execute(
            sa.insert(answer).values(
                question_id=one,
                annotator="eve",
                choice="false",
                answered_at=9.0,
                imported_at=9.0,
                file="page",
                line=0,
                decides=True,
            )
        )
    take(place, Vote(5, one, "dan", T), needed=2, file="b.csv")
    assert place.labels() == {one: "different"}


def test_answers_of_a_person_who_is_paused_for_a_low_score_do_not_count(
    place: Place,
) -> None:
    [one, two] = asked(place, 2)
    take(place, Vote(2, one, "ann", T), Vote(3, two, "ann", F))
    add_person(place, "ann")
    again = [Vote(4, one, "bob", F), Vote(5, two, "bob", U)]
    with place.workspace.catalogue.write() as connection:
        paused = {"paused_at": 1.0, "paused_why": LOW_SCORE}
        connection.execute(sa.update(person).values(paused))
    take(place, *again, file="b.csv")
    assert place.labels() == {one: "different", two: "unsure"}
    with place.workspace.catalogue.write() as connection:
        connection.execute(sa.update(person).values(paused_why="by hand"))
    take(place, *again, file="b.csv")
    assert place.labels() == {one: "open", two: "open"}


def test_a_suspicion_waits_while_people_contradict_each_other(place: Place) -> None:
    ann = place.add_character()
    odd = place.add_face(ann, 0.9)
    suspected = Found(Suspicion.OUTLIER, ann, odd, odd - 1, 0.8)
    run_id = place.workspace.begin_run("test")
    with place.workspace.catalogue.write() as connection:
        reviews.replace(connection, [Suspicion.OUTLIER], [ann], [suspected])
        ask(connection, run_id, "csv", "batches/a", 9)
    [key] = place.question_ids()
    votes = [Vote(2, key, "ann", T), Vote(3, key, "bob", F), Vote(4, key, "cat", U)]
    take(place, *votes, needed=2)
    assert place.labels() == {key: "disputed"}
    with place.workspace.catalogue.read() as connection:
        assert connection.execute(sa.select(review.c.status)).scalar_one() == "asked"

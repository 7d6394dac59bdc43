from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.annotate.answers import (
    KEPT_FAULTS,
    AnswerFile,
    AnswerRow,
    EmptyRow,
    Fault,
    Note,
    Row,
    Vote,
)
from icf.annotate.batch import Asked
from icf.annotate.exchange.check import check
from icf.annotate.exchange.vote_spool import VoteSpool
from icf.annotate.formats.values import NOT_CREDIBLE, moment_of
from icf.annotate.votes import agreed_label
from icf.codes import Choice, Label, RowFault, RowNote

ASKED = {
    1: Asked("b1", frozenset({5, 6})),
    2: Asked("b1", frozenset({7})),
    3: Asked("b2", frozenset({5, 8})),
}


@dataclass(frozen=True)
class Outcome:
    """Every row of a file, in one of three groups."""

    votes: tuple[Vote, ...]
    faults: tuple[Fault, ...]
    unanswered: int
    superseded: int = 0


def checked(*rows: Row, unit: str = "line") -> Outcome:
    file = AnswerFile("a.csv", "csv", rows, unit)
    with VoteSpool() as spool:
        found = check(file, lambda _ids: ASKED, spool)
        assert found.rows == len(rows)
        return Outcome(
            tuple(found.votes),
            found.faults.kept(),
            found.unanswered,
            found.superseded,
        )


def fault(row: AnswerRow) -> tuple[str, str]:
    result = checked(row)
    assert (result.votes, result.unanswered) == ((), 0)
    [found] = result.faults
    assert found.line == row.line
    return found.reason.value, found.message


def test_a_good_row_becomes_a_vote() -> None:
    row = AnswerRow(2, "q000001", "ann", "Same", "b1", 7.0)
    assert checked(row).votes == (Vote(2, 1, "ann", Choice.TRUE, 7.0),)


def test_each_fault_is_reported_with_line_and_reason() -> None:
    assert fault(AnswerRow(2, "1", "ann", "maybe")) == (
        "unknown_choice",
        "the answer is 'maybe'",
    )
    assert fault(AnswerRow(3, "9", "ann", "true")) == (
        "unknown_question",
        "there is no question '9'",
    )
    assert fault(AnswerRow(4, "x", "ann", "true"))[0] == "unknown_question"
    assert fault(AnswerRow(5, "1", "ann", "true", "b2")) == (
        "foreign_batch",
        "it belongs to batch b1, not 'b2'",
    )
    assert fault(AnswerRow(5, "1", "ann", "true", faces=frozenset({5, 8}))) == (
        "foreign_pictures",
        "it shows face 8, which this question does not show: the file is of another "
        "workspace, or of other questions",
    )
    assert fault(AnswerRow(6, "1", "", "true"))[0] == "bad_row"
    assert fault(AnswerRow(7, "1", "a\0", "true"))[0] == "bad_encoding"


def test_a_message_quotes_only_the_beginning_of_a_cell() -> None:
    _, message = fault(AnswerRow(2, "1", "ann", "x" * 10_000))
    assert len(message) < 100


def test_one_persons_second_row_is_refused_and_names_the_first() -> None:
    rows = [AnswerRow(n, "1", "ann", "true") for n in (2, 5)]
    result = checked(*rows)
    assert [vote.line for vote in result.votes] == [2]
    assert result.faults == (
        Fault(5, RowFault.DUPLICATE_ROW, "same answer as in line 2", "q000001"),
    )


def test_contradictory_rows_of_one_person_are_all_refused() -> None:
    rows = [
        AnswerRow(2, "1", "ann", "true"),
        AnswerRow(3, "1", "bob", "true"),
        AnswerRow(4, "q1", "ann", "false"),
    ]
    result = checked(*rows, unit="task")
    assert [vote.annotator for vote in result.votes] == ["bob"]
    assert result.faults == (
        Fault(2, RowFault.CONFLICT, "true here, false in task 4", "q000001"),
        Fault(4, RowFault.CONFLICT, "false here, true in task 2", "q000001"),
    )


def test_of_dated_answers_of_one_person_the_newest_is_taken() -> None:
    rows = [
        AnswerRow(2, "1", "ann", "true", answered_at=10.0, seconds=1.0),
        AnswerRow(3, "1", "ann", "false", answered_at=30.0, seconds=3.0),
        AnswerRow(4, "1", "ann", "true", answered_at=20.0, seconds=2.0),
        AnswerRow(5, "1", "bob", "true", answered_at=20.0),
    ]
    for some in (rows, rows[::-1]):
        result = checked(*some)
        assert result.votes == (
            Vote(3, 1, "ann", Choice.FALSE, 30.0, 3.0),
            Vote(5, 1, "bob", Choice.TRUE, 20.0),
        )
        assert (result.faults, result.superseded) == ((), 2)


@pytest.mark.parametrize(
    "at",
    [
        1767323045000.0,  # of JavaScript, in milliseconds
        1e300,
        moment_of("9999-12-31T23:59:59-12:00"),
        moment_of("0001-01-01T00:00:00+14:00"),
        time.time() + 2 * 86_400,
    ],
    ids=["milliseconds", "endless", "last", "first", "ahead"],
)
def test_a_time_that_no_answer_can_have_is_refused(at: float) -> None:
    reason, message = fault(AnswerRow(2, "1", "ann", "true", answered_at=at))
    assert (reason, message) == ("bad_row", NOT_CREDIBLE)
    ahead = AnswerRow(2, "1", "ann", "true", answered_at=time.time() + 3600)
    assert checked(ahead).faults == ()


def test_a_repeated_answer_has_the_time_of_its_newest_row() -> None:
    rows = [
        AnswerRow(line, "1", "ann", "true", answered_at=float(line), item=str(line))
        for line in (2, 4, 3)
    ]
    result = checked(*rows)
    assert result.votes == (Vote(4, 1, "ann", Choice.TRUE, 4.0, item="4"),)
    assert (result.faults, result.superseded) == ((), 2)


@pytest.mark.parametrize("times", [(10.0, 10.0), (10.0, None), (None, None)])
def test_of_answers_that_differ_none_is_taken_where_none_is_the_newest(
    times: tuple[float | None, float | None],
) -> None:
    rows = [
        AnswerRow(line, "1", "ann", choice, answered_at=time)
        for line, choice, time in zip((2, 3), ("true", "false"), times, strict=True)
    ]
    result = checked(*rows)
    assert (result.votes, result.superseded) == ((), 0)
    assert [each.reason for each in result.faults] == [RowFault.CONFLICT] * 2


def test_what_is_to_be_said_of_rows_is_counted_beside_their_groups() -> None:
    rows: list[Row] = [
        AnswerRow(2, "1", "ann", "true", item="7", note=RowNote.EDITED),
        EmptyRow(3, "q000002", "8", RowNote.DRAFT),
        EmptyRow(4),
    ]
    with VoteSpool() as spool:
        found = check(AnswerFile("a", "csv", rows), lambda _ids: ASKED, spool)
        assert (len(list(found.votes)), found.unanswered) == (1, 2)
    assert found.notes.kept() == (
        Note(2, RowNote.EDITED, "1", "7"),
        Note(3, RowNote.DRAFT, "q000002", "8"),
    )


def test_messages_name_no_annotator() -> None:
    person = "SECRETWORKER"
    rows = [
        AnswerRow(2, "1", person, "true"),
        AnswerRow(3, "1", person, "false"),
        AnswerRow(4, "2", person, "true"),
        AnswerRow(5, "2", person, "true"),
        AnswerRow(6, "8", person, "true"),
        AnswerRow(7, "3", person, "true", "b7"),
        AnswerRow(8, "3", person, "?"),
    ]
    result = checked(*rows)
    assert len(result.faults) == 6
    assert person not in repr(result.faults)


def test_an_endless_annotator_is_refused_for_both_databases() -> None:
    assert fault(AnswerRow(2, "1", "a" * 120_000, "true"))[0] == "bad_row"


@pytest.mark.parametrize("question", ["1" * 20, "1_0", "\u0661", "", "1.5", "-1"])
def test_what_is_no_plain_number_is_no_question(question: str) -> None:
    assert fault(AnswerRow(2, question, "ann", "true"))[0] == "unknown_question"


def test_of_endless_faults_the_first_are_kept_and_all_are_counted() -> None:
    rows: list[Row] = [AnswerRow(n, "1", "ann", "true") for n in range(3000)]
    rows += [AnswerRow(n, "2", "ann", "perhaps") for n in range(3000, 6000)]
    with VoteSpool() as spool:
        found = check(AnswerFile("a", "csv", rows), lambda _ids: ASKED, spool)
        assert [vote.line for vote in found.votes] == [0]
    assert found.faults.counts == {
        RowFault.DUPLICATE_ROW: 2999,
        RowFault.UNKNOWN_CHOICE: 3000,
    }
    kept = found.faults.kept()
    assert [each.line for each in kept[:3]] == [1, 2, 3]
    assert len(kept) == 2 * KEPT_FAULTS


givens = st.builds(
    AnswerRow,
    line=st.just(0),
    question=st.sampled_from(["1", "q000001", "2", "3", "4", "x"]),
    annotator=st.sampled_from(["ann", "bob", "cat", ""]),
    choice=st.sampled_from(["true", "same", "false", "unsure", "maybe"]),
    batch=st.sampled_from([None, "b1", "b2"]),
    answered_at=st.sampled_from([None, 1.0, 2.0]),
)
any_rows = st.one_of(
    givens,
    st.builds(EmptyRow, line=st.just(0)),
    st.builds(Fault, st.just(0), st.sampled_from(RowFault), message=st.just("as read")),
)


def numbered(rows: Sequence[Row]) -> list[Row]:
    return [replace(row, line=line) for line, row in enumerate(rows, 2)]


def labels(result: Outcome) -> dict[int, Label]:
    counts: dict[int, Counter[Choice]] = {}
    for vote in result.votes:
        counts.setdefault(vote.question_id, Counter())[vote.choice] += 1
    return {key: agreed_label(count, 1) for key, count in counts.items()}


@given(st.lists(any_rows, max_size=12))
def test_every_row_has_exactly_one_outcome(rows: list[Row]) -> None:
    result = checked(*numbered(rows))
    taken = [vote.line for vote in result.votes]
    refused = [each.line for each in result.faults]
    counted = len(taken) + len(refused) + result.unanswered + result.superseded
    assert counted == len(rows)
    assert len({*taken, *refused}) == len(taken) + len(refused)
    assert refused == sorted(refused)


@given(st.data(), st.lists(any_rows, max_size=10))
def test_order_and_repetition_of_rows_change_no_label(
    data: st.DataObject, rows: list[Row]
) -> None:
    repeated = [*rows, *data.draw(st.lists(st.sampled_from(rows or [EmptyRow(0)])))]
    shuffled = data.draw(st.permutations(repeated))
    first, second = checked(*numbered(rows)), checked(*numbered(shuffled))
    assert labels(first) == labels(second)
    assert {(v.question_id, v.annotator, v.choice) for v in first.votes} == {
        (v.question_id, v.annotator, v.choice) for v in second.votes
    }

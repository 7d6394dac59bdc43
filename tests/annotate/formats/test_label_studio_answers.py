from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.annotate.answers import AnswerRow, EmptyRow, Fault
from icf.annotate.formats import label_studio_answers
from icf.codes import RowFault, RowNote
from icf.errors import BadInput
from tests.annotate.formats.files import file_of, table_of


def annotation(choice: object = "same", by: object = 1, **more: object) -> Any:
    """An annotation in the published shape."""
    result = {
        "from_name": "same",
        "to_name": "cand",
        "type": "choices",
        "value": {"choices": [choice]},
    }
    return {
        "id": 1,
        "completed_by": by,
        "result": [result],
        "was_cancelled": False,
        "ground_truth": False,
        "lead_time": 1.84,
        **more,
    }


def task(*annotations: Any, question: object = "q000001", **data: object) -> Any:
    """A task of an export in the published shape."""
    return {
        "id": 1,
        "annotations": list(annotations),
        "data": {"question_id": question, **data},
    }


def answered(
    number: int, question: str, user: int, choice: str, batch: str | None = None
) -> AnswerRow:
    """What an annotation of `annotation` in a task of `task` is read as."""
    return AnswerRow(
        number,
        question,
        f"label-studio:{user}",
        choice,
        batch,
        seconds=1.84,
        item="1",
        origin=f"label-studio:{user}",
    )


def read_tasks(text: str) -> list[Any]:
    return list(label_studio_answers.read_json(file_of(text)))


def rows(*tasks: Any) -> list[Any]:
    return read_tasks(json.dumps(list(tasks)))


def reasons(*tasks: Any) -> list[object]:
    return [row.reason if isinstance(row, Fault) else row for row in rows(*tasks)]


def test_an_export_is_read_in_the_published_shape() -> None:
    text = (
        '[{"id":1,"annotations":[{"id":1,"completed_by":1,"result":[{"from_name":"same"'
        ',"to_name":"cand","type":"choices","value":{"choices":["same"]}}],'
        '"was_cancelled":false,"ground_truth":false,"lead_time":1.84}],'
        '"data":{"question_id":"q000000"}}]'
    )
    assert read_tasks(text) == [answered(1, "q000000", 1, "same")]


def test_one_task_may_have_answers_of_many_people() -> None:
    found = rows(task(annotation("same", 1), annotation("different", 2), batch_id="b1"))
    assert found == [
        answered(1, "q000001", 1, "same", "b1"),
        answered(1, "q000001", 2, "different", "b1"),
    ]


def test_skipped_and_empty_annotations_have_no_answer() -> None:
    skipped = annotation(was_cancelled=True)
    assert rows(task(skipped), task(annotation(result=[])), task()) == [
        EmptyRow(1, "q000001", "1"),
        EmptyRow(2, "q000001", "1"),
        EmptyRow(3, "q000001", "1"),
    ]


def choice_named(name: str) -> Any:
    made = annotation()
    made["result"][0]["from_name"] = name
    return made


def chosen(*choices: object) -> Any:
    made = annotation()
    made["result"][0]["value"] = {"choices": list(choices)}
    return made


@pytest.mark.parametrize(
    "bad",
    [
        choice_named("sam"),
        chosen("same", "different"),
        chosen(),
        chosen(7),
        annotation(result=[annotation()["result"][0]] * 2),
        annotation(result="same"),
        annotation(result=[7]),
        annotation(result=[{"from_name": "same", "value": "same"}]),
        annotation(by=None),
        annotation(by=True),
        annotation(by="ann"),
        annotation(by={"email": "someone@example.org"}),
        "same",
        None,
    ],
)
def test_a_bad_annotation_is_refused_alone(bad: Any) -> None:
    found = reasons(task(annotation()), task(bad), task(annotation()))
    assert found[1] is RowFault.BAD_ROW
    assert isinstance(found[0], AnswerRow)
    assert isinstance(found[2], AnswerRow)


def test_a_choice_that_does_not_exist_is_read_as_written() -> None:
    assert rows(task(annotation("sane"))) == [answered(1, "q000001", 1, "sane")]


def test_a_comment_next_to_the_choice_is_ignored() -> None:
    made = annotation()
    comment = {"from_name": "why", "type": "textarea", "value": {"text": ["hair"]}}
    made["result"].append(comment)
    assert isinstance(rows(task(made))[0], AnswerRow)


def test_only_the_id_of_a_person_is_kept() -> None:
    person = {"id": 5, "email": "someone@example.org", "first_name": "Some"}
    assert rows(task(annotation(by=person))) == [answered(1, "q000001", 5, "same")]


@pytest.mark.parametrize(
    "bad", [7, [], {}, {"data": {}}, {"data": 1}, task(question=None), task(batch_id=1)]
)
def test_other_tasks_are_refused_alone(bad: Any) -> None:
    found = reasons(bad, task(annotation()))
    assert found[0] is RowFault.BAD_ROW
    assert isinstance(found[1], AnswerRow)


def test_the_time_of_an_answer_is_read_if_it_is_valid() -> None:
    def time(written: object) -> object:
        [row] = rows(task(annotation(updated_at=written)))
        return row.answered_at

    assert time("2021-03-09T22:16:08.500000Z") == 1615328168.5
    for bad in ("2021-03-09T22:16:08", "yesterday", 7, "0001-01-01T00:00:00+14:00"):
        assert not isinstance(time(bad), str)


def test_a_truncated_file_gives_the_answers_before_its_end() -> None:
    text = json.dumps([task(annotation()), task(annotation()), task(annotation())])
    second = text.index("}}, {") + 5 + 200
    found = read_tasks(text[:second])
    assert isinstance(found[0], AnswerRow)
    assert [row.line for row in found if isinstance(row, Fault)] == [len(found)]
    joined = read_tasks(f"[{json.dumps(task())}][]")
    assert joined[1] == Fault(
        2, RowFault.BAD_ROW, "there is text after the list of tasks"
    )
    missing = read_tasks(f"[{json.dumps(task())} {json.dumps(task())}]")
    assert missing[1] == Fault(
        2, RowFault.BAD_ROW, "the list of tasks ends unexpectedly"
    )


def test_bytes_that_are_not_utf8_affect_only_their_own_task() -> None:
    notes = [task(annotation(), note="M?ller"), task(annotation(), note="é")]
    whole = json.dumps(notes, ensure_ascii=False)
    text = whole.encode().replace(b"?", b"\xfc").decode(errors="surrogateescape")
    first, second = read_tasks(text)
    assert isinstance(first, Fault)
    assert first.reason is RowFault.BAD_ENCODING
    assert isinstance(second, AnswerRow)


@pytest.mark.parametrize(
    "text", ["[", "[[[", "[" * 100_000, "[1" + "0" * 5000 + "]", "[nul]", '["\\ud800"]']
)
def test_no_text_breaks_the_reader(text: str) -> None:
    found = read_tasks(text)
    assert [type(row) for row in found] == [Fault]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "data",
                    "annotations",
                    "result",
                    "completed_by",
                    "question_id",
                    "value",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.lists(json_values, max_size=4))
def test_every_task_of_any_list_gives_a_row(values: list[Any]) -> None:
    numbers = {row.line for row in read_tasks(json.dumps(values))}
    assert numbers == set(range(1, len(values) + 1))


FLAT = {
    "annotation_id": 4,
    "annotator": 1,
    "batch_id": "b1",
    "cand_url": "/data/local-files/?d=first/pictures/face-11.jpg",
    "created_at": "2021-03-09T22:16:07.000000Z",
    "id": 3,
    "lead_time": 3.2,
    "question_id": "q000001",
    "ref_url": "/data/local-files/?d=first/pictures/face-10.jpg",
    "same": "same",
    "updated_at": "2021-03-09T22:16:08.500000Z",
}
READ = replace(
    answered(1, "q000001", 1, "same", "b1"),
    answered_at=1615328168.5,
    seconds=3.2,
    item="3",
    origin_id="label-studio:4@1615328167.000000",
    faces=frozenset({10, 11}),
)
#: What an export has of a task that nobody answered.
UNANSWERED: dict[str, object] = {
    name: None
    for name in ("annotation_id", "annotator", "created_at", "lead_time", "updated_at")
}


def exported(delimiter: str, *changes: dict[str, object]) -> list[Any]:
    """The rows of a CSV or TSV export with these cells."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(FLAT), delimiter=delimiter)
    writer.writeheader()
    writer.writerows({**FLAT, **each} for each in changes)
    rows = label_studio_answers.read_table(table_of(out.getvalue()))
    assert rows is not None
    return list(rows)


def test_a_csv_or_tsv_export_says_what_json_says() -> None:
    for delimiter in (",", "\t"):
        nobody = {**UNANSWERED, "same": ""}
        found = exported(delimiter, {}, nobody, {"same": '{"choices": ["different"]}'})
        assert found[0] == replace(READ, line=2)
        assert found[1] == EmptyRow(3, "q000001", "3")
        assert found[2] == replace(READ, line=4, choice="different")


def test_a_minimal_export_says_what_json_says() -> None:
    nobody = {**FLAT, **UNANSWERED}
    del nobody["same"]
    found = read_tasks(json.dumps([FLAT, nobody, {**FLAT, "same": 7}]))
    assert found[:2] == [READ, EmptyRow(2, "q000001", "3")]
    assert found[2].reason is RowFault.BAD_ROW


def test_choices_of_another_name_are_refused_by_every_export() -> None:
    named = choice_named("sam")
    minimal = {**{k: v for k, v in FLAT.items() if k != "same"}, "sam": "same"}
    flat = "annotation 4 has no choice named 'same'"
    assert [(row.message, row.question, row.item) for row in rows(task(named))] == [
        ("it does not have exactly one choice named 'same'", "q000001", "1")
    ]
    found = [*rows(minimal), *exported(",", {"same": ""})]
    assert [(row.message, row.question, row.item) for row in found] == [
        (flat, "q000001", "3")
    ] * 2


@pytest.mark.parametrize(
    ("header", "missing"),
    [
        ("annotation_id,annotator,id,lead_time,question_id,sam", "a column 'same'"),
        ("annotation_id,annotator,id,lead_time,same", "question_id"),
    ],
)
def test_an_export_of_another_project_is_refused_in_words(
    header: str, missing: str
) -> None:
    with pytest.raises(BadInput, match=f"export of Label Studio .*{missing}"):
        label_studio_answers.read_table(table_of(f"{header}\n1,1,1,1,q000001,same\n"))


def test_what_somebody_else_changed_stays_whose_it_was_and_is_noted() -> None:
    users = [(1, 1), (1, 2), (1, None), ({"id": 1, "email": "a@b"}, {"id": 3})]
    found = rows(*(task(annotation(by=by, updated_by=who)) for by, who in users))
    assert {row.annotator for row in found} == {"label-studio:1"}
    assert [row.note for row in found] == [None, RowNote.EDITED, None, RowNote.EDITED]


def test_drafts_are_rows_without_an_answer_and_predictions_are_nothing() -> None:
    result = annotation()["result"]
    begun = {"user": "a@example.org", "result": result, "annotation": None}
    guess = {"result": result, "score": 0.9}
    alone = {**task(), "drafts": [begun], "predictions": [guess]}
    over = {**task(annotation()), "drafts": [begun, begun], "predictions": [guess]}
    first, answer, *drafts = rows(alone, over)
    assert first == EmptyRow(1, "q000001", "1", RowNote.DRAFT)
    assert answer == answered(2, "q000001", 1, "same")
    assert drafts == [EmptyRow(2, "q000001", "1", RowNote.DRAFT)] * 2
    assert rows({**task(), "predictions": [guess]}) == [EmptyRow(1, "q000001", "1")]


def test_an_annotation_is_called_the_same_in_every_export() -> None:
    made = {name: FLAT[name] for name in ("created_at", "updated_at", "lead_time")}
    data = {name: FLAT[name] for name in ("batch_id", "ref_url", "cand_url")}
    [in_json] = rows({**task(annotation(**{**made, "id": 4}), **data), "id": 3})
    assert in_json == READ
    [in_csv] = exported(",", {})
    assert replace(in_csv, line=1) == READ
    [undated] = rows({**FLAT, "created_at": "", "updated_at": ""})
    assert undated.origin_id is None


@pytest.mark.parametrize("time", [-1, "soon", None, True, [], "1e999", float("inf")])
def test_seconds_that_are_none_do_not_cost_the_answer(time: object) -> None:
    assert rows({**FLAT, "lead_time": time}) == [replace(READ, seconds=None)]


def test_what_a_spreadsheet_makes_of_numbers_is_still_the_same_answer() -> None:
    for number in ("1.0", "1.00", "1,0"):
        [row] = exported(";", {"annotator": number, "lead_time": "3,2"})
        assert row == replace(READ, line=2)
    # Perhaps user 1000, perhaps user 1.
    for number in ("1.000", "1,5", "1."):
        [row] = exported(";", {"annotator": number})
        assert row.message == "annotator is not a user"


def test_a_time_that_a_spreadsheet_wrote_anew_is_refused_in_flat_exports() -> None:
    for time in ("02.01.2026 03:04", "2021-03-09T22:16:08", 7):
        for [row] in (
            exported(",", {"updated_at": time}),
            exported(",", {"updated_at": "", "created_at": time}),
            rows({**FLAT, "updated_at": time}),
        ):
            assert row.reason is RowFault.BAD_ROW
            assert "it is dated by no time with its zone" in row.message


def test_two_choices_in_a_cell_are_refused() -> None:
    for two in ('{"choices": ["same", "different"]}', '["same", "unsure"]', "{"):
        [row] = exported(",", {"same": two})
        assert row.reason is RowFault.BAD_ROW


def test_an_email_address_is_not_kept_and_is_one_person() -> None:
    ann, again, nobody = exported(
        ",", {"annotator": "ann@a.org"}, {"annotator": "ANN@a.org"}, {"annotator": ""}
    )
    assert ann.annotator == again.annotator
    assert re.fullmatch("label-studio:[0-9a-f]{12}", ann.annotator)
    assert nobody.annotator == ""

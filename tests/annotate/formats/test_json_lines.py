from __future__ import annotations

import json
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.annotate.answers import AnswerRow, EmptyRow, Fault, Row
from icf.annotate.batch import Question
from icf.annotate.formats import json_lines
from icf.codes import RowFault
from tests.annotate.formats.files import file_of

ASKED = [
    Question(1, "b1", "Moon Cats", "Zoé", 11, 10),
    Question(2, "b1", "Moon Cats", "=1+1", 10, 10),
]
FIRST = '{"question": 1, "answer": "true", "annotator": "ann"}\n'


def read(text: str) -> list[Row]:
    rows = json_lines.read(file_of(text))
    assert rows is not None
    return list(rows)


def test_the_file_has_this_shape_to_the_byte() -> None:
    assert json_lines.write(ASKED, "https://p.example/").decode() == (
        '{"question": 1, "batch_id": "b1", '
        '"ask": "Is this the same character as in the reference picture?", '
        '"album": "Moon Cats", "character": "Zoé", '
        '"ref_url": "https://p.example/pictures/face-10.jpg", '
        '"cand_url": "https://p.example/pictures/face-11.jpg"}\n'
        '{"question": 2, "batch_id": "b1", '
        '"ask": "Is this a good picture of =1+1 of Moon Cats?", '
        '"album": "Moon Cats", "character": "=1+1", '
        '"ref_url": "https://p.example/pictures/face-10.jpg", '
        '"cand_url": "https://p.example/pictures/face-10.jpg"}\n'
    )
    assert json_lines.write([], "") == b""


def test_a_batch_with_two_names_more_a_line_is_a_file_of_answers() -> None:
    lines = json_lines.write(ASKED, "").decode().splitlines()
    assert read("\n".join(lines)) == [EmptyRow(1, "1"), EmptyRow(2, "2")]
    said = {"answer": "unsure", "annotator": "ann"}
    filled = [json.dumps({**json.loads(line), **said}) for line in lines]
    assert read("\n".join(filled)) == [
        AnswerRow(1, "1", "ann", "unsure", "b1", faces=frozenset({10, 11})),
        AnswerRow(2, "2", "ann", "unsure", "b1", faces=frozenset({10})),
    ]


@pytest.mark.parametrize(
    ("values", "row"),
    [
        ({"answer": True}, AnswerRow(2, "7", "", "true")),
        ({"answer": False}, AnswerRow(2, "7", "", "false")),
        ({"answer": " same "}, AnswerRow(2, "7", "", "same")),
        ({"answer": None}, EmptyRow(2, "7")),
        ({"answer": ""}, EmptyRow(2, "7")),
        ({}, EmptyRow(2, "7")),
        (
            {"answer": "true", "answered_at": "2021-03-09T22:16:08.500Z"},
            AnswerRow(2, "7", "", "true", answered_at=1615328168.5),
        ),
        (
            {"answer": "true", "answered_at": 1615328168.5, "seconds": 2},
            AnswerRow(2, "7", "", "true", answered_at=1615328168.5, seconds=2.0),
        ),
        (
            {"answer": "true", "answered_at": None, "seconds": None, "batch_id": None},
            AnswerRow(2, "7", "", "true"),
        ),
    ],
)
def test_values_are_read_as_they_are_documented(
    values: dict[str, object], row: Row
) -> None:
    assert read(FIRST + json.dumps({"question": 7, **values}))[1] == row
    named = read(FIRST + json.dumps({"question": "q000007", **values}))[1]
    assert not isinstance(named, Fault)
    assert named.question == "q000007"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ("[]", "it is not a JSON object"),
        ('{"answer": "true"}', "it has no question"),
        ('{"question": true, "answer": "true"}', "it has no question"),
        ('{"question": 1, "answer": 7}', "answer is not a text"),
        ('{"question": 1, "answer": "a", "annotator": 7}', "annotator or batch_id"),
        ('{"question": 1, "answer": "a", "batch_id": 7}', "annotator or batch_id"),
        ('{"question": 1, "answer": "a", "answered_at": "2021-03-09"}', "its zone"),
        ('{"question": 1, "answer": "a", "seconds": "soon"}', "seconds is not"),
        ('{"question": 1, "answer": "a", "seconds": -1}', "seconds is not"),
        ('{"question": 1, "x": "' + "x" * (1 << 17) + '"}', "131072 characters"),
    ],
)
def test_a_bad_line_is_refused_alone(line: str, message: str) -> None:
    first, bad, last = read(f"{FIRST}{line}\n{FIRST}")
    assert isinstance(bad, Fault)
    assert (bad.line, bad.reason) == (2, RowFault.BAD_ROW)
    assert message in bad.message
    assert [type(first), type(last)] == [AnswerRow, AnswerRow]


def test_bytes_and_letters_that_no_text_has_affect_only_their_line() -> None:
    names = ['"Zoé"', '"M\udcfc"', '"\\ud800"', '"ann"']
    first, second, last = read("".join(FIRST.replace('"ann"', n) for n in names))[1:]
    for bad in (first, second):
        assert isinstance(bad, Fault)
        assert bad.reason is RowFault.BAD_ENCODING
    assert isinstance(last, AnswerRow)


@pytest.mark.parametrize("text", ["{}", '{"a": 1}\n{"a": 2}', "{\n}", "{" * 100_000])
def test_other_json_is_not_ours(text: str) -> None:
    assert json_lines.read(file_of(text)) is None


def test_a_file_is_read_a_line_at_a_time() -> None:
    rows = json_lines.read(file_of(FIRST * 10_000))
    assert rows is not None
    assert [row.line for row in islice(rows, 2)] == [1, 2]


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(
                [
                    "question",
                    "answer",
                    "annotator",
                    "batch_id",
                    "answered_at",
                    "seconds",
                ]
            ),
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats()
            | st.text(max_size=4)
            | st.lists(st.integers(), max_size=2),
        ),
        max_size=4,
    )
)
def test_every_object_gives_a_row(values: list[dict[str, object]]) -> None:
    text = FIRST + "".join(json.dumps(each) + "\n" for each in values)
    assert [row.line for row in read(text)] == list(range(1, len(values) + 2))

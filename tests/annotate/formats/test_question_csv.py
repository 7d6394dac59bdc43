from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.annotate.answers import AnswerRow, EmptyRow, Fault, Row
from icf.annotate.batch import Question
from icf.annotate.formats import question_csv
from icf.codes import RowFault
from icf.errors import BadInput
from tests.annotate.formats.files import table_of

ASKED = [
    Question(1, "b1-0a1b2c", "Moon Cats", "Ann", 11, 10),
    Question(2, "b1-0a1b2c", "Moon Cats", "=cmd|' /C calc'!A0", 12, 10),
]

SHAPE = b"""\
question,batch_id,album,character,ref_url,cand_url,answer,annotator
1,b1-0a1b2c,Moon Cats,Ann,pictures/face-10.jpg,pictures/face-11.jpg,,
2,b1-0a1b2c,Moon Cats,'=cmd|' /C calc'!A0,pictures/face-10.jpg,pictures/face-12.jpg,,
"""


def read(text: str) -> list[Row]:
    rows = question_csv.read(table_of(text))
    assert rows is not None
    return list(rows)


def test_the_file_has_this_shape_to_the_byte() -> None:
    assert question_csv.write(ASKED, "") == SHAPE


def test_a_prefix_makes_urls_of_the_paths() -> None:
    data = question_csv.write(ASKED, "https://pictures.example/b1/")
    assert b",https://pictures.example/b1/pictures/face-11.jpg," in data
    assert b"'=https://" in question_csv.write(ASKED, "=https://")


names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
questions = st.builds(
    Question,
    id=st.integers(1, 2**62),
    batch_id=st.from_regex(r"b[0-9]{1,3}-[0-9a-f]{6}", fullmatch=True),
    album=names,
    character=names,
    face_id=st.integers(1, 2**62),
    reference_face_id=st.integers(1, 2**62),
)


@given(st.lists(questions, max_size=5))
def test_reading_it_as_csv_and_writing_it_again_gives_the_same_bytes(
    asked: list[Question],
) -> None:
    data = question_csv.write(asked, "")
    rows = list(csv.reader(io.StringIO(data.decode(), newline="")))
    again = io.StringIO()
    csv.writer(again, lineterminator="\n").writerows(rows)
    assert again.getvalue().encode() == data


@given(st.lists(questions, max_size=5))
def test_no_cell_begins_like_a_formula(asked: list[Question]) -> None:
    data = question_csv.write(asked, "")
    for row in csv.reader(io.StringIO(data.decode(), newline="")):
        assert not any(cell.startswith(tuple("=+-@\t\r\n")) for cell in row)


def test_an_empty_file_of_questions_has_no_answers() -> None:
    assert read(SHAPE.decode()) == [EmptyRow(2), EmptyRow(3)]


def test_filled_in_rows_are_read() -> None:
    text = SHAPE.decode().replace("-11.jpg,,", "-11.jpg,true,ann")
    assert read(text) == [AnswerRow(2, "1", "ann", "true", "b1-0a1b2c"), EmptyRow(3)]


def test_columns_may_be_fewer_and_in_any_order() -> None:
    text = "annotator,answer,question_id\nann,FALSE,q000007\n"
    assert read(text) == [AnswerRow(2, "q000007", "ann", "FALSE", None)]
    assert read("question,answer\n7,true\n") == [AnswerRow(2, "7", "", "true", None)]


def test_a_header_that_somebody_typed_anew_is_understood() -> None:
    text = 'Question ID; ANSWER ;"Annotator"\nQ000007;Wahr;ann\n'
    assert read(text) == [AnswerRow(2, "Q000007", "ann", "Wahr", None)]


def test_cells_that_a_spreadsheet_left_out_are_empty() -> None:
    text = "question,answer,annotator\n7,true\n8\nRabbit,\n,,\n"
    missing = Fault(4, RowFault.BAD_ROW, "it has neither a question nor an answer")
    assert read(text) == [AnswerRow(2, "7", "", "true", None), EmptyRow(3), missing]


def test_two_columns_of_answers_are_refused() -> None:
    with pytest.raises(BadInput, match="two columns 'answer'"):
        read("question,answer,Answer\n7,true,false\n")


@pytest.mark.parametrize(
    "header",
    ["album,character,url", "question,text", "question_id,ref_url,cand_url"],
)
def test_tables_without_answers_are_not_ours(header: str) -> None:
    assert question_csv.read(table_of(f"{header}\n1,a,b\n")) is None

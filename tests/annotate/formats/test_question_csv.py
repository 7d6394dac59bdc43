from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.annotate.answers import AnswerRow, EmptyRow, Fault, Row, parse_choice
from icf.annotate.batch import Question
from icf.annotate.formats import question_csv
from icf.annotate.formats.csv_rows import csv_bytes
from icf.codes import Choice, RowFault
from icf.errors import BadInput
from icf.spreadsheet import read_table
from icf.text_file import open_text
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
    assert read(SHAPE.decode()) == [EmptyRow(2, "1"), EmptyRow(3, "2")]


def test_filled_in_rows_are_read() -> None:
    text = SHAPE.decode().replace("-11.jpg,,", "-11.jpg,true,ann")
    faces = frozenset({10, 11})
    answer = AnswerRow(2, "1", "ann", "true", "b1-0a1b2c", faces=faces)
    assert read(text) == [answer, EmptyRow(3, "2")]


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
    assert read(text) == [
        AnswerRow(2, "7", "", "true", None),
        EmptyRow(3, "8"),
        missing,
    ]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-ann", "@ann", "'=1", "''-"])
def test_a_name_that_was_escaped_comes_back_as_it_was(name: str) -> None:
    text = csv_bytes(("question", "answer", "annotator"), [("7", "true", name)])
    assert read(text.decode()) == [AnswerRow(2, "7", name, "true")]


def test_the_time_and_the_seconds_of_an_answer_are_read() -> None:
    text = "question;answer;answered_at;seconds\n7;true;2021-03-09T22:16:08.500Z;1,5\n"
    found = AnswerRow(2, "7", "", "true", answered_at=1615328168.5, seconds=1.5)
    assert read(text) == [found]
    assert read("question,answer,answered_at,seconds\n7,true,,\n") == [
        AnswerRow(2, "7", "", "true")
    ]


@pytest.mark.parametrize(
    ("cells", "message"),
    [("09.03.2021 22:16,1", "not a time"), ("2021-03-09T22:16:08Z,x", "not a number")],
)
def test_a_time_or_seconds_that_are_none_are_refused_with_their_row(
    cells: str, message: str
) -> None:
    text = f"question,answer,answered_at,seconds\n7,true,{cells}\n8,true,,\n"
    bad, good = read(text)
    assert isinstance(bad, Fault)
    assert (bad.reason, bad.question) == (RowFault.BAD_ROW, "7")
    assert message in bad.message
    assert isinstance(good, AnswerRow)


def as_excel_saves_it(text: str, encoding: str) -> bytes:
    """In another language: its words, its separator, columns that are none."""
    rows = [line.split(",") for line in text.splitlines()]
    delimiter = "\t" if encoding == "utf-16" else ";"
    lines = [delimiter.join([*cells, "", ""]) for cells in rows]
    return "".join(f"{line}\r\n" for line in [*lines, delimiter * 5]).encode(encoding)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("words", ["TRUE FALSE", "WAHR FALSCH", "VRAI FAUX"])
def test_a_file_that_excel_saved_is_read(
    tmp_path: Path, encoding: str, words: str
) -> None:
    yes, no = words.split()
    text = (
        f"Question,BATCH_ID,Answer,Annotator\n7,b1,{yes},Zoé\n8,b1,{no},Zoé\n9,b1,,\n"
    )
    path = tmp_path / "a.csv"
    path.write_bytes(as_excel_saves_it(text, encoding))
    table = read_table(open_text(path))
    assert table is not None
    rows = question_csv.read(table)
    assert rows is not None
    first, second, empty = rows
    assert first == AnswerRow(2, "7", "Zoé", yes, "b1")
    assert second == AnswerRow(3, "8", "Zoé", no, "b1")
    assert empty == EmptyRow(4, "9")
    assert [parse_choice(word) for word in (yes, no)] == [Choice.TRUE, Choice.FALSE]


def test_two_columns_of_answers_are_refused() -> None:
    with pytest.raises(BadInput, match="two columns 'answer'"):
        read("question,answer,Answer\n7,true,false\n")


@pytest.mark.parametrize(
    "header",
    ["album,character,url", "question,text", "question_id,ref_url,cand_url"],
)
def test_tables_without_answers_are_not_ours(header: str) -> None:
    assert question_csv.read(table_of(f"{header}\n1,a,b\n")) is None

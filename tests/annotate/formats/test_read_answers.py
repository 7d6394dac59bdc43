from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import pytest

from icf.annotate.answers import AnswerRow
from icf.annotate.formats.read_answers import read_answers
from icf.errors import BadInput
from tests.annotate.formats.test_label_studio_answers import annotation, task
from tests.annotate.formats.test_mturk import assignment, results

OURS = b"question,answer,annotator\n1,true,ann\n"


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (OURS, "csv"),
        (b"\xef\xbb\xbf" + OURS, "csv"),
        (OURS.replace(b",", b";"), "csv"),
        (OURS.replace(b",", b"\t").replace(b"\n", b"\r\n"), "csv"),
        (OURS.replace(b",", b"\t").decode().encode("utf-16"), "csv"),
        (OURS.decode().encode("utf-16-le"), "csv"),
        (OURS.replace(b"\n", b"\r"), "csv"),
        (b"sep=;\n" + OURS.replace(b",", b";"), "csv"),
        (b"\n,,\n" + OURS + b",,\n,,\n", "csv"),
        (b'\n{"question": 1, "answer": "true", "annotator": "ann"}\n', "jsonl"),
        (results(assignment("1", "ann", "same")), "mturk"),
        (json.dumps([task(annotation(), question="1")]).encode(), "label-studio"),
        (
            json.dumps([task(annotation(), question=1)], indent=2).encode(),
            "label-studio",
        ),
    ],
)
def test_a_file_is_recognised_by_its_content(
    data: bytes, form: str, tmp_path: Path
) -> None:
    path = tmp_path / "answers.dat"
    path.write_bytes(data)
    file = read_answers(path)
    assert (file.name, file.format) == ("answers.dat", form)
    [row] = file.rows
    assert isinstance(row, AnswerRow)
    assert row.question == "1"


def test_a_file_without_a_task_has_no_rows(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b" [ ] \n")
    assert list(read_answers(tmp_path / "a").rows) == []


@pytest.mark.parametrize(
    "data", [b"", b"\n\n", b"album,character,url\n", b"{}", b"\x89PNG\r\n\x1a\n\0\0"]
)
def test_other_files_are_refused_with_what_was_expected(
    data: bytes, tmp_path: Path
) -> None:
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(BadInput, match=r"questions\.csv .* MTurk .* Label Studio"):
        read_answers(tmp_path / "a")
    with pytest.raises(BadInput, match="cannot be read"):
        read_answers(tmp_path / "b")


def test_questions_without_a_column_of_answers_are_no_answers(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"question_id,ref_url,cand_url\nq000001,a,b\n")
    with pytest.raises(BadInput, match=r"no column of answers.*'question_id,ref_url"):
        read_answers(tmp_path / "a")


def test_a_format_is_read_a_row_at_a_time(tmp_path: Path) -> None:
    line = b'{"question_id": "1", "same": "same", "annotator": 1},'
    (tmp_path / "a").write_bytes(b"[" + line * 100_000)
    first, second = islice(read_answers(tmp_path / "a").rows, 2)
    assert (first.line, second.line) == (1, 2)

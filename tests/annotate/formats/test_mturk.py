from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from icf.annotate.answers import AnswerRow, EmptyRow, Row
from icf.annotate.batch import Question
from icf.annotate.formats import mturk
from icf.annotate.formats.read_answers import read_answers

#: The published layout of a results file.
HEADER = (
    "HITId,HITTypeId,Title,Description,Keywords,Reward,CreationTime,MaxAssignments,"
    "RequesterAnnotation,AssignmentDurationInSeconds,AutoApprovalDelayInSeconds,"
    "Expiration,NumberOfSimilarHITs,LifetimeInSeconds,AssignmentId,WorkerId,"
    "AssignmentStatus,AcceptTime,SubmitTime,AutoApprovalTime,ApprovalTime,"
    "RejectionTime,RequesterFeedback,WorkTimeInSeconds,LifetimeApprovalRate,"
    "Last30DaysApprovalRate,Last7DaysApprovalRate,Input.question_id,Input.ref_url,"
    "Input.cand_url,Answer.same,Approve,Reject"
)


def results(*rows: dict[str, str], drop_last: int = 0) -> bytes:
    """A results file, every cell quoted as the service did."""
    out = io.StringIO()
    names = HEADER.split(",")
    csv.writer(out, quoting=csv.QUOTE_ALL).writerow(names)
    for row in rows:
        cells = [row.get(name, "") for name in names]
        kept = cells[: len(cells) - drop_last]
        csv.writer(out, quoting=csv.QUOTE_ALL).writerow(kept)
    return out.getvalue().encode()


def assignment(question: str, worker: str, choice: str, **more: str) -> dict[str, str]:
    return {
        "HITId": "3HIT",
        "AssignmentId": "3ASSIGNMENT",
        "WorkerId": worker,
        "AssignmentStatus": "Submitted",
        "Input.question_id": question,
        "Input.ref_url": "pictures/face-10.jpg",
        "Input.cand_url": "pictures/face-11.jpg",
        "Answer.same": choice,
        **more,
    }


def read(path: Path, data: bytes) -> list[Row]:
    path.write_bytes(data)
    file = read_answers(path)
    assert (file.format, file.unit) == ("mturk", "line")
    return list(file.rows)


def test_the_input_file_has_this_shape_to_the_byte() -> None:
    asked = [Question(1, "b1", "A", "Ann", 11, 10), Question(2, "b1", "A", "B", 12, 10)]
    assert mturk.write(asked, "https://pictures.example/") == (
        b"question_id,ref_url,cand_url\n"
        b"q000001,https://pictures.example/pictures/face-10.jpg,"
        b"https://pictures.example/pictures/face-11.jpg\n"
        b"q000002,https://pictures.example/pictures/face-10.jpg,"
        b"https://pictures.example/pictures/face-12.jpg\n"
    )


def made(line: int, question: str, worker: str, choice: str) -> AnswerRow:
    """What `assignment` is read as."""
    return AnswerRow(
        line,
        question,
        worker,
        choice,
        item="3ASSIGNMENT",
        origin=worker,
        origin_id="mturk:3ASSIGNMENT",
        faces=frozenset({10, 11}),
    )


def test_results_are_read_in_the_published_layout(tmp_path: Path) -> None:
    data = results(
        assignment("q000001", "WORKER1", "same"),
        assignment("q000001", "WORKER2", "different"),
        assignment("q000002", "WORKER1", ""),
    )
    assert read(tmp_path / "r.csv", data) == [
        made(2, "q000001", "WORKER1", "same"),
        made(3, "q000001", "WORKER2", "different"),
        EmptyRow(4, "q000002", "3ASSIGNMENT"),
    ]


def test_the_cells_of_approve_and_reject_may_be_missing(tmp_path: Path) -> None:
    data = results(assignment("q000001", "WORKER1", "same"), drop_last=2)
    assert read(tmp_path / "r.csv", data) == [made(2, "q000001", "WORKER1", "same")]


def test_a_rejected_assignment_has_no_answer(tmp_path: Path) -> None:
    row = assignment("q000001", "WORKER1", "same", AssignmentStatus="Rejected")
    assert read(tmp_path / "r.csv", results(row)) == [
        EmptyRow(2, "q000001", "3ASSIGNMENT")
    ]


def test_a_batch_named_in_the_input_is_read(tmp_path: Path) -> None:
    text = "WorkerId,Input.question_id,Input.batch_id,Answer.same\nW,1,b1,same\n"
    assert read(tmp_path / "r.csv", text.encode()) == [
        AnswerRow(2, "1", "W", "same", "b1", origin="W")
    ]


def test_the_time_and_the_seconds_of_an_assignment_are_read(tmp_path: Path) -> None:
    times = [
        "Tue Mar 09 14:16:08 PST 2021",
        "Tue Mar 09 22:16:08 UTC 2021",
        "2021-03-09T22:16:08Z",
        "Tue Mar 09 22:16:08 XYZ 2021",
        "Tue Mar 99 22:16:08 UTC 2021",
        "soon",
    ]
    rows = [
        assignment("1", f"W{n}", "same", SubmitTime=time, WorkTimeInSeconds="7")
        for n, time in enumerate(times)
    ]
    found = read(tmp_path / "r.csv", results(*rows))
    assert all(isinstance(row, AnswerRow) and row.seconds == 7 for row in found)
    assert [row.answered_at for row in found if isinstance(row, AnswerRow)] == [
        *[1615328168.0] * 3,
        *[None] * 3,
    ]


@pytest.mark.parametrize(
    ("form", "choice"),
    [
        ('[{"same": "wrong_reference"}]', "wrong_reference"),
        ('[{"same": {"label": "not_a_face"}, "comment": "?"}]', "not_a_face"),
        ('[{"same": {"different": true, "same": false}}]', "different"),
        ('[{"same": {"different": true, "same": true}}]', "different, same"),
        ('[{"same": {"different": false, "same": false}}]', None),
        ('[{"same": {"label": ""}}]', None),
        ("", None),
        *((each, each) for each in ('[{"other": 1}]', '[{"same": 1}]', "[]", "{", "7")),
        ("[" * 100_000, "[" * 100_000),
    ],
)
def test_the_answer_of_a_page_of_crowd_elements_is_read(
    tmp_path: Path, form: str, choice: str | None
) -> None:
    cells = {"WorkerId": "W", "Input.question_id": "1", "Answer.taskAnswers": form}
    out = io.StringIO()
    rows = csv.DictWriter(out, list(cells))
    rows.writeheader()
    rows.writerow(cells)
    wanted = AnswerRow(2, "1", "W", choice, origin="W") if choice else EmptyRow(2, "1")
    assert read(tmp_path / "r.csv", out.getvalue().encode()) == [wanted]

"""`icf-annotate` as a program, and killed as one."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from icf.annotate.cli.main import cli
from icf.errors import IcfError
from icf.models.face_crops import read_boxes
from tests.annotate.formats.test_label_studio_answers import annotation
from tests.annotate.place import Place
from tests.annotate.test_import_answers import fill_in

#: Dies as by `kill -9` where the batch is in the catalogue and its folder is not.
DIE_BEFORE_RENAME = """
import os, signal
from pathlib import Path
def die(self, target):
    os.kill(os.getpid(), signal.SIGKILL)
Path.rename = die
from icf.annotate.cli.main import main
main()
"""

#: Dies as by `kill -9` after the second transaction of an import.
DIE_AFTER_TWO = """
import os, signal
from icf.annotate import record
record.CHUNK = 2
insert, calls = record.Recorder._insert, []
def counted(self, connection, votes):
    calls.append(1)
    if len(calls) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    insert(self, connection, votes)
record.Recorder._insert = counted
from icf.annotate.cli.main import main
main()
"""


def call(*words: str, code: int = 0) -> tuple[str, str]:
    """Run a command here; return stdout, and stderr with the error's message."""
    logging.getLogger().handlers.clear()
    done = CliRunner().invoke(cli, words)
    if isinstance(done.exception, IcfError):
        assert done.exception.exit_code == code
        return done.stdout, f"{done.stderr}{done.exception}"
    assert done.exit_code == code, done.output
    return done.stdout, done.stderr


def run(*words: str, code: int = 0) -> tuple[Any, str]:
    """The same with ``--json``; return what it says."""
    out, err = call(*words, "--json", code=code)
    return json.loads(out) if out else None, err


def run_to_death(place: Place, program: str, *words: str) -> None:
    """Run a program that is killed half way."""
    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        cwd=place.workspace.root,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.fixture
def filled(plain: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A workspace with five faces to ask about, and the folder to work in."""
    monkeypatch.chdir(plain.workspace.root)
    ann = plain.add_character()
    for number in range(5):
        plain.add_face(ann, 0.5 + number / 10)
    return plain


def folder(place: Place) -> Path:
    return place.workspace.root / "batches" / "first"


def test_from_questions_to_labels(filled: Place) -> None:
    found, _ = run("export", "--format", "csv", "batches/first", "--dry-run")
    assert found == {
        "batch": None,
        "questions": 5,
        "unasked": 5,
        "references": 0,
        "waiting": 0,
        "followers": 0,
        "needless": 0,
        "sure": 0,
    }
    assert not folder(filled).exists()
    made, _ = run("export", "--format", "csv", "batches/first")
    assert (made["questions"], made["written"], made["left_out"]) == (5, True, {})
    again, _ = run("export", "--format", "csv", "batches/first")
    assert again == {**made, "asked": False, "written": False}
    answers = fill_in(folder(filled), "true", "true", "false", "unsure", "")
    found, _ = run("import", str(answers), "--dry-run")
    assert (found["taken"], filled.answers()) == (4, set())
    taken, err = run("import", str(answers))
    assert err == ""
    assert taken == {
        "format": "csv",
        "rows": 5,
        "taken": 4,
        "known": 0,
        "outlived": 0,
        "unanswered": 1,
        "superseded": 0,
        "renamed": 0,
        "refused": {},
        "faults": [],
        "noted": {},
        "notes": [],
        "labels": {"open": 0, "same": 2, "different": 1, "unsure": 1},
        "revised": 0,
        "unmerged": 0,
        "references_refused": 0,
        "references_restored": 0,
        "faces_out": 0,
        "faces_back": 0,
    }
    known, _ = run("import", str(answers))
    assert (known["taken"], known["known"]) == (0, 4)
    status, _ = run("status")
    boxes = status.pop("boxes")
    assert boxes["open"] == boxes["faces"] == 0
    assert status.pop("attributes") == {"answers": 0, "faces": 0, "by_two": 0}
    assert set(status.pop("experts").values()) == {0}
    assert status == {
        "questions": 5,
        "answers": 4,
        "labels": {"same": 2, "different": 1, "unsure": 1},
        "open": 1,
        "batches": 1,
        "accepted": 0,
    }


def test_limit_and_what_happens_without_questions(filled: Place) -> None:
    run("export", "batches/first", "--limit", "3")
    second, _ = run("export", "--format", "label-studio", "batches/second")
    assert second["questions"] == 2
    third, _ = run("export", "batches/third")
    assert (third["batch"], third["questions"], third["written"]) == (None, 0, False)
    found, _ = run("export", "batches/first", "--dry-run")
    assert (found["questions"], found["unasked"]) == (3, 0)


def test_bad_rows_are_reported_with_line_reason_and_exit_code_3(filled: Place) -> None:
    run("export", "batches/first")
    path = filled.workspace.root / "a.csv"
    path.write_text("question,answer,annotator\n1,true,ANN7\n99,true,ANN7\n2,?,ANN7\n")
    found, err = run("import", "a.csv", code=3)
    assert [(each["line"], each["reason"]) for each in found["faults"]] == [
        (3, "unknown_question"),
        (4, "unknown_choice"),
    ]
    assert "line 3 (question 99): there is no question '99'" in err
    assert "line 4 (question 2): the answer is '?'" in err
    assert err.count("understood are true, same or yes; false") == 1
    assert "ANN7" not in err + json.dumps(found)
    assert found["taken"] == 1


def test_what_is_said_of_label_studio_names_the_question_and_its_task(
    filled: Place,
) -> None:
    run("export", "--format", "label-studio", "batches/first")
    tasks = json.loads((folder(filled) / "tasks.json").read_bytes())[:3]
    edited = annotation("same", 1, updated_by=2)
    for task, made in zip(tasks, (edited, annotation("sane", 1), None), strict=True):
        number = 10 + tasks.index(task)
        task |= {"id": number, "annotations": [made] if made else []}
    tasks[2]["drafts"] = [{"annotation": None}]
    path = filled.workspace.root / "export.json"
    path.write_text(json.dumps(tasks))
    words = ("--server", "lab", "--person", "label-studio:lab:9=ann")
    found, err = run("import", "export.json", *words, code=3)
    assert "edited, 1 row (somebody else changed it since" in err
    assert "task 1 (question q000001, id 10)" in err
    assert "draft, 1 row" in err
    assert "task 2 (question q000002, id 11): the answer is 'sane'" in err
    assert "no row of export.json is of label-studio:lab:9" in err
    assert (found["noted"], found["taken"]) == ({"edited": 1, "draft": 1}, 1)
    [fault] = found["faults"]
    assert (fault["question"], fault["item"]) == ("q000002", "11")
    assert {who for _, who, _ in filled.answers()} == {"label-studio:lab:1"}


def test_each_bad_line_of_json_lines_is_told_also_the_first(filled: Place) -> None:
    run("export", "--format", "jsonl", "batches/first")
    lines = (folder(filled) / "questions.jsonl").read_text().splitlines()
    said = {"answer": "true", "annotator": "ann"}
    filled_in = [json.dumps({**json.loads(line), **said}) for line in lines]
    path = filled.workspace.root / "a.jsonl"
    path.write_text("\n".join([filled_in[0][:-9], *filled_in[1:], "[]"]))
    found, err = run("import", "a.jsonl", code=3)
    assert (found["format"], found["taken"]) == ("jsonl", 4)
    assert "line 1: it is not JSON" in err
    assert "line 6: it is not a JSON object" in err


def test_answers_are_written_for_others(filled: Place) -> None:
    run("export", "batches/first")
    run("import", str(fill_in(folder(filled), "true", "false", "", "", "")))
    found, _ = run("answers", "said.csv")
    assert found == {"path": "said.csv", "format": "csv", "answers": 2, "people": 1}
    said = (filled.workspace.root / "said.csv").read_text()
    assert "person-" in said
    assert ",ann," not in said
    run("answers", "said.csv", code=2)
    assert "2 answers of 1 person" in call("answers", "said.jsonl", "--names")[0]
    assert '"ann"' in (filled.workspace.root / "said.jsonl").read_text()
    known, _ = run("import", "said.csv")
    assert (known["known"], known["taken"]) == (2, 0)


def test_a_file_as_it_was_before_takes_nothing_back_and_says_so(filled: Place) -> None:
    run("export", "batches/first")
    for said in ("true", "false"):
        file = str(fill_in(folder(filled), said, "true", "", "", ""))
        found, err = run("import", file)
        assert (found["outlived"], err) == (0, "")
    edited_back = str(fill_in(folder(filled), "true", "true", "", "", ""))
    for more in ((), ("--dry-run",)):
        found, err = run("import", edited_back, *more)
        assert (found["known"], found["outlived"]) == (2, 1)
        assert "ann.csv was imported before, and 1 of its answers" in err
    question = filled.question_ids()[0]
    assert filled.labels()[question] == "different"
    other = filled.workspace.root / "other.csv"
    other.write_bytes(Path(edited_back).read_bytes() + b"\n")
    found, err = run("import", str(other))
    assert (found["revised"], found["outlived"], err) == (1, 0, "")
    assert filled.labels()[question] == "same"


def test_two_files_put_together_are_read_and_who_filled_them_in_is_listed(
    filled: Place,
) -> None:
    run("export", "batches/first")
    one = fill_in(folder(filled), "true", "", "", "", "")
    other = fill_in(folder(filled), "", "false", "", "", "", annotator="bob")
    both = filled.workspace.root / "both.csv"
    both.write_bytes(one.read_bytes() + other.read_bytes())
    found, _ = run("import", "both.csv")
    assert (found["taken"], found["faults"]) == (2, [])
    people, _ = run("people")
    assert [(each["name"], each["state"], each["answers"]) for each in people] == [
        ("ann", "by file", 1),
        ("bob", "by file", 1),
    ]
    assert "by file" in call("people")[0]


def test_many_bad_rows_are_told_once_and_an_empty_file_is_no_success(
    filled: Place,
) -> None:
    run("export", "batches/first")
    path = filled.workspace.root / "a.csv"
    rows = [f"1,perhaps,ann{n}\n" for n in range(126)]
    path.write_text("question,answer,annotator\n" + "".join(rows))
    found, err = run("import", "a.csv", code=3)
    assert (found["refused"], len(found["faults"])) == ({"unknown_choice": 126}, 126)
    assert "126 of 126 rows" in err
    assert len(err.splitlines()) < 10
    _, err = run("import", "batches/first/questions.csv", code=3)
    assert "questions.csv has no answer" in err
    _, err = run("import", "batches/first/mturk.csv", code=1)
    assert "no column of answers" in err


def test_no_annotator_is_written_into_a_batch(filled: Place) -> None:
    run("export", "batches/first", "--limit", "2")
    answers = fill_in(folder(filled), "true", "false", annotator="WORKER77")
    run("import", str(answers))
    run("export", "batches/second")
    second = filled.workspace.root / "batches" / "second"
    for path in second.rglob("*"):
        assert path.is_dir() or b"WORKER77" not in path.read_bytes()


def test_wrong_use_and_bad_input_have_their_own_exit_codes(filled: Place) -> None:
    run("import", "nowhere.csv", code=2)
    run("export", ".", code=2)
    run("export", "--format", "xml", "out", code=2)
    (filled.workspace.root / "a.txt").write_text("hello")
    _, err = run("import", "a.txt", code=1)
    assert "not an answer file" in err
    _, err = run("import", "a.txt", "--person", "ann", code=2)
    assert "FOUND=NAME" in err


def test_people_read_tables(filled: Place) -> None:
    def shown(*words: str) -> str:
        return call(*words)[0]

    assert "5 questions would be in" in shown("export", "batches/first", "--dry-run")
    assert "5 questions in batches/first" in shown("export", "batches/first")
    assert "already" in shown("export", "batches/first")
    assert "nothing to ask" in shown("export", "batches/second")
    answers = fill_in(folder(filled), "same", "", "", "", "")
    assert "answers imported" in shown("import", str(answers))
    assert "people say it is the character" in shown("status")


def test_a_missing_picture_ends_with_exit_code_3_and_what_to_do(filled: Place) -> None:
    with filled.workspace.catalogue.read() as connection:
        [lost] = read_boxes(connection, [3])
    filled.workspace.blobs.path(lost.sha256).unlink()
    made, err = run("export", "batches/first", code=3)
    assert (made["questions"], len(made["left_out"])) == (4, 1)
    assert "picture is missing: 1" in err
    assert "icf doctor --repair" in err


def test_killed_before_the_folder_has_its_name_the_same_command_finishes(
    filled: Place,
) -> None:
    words = ("export", "--format", "label-studio", "batches/first")
    run_to_death(filled, DIE_BEFORE_RENAME, *words)
    asked = filled.questions()
    assert len(asked) == 5
    assert not folder(filled).exists()
    filled.add_face(1, 0.5)
    made, _ = run(*words)
    assert (made["questions"], made["asked"], made["written"]) == (5, False, True)
    assert filled.questions() == asked
    assert [path.name for path in folder(filled).parent.iterdir()] == ["first"]
    assert len(json.loads((folder(filled) / "tasks.json").read_bytes())) == 5


def test_killed_in_an_import_the_same_command_takes_the_rest(filled: Place) -> None:
    run("export", "batches/first")
    answers = fill_in(folder(filled), "true", "true", "false", "true", "unsure")
    words = ("import", str(answers))
    run_to_death(filled, DIE_AFTER_TWO, *words)
    assert len(filled.answers()) == 4
    rest, _ = run(*words)
    assert (rest["taken"], rest["known"]) == (1, 4)
    labels = ["same", "same", "different", "same", "unsure"]
    assert list(filled.labels().values()) == labels
    assert len(filled.decisions("label")) == 5


def leaves(group: click.Group, words: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Each command below a group, in words, and its help."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from leaves(command, (*words, name))
        else:
            yield " ".join((*words, name)), command.help or ""


def test_every_command_has_an_example() -> None:
    for words, text in leaves(cli, ("icf-annotate",)):
        assert f"Example:\n    {words}" in text

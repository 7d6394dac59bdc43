"""`icf-annotate` as a program, and killed as one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from icf.annotate.cli import cli
from tests.annotate.place import Place
from tests.annotate.test_import_answers import fill_in

PROGRAM = [sys.executable, "-c", "from icf.annotate.cli import main; main()"]

#: Dies as by `kill -9` where the batch is in the catalogue and its folder is not.
DIE_BEFORE_RENAME = """
import os, signal
from pathlib import Path
def die(self, target):
    os.kill(os.getpid(), signal.SIGKILL)
Path.rename = die
from icf.annotate.cli import main
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
from icf.annotate.cli import main
main()
"""


def run(
    place: Place, *words: str, code: int = 0, program: str | None = None
) -> tuple[Any, str]:
    """Run the program in the workspace; return its JSON and stderr."""
    start = PROGRAM if program is None else [sys.executable, "-c", program]
    done = subprocess.run(
        [*start, *words, "--json"],
        cwd=place.workspace.root,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout) if done.stdout else None, done.stderr


@pytest.fixture
def filled(plain: Place) -> Place:
    ann = plain.add_character()
    for number in range(5):
        plain.add_face(ann, 0.5 + number / 10)
    return plain


def folder(place: Place) -> Path:
    return place.workspace.root / "batches" / "first"


def test_from_questions_to_labels(filled: Place) -> None:
    told, _ = run(filled, "export", "--format", "csv", "batches/first", "--dry-run")
    assert told == {"batch": None, "questions": 5, "unasked": 5}
    assert not folder(filled).exists()
    made, _ = run(filled, "export", "--format", "csv", "batches/first")
    assert (made["questions"], made["written"], made["left_out"]) == (5, True, {})
    again, _ = run(filled, "export", "--format", "csv", "batches/first")
    assert again == {**made, "written": False}
    answers = fill_in(folder(filled), "true", "true", "false", "unsure", "")
    told, _ = run(filled, "import", str(answers), "--dry-run")
    assert (told["taken"], filled.answers()) == (4, set())
    taken, err = run(filled, "import", str(answers))
    assert err == ""
    assert taken == {
        "format": "csv",
        "rows": 5,
        "taken": 4,
        "known": 0,
        "unanswered": 1,
        "refused": {},
        "faults": [],
        "labels": {"open": 0, "same": 2, "different": 1, "unsure": 1},
    }
    known, _ = run(filled, "import", str(answers))
    assert (known["taken"], known["known"]) == (0, 4)
    status, _ = run(filled, "status")
    assert status == {
        "questions": 5,
        "answers": 4,
        "labels": {"same": 2, "different": 1, "unsure": 1},
        "open": 1,
        "batches": 1,
    }


def test_limit_and_the_end_of_all_questions(filled: Place) -> None:
    run(filled, "export", "batches/first", "--limit", "3")
    second, _ = run(filled, "export", "--format", "label-studio", "batches/second")
    assert second["questions"] == 2
    third, _ = run(filled, "export", "batches/third")
    assert (third["batch"], third["questions"], third["written"]) == (None, 0, False)
    told, _ = run(filled, "export", "batches/first", "--dry-run")
    assert (told["questions"], told["unasked"]) == (3, 0)


def test_bad_rows_end_with_exit_code_3_and_line_and_reason(filled: Place) -> None:
    run(filled, "export", "batches/first")
    path = filled.workspace.root / "a.csv"
    path.write_text("question,answer,annotator\n1,true,ANN7\n99,true,ANN7\n2,?,ANN7\n")
    told, err = run(filled, "import", "a.csv", code=3)
    assert [(each["line"], each["reason"]) for each in told["faults"]] == [
        (3, "unknown_question"),
        (4, "unknown_choice"),
    ]
    assert "line 3: unknown_question: there is no question '99'" in err
    assert "line 4: unknown_choice: the answer is '?'" in err
    assert "ANN7" not in err + json.dumps(told)
    assert told["taken"] == 1


def test_no_annotator_is_written_into_a_batch(filled: Place) -> None:
    run(filled, "export", "batches/first", "--limit", "2")
    answers = fill_in(folder(filled), "true", "false", annotator="WORKER77")
    run(filled, "import", str(answers))
    run(filled, "export", "batches/second")
    second = filled.workspace.root / "batches" / "second"
    for path in second.rglob("*"):
        assert path.is_dir() or b"WORKER77" not in path.read_bytes()


def test_wrong_use_is_told_apart(filled: Place) -> None:
    run(filled, "import", "nowhere.csv", code=2)
    run(filled, "export", "batches", code=2)
    run(filled, "export", "--format", "xml", "out", code=2)
    (filled.workspace.root / "a.txt").write_text("hello")
    _, err = run(filled, "import", "a.txt", code=1)
    assert "no file of answers" in err
    _, err = run(filled, "import", "a.txt", "--person", "ann", code=2)
    assert "FOUND=NAME" in err


def test_people_read_tables(filled: Place) -> None:
    start = [*PROGRAM, "-C", str(filled.workspace.root)]

    def shown(*words: str) -> str:
        done = subprocess.run(
            [*start, *words],
            capture_output=True,
            text=True,
            check=True,
            cwd=filled.workspace.root,
        )
        return done.stdout

    assert "5 questions would be in" in shown("export", "batches/first", "--dry-run")
    assert "5 questions in batches/first" in shown("export", "batches/first")
    assert "already" in shown("export", "batches/first")
    assert "nothing to ask" in shown("export", "batches/second")
    answers = fill_in(folder(filled), "same", "", "", "", "")
    assert "answers taken" in shown("import", str(answers))
    assert "people say it is the character" in shown("status")


def test_killed_before_the_folder_has_its_name_the_same_command_finishes(
    filled: Place,
) -> None:
    words = ("export", "--format", "label-studio", "batches/first")
    run(filled, *words, code=-signal.SIGKILL, program=DIE_BEFORE_RENAME)
    asked = filled.questions()
    assert len(asked) == 5
    assert not folder(filled).exists()
    filled.add_face(1, 0.5)
    made, _ = run(filled, *words)
    assert (made["questions"], made["written"]) == (5, True)
    assert filled.questions() == asked
    assert [path.name for path in folder(filled).parent.iterdir()] == ["first"]
    assert len(json.loads((folder(filled) / "tasks.json").read_bytes())) == 5


def test_killed_in_an_import_the_same_command_takes_the_rest(filled: Place) -> None:
    run(filled, "export", "batches/first")
    answers = fill_in(folder(filled), "true", "true", "false", "true", "unsure")
    words = ("import", str(answers))
    run(filled, *words, code=-signal.SIGKILL, program=DIE_AFTER_TWO)
    assert len(filled.answers()) == 4
    rest, _ = run(filled, *words)
    assert (rest["taken"], rest["known"]) == (1, 4)
    labels = ["same", "same", "different", "same", "unsure"]
    assert list(filled.labels().values()) == labels
    assert len(filled.decisions("label")) == 5


def test_every_command_has_an_example() -> None:
    context = click.Context(cli)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        assert f"Example:\n    icf-annotate {name}" in (command.help or "")

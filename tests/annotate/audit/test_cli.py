"""`icf-annotate audit`: what it prints, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from icf.codes import Choice
from tests.annotate.audit.audited import (
    AGREES,
    MAKER,
    add_labels,
    check_all,
    current,
    fill_in,
    items,
    said,
)
from tests.annotate.place import Place
from tests.annotate.test_cli import call

PLAN = ("audit", "plan", "--max-error", "0.2", "--confidence", "0.9", "--seed", "5")


@pytest.fixture
def labelled(plain: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """The workspace of the commands, with labels."""
    add_labels(plain, same=12, different=9)
    monkeypatch.chdir(plain.workspace.root)
    return plain


def test_the_plan_says_how_many_labels_are_checked(labelled: Place) -> None:
    value = json.loads(call(*PLAN, "--json")[0])
    assert (value["n"], value["allowed_errors"], value["labels"]) == (11, 0, 13)
    assert set(value["parts"]) == {"accepts", "rejects"}
    assert json.loads(call(*PLAN, "--json")[0]) == value
    assert "faces labelled as their character" in call(*PLAN)[0]


def test_another_plan_ends_with_two(labelled: Place) -> None:
    call(*PLAN)
    assert "is open" in call(*PLAN[:-1], "6", code=2)[1]


def test_a_result_without_an_audit_ends_with_two(labelled: Place) -> None:
    assert "no audit yet" in call("audit", "result", code=2)[1]
    assert "audit 7" in call("audit", "result", "--audit", "7", code=2)[1]


def test_nothing_is_called_checked_before_anybody_checked_it(labelled: Place) -> None:
    for words, code in ((PLAN, 0), (("audit", "result"), 3)):
        heading = call(*words, code=code)[0].splitlines()[0]
        assert "in the sample" in heading
        assert "checked" not in heading


def test_a_result_ends_with_three_until_all_is_checked_then_with_none(
    labelled: Place,
) -> None:
    call(*PLAN)
    out, message = call("audit", "result", "--json", code=3)
    assert json.loads(out)["bound"] is None
    assert "17 labels wait for somebody to check them" in message
    audit = current(labelled)
    assert audit is not None
    check_all(labelled, audit)
    value = json.loads(call("audit", "result", "--json")[0])
    assert (value["n"], value["errors"], value["certified"]) == (11, 0, True)
    assert value["bound"] <= 0.2
    assert value["confidence"] == 0.9


def test_a_result_that_proves_nothing_ends_with_one_and_names_the_faces(
    labelled: Place,
) -> None:
    call(*PLAN)
    audit = current(labelled)
    assert audit is not None
    check_all(labelled, audit)
    wrong = next(e for e in items(labelled, audit) if e.label == "same")
    said(labelled, wrong, Choice.FALSE, "eve")
    said(labelled, wrong, Choice.FALSE, "rita", decides=True)
    out, message = call("audit", "result", "--json", code=1)
    assert json.loads(out)["wrong"] == [
        {
            "face": wrong.face_id,
            "character": wrong.character_id,
            "label": "same",
            "decision": "false",
        }
    ]
    assert str(wrong.face_id) in message


def test_a_whole_audit_by_file(labelled: Place, tmp_path: Path) -> None:
    call(*PLAN)
    out = tmp_path / "audit"
    call("audit", "export", str(out))
    audit = current(labelled)
    assert audit is not None
    answers = {each.id: AGREES[each.label] for each in items(labelled, audit)}
    file = fill_in(out / "questions.csv", answers, "bob")
    value = json.loads(call("audit", "import", str(file), "--json")[0])
    assert value["taken"] == len(answers)
    assert "yes" in call("audit", "result")[0]


def test_refused_rows_end_an_import_with_three(labelled: Place, tmp_path: Path) -> None:
    call(*PLAN)
    out = tmp_path / "audit"
    call("audit", "export", str(out))
    audit = current(labelled)
    assert audit is not None
    answers = {each.id: AGREES[each.label] for each in items(labelled, audit)}
    file = fill_in(out / "questions.csv", answers, MAKER)
    printed, message = call("audit", "import", str(file), "--json", code=3)
    value = json.loads(printed)
    assert value["refused"] >= len(answers) - 1
    assert value["faults"][0]["reason"] == "refused_by_audit"
    assert f"line {value['faults'][0]['line']}" in message

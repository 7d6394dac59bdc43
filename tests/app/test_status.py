from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from icf.app.status import count
from icf.catalogue import ledger
from icf.catalogue.annotation.pauses import DISCOUNTED
from icf.catalogue.annotation.schema import person
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.ledger import Decision
from icf.catalogue.schema import answer, question
from icf.codes import Label, Verdict
from icf.errors import WrongUse
from icf.workspace import Workspace, find
from tests.app.program import call, said

NAMES = (
    "albums",
    "characters",
    "images",
    "faces",
    "questions",
    "answers",
    "labels",
    "models",
)
#: The smallest release of the drawn workspace.
RELEASE = ("build-splits", "first", "--dry-run", "--set", "dataset.min_faces=2")


def test_it_counts_everything_that_the_workspace_holds(drawn_space: Path) -> None:
    found = said("-C", drawn_space, "status")
    assert found.pop("round") is None
    assert found.pop("stale") == []
    assert tuple(found) == NAMES
    assert (found["albums"], found["characters"], found["models"]) == (2, 4, 2)
    assert found["answers"] == 2 * found["questions"] == 2 * found["labels"] > 0


@pytest.mark.parametrize("words", [("status",), RELEASE])
def test_decisions_by_an_earlier_setting_are_said(
    space: Workspace, words: Sequence[str]
) -> None:
    settings = json.dumps({"filter": {"min_face": 32}})
    with space.catalogue.write() as connection:
        run_id = ledger.begin_run(connection, "icf-filter run", settings, "0")
        kept = Decision("face", 1, "size", Verdict.KEPT.value, "ok")
        ledger.append(connection, run_id, [kept])
    line = "filter.min_face is 33, and 1 row was judged by 32: `icf-filter rethreshold`"
    changed = ("-C", space.root, *words, "--set", "filter.min_face=33")
    assert line in call(*changed).stderr
    assert [each["setting"] for each in said(*changed)["stale"]] == ["filter.min_face"]
    unchanged = said("-C", space.root, *words, "--set", "filter.min_face=32")
    assert unchanged["stale"] == []


def test_an_empty_catalogue_counts_nothing(catalogue: Catalogue) -> None:
    with catalogue.read() as connection:
        assert count(connection) == dict.fromkeys(NAMES, 0)


def test_open_and_unsure_questions_are_no_labels(drawn_space: Path) -> None:
    catalogue = find(drawn_space).catalogue
    with catalogue.engine.connect() as connection:
        before = count(connection)["labels"]
        some = sa.select(question.c.id).order_by(question.c.id).limit(2)
        first, second = connection.execute(some).scalars()
        for key, label in ((first, Label.OPEN), (second, Label.UNSURE)):
            change = sa.update(question).where(question.c.id == key)
            connection.execute(change.values(label=label.value))
        assert count(connection)["labels"] == before - 2
        connection.rollback()
    catalogue.close()


def test_answers_that_were_taken_back_are_not_counted(drawn_space: Path) -> None:
    catalogue = find(drawn_space).catalogue
    with catalogue.engine.connect() as connection:
        before = count(connection)["answers"]
        first = sa.select(sa.func.min(answer.c.id)).scalar_subquery()
        change = sa.update(answer).where(answer.c.id == first)
        connection.execute(change.values(replaced_at=1.0))
        assert count(connection)["answers"] == before - 1
        connection.rollback()
        names = connection.execute(sa.select(answer.c.annotator).distinct())
        paused = {"paused_at": 1.0, "paused_why": DISCOUNTED, "added_at": 1.0}
        role = {"role": "annotator", **paused}
        rows = [{"name": n, "pseudonym": n, **role} for (n,) in names]
        connection.execute(sa.insert(person), rows)
        assert count(connection)["answers"] == 0
        connection.rollback()
    catalogue.close()


def test_people_get_a_table(drawn_space: Path) -> None:
    lines = call("-C", drawn_space, "status").stdout.splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(NAMES)


def test_outside_a_workspace_it_says_how_to_make_or_name_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WrongUse) as caught:
        call("status")
    assert str(caught.value) == (
        f"{tmp_path} is not in an icf workspace (no icf.toml here or above); "
        "make one with `icf init DIR`, or name one with -C DIR"
    )


def test_a_folder_that_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    done = call("-C", tmp_path / "nowhere", "status")
    assert done.exit_code == 2
    assert "nowhere' does not exist" in done.stderr

"""Rounds without a training: how they go on, wait, and are killed."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from icf.app.demo.command import ANNOTATOR_SEED
from icf.app.demo.people import ANNOTATOR, answer_questions
from icf.app.round import run as round_run
from icf.app.round.run import Drive, run_round
from icf.catalogue.rounds.audit_set import set_aside
from icf.catalogue.rounds.log import Round, newest
from icf.catalogue.schema import answer as answer_table
from icf.catalogue.schema import face, question, round_, run
from icf.codes import RoundState
from icf.workspace import Workspace, find
from tests.app.forked import Forked
from tests.app.program import call, said
from tests.filter.workspaces import make_workspace, no_bar, rows, run_filter, site_files

pytestmark = pytest.mark.slow

SETTINGS = """\
[filter]
workers = 1
[annotate]
risk = 0.05
[round]
train = false
batch = 24
audit_characters = 1
"""


@pytest.fixture(scope="module")
def filtered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = make_workspace(tmp_path_factory.mktemp("rounds") / "first", site_files(4))
    (made.root / "icf.toml").write_text(SETTINGS)
    run_filter(find(made.root))
    return made.root


@pytest.fixture
def place(filtered: Path, tmp_path: Path) -> Workspace:
    shutil.copytree(filtered, tmp_path / "toons")
    return find(tmp_path / "toons")


def drive(place: Workspace, **more: Any) -> Round:
    return run_round(Drive(find(place.root), no_bar_of_any_length, **more))


def no_bar_of_any_length(title: str, total: int | None) -> Any:
    return no_bar(title, total or 0)


def answer(place: Workspace, seed: int = ANNOTATOR_SEED) -> int:
    """Answer the newest batch, as the demo's people do; return how many."""
    with place.catalogue.read() as connection:
        found = newest(connection)
    assert found is not None
    folder = place.root / found.summary["batches"][-1]["path"]
    answers = place.root / "answers.csv"
    filled = answer_questions(place, folder / "questions.csv", answers, seed)
    call("-C", place.root, "annotate", "import", answers)
    return filled.questions


def play(place: Workspace) -> Round:
    """Answer all that is asked until the round is done."""
    found = drive(place)
    for _ in range(9):
        if found.state is RoundState.DONE:
            return found
        answer(place)
        found = drive(place)
    raise AssertionError(f"the round stays in {found.state}")


def test_a_round_asks_waits_and_ends_with_what_changed(place: Workspace) -> None:
    assert said("-C", place.root, "round", "status")["round"] is None
    found = drive(place)
    assert found.state is RoundState.ANSWERS
    [first] = found.summary["batches"]
    assert first["path"] == "batches/round-1"
    assert first["references"] == first["questions"] > 1
    status = said("-C", place.root, "round", "status")
    assert (status["asked"], status["answered"]) == (first["questions"], 0)
    message = call("-C", place.root, "round", "run").stderr
    assert "batches/round-1/questions.csv" in message
    assert "icf-annotate import" in message
    assert len(rows(place, sa.select(round_.c.id))) == 1

    done = play(place)
    paths = [each["path"] for each in done.summary["batches"]]
    assert paths[:2] == ["batches/round-1", "batches/round-1-2"]
    assert done.summary["training"] == {"skipped": "round.train is false"}
    changes = done.summary["changes"]
    before, after = done.summary["before"], done.summary["after"]
    assert changes["questions_saved"] == before["to_ask"] - after["to_ask"]
    assert changes["seconds_saved"] == 2 * changes["questions_saved"]
    assert after["label_error"]["low"] <= after["label_error"]["value"] <= 0.5
    status = said("-C", place.root, "round", "status")
    assert status["state"] == "done"
    assert status["asked"] == status["answered"] > first["questions"]
    assert status["gate"] is None
    assert status["questions_saved"] == changes["questions_saved"]
    assert "label" in call("-C", place.root, "round", "status").stdout

    assert drive(place).number == 2


def test_characters_are_set_aside_before_the_first_question(place: Workspace) -> None:
    drive(place)
    audit = rows(place, set_aside("character"))
    assert len(audit) == 1
    play(place)
    drive(place)
    assert rows(place, set_aside("character")) == audit
    chosen = sa.select(question.c.chosen).where(
        question.c.character_id == audit[0][0], question.c.chosen != "reference"
    )
    assert {row[0] for row in rows(place, chosen.distinct())} <= {"random", "dropped"}


def test_every_run_of_a_round_belongs_to_it_and_icf_why_says_so(
    place: Workspace,
) -> None:
    play(place)
    commands = rows(place, sa.select(run.c.command, run.c.round_id).order_by(run.c.id))
    assert commands[0][1] is None
    assert {command for command, number in commands if number == 1} >= {
        "icf-filter run",
        "icf-annotate export",
        "icf-annotate import",
        "icf-filter calibrate",
    }
    kept = rows(place, sa.select(face.c.id).where(face.c.verdict == "kept"))[0][0]
    decisions = said("-C", place.root, "why", str(kept))["decisions"]
    assert decisions[0].get("round") is None
    assert decisions[-1]["round"] == 1
    assert "round 1" in call("-C", place.root, "why", str(kept)).stdout


def test_it_goes_on_with_the_answers_there_are(place: Workspace) -> None:
    drive(place)
    answer(place)
    found = drive(place)
    assert found.state is RoundState.ANSWERS
    assert drive(place).state is RoundState.ANSWERS
    found = drive(place, go_on=True)
    assert found.state is RoundState.DONE
    assert found.summary["before"]["label_error"] is None


def test_answers_that_count_no_more_are_asked_for_again(place: Workspace) -> None:
    drive(place)
    asked = answer(place)
    call("-C", place.root, "annotate", "discount", ANNOTATOR)
    found = drive(place)
    assert found.state is RoundState.ANSWERS
    assert len(found.summary["batches"]) == 1
    status = said("-C", place.root, "round", "status")
    assert (status["asked"], status["answered"]) == (asked, 0)
    call("-C", place.root, "annotate", "discount", ANNOTATOR, "--undo")
    assert len(drive(place).summary["batches"]) == 2


def test_answers_that_a_killed_page_left_become_labels(place: Workspace) -> None:
    """The page's server stores answers at once, and lets the labels follow later."""
    drive(place)
    with place.catalogue.write() as connection:
        keys = connection.execute(sa.select(question.c.id)).scalars().all()
        rest = {"file": "page", "line": 0, "imported_at": 1.0, "waits": True}
        row = {"choice": "true", "annotator": "ann", **rest}
        connection.execute(
            sa.insert(answer_table), [{"question_id": key, **row} for key in keys]
        )
    assert drive(place).summary["batches"][-1]["path"] == "batches/round-1-2"
    first = sa.select(question.c.label).where(question.c.id.in_(keys))
    assert rows(place, first.distinct()) == [("same",)]


def test_a_round_without_anything_to_ask_still_ends(place: Workspace) -> None:
    with place.catalogue.write() as connection:
        connection.execute(sa.update(face).values(verdict="dropped", awaits=None))
    found = drive(place)
    assert found.state is RoundState.DONE
    assert "batches" not in found.summary


def test_a_folder_that_was_removed_is_written_again(place: Workspace) -> None:
    folder = place.root / drive(place).summary["batches"][-1]["path"]
    before = sorted(each.name for each in folder.iterdir())
    questions = (folder / "questions.csv").read_bytes()
    shutil.rmtree(folder)
    assert drive(place).state is RoundState.ANSWERS
    assert sorted(each.name for each in folder.iterdir()) == before
    assert (folder / "questions.csv").read_bytes() == questions


def test_questions_that_were_asked_before_are_said_where_nothing_is_asked(
    place: Workspace,
) -> None:
    call("-C", place.root, "annotate", "export", place.root / "batches" / "first")
    [[asked]] = rows(place, sa.select(sa.func.count()).select_from(question))
    done = call("-C", place.root, "round", "run")
    assert f"asked nothing: {asked} questions that were asked before" in done.stderr
    assert "icf-annotate import" in done.stderr


class Killed(BaseException):
    """A program that is killed: nothing of it goes on."""


KILLS = [
    f"{when}-{state.value}"
    for state in RoundState
    if state not in (RoundState.DONE, RoundState.GATE)
    for when in ("before", "after")
]


@pytest.mark.parametrize("kill", KILLS)
def test_killed_in_any_state_it_goes_on_and_ends_the_same(
    place: Workspace, monkeypatch: pytest.MonkeyPatch, kill: str, filtered: Path
) -> None:
    when, state = kill.split("-")
    killed: list[str] = []

    def stop(work: Any) -> Any:
        def stopped(*arguments: Any) -> Any:
            if killed:
                return work(*arguments)
            if when == "after":
                work(*arguments)
            killed.append(kill)
            raise Killed

        return stopped

    chosen = next(each for each in RoundState if each.value == state)
    work = {**round_run._WORK, chosen: stop(round_run._WORK[chosen])}
    monkeypatch.setattr(round_run, "_WORK", work)
    for _ in range(12):
        try:
            found = drive(place)
        except Killed:
            continue
        if found.state is RoundState.DONE:
            break
        answer(place)
    assert killed
    assert found.state is RoundState.DONE
    asked = sa.select(question.c.face_id, question.c.character_id)
    pairs = rows(place, asked)
    assert len(set(pairs)) == len(pairs)
    assert outcome(found) == undisturbed(filtered)


@pytest.mark.parametrize("number", [1, 2])
def test_a_program_that_is_killed_leaves_nothing_half_done(
    place: Workspace, filtered: Path, number: int
) -> None:
    """It is killed as it begins its first, or its second, part."""
    words = ("-C", place.root, "round", "run", "--quiet")
    for _ in range(2):
        begun = sa.select(sa.func.count()).select_from(run)
        known = rows(place, begun)[0][0]
        process = Forked("icf", *words, folder=place.root)
        while process.poll() is None and rows(place, begun)[0][0] < known + number:
            time.sleep(0.01)
        process.kill()
        process.communicate()
        if drive(place).state is RoundState.ANSWERS:
            answer(place)
    assert outcome(play(place)) == undisturbed(filtered)


def outcome(found: Round) -> dict[str, Any]:
    """What does not depend on how a round came to its end."""
    batches = [{**each, "id": ""} for each in found.summary["batches"]]
    return {**found.summary, "batches": batches}


_whole: dict[Path, dict[str, Any]] = {}


def undisturbed(filtered: Path) -> dict[str, Any]:
    """The same of a round that nothing disturbed; played once."""
    if filtered not in _whole:
        root = filtered.parent / "undisturbed"
        shutil.copytree(filtered, root)
        _whole[filtered] = outcome(play(find(root)))
    return _whole[filtered]

"""`icf-filter` as a program, and killed as one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import click
import pytest
import sqlalchemy as sa

from icf.catalogue.schema import decision, face
from icf.codes import FaceReason, meaning_of
from icf.filter.chain import filter_chain
from icf.filter.cli.main import STEPS, cli
from icf.filter.waiting import LOCK
from icf.stores.lock import one_at_a_time
from icf.workspace import Workspace, find
from tests.app.forked import Forked
from tests.app.program import within
from tests.filter.workspaces import (
    make_workspace,
    outcome_of,
    rows,
    run_before,
    run_filter,
    site_files,
)

pytestmark = pytest.mark.slow

PROGRAM = [sys.executable, "-c", "from icf.filter.cli.main import main; main()"]
#: They are small, so that the program is killed between two.
BATCHES = ("filter.batch=3",)


def start(made: Workspace, *words: str) -> subprocess.Popen[str]:
    """Start the program in a workspace, with small batches."""
    return subprocess.Popen(
        [*PROGRAM, *words, "-C", str(made.root), "--set", *BATCHES],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def forked(made: Workspace, *words: str) -> Forked:
    """Start the same, loaded already, to kill it."""
    line = *words, "-C", made.root, "--set", *BATCHES
    return Forked("icf-filter", *line, folder=made.root)


def ended(process: subprocess.Popen[str] | Forked, code: int = 0) -> tuple[str, str]:
    """Wait for the program; return stdout and stderr."""
    out, err = process.communicate()
    assert process.returncode == code, err
    return out, err


def run(made: Workspace, *words: str, code: int = 0) -> tuple[str, str]:
    """Run the same command within this process; return stdout and stderr."""
    line = *words, "-C", str(made.root), "--set", *BATCHES
    done = within("icf-filter", *line, folder=made.root, code=code)
    return done.stdout, done.stderr


@pytest.fixture
def made(tmp_path: Path) -> Workspace:
    return make_workspace(tmp_path, site_files(1))


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, str]:
    """A workspace after a run that nothing disturbed, and its table; only to copy."""
    made = make_workspace(tmp_path_factory.mktemp("undisturbed"), site_files(1))
    return made, ended(forked(made, "run"))[0]


@pytest.fixture(scope="module")
def undisturbed(table: tuple[Workspace, str]) -> dict[str, list[Any]]:
    """What such a run leaves."""
    return outcome_of(table[0])


@pytest.fixture
def filtered(table: tuple[Workspace, str], tmp_path: Path) -> Workspace:
    """A copy of that workspace."""
    return find(shutil.copytree(table[0].root, tmp_path / "filtered"))


def test_run_ends_with_what_passed_and_what_was_dropped(made: Workspace) -> None:
    out, err = ended(start(made, "run", "--json"))
    steps = json.loads(out)["steps"]
    assert list(steps) == list(STEPS)
    assert steps["detect"]["passed"] > 0
    assert err == ""
    status = json.loads(run(made, "status", "--json")[0])
    assert status["faces"] == status["kept"] + sum(status["dropped"].values())
    assert status["pending"] == status["images"]["pending"] == 0
    dropped = sum((Counter(s["dropped"]) for s in steps.values()), Counter[str]())
    images = status["images"]
    assert dropped == Counter(status["dropped"]) + Counter(images["dropped"])
    assert images["kept"] == steps["faces"]["passed"]


def test_a_dry_run_counts_and_changes_nothing(made: Workspace) -> None:
    before = outcome_of(made)
    counted = json.loads(run(made, "run", "--dry-run", "--json")[0])
    assert counted == {
        "pending": {**dict.fromkeys(STEPS, 0), "detect": len(before["images"])}
    }
    assert outcome_of(made) == before


def test_one_step_can_be_run_by_name_in_two_ways(made: Workspace) -> None:
    assert list(json.loads(run(made, "detect", "--json")[0])["steps"]) == ["detect"]
    out, _ = run(made, "run", "--step", "kind", "--step", "size", "--json")
    assert list(json.loads(out)["steps"]) == ["size", "kind"]


def test_the_table_for_people_gives_the_meaning_of_each_reason(
    table: tuple[Workspace, str],
) -> None:
    made, out = table
    faces = json.loads(run(made, "status", "--json")[0])["dropped"]
    assert faces
    for reason in faces:
        assert meaning_of(FaceReason, reason) in out
    assert "images" in run(made, "status")[0]


def test_a_step_that_breaks_on_an_item_ends_with_exit_code_3(made: Workspace) -> None:
    run_before(made, "embed")
    with made.catalogue.write() as connection:
        bad = sa.select(sa.func.min(face.c.id)).where(face.c.awaits == "embed")
        bad_id = connection.execute(bad).scalar_one()
        values = {"x2": float("inf")}
        connection.execute(sa.update(face).where(face.c.id == bad_id).values(values))
    out, err = ended(forked(made, "embed", "--json"), code=3)
    assert json.loads(out)["steps"]["embed"]["dropped"] == {"step_failed": 1}
    assert f"icf why face:{bad_id}" in err
    assert "Traceback" not in err


def test_an_unknown_step_is_wrong_use(made: Workspace) -> None:
    assert "crop" in run(made, "run", "--step", "crop", code=2)[1]


def test_every_step_of_the_chain_is_a_command_with_an_example(made: Workspace) -> None:
    assert [step.name for step in filter_chain(made).steps] == list(STEPS)
    context = click.Context(cli)
    for name in ("run", "status", *STEPS):
        command = cli.get_command(context, name)
        assert command is not None
        assert f"Example:\n    icf-filter {name}" in (command.help or "")


def _decisions(made: Workspace) -> int:
    [[count]] = rows(made, sa.select(sa.func.count()).select_from(decision))
    return int(count)


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9])
def test_killed_at_any_step_a_second_run_gives_the_same_result(
    made: Workspace, undisturbed: dict[str, list[Any]], share: float
) -> None:
    enough = share * len(undisturbed["decisions"])
    process = forked(made, "run")
    while _decisions(made) < enough and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    run_filter(find(made.root, BATCHES))
    assert outcome_of(made) == undisturbed


@pytest.mark.parametrize("command", ["run", "rethreshold"])
def test_a_second_program_waits_for_the_first(
    filtered: Workspace, undisturbed: dict[str, list[Any]], command: str
) -> None:
    before = _decisions(filtered)
    with one_at_a_time(filtered.root / LOCK, "icf-filter run"):
        second = forked(filtered, command, "--json")
        while not second.said().endswith("\n"):
            assert second.poll() is None
            time.sleep(0.01)
        said = second.said()
        assert f"icf-filter run (process {os.getpid()} on " in said
        assert "waiting until it ends" in said
        assert second.poll() is None
    assert ended(second)[1] == said
    # What the first has done is not done again.
    assert _decisions(filtered) == before
    assert outcome_of(filtered) == undisturbed
    status = json.loads(run(filtered, "status", "--json")[0])
    assert status["pending"] == 0


def test_an_edited_setting_is_said_by_run_and_status(
    filtered: Workspace,
) -> None:
    for words in (("run",), ("status",)):
        err = run(filtered, *words, "--set", "filter.min_face=200")[1]
        assert "filter.min_face is 200, and " in err
        assert "`icf-filter rethreshold`" in err
    stale = json.loads(
        run(filtered, "status", "--json", "--set", "filter.min_face=9")[0]
    )
    (found,) = stale["stale"]
    assert (found["setting"], found["now"]) == ("filter.min_face", 9)
    assert json.loads(run(filtered, "status", "--json")[0])["stale"] == []

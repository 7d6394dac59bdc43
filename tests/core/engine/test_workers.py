"""Items that crash or hang native code, through the real runner and real processes."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from icf.catalogue import ledger
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import decision, image
from icf.engine.local import FEW, LocalEngine
from icf.engine.runner import Chain, Runner, Tally
from icf.engine.step import Item
from icf.engine.workers import Workers
from icf.errors import BadModel, BrokenMachine
from icf.stores.vectors import VectorStore
from tests.core.engine.test_runner import fill
from tests.core.images.hostile import Hostile, HostileGroups

pytestmark = pytest.mark.slow

#: Longer than anything but a hang takes, on a machine that is busy with other things.
LONG = 600.0


@pytest.fixture
def engine() -> Iterator[LocalEngine]:
    with closing(LocalEngine(2, LONG)) as made:
        yield made


def judged(
    catalogue: Catalogue, folder: Path, engine: LocalEngine, step: Hostile, batch: int
) -> Tally:
    """Run the step alone over everything there is."""
    with catalogue.write() as connection:
        run_id = ledger.begin_run(connection, "test", "{}", "0")
    vectors = VectorStore(folder / "vectors")
    runner = Runner(catalogue, vectors, engine, run_id, Chain((step,)), batch)
    return runner.run(step)


def reasons(catalogue: Catalogue) -> dict[int, tuple[str, str | None]]:
    """Reason and message of the images that are out."""
    query = (
        sa.select(image.c.id, image.c.reason, decision.c.message)
        .join(decision, decision.c.subject_id == image.c.id)
        .where(image.c.verdict == "dropped")
    )
    with catalogue.read() as connection:
        return {row.id: (row.reason, row.message) for row in connection.execute(query)}


def test_items_that_crash_are_named_and_all_others_pass(
    catalogue: Catalogue, tmp_path: Path, engine: LocalEngine
) -> None:
    fill(catalogue, range(1, 41))
    harms = {3: "segfault", 17: "killed", 18: "abort", 33: "leave"}
    step = Hostile({**harms, 20: "raise_value_error"})
    tally = judged(catalogue, tmp_path, engine, step, batch=16)
    assert (tally.passed, dict(tally.dropped)) == (35, {"crashed": 4, "step_failed": 1})
    found = reasons(catalogue)
    assert sorted(found) == [3, 17, 18, 20, 33]
    how = {3: "SIGSEGV", 17: "SIGKILL", 18: "SIGABRT", 33: "exit code 7"}
    for number, name in how.items():
        reason, message = found[number]
        assert reason == "crashed"
        assert f"the process died of it ({name})" in str(message)
    assert str(found[18][1]).endswith("free(): invalid pointer")
    assert found[20] == ("step_failed", "ValueError: no such thing")


def test_an_item_that_hangs_is_named_and_all_others_pass(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    fill(catalogue, range(1, 9))
    step = Hostile({5: "hang"})
    # A deadline that is missed by other items costs work, and no item its outcome,
    # unless it is alone: so not too short.
    with closing(LocalEngine(1, deadline=2.0)) as engine:
        tally = judged(catalogue, tmp_path, engine, step, batch=8)
    assert (tally.passed, dict(tally.dropped)) == (7, {"hung": 1})
    assert reasons(catalogue) == {
        5: ("hung", "the process did not answer for 2 seconds")
    }


def test_a_step_that_does_not_say_what_it_takes_up_is_judged_in_halves() -> None:
    step = Hostile({3: "segfault", 4: "hang"}, announces=False)
    with closing(Workers(1, deadline=2.0)) as workers:
        outcomes = workers.judge(step, [Item(number) for number in range(5)])
    assert {o.id: o.reason for o in outcomes} == {
        0: "ok",
        1: "ok",
        2: "ok",
        3: "crashed",
        4: "hung",
    }


def test_a_process_that_something_else_killed_costs_no_item_its_outcome(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOSTILE_WORKERS", str(tmp_path))
    with closing(Workers(1, LONG)) as workers:
        [outcome] = workers.judge(Hostile({1: "killed_once"}), [Item(1)])
    assert outcome.passed


def test_a_group_that_crashes_is_out_without_its_context() -> None:
    batch = [
        Item(number, group=number // 3 + 1, fresh=number % 3 > 0) for number in range(9)
    ]
    with closing(Workers(1, LONG)) as workers:
        outcomes = workers.judge(HostileGroups({4: "segfault"}), batch)
    assert {o.id: o.reason for o in outcomes} == {
        1: "ok",
        2: "ok",
        4: "crashed",
        5: "crashed",
        7: "ok",
        8: "ok",
    }


@pytest.mark.parametrize(
    ("harm", "error"),
    [
        ("bad_model", BadModel),
        ("broken_machine", BrokenMachine),
        ("memory_error", MemoryError),
    ],
)
@pytest.mark.parametrize("when", ["open", "judge"])
def test_what_ends_a_run_comes_out_of_the_process_as_itself(
    sqlite_catalogue: Catalogue,
    tmp_path: Path,
    engine: LocalEngine,
    harm: str,
    error: type[Exception],
    when: str,
) -> None:
    fill(sqlite_catalogue, range(1, 41))
    opening = when == "open"
    step = Hostile({} if opening else {30: harm}, at_open=harm if opening else None)
    assert list(engine.judge(Hostile(), [[Item(1)]]))
    with pytest.raises(error):
        judged(sqlite_catalogue, tmp_path, engine, step, batch=4)
    assert reasons(sqlite_catalogue) == {}
    # The engine is as good as before, also for a step that its processes had.
    judged(sqlite_catalogue, tmp_path, engine, Hostile(), batch=4)
    with sqlite_catalogue.read() as connection:
        left = sa.select(sa.func.count()).where(image.c.awaits.is_not(None))
        assert connection.execute(left).scalar_one() == 0


@pytest.mark.parametrize("harm", ["segfault", "leave"])
def test_a_process_that_never_gets_ready_is_a_broken_machine(
    catalogue: Catalogue, tmp_path: Path, engine: LocalEngine, harm: str
) -> None:
    fill(catalogue, range(1, 9))
    with pytest.raises(
        BrokenMachine, match=r"the step 'detect' ended 3 times before it was ready"
    ):
        judged(catalogue, tmp_path, engine, Hostile(at_open=harm), batch=4)
    assert reasons(catalogue) == {}


def test_a_step_that_a_process_cannot_load_ends_the_run(engine: LocalEngine) -> None:
    class Local(Hostile):
        """A class that another process does not find."""

    step = Local()
    with pytest.raises((BrokenMachine, AttributeError), match="Local"):
        list(engine.judge(step, [[Item(1)]]))


@pytest.mark.parametrize(("rows", "processes"), [(FEW, 1), (2 * FEW, 2)])
def test_few_rows_take_one_process_and_many_take_all(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, rows: int, processes: int
) -> None:
    monkeypatch.setenv("HOSTILE_WORKERS", str(tmp_path))
    harms = dict.fromkeys(range(FEW), "say_who_works")
    # One in each of two batches: the first waits until the second is judged too.
    harms |= {number: "meet_another" for number in (FEW + 20, FEW + 24)}
    batches = [[Item(n) for n in range(i, i + 4)] for i in range(0, rows, 4)]
    with closing(LocalEngine(2, LONG)) as engine:
        judged_rows = [
            outcome.id
            for outcomes in engine.judge(Hostile(harms), batches)
            for outcome in outcomes
        ]
    assert judged_rows == list(range(rows))
    assert len(list(tmp_path.iterdir())) == processes


def test_processes_live_from_step_to_step(engine: LocalEngine) -> None:
    batches = [[Item(1), Item(2)]]
    seen = {
        outcome.value
        for step in (Hostile(), Hostile({9: "hang"}), Hostile())
        for outcomes in engine.judge(step, batches)
        for outcome in outcomes
    }
    assert len(seen) == 1
    assert seen != {float(os.getpid())}


PROGRAM = """
import sys
from icf.engine.local import FEW, LocalEngine
from icf.engine.step import Item
from tests.core.images.hostile import Hostile
step = Hostile({number: "hang" for number in range(100, 200)})
batches = [[Item(n)] for n in range(200)]
for outcomes in LocalEngine(2).judge(step, batches):
    print(int(outcomes[0].value), flush=True)
"""


def start_and_hang() -> tuple[subprocess.Popen[str], set[int]]:
    """Start a program whose two workers come to hang; return them too."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    workers = {int(process.stdout.readline()) for _ in range(99)}
    assert len(workers) == 2
    return process, workers


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_workers_end_with_the_program_however_it_ends(how: signal.Signals) -> None:
    process, workers = start_and_hang()
    descriptors = [os.pidfd_open(worker) for worker in workers]
    # As the terminal does for Ctrl-C: to all processes of the program's own group.
    os.killpg(process.pid, how)
    process.communicate()
    for descriptor in descriptors:
        signal_of_end(descriptor)


def signal_of_end(descriptor: int) -> None:
    """Wait until the process behind a descriptor has ended."""
    ready = select.select([descriptor], [], [], 60)[0]
    os.close(descriptor)
    assert ready


def test_ctrl_c_ends_the_program_without_waiting_for_a_hanging_worker() -> None:
    process, _ = start_and_hang()
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode != 0
    assert said.rstrip().endswith("KeyboardInterrupt")

"""Programs on several machines with one catalogue in PostgreSQL wait for each other."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from icf.workspace import Workspace, init
from tests.annotate.page.waiting import comes_true
from tests.app.forked import Forked
from tests.catalogues import empty_postgres

pytestmark = pytest.mark.slow

#: Holds a lock of the workspace in the folder that is named, until it is killed.
HOLDS = """
import sys, time
from pathlib import Path
from icf.workspace import find
with find(Path(sys.argv[1])).one_at_a_time("test.lock", "icf-filter run"):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def machines(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[Workspace]]:
    """Two folders with one catalogue."""
    empty_postgres(postgres_url).close()
    monkeypatch.setenv("ICF_CATALOGUE_URL", postgres_url)
    made = [init(tmp_path / name) for name in ("one", "two")]
    yield made
    for each in made:
        each.catalogue.close()


@pytest.fixture
def second(machines: list[Workspace]) -> Iterator[Callable[[], threading.Event]]:
    """Starts a thread that wants the lock on the second machine."""
    threads = []

    def start() -> threading.Event:
        has_it = threading.Event()

        def work() -> None:
            with machines[1].one_at_a_time("test.lock", "icf-filter rethreshold"):
                has_it.set()

        threads.append(threading.Thread(target=work))
        threads[-1].start()
        return has_it

    yield start
    for each in threads:
        each.join()


def test_a_program_on_another_machine_waits_and_says_for_whom(
    machines: list[Workspace],
    second: Callable[[], threading.Event],
    caplog: pytest.LogCaptureFixture,
) -> None:
    command = f"icf-annotate export {'long/' * 20}"
    with machines[0].one_at_a_time("test.lock", command):
        has_it = second()
        assert comes_true(lambda: "waiting until it ends" in caplog.text)
        assert not has_it.is_set()
        with machines[1].one_at_a_time("other.lock", "icf-build-splits x"):
            pass  # another lock is free
    assert has_it.wait(60)
    host = re.escape(os.uname().nodename)
    expected = (
        rf"icf-annotate export \S* \(process {os.getpid()} on {host}\) is at work on "
        r"this catalogue since \d{4}-\d\d-\d\d \d\d:\d\d UTC; waiting until it ends"
    )
    assert re.search(expected, caplog.text)


@pytest.mark.parametrize(
    ("lock", "command"),
    [
        ("filter.lock", "icf-filter run"),
        ("filter.lock", "icf-filter rethreshold"),
        ("filter.lock", "icf-filter retry"),
        ("export.lock", "icf-annotate export batches/first --format csv"),
    ],
)
def test_a_command_waits_for_one_on_another_machine(
    machines: list[Workspace], lock: str, command: str
) -> None:
    name, *words = command.split()
    with machines[0].one_at_a_time(lock, "icf-filter run"):
        second = Forked(name, *words, folder=machines[1].root)
        assert comes_true(lambda: second.said().endswith("\n"))
        assert f"icf-filter run (process {os.getpid()} on " in second.said()
        assert second.poll() is None
    assert "Traceback" not in second.communicate()[1]
    assert second.returncode == 0


def test_the_lock_of_a_killed_program_is_free(
    machines: list[Workspace],
    second: Callable[[], threading.Event],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(machines[0].root)],
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            has_it = second()
            assert comes_true(lambda: f"process {holder.pid} on" in caplog.text)
            assert not has_it.is_set()
        finally:
            holder.send_signal(signal.SIGKILL)
    assert has_it.wait(60)


def test_a_connection_that_ends_meanwhile_does_not_fail_the_work(
    machines: list[Workspace], caplog: pytest.LogCaptureFixture
) -> None:
    others = "pid <> pg_backend_pid() AND datname = current_database()"
    end = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"
    with (
        machines[0].one_at_a_time("test.lock", "icf-filter run"),
        machines[1].catalogue.write() as connection,
    ):
        connection.execute(sa.text(end))
    with machines[0].one_at_a_time("test.lock", "icf-filter run"):
        pass
    assert caplog.text == ""


def test_it_keeps_no_row_from_being_vacuumed(machines: list[Workspace]) -> None:
    holds = "SELECT count(*) FROM pg_stat_activity WHERE backend_xmin IS NOT NULL "
    others = "AND pid <> pg_backend_pid() AND datname = current_database()"
    with (
        machines[0].one_at_a_time("test.lock", "icf-filter run"),
        machines[1].catalogue.engine.connect() as connection,
    ):
        assert connection.scalar(sa.text(holds + others)) == 0


def test_it_lasts_where_the_server_ends_idle_transactions(
    machines: list[Workspace],
    second: Callable[[], threading.Event],
    caplog: pytest.LogCaptureFixture,
) -> None:
    strict = {
        "idle_in_transaction_session_timeout": "50ms",
        "statement_timeout": "50ms",
        "lock_timeout": "50ms",
    }
    for each in machines:
        url = each.catalogue.engine.url
        options = " ".join(f"-c{name}={value}" for name, value in strict.items())
        made = url.update_query_dict({"options": options})
        each.catalogue.close()
        each.catalogue.engine = sa.create_engine(made)
    with machines[0].one_at_a_time("test.lock", "icf-filter run"):
        has_it = second()
        assert comes_true(lambda: "waiting until it ends" in caplog.text)
        assert not has_it.wait(0.5)
    assert has_it.wait(60)

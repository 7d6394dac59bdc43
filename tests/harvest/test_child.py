import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from icf.codes import FetchStatus
from icf.harvest.child import Child, Children
from icf.harvest.fault import Fault

WORK = "tests.harvest.child_work"
LONG = 60.0


@pytest.fixture
def child() -> Iterator[Child]:
    made = Child(WORK)
    yield made
    made.close()


def pid(child: Child) -> int:
    return int(child.ask({"do": "nothing"}, deadline=LONG)["pid"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(max_size=2000))
def test_any_text_goes_there_and_back(child: Child, text: str) -> None:
    assert child.ask({"do": "echo", "text": text}, deadline=LONG)["text"] == text


def test_bytes_come_while_they_are_made_and_all_of_them(child: Child) -> None:
    sizes = [0, 1, 70_000, 3_000_000, 5]
    came: list[bytes] = []
    child.ask({"do": "write", "sizes": sizes}, came.append, deadline=LONG)
    assert [len(piece) for piece in came] == sizes


def test_one_process_answers_many_requests(child: Child) -> None:
    assert pid(child) == pid(child)


def test_what_hangs_is_killed_at_its_deadline_and_the_next_one_is_answered(
    child: Child,
) -> None:
    before = pid(child)
    came: list[bytes] = []
    with pytest.raises(Fault) as caught:
        child.ask({"do": "hang"}, came.append, deadline=0.5)
    assert caught.value.fate is FetchStatus.TIMEOUT
    assert b"".join(came) in (b"", b"first")
    assert pid(child) != before
    with pytest.raises(ProcessLookupError):
        os.kill(before, 0)


@pytest.mark.parametrize(("how", "message"), [("crash", "SIGSEGV"), ("exit", "code 3")])
def test_what_crashes_costs_one_request(child: Child, how: str, message: str) -> None:
    with pytest.raises(Fault, match=message) as caught:
        child.ask({"do": how}, deadline=LONG)
    assert caught.value.fate is FetchStatus.CORRUPT
    assert pid(child) > 0


@pytest.mark.parametrize(
    ("how", "fate", "message"),
    [
        ("refuse", FetchStatus.ENCRYPTED, "it asks for a password"),
        ("raise", FetchStatus.CORRUPT, "ZeroDivisionError: of a parser"),
    ],
)
def test_what_is_refused_leaves_the_process_alive(
    child: Child, how: str, fate: FetchStatus, message: str
) -> None:
    before = pid(child)
    with pytest.raises(Fault, match=message) as caught:
        child.ask({"do": how}, deadline=LONG)
    assert caught.value.fate is fate
    assert pid(child) == before


def test_memory_has_a_limit() -> None:
    child = Child(WORK, memory=1 << 30)
    try:
        with pytest.raises(Fault) as caught:
            child.ask({"do": "eat", "bytes": 2 << 30}, deadline=LONG)
        assert caught.value.fate is FetchStatus.TOO_LARGE
        assert child.ask({"do": "eat", "bytes": 1 << 20}, deadline=LONG)["eaten"]
    finally:
        child.close()


def test_what_native_code_prints_is_not_taken_for_an_answer(child: Child) -> None:
    assert child.ask({"do": "print"}, deadline=LONG)["pid"]
    assert pid(child) > 0


def test_a_sink_that_fails_ends_the_request_and_not_the_next_one(child: Child) -> None:
    def full(piece: bytes) -> None:
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        child.ask({"do": "write", "sizes": [10, 10]}, full, deadline=LONG)
    assert pid(child) > 0


PARENT = f"""
from icf.harvest.child import Child
child = Child({WORK!r})
print(child.ask({{"do": "nothing"}}, deadline=60)["pid"], flush=True)
child.ask({{"do": "hang"}}, lambda piece: print("hangs", flush=True), deadline=600)
"""


def test_a_child_ends_with_its_parent_even_while_it_hangs() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    with parent, parent.stdout:
        orphan = os.pidfd_open(int(parent.stdout.readline()))
        assert parent.stdout.readline() == "hangs\n"
        parent.kill()
    ended, _, _ = select.select([orphan], [], [], LONG)
    os.close(orphan)
    assert ended


def test_several_children_work_at_once_and_take_turns() -> None:
    children = Children(WORK, 2)
    pids: set[int] = set()
    both = threading.Barrier(2, timeout=LONG)

    def work() -> None:
        def meet(piece: bytes) -> None:
            both.wait()

        asked = {"do": "write", "sizes": [1]}
        pids.add(int(children.ask(asked, meet, deadline=LONG)["pid"]))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(pids) == 2
    assert {children.ask({"do": "nothing"}, deadline=LONG)["pid"]} <= pids
    children.close()
    for one in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(one, signal.SIGCONT)


def test_closing_ends_what_hangs(child: Child) -> None:
    began, fates = threading.Event(), list[FetchStatus]()

    def ask() -> None:
        try:
            child.ask({"do": "hang"}, lambda piece: began.set(), deadline=LONG * 60)
        except Fault as fault:
            fates.append(fault.fate)

    asking = threading.Thread(target=ask)
    asking.start()
    began.wait()
    child.close()
    asking.join()
    assert fates == [FetchStatus.CORRUPT]

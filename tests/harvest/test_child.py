import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from icf.codes import Fate
from icf.errors import BrokenMachine
from icf.harvest.child import Child, Children
from icf.harvest.fault import Fault

ANSWERS = "tests.harvest.child_answers"
FOREVER = 600.0


@pytest.fixture
def child() -> Iterator[Child]:
    made = Child(ANSWERS, deadline=FOREVER, memory=256 << 20)
    yield made
    made.kill()


def refusal(child: Child, what: str, deadline: float = FOREVER) -> Fault:
    with pytest.raises(Fault) as caught:
        child.ask({"what": what, "path": "a.pdf"}, deadline=deadline)
    return caught.value


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # One that nobody has waited for yet is gone too.
    return ") Z " not in Path(f"/proc/{pid}/stat").read_text()


def test_bytes_come_before_the_answer_and_one_process_answers_all(child: Child) -> None:
    text, got = "月" * 100_000, bytearray()
    first = child.ask({"what": "echo", "text": text}, got.extend)
    assert got.decode() == text
    assert first["length"] == len(text)
    assert child.ask({"what": "echo", "text": ""})["pid"] == first["pid"] == child.pid
    assert first["pid"] != os.getpid()


def test_what_native_code_prints_does_not_get_between(child: Child) -> None:
    assert child.ask({"what": "print"}) == "quiet"


def test_what_hangs_is_killed_at_its_deadline_and_the_next_question_is_answered(
    child: Child,
) -> None:
    child.ask({"what": "print"})
    hung, got = child.pid, bytearray()
    with pytest.raises(Fault) as caught:
        child.ask({"what": "hang"}, got.extend, deadline=0.5)
    assert caught.value.fate is Fate.TIMEOUT
    assert got == b"first"
    assert hung is not None
    assert not is_there(hung)
    assert child.ask({"what": "print"}) == "quiet"


@pytest.mark.parametrize("how", ["crash", "native", "leave"])
def test_a_crash_is_the_fault_of_what_was_read(child: Child, how: str) -> None:
    fault = refusal(child, how)
    assert fault.fate is Fate.CORRUPT
    assert "a.pdf" in str(fault)
    assert ("SIGSEGV" in str(fault)) == (how != "leave")
    assert child.ask({"what": "print"}) == "quiet"


def test_what_it_raises_is_told_and_the_process_lives_on(child: Child) -> None:
    child.ask({"what": "print"})
    pid = child.pid
    assert refusal(child, "encrypted").fate is Fate.ENCRYPTED
    fault = refusal(child, "break")
    assert fault.fate is Fate.CORRUPT
    assert "ValueError" in str(fault)
    assert child.pid == pid


def test_more_memory_than_allowed_is_too_large(child: Child) -> None:
    assert child.ask({"what": "eat", "bytes": 64 << 20}) == 64 << 20
    with pytest.raises(Fault) as caught:
        child.ask({"what": "eat", "bytes": 300 << 20})
    assert caught.value.fate is Fate.TOO_LARGE
    assert child.ask({"what": "print"}) == "quiet"


def test_a_sink_that_fails_ends_the_question_with_its_own_error(child: Child) -> None:
    def full(piece: bytes) -> None:
        raise BrokenMachine("the disk takes no more")

    with pytest.raises(BrokenMachine, match="takes no more"):
        child.ask({"what": "echo", "text": "x" * 1_000_000}, full)
    assert child.ask({"what": "print"}) == "quiet"


@pytest.mark.parametrize("module", ["no.such.module", "icf.harvest.fault"])
def test_a_module_that_cannot_answer_is_a_broken_machine(module: str) -> None:
    with pytest.raises(BrokenMachine, match="does not start"):
        Child(module, deadline=FOREVER).ask({})


@pytest.mark.parametrize("what", ["print", "hang"])
def test_it_ends_with_its_parent_however_that_ends(what: str) -> None:
    program = (
        "import sys, threading\n"
        "sys.path[:0] = sys.argv[2:]\n"
        "from icf.harvest.child import Child\n"
        f"child = Child({ANSWERS!r}, deadline=600)\n"
        "child.ask({'what': 'print'})\n"
        "def told(piece): print(child.pid, flush=True)\n"
        "def ask(): child.ask({'what': sys.argv[1]}, told)\n"
        "threading.Thread(target=ask, daemon=True).start()\n"
        "if sys.argv[1] == 'print': told(b'')\n"
        "sys.stdin.read()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, what, *filter(None, sys.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    while is_there(pid):  # the test's own timeout is the bound
        time.sleep(0.01)


def test_several_children_answer_at_a_time() -> None:
    pool = Children(ANSWERS, deadline=FOREVER, count=2)
    meeting, pids = threading.Barrier(2), set()

    def together(piece: bytes) -> None:
        meeting.wait()

    def ask() -> None:
        pids.add(pool.ask({"what": "echo", "text": "x"}, together)["pid"])

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pool.close()
    assert len(pids) == 2
    assert not any(map(is_there, pids))


def test_closing_ends_a_question_that_hangs_and_refuses_the_next() -> None:
    pool = Children(ANSWERS, deadline=FOREVER, count=1)
    fates: list[Fate] = []
    began = threading.Event()

    def ask() -> None:
        try:
            pool.ask({"what": "hang"}, lambda piece: began.set())
        except Fault as fault:
            fates.append(fault.fate)

    thread = threading.Thread(target=ask)
    thread.start()
    began.wait()
    pool.close()
    thread.join()
    ask()
    assert len(fates) == 2

"""Messages to real processes, and how their ends are reported."""

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.engine import child_process
from icf.engine.child_process import (
    Channel,
    ChildCrashed,
    ChildProcess,
    ChildTimeout,
)
from icf.errors import BrokenMachine

WORK = "tests.core.engine.child_process_work"
LONG = 60.0


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
def child() -> Iterator[ChildProcess]:
    with closing(ChildProcess(WORK)) as made:
        yield made


@given(st.lists(st.tuples(st.sampled_from([b"A", b"\0"]), st.binary()), max_size=9))
def test_messages_arrive_as_they_were_sent_until_the_end_is_closed(
    messages: list[tuple[bytes, bytes]],
) -> None:
    ours, theirs = (Channel(end) for end in socket.socketpair())
    with ours.socket, theirs.socket:
        for kind, body in messages:
            ours.send(kind, body)
        ours.socket.close()
        assert list(theirs) == messages
        with pytest.raises(EOFError):
            theirs.send(b"A", b"")


def test_a_large_message_goes_there_and_back(child: ChildProcess) -> None:
    body = os.urandom(5_000_000)
    child.send(b"e", body, LONG)
    assert child.receive(LONG) == (b"E", body)


def test_a_child_gets_variables_of_its_own() -> None:
    with closing(ChildProcess(WORK, environment={"MINE": "yes"})) as child:
        child.send(b"v", b"MINE")
        assert child.receive(LONG) == (b"V", b"yes")


def test_what_it_printed_is_returned_once(child: ChildProcess) -> None:
    for text in ("first", "second"):
        child.send(b"p", text.encode())
        child.receive(LONG)
        assert child.take_output() == text
    assert child.take_output() == ""


def test_a_child_that_cannot_start_its_work_says_why() -> None:
    child = ChildProcess(WORK, "fly")
    with pytest.raises(ChildCrashed) as caught:
        child.receive(LONG)
    assert caught.value.how == "exit code 1"
    assert caught.value.output == "cannot fly\nfly is not possible"
    with pytest.raises(ChildCrashed, match="exit code 1"):
        child.send(b"e", b"")


def test_a_module_that_is_not_there_is_named() -> None:
    with pytest.raises(ChildCrashed, match="No module named 'nowhere'"):
        ChildProcess("nowhere").receive(LONG)


@pytest.mark.slow
def test_a_message_that_never_gets_complete_ends_at_the_deadline(
    child: ChildProcess,
) -> None:
    child.send(b"d", b"")
    with pytest.raises(ChildTimeout):
        child.receive(3.0)
    assert not child.is_running


def test_a_child_that_does_not_read_ends_at_the_deadline(child: ChildProcess) -> None:
    child.send(b"h", b"")
    with pytest.raises(ChildTimeout):
        child.send(b"e", bytes(10_000_000), 1.0)
    assert not child.is_running


def test_a_message_that_is_too_long_is_not_read(child: ChildProcess) -> None:
    child.send(b"l", b"")
    with pytest.raises(ChildCrashed, match="sent a message of 2147483648 bytes"):
        child.receive(LONG)
    assert not child.is_running


def test_a_child_that_closes_its_channel_and_goes_on_is_killed(
    child: ChildProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_process, "_END_SECONDS", 0.1)
    child.send(b"c", b"")
    with pytest.raises(ChildCrashed, match="SIGKILL"):
        child.receive(LONG)


def test_a_machine_without_processes_is_a_broken_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = open_files()
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(BrokenMachine, match="cannot start a process"):
        ChildProcess(WORK)
    assert open_files() == before


def test_a_closed_child_leaves_no_descriptor_open() -> None:
    before = open_files()
    with closing(ChildProcess(WORK)) as child:
        child.send(b"e", b"")
        child.receive(LONG)
    child.close()
    assert open_files() == before

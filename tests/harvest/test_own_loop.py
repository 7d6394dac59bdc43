"""A coroutine is run to its end, whether or not an event loop runs already."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from typing import NoReturn, TypeVar

import pytest

from icf.harvest.own_loop import run_to_end

T = TypeVar("T")

#: More than any of it takes.
LONG = 60


async def seven() -> int:
    await asyncio.sleep(0)
    return 7


async def broken() -> NoReturn:
    raise OSError("no disk")


def in_a_loop(call: Callable[[], T]) -> T:
    """Call a function where an event loop runs, as a cell of a notebook."""

    async def cell() -> T:
        return call()

    return asyncio.run(cell())


def in_a_thread(call: Callable[[], T]) -> T:
    found: list[T] = []
    thread = threading.Thread(target=lambda: found.append(in_a_loop(call)))
    thread.start()
    thread.join()
    return found[0]


def alone(call: Callable[[], T]) -> T:
    return call()


@pytest.mark.parametrize("where", [alone, in_a_loop, in_a_thread])
def test_its_result_is_returned(where: Callable[[Callable[[], int]], int]) -> None:
    threads = threading.active_count()
    assert where(lambda: run_to_end(seven)) == 7
    assert threading.active_count() == threads


@pytest.mark.parametrize("where", [alone, in_a_loop])
def test_its_error_is_raised(where: Callable[[Callable[[], int]], int]) -> None:
    with pytest.raises(OSError, match="no disk"):
        where(lambda: run_to_end(broken))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_cancels_it_and_is_heard_as_before_afterwards(
    how: signal.Signals,
) -> None:
    said = []

    async def endless() -> None:
        os.kill(os.getpid(), how)
        try:
            await asyncio.sleep(LONG)
        finally:
            await asyncio.sleep(0)
            said.append("put away")

    def cell() -> None:
        before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
        with pytest.raises(asyncio.CancelledError):
            run_to_end(endless)
        after = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
        assert after == before

    in_a_loop(cell)
    assert said == ["put away"]


def test_who_interrupts_it_twice_waits_no_longer() -> None:
    put_away, go_on = threading.Event(), threading.Event()

    async def slow_to_end() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        try:
            await asyncio.sleep(LONG)
        finally:
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.to_thread(go_on.wait, LONG)
            put_away.set()

    def cell() -> None:
        with pytest.raises(KeyboardInterrupt):
            run_to_end(slow_to_end)
        assert not put_away.is_set()
        go_on.set()
        assert put_away.wait(LONG)

    in_a_loop(cell)


def test_whatever_ends_the_wait_ends_it_too() -> None:
    """A time limit by SIGALRM, for example, raises out of the wait."""
    said = []

    def over(_number: int, _frame: object) -> None:
        raise TimeoutError

    async def endless() -> None:
        os.kill(os.getpid(), signal.SIGALRM)
        try:
            await asyncio.sleep(LONG)
        finally:
            said.append("put away")

    before = signal.signal(signal.SIGALRM, over)
    try:
        with pytest.raises(TimeoutError):
            in_a_loop(lambda: run_to_end(endless))
    finally:
        signal.signal(signal.SIGALRM, before)
    assert said == ["put away"]

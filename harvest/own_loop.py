"""Run a coroutine to its end, also where an event loop runs already, as in notebooks.

A thread runs one loop at a time. So where one runs, the coroutine gets a thread of its
own, and the caller waits for it. Signals still come to the main thread: while that one
waits, Ctrl-C and SIGTERM cancel the coroutine.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, Generic, TypeVar

T = TypeVar("T")

_SIGNALS = (signal.SIGINT, signal.SIGTERM)

#: Seconds after which the main thread hears a signal that came to another one.
_LOOK = 0.5


def run_to_end(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run what ``work`` makes, and return its result.

    Raises:
        CancelledError: it was cancelled.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work())
    return _run_in_thread(_Running(work))


class _Running(Generic[T]):
    """A coroutine in a thread of its own.

    Args:
        work: makes the coroutine.
    """

    def __init__(self, work: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self.ended: Future[T] = Future()
        self.stopped = False
        self._work = work
        self._cancel: Callable[[], object] | None = None

    def run(self) -> None:
        """Run it; what the thread does."""
        try:
            result = self._run()
        except BaseException as error:
            self.ended.set_exception(error)
        else:
            self.ended.set_result(result)

    def stop(self) -> None:
        """Cancel it, from any thread and at any time."""
        self.stopped = True
        if self._cancel is not None:
            with suppress(RuntimeError):  # its loop is closed: it has ended
                self._cancel()

    def _run(self) -> T:
        # nest_asyncio, common in notebooks, has an `asyncio.run` that needs a loop.
        spare = asyncio.new_event_loop()
        asyncio.set_event_loop(spare)
        try:
            return asyncio.run(self._main())
        finally:
            asyncio.set_event_loop(None)
            spare.close()

    async def _main(self) -> T:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        self._cancel = lambda: loop.call_soon_threadsafe(task.cancel)
        if self.stopped:
            raise asyncio.CancelledError
        return await self._work()


def _run_in_thread(running: _Running[T]) -> T:
    thread = threading.Thread(target=running.run, name="icf harvest", daemon=True)
    with _signals_stop(running):
        try:
            thread.start()
            while not wait([running.ended], _LOOK).done:
                pass
        except BaseException:
            # Who interrupts it twice waits no longer.
            if not running.stopped:
                running.stop()
                if thread.is_alive():
                    thread.join()
            raise
        thread.join()
    return running.ended.result()


@contextmanager
def _signals_stop(running: _Running[T]) -> Iterator[None]:
    """Let the first signal cancel it, and the next one end the wait for its end."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        if running.stopped:
            raise KeyboardInterrupt
        running.stop()

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.getsignal(each) for each in _SIGNALS}
    heard = {k: v for k, v in before.items() if v not in (None, signal.SIG_IGN)}
    try:
        for each in heard:
            signal.signal(each, stop)
        yield
    finally:
        for each, handler in heard.items():
            signal.signal(each, handler)

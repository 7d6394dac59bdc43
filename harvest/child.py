"""Work that may hang or crash in native code, done in a process that can be killed.

A `Child` answers requests in a child process, by a module with one function,
``answer(request, write)``: it takes a JSON object, may write bytes, and returns a JSON
object. One request at a time; a request that crashes, or is not done at its deadline,
fails alone, and the next one gets a new process.

The messages (see `icf.engine.child_process`): ``R`` a request, ``B`` bytes of the
answer, ``A`` the answer, ``F`` a fault.
"""

from __future__ import annotations

import importlib
import json
import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol, cast

from icf.codes import FetchStatus
from icf.engine.child_process import (
    Channel,
    ChildCrashed,
    ChildProcess,
    ChildTimeout,
)
from icf.harvest.fault import Fault

Request = Mapping[str, Any]
Answer = dict[str, Any]
Write = Callable[[bytes], object]

#: Bytes of address space that a child may have: native libraries map a lot and use
#: little of it.
MEMORY = 4 << 30


class Answering(Protocol):
    """A module that answers requests in a child."""

    def answer(self, request: Request, write: Write) -> Answer:
        """Answer a request; write bytes, if the answer has some.

        Raises:
            Fault: it cannot be done; the child continues.
        """


class Child:
    """One killable process, started with the first request.

    Args:
        module: dotted name of a module that is `Answering`.
        memory: bytes of address space that it may have.
    """

    def __init__(self, module: str, memory: int = MEMORY) -> None:
        self._module = module
        self._memory = memory
        self._process: ChildProcess | None = None
        self._lock = threading.Lock()

    def ask(
        self, request: Request, write: Write = lambda piece: None, *, deadline: float
    ) -> Answer:
        """Send a request and wait for the answer.

        Args:
            request: a JSON object.
            write: takes the bytes of the answer as they come.
            deadline: seconds for all of it.

        Raises:
            Fault: of the module; ``timeout`` past the deadline, ``corrupt`` when
                the process died of it.
        """
        with self._lock:
            process = self._process
            if process is None:
                process = self._process = ChildProcess(
                    __name__, self._module, memory=self._memory
                )
            try:
                kind, body = _exchange(process, request, write, deadline)
            except BaseException as error:
                # After any error the channel may be in the middle of an answer.
                self._end()
                if isinstance(error, ChildTimeout):
                    text = f"{self._module} did not end in time"
                    raise Fault(FetchStatus.TIMEOUT, text) from None
                if isinstance(error, ChildCrashed):
                    text = f"its decoder crashed ({error.how}) {error.output}".rstrip()
                    raise Fault(FetchStatus.CORRUPT, text) from None
                raise
            process.take_output()
        answer: Answer = json.loads(body)
        if kind == b"F":
            raise Fault(FetchStatus[answer["fate"]], answer["message"])
        return answer

    def close(self) -> None:
        """End the process, if one runs; what it is doing ends with a fault."""
        if (process := self._process) is not None:
            process.kill()
        with self._lock:
            self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.close()


class Children:
    """Several children of one kind; a request takes one that is free, or waits.

    Args:
        module: dotted name of a module that is `Answering`.
        most: processes at a time.
    """

    def __init__(self, module: str, most: int) -> None:
        self._all = [Child(module) for _ in range(most)]
        # Last in, first out: so the other processes may never have to be started.
        self._free: queue.LifoQueue[Child] = queue.LifoQueue()
        for child in reversed(self._all):
            self._free.put(child)

    def ask(
        self, request: Request, write: Write = lambda piece: None, *, deadline: float
    ) -> Answer:
        """Send a request and wait for the answer; see `Child.ask`."""
        child = self._free.get()
        try:
            return child.ask(request, write, deadline=deadline)
        finally:
            self._free.put(child)

    def close(self) -> None:
        """End all processes."""
        for child in self._all:
            child.close()


def _exchange(
    process: ChildProcess, request: Request, write: Write, deadline: float
) -> tuple[bytes, bytes]:
    """Send a request; pass on the bytes of the answer, and return how it ends."""
    end = time.monotonic() + deadline
    process.send(b"R", json.dumps(request).encode(), deadline)
    while True:
        kind, body = process.receive(end - time.monotonic())
        if kind in (b"A", b"F"):
            return kind, body
        if kind != b"B":
            raise ChildCrashed("it sent what is not an answer", "")
        write(body)


# --- in the child --------------------------------------------------------------------


def main(channel: Channel, module: str) -> None:
    """Answer the requests that come through the channel."""
    works = cast(Answering, importlib.import_module(module))
    for _, body in channel:
        kind, answer = _answered(works, json.loads(body), channel)
        channel.send(kind, json.dumps(answer).encode())


def _answered(
    works: Answering, request: Request, channel: Channel
) -> tuple[bytes, Answer]:
    try:
        return b"A", works.answer(request, lambda piece: channel.send(b"B", piece))
    except Fault as fault:
        return b"F", {"fate": fault.fate.name, "message": str(fault)}
    except MemoryError:
        text = "it needs more memory than a decoder may have"
        return b"F", {"fate": FetchStatus.TOO_LARGE.name, "message": text}
    except Exception as error:
        # Parsers of hostile files raise any exception; the file is the cause.
        text = f"{type(error).__name__}: {error}"
        return b"F", {"fate": FetchStatus.CORRUPT.name, "message": text}

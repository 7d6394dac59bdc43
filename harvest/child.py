"""Work that may hang or crash in native code, done in a process that can be killed.

A `Child` runs ``python -m icf.harvest.child MODULE``. The module has one function,
``answer(request, write)``: it takes a JSON object, may write bytes, and returns a JSON
object. One request at a time; what hangs past its deadline or crashes costs that one
request, and the next one gets a new process.

On the pipes a message is its kind (one byte), its length (four bytes, big-endian) and
so many bytes: ``R`` a request, ``B`` bytes of the answer, ``A`` the answer, ``F`` a
fault. A child ends with its parent, however that ends.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import queue
import resource
import select
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any, Protocol, cast

from icf.codes import FetchStatus
from icf.engine.lifeline import end_with_the_parent
from icf.harvest.fault import Fault

Request = Mapping[str, Any]
Answer = dict[str, Any]
Write = Callable[[bytes], object]

#: Bytes of address space that a child may have: native libraries map a lot and use
#: little of it.
MEMORY = 4 << 30

_HEADER = struct.Struct(">cI")
_LONGEST = 64 << 20
_SHOWN = 300


class Answering(Protocol):
    """What a module has that works in a child."""

    def answer(self, request: Request, write: Write) -> Answer:
        """Do what is asked; write bytes, if the answer has some.

        Raises:
            Fault: it cannot be done; the child goes on.
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
        self._process: subprocess.Popen[bytes] | None = None
        self._lifeline = -1
        self._said: IO[bytes] | None = None
        self._lock = threading.Lock()

    def ask(
        self, request: Request, write: Write = lambda piece: None, *, deadline: float
    ) -> Answer:
        """Have something done.

        Args:
            request: a JSON object.
            write: takes the bytes of the answer as they come.
            deadline: seconds for all of it.

        Raises:
            Fault: as the module says; ``timeout`` past the deadline, ``corrupt`` when
                the process died of it.
        """
        with self._lock:
            try:
                return self._ask(request, write, time.monotonic() + deadline)
            except _Refused as refused:
                raise refused.fault from None
            except BaseException:
                # Whatever went wrong, the pipes are in the middle of an answer.
                self._kill()
                raise

    def close(self) -> None:
        """End the process, if one runs; what it is doing ends with a fault."""
        if (process := self._process) is not None:
            process.kill()
        with self._lock:
            self._kill()

    def _ask(self, request: Request, write: Write, end: float) -> Answer:
        process = self._process or self._start()
        assert process.stdin is not None
        try:
            process.stdin.write(_message(b"R", json.dumps(request).encode()))
            process.stdin.flush()
        except BrokenPipeError:
            raise self._crashed(process) from None
        while True:
            kind, body = self._read_message(process, end)
            if kind == b"B":
                write(body)
            elif kind == b"A":
                answer: Answer = json.loads(body)
                return answer
            else:
                fault = json.loads(body)
                raise _Refused(Fault(FetchStatus[fault["fate"]], fault["message"]))

    def _start(self) -> subprocess.Popen[bytes]:
        lifeline, self._lifeline = os.pipe()
        self._said = tempfile.TemporaryFile()  # noqa: SIM115, closed with the child
        words = (self._module, str(self._memory), str(lifeline))
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "icf.harvest.child", *words],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
                pass_fds=(lifeline,),
            )
        finally:
            os.close(lifeline)
        return self._process

    def _read_message(
        self, process: subprocess.Popen[bytes], end: float
    ) -> tuple[bytes, bytes]:
        kind, length = _HEADER.unpack(self._read(process, _HEADER.size, end))
        if length > _LONGEST or kind not in (b"A", b"B", b"F"):
            raise Fault(FetchStatus.CORRUPT, f"{self._module} sent what is no message")
        return kind, self._read(process, length, end)

    def _read(self, process: subprocess.Popen[bytes], count: int, end: float) -> bytes:
        assert process.stdout is not None
        pipe = process.stdout.fileno()
        waiting = select.poll()
        waiting.register(pipe, select.POLLIN)
        pieces = b""
        while len(pieces) < count:
            left = end - time.monotonic()
            if left <= 0 or not waiting.poll(left * 1000):
                raise Fault(FetchStatus.TIMEOUT, f"{self._module} did not end in time")
            piece = os.read(pipe, count - len(pieces))
            if not piece:
                raise self._crashed(process)
            pieces += piece
        return pieces

    def _crashed(self, process: subprocess.Popen[bytes]) -> Fault:
        code = process.wait()
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        said = b""
        if self._said is not None:
            size = self._said.seek(0, os.SEEK_END)
            self._said.seek(max(0, size - _SHOWN))
            said = self._said.read()
        text = said.decode("utf-8", errors="replace").strip()
        return Fault(
            FetchStatus.CORRUPT, f"its decoder crashed ({how}) {text}".rstrip()
        )

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        process.stdout.close()
        os.close(self._lifeline)
        if self._said is not None:
            self._said.close()


class Children:
    """Several children of one kind; a request takes one that is free, or waits.

    Args:
        module: dotted name of a module that is `Answering`.
        most: processes at a time.
        memory: bytes of address space that each may have.
    """

    def __init__(self, module: str, most: int, memory: int = MEMORY) -> None:
        self._all = [Child(module, memory) for _ in range(most)]
        # The one that was last free comes first: the others may never be needed.
        self._free: queue.LifoQueue[Child] = queue.LifoQueue()
        for child in reversed(self._all):
            self._free.put(child)

    def ask(
        self, request: Request, write: Write = lambda piece: None, *, deadline: float
    ) -> Answer:
        """Have something done; see `Child.ask`."""
        child = self._free.get()
        try:
            return child.ask(request, write, deadline=deadline)
        finally:
            self._free.put(child)

    def close(self) -> None:
        """End all processes."""
        for child in self._all:
            child.close()


class _Refused(Exception):
    """The module said no; the process is as good as before."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


def _message(kind: bytes, body: bytes) -> bytes:
    return _HEADER.pack(kind, len(body)) + body


# --- in the child --------------------------------------------------------------------


def _main(module: str, memory: str, lifeline: str) -> None:
    end_with_the_parent(int(lifeline))
    resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
    # What native code prints must not end up between the messages.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    works = cast(Answering, importlib.import_module(module))
    for request in _requests():
        kind, body = _answered(works, request, out)
        out.write(_message(kind, json.dumps(body).encode()))
        out.flush()


def _requests() -> Iterator[Answer]:
    pipe = sys.stdin.buffer
    while header := pipe.read(_HEADER.size):
        _, length = _HEADER.unpack(header)
        request: Answer = json.loads(pipe.read(length))
        yield request


def _answered(
    works: Answering, request: Request, out: IO[bytes]
) -> tuple[bytes, Answer]:
    def write(piece: bytes) -> None:
        out.write(_message(b"B", piece))
        out.flush()

    try:
        return b"A", works.answer(request, write)
    except Fault as fault:
        return b"F", {"fate": fault.fate.name, "message": str(fault)}
    except MemoryError:
        text = "it needs more memory than a decoder may have"
        return b"F", {"fate": FetchStatus.TOO_LARGE.name, "message": text}
    except Exception as error:
        # Parsers of hostile files raise whatever they like; the file is at fault.
        text = f"{type(error).__name__}: {error}"
        return b"F", {"fate": FetchStatus.CORRUPT.name, "message": text}


if __name__ == "__main__":
    _main(*sys.argv[1:])

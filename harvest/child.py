"""A small process for native code that may hang, crash or eat all memory.

The parent asks a `Child` one question at a time; it gets bytes back while they are
made, and at the end an answer or a `Fault`. At the deadline the process is killed, and
the next question starts a new one. It is a fresh Python (``python -m icf.harvest.child
MODULE``), never a fork: nothing of the parent's threads, files or locks is in it. It
ends with its parent, however that ends.

The module has a function ``answer(request, write)``: ``request`` is the object that was
asked, ``write`` takes bytes on their way to the parent, and what it returns (as JSON)
is the answer. What it raises becomes a fault: a `Fault` itself, ``too_large`` for a
`MemoryError`, ``corrupt`` for anything else.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import queue
import selectors
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from icf.codes import Fate
from icf.errors import BrokenMachine
from icf.harvest.fault import Fault

if sys.platform != "win32":
    import fcntl
    import resource

Request = Mapping[str, Any]
Write = Callable[[bytes], object]

#: Bytes that the child may map above what it has when its module is imported.
MEMORY = 512 << 20

_HEAD = struct.Struct(">cI")
_READY, _DATA, _ANSWER, _FAULT, _BROKEN = b"R", b"D", b"A", b"F", b"X"
_PIECE = 1 << 16
#: Seconds that a busy machine may take to start Python and import the module.
_START = 120.0


class Child:
    """One process, started when it is first needed and again after each death.

    Args:
        module: what answers, as the import name.
        deadline: seconds for one question.
        memory: bytes that an answer may map at a time.
    """

    def __init__(self, module: str, *, deadline: float, memory: int = MEMORY) -> None:
        self._module = module
        self._deadline = deadline
        self._memory = memory
        self._process: subprocess.Popen[bytes] | None = None
        self._lifeline: int | None = None

    @property
    def pid(self) -> int | None:
        """The process's number while there is one."""
        return self._process.pid if self._process is not None else None

    def ask(
        self,
        request: Request,
        write: Write = lambda piece: None,
        deadline: float | None = None,
    ) -> Any:
        """Ask one question.

        Args:
            request: as JSON can hold it.
            write: takes the bytes that come before the answer.
            deadline: seconds, where this question has another one.

        Raises:
            Fault: what the child raised; ``timeout`` when it was killed at the
                deadline, ``corrupt`` when it died by itself.
            BrokenMachine: it cannot be started.
        """
        try:
            if self._process is None:
                self._start()
            return self._talk(request, write, deadline or self._deadline)
        except _Told as told:
            raise Fault(told.fate, told.message) from None
        except BaseException:
            self.kill()
            raise

    def kill(self) -> None:
        """End the process at once, if there is one; also from another thread."""
        process, self._process = self._process, None
        lifeline, self._lifeline = self._lifeline, None
        if lifeline is not None:
            os.close(lifeline)
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                assert pipe is not None
                with contextlib.suppress(OSError):
                    pipe.close()

    def _start(self) -> None:
        theirs, self._lifeline = os.pipe()
        command = [sys.executable, "-m", __name__, self._module]
        try:
            self._process = subprocess.Popen(
                [*command, str(self._memory), str(theirs)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                pass_fds=[theirs],
                env=_environment(),
                start_new_session=True,  # Ctrl-C is for the parent to decide about
            )
        except OSError as error:
            raise BrokenMachine(f"{' '.join(command)}: {error}") from error
        finally:
            os.close(theirs)
        kind, payload = self._frame(time.monotonic() + _START)
        if kind != _READY:
            said = payload.decode("utf-8", errors="replace") or "it ended at once"
            raise BrokenMachine(f"{' '.join(command)} does not start: {said}")

    def _talk(self, request: Request, write: Write, deadline: float) -> Any:
        assert self._process is not None
        assert self._process.stdin is not None
        until = time.monotonic() + deadline
        with contextlib.suppress(OSError):  # that it is dead shows when reading
            _send(self._process.stdin, _DATA, json.dumps(request).encode())
        while True:
            kind, payload = self._frame(until)
            if kind == _DATA:
                write(payload)
            elif kind == _ANSWER:
                return json.loads(payload)
            elif kind == _FAULT:
                told = json.loads(payload)
                raise _Told(Fate[told["fate"].upper()], told["message"])
            else:
                raise Fault(Fate.CORRUPT, f"{_named(request)}: {self._death()}")

    def _frame(self, until: float) -> tuple[bytes, bytes]:
        """Return the next frame; an empty kind where the process is gone."""
        head = self._exactly(_HEAD.size, until)
        if head is None:
            return b"", b""
        kind, size = _HEAD.unpack(head)
        payload = self._exactly(size, until)
        return (kind, payload) if payload is not None else (b"", b"")

    def _exactly(self, size: int, until: float) -> bytes | None:
        process = self._process
        if process is None or process.stdout is None:
            return None
        got = bytearray()
        with selectors.DefaultSelector() as waiting:
            waiting.register(process.stdout, selectors.EVENT_READ)
            while len(got) < size:
                left = until - time.monotonic()
                if left <= 0 or not waiting.select(left):
                    raise Fault(
                        Fate.TIMEOUT,
                        f"{self._module} was not done at its deadline, and was killed",
                    )
                piece = os.read(process.stdout.fileno(), min(size - len(got), _PIECE))
                if not piece:
                    return None
                got += piece
        return bytes(got)

    def _death(self) -> str:
        process = self._process
        code = process.wait() if process is not None else None
        if code is not None and code < 0:
            return f"the process that read it died of {signal.Signals(-code).name}"
        return "the process that read it ended before its answer"


class Children:
    """Some children of one kind, for threads that ask at the same time.

    Args:
        module: what answers.
        deadline: seconds for one question, once a child is free for it.
        memory: bytes that an answer may map at a time.
        count: how many processes at most; by default one per processor, up to four.
    """

    def __init__(
        self,
        module: str,
        *,
        deadline: float,
        memory: int = MEMORY,
        count: int | None = None,
    ) -> None:
        count = count or min(4, os.cpu_count() or 1)
        self._all = [
            Child(module, deadline=deadline, memory=memory) for _ in range(count)
        ]
        self._free: queue.LifoQueue[Child] = queue.LifoQueue()
        for child in self._all:
            self._free.put(child)
        self._closed = threading.Event()

    def ask(
        self,
        request: Request,
        write: Write = lambda piece: None,
        deadline: float | None = None,
    ) -> Any:
        """Ask the next child that is free; see `Child.ask`."""
        child = self._free.get()
        try:
            if self._closed.is_set():
                raise Fault(
                    Fate.TIMEOUT, f"{_named(request)}: the run ends", again=True
                )
            return child.ask(request, write, deadline)
        finally:
            self._free.put(child)

    def close(self) -> None:
        """Kill them all; a question that is under way ends with a fault."""
        self._closed.set()
        for child in self._all:
            child.kill()


class _Told(Exception):
    """The child is well, and says that the thing it read is not."""

    def __init__(self, fate: Fate, message: str) -> None:
        super().__init__(message)
        self.fate = fate
        self.message = message


def _named(request: Request) -> str:
    return str(request.get("url") or request.get("path") or "a question")


def _environment() -> dict[str, str]:
    """Let the child import what the parent can, and nothing else."""
    path = os.pathsep.join(entry for entry in sys.path if entry)
    # One arena: what threads reserve and never use must not count as memory.
    own = {"PYTHONPATH": path, "PYTHONSAFEPATH": "1", "MALLOC_ARENA_MAX": "1"}
    return {**os.environ, **own}


def _send(pipe: IO[bytes], kind: bytes, payload: bytes) -> None:
    left = memoryview(_HEAD.pack(kind, len(payload)) + payload)
    while left:
        left = left[os.write(pipe.fileno(), left) :]


# --- the other side -------------------------------------------------------------------


def serve(module: str, memory: int, lifeline: int) -> None:
    """Answer questions from stdin until it ends."""
    _end_with(lifeline)
    # What native code prints must not get between the frames.
    with os.fdopen(os.dup(1), "wb", buffering=0) as out:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        try:
            answer = importlib.import_module(module).answer
            _bound(memory)
        except Exception as error:
            _send(out, _BROKEN, f"{type(error).__name__}: {error}".encode())
            return
        _send(out, _READY, b"")
        while request := _request(sys.stdin.buffer):
            _answer(answer, request, out)


def _answer(answer: Callable[[Request, Write], Any], request: Any, out: Any) -> None:
    def write(piece: bytes) -> None:
        for start in range(0, len(piece), _PIECE):
            _send(out, _DATA, piece[start : start + _PIECE])

    try:
        said = json.dumps(answer(request, write))
    except Fault as fault:
        told = {"fate": fault.fate.value, "message": str(fault)}
    except MemoryError:
        message = f"{_named(request)}: it takes more memory than is allowed"
        told = {"fate": Fate.TOO_LARGE.value, "message": message}
    except Exception as error:
        message = f"{_named(request)}: {type(error).__name__}: {error}"
        told = {"fate": Fate.CORRUPT.value, "message": message}
    else:
        _send(out, _ANSWER, said.encode())
        return
    _send(out, _FAULT, json.dumps(told).encode())


def _request(pipe: IO[bytes]) -> Any:
    head = pipe.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    return json.loads(pipe.read(_HEAD.unpack(head)[1]))


def _end_with(lifeline: int) -> None:
    """Have the kernel end this process when the parent's end of a pipe is closed.

    A signal without a handler works also while native code does not return.
    """
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    flags = fcntl.fcntl(lifeline, fcntl.F_GETFL)
    fcntl.fcntl(lifeline, fcntl.F_SETFL, flags | os.O_ASYNC | os.O_NONBLOCK)
    with contextlib.suppress(BlockingIOError):
        if os.read(lifeline, 1) == b"":
            raise SystemExit  # the parent was gone before this


def _bound(memory: int) -> None:
    """Cap the address space at what is mapped now and ``memory`` bytes more."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except OSError:
        return  # another system: the deadline alone has to do
    most = pages * resource.getpagesize() + memory
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))

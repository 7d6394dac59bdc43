"""A child process that may crash, hang or be killed, and messages to and from it.

Everything that runs hostile input in a process of its own is built on this: the workers
that judge batches (`icf.engine.worker`), decoders of comics and videos
(`icf.harvest.child`), gallery-dl and Scrapy. They differ only in what they send.

`ChildProcess` starts a new Python process, which calls ``main(channel, *arguments)`` of
a module. Both ends have a `Channel`: a message is its kind (one byte), its length (four
bytes, big-endian) and so many bytes. What the child prints goes to a file of its own,
and becomes part of the error when the child is lost. The child

- is spawned, never forked, so it inherits no lock and no open file;
- leads a session of its own, so the terminal's signals do not reach it;
- is ended by the kernel when its parent ends, however that ends;
- is the first to be ended by the kernel when memory runs out;
- can be limited in its address space.
"""

from __future__ import annotations

import contextlib
import faulthandler
import fcntl
import importlib
import logging
import os
import resource
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from icf.errors import BrokenMachine

#: Bytes of the longest message that is accepted, unless a channel is given another cap.
LONGEST = 64 << 20

HEADER = struct.Struct(">cI")

#: Seconds that a process may take to end after it closed its channel.
_END_SECONDS = 10.0
#: Most bytes of a child's output that are read: the last ones.
_MOST_OUTPUT = 1 << 20
#: Characters of a child's output that an error shows.
_SHOWN = 300
#: `faulthandler` begins its report with this; before it is what a library printed.
_FATAL = "Fatal Python error"
#: What /proc/self/oom_score_adj gets: the parent can start another child.
_OOM_SCORE = "500"

Message = tuple[bytes, bytes]

_log = logging.getLogger(__name__)


class ChildLost(Exception):
    """The child process is gone; it was closed, and another one can be started."""


class ChildCrashed(ChildLost):
    """The process ended.

    Attributes:
        how: the name of the signal, or ``exit code N``, or what it did wrong.
        output: the last characters that it printed.
    """

    def __init__(self, how: str, output: str) -> None:
        super().__init__(f"{how} {output}".rstrip())
        self.how = how
        self.output = output


class ChildTimeout(ChildLost):
    """The process did not answer, or did not read, in time; it was killed."""


class Channel:
    """One end of a connection that carries messages.

    One thread may send while another one receives, if both wait without a limit.

    Args:
        end: a connected stream socket.
        longest: bytes of the longest message that is accepted.
    """

    def __init__(self, end: socket.socket, longest: int = LONGEST) -> None:
        self.socket = end
        self._longest = longest

    def send(self, kind: bytes, body: bytes, seconds: float | None = None) -> None:
        """Send a message.

        Raises:
            EOFError: the other end is closed.
            TimeoutError: it did not take the message in so many seconds.
        """
        self.socket.settimeout(seconds)
        try:
            self.socket.sendall(message(kind, body))
        except ConnectionError as error:
            raise EOFError(str(error)) from None

    def receive(self, seconds: float | None = None) -> Message:
        """Return the kind and the body of the next message.

        Raises:
            EOFError: the other end is closed.
            TimeoutError: the message was not complete in so many seconds.
            ValueError: it is longer than what is accepted.
        """
        end = None if seconds is None else time.monotonic() + seconds
        kind, length = HEADER.unpack(self._read(HEADER.size, end))
        if length > self._longest:
            raise ValueError(f"it sent a message of {length} bytes")
        return kind, bytes(self._read(length, end))

    def poll(self, seconds: float) -> bool:
        """Whether something can be received within so many seconds."""
        waiting = select.poll()
        waiting.register(self.socket, select.POLLIN)
        return bool(waiting.poll(max(0.0, seconds) * 1000))

    def __iter__(self) -> Iterator[Message]:
        """Yield messages until the other end is closed."""
        with contextlib.suppress(EOFError):
            while True:
                yield self.receive()

    def _read(self, count: int, end: float | None) -> bytearray:
        data = bytearray(count)
        rest = memoryview(data)
        while rest:
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                raise TimeoutError
            self.socket.settimeout(left)
            try:
                size = self.socket.recv_into(rest)
            except ConnectionError as error:
                raise EOFError(str(error)) from None
            if not size:
                raise EOFError
            rest = rest[size:]
        return data


class ChildProcess:
    """A process that runs ``main(channel, *arguments)`` of a module.

    One thread at a time talks to it; another one may `kill` it meanwhile.

    Args:
        module: dotted name of the module.
        arguments: strings for its ``main``.
        memory: bytes of address space that it may have; 0 for no limit.
        environment: variables to set, besides those of this process.
        shows_output: whether what it prints goes to this program's stderr, instead of
            becoming a part of errors.
        longest: bytes of the longest message that is accepted.

    Raises:
        BrokenMachine: it cannot be started.
    """

    def __init__(
        self,
        module: str,
        *arguments: str,
        memory: int = 0,
        environment: Mapping[str, str] | None = None,
        shows_output: bool = False,
        longest: int = LONGEST,
    ) -> None:
        with contextlib.ExitStack() as stack:
            ours, theirs = (stack.enter_context(one) for one in socket.socketpair())
            lifeline, kept = os.pipe()
            stack.callback(os.close, kept)
            self._output = -1
            if not shows_output:
                self._output = _append_only_file()
                stack.callback(os.close, self._output)
            # A module may come from wherever this program found it.
            program = (
                f"import sys; sys.path[:] = {sys.path!r}; "
                "from icf.engine import child_process; child_process.run("
                f"{module!r}, {arguments!r}, {theirs.fileno()}, {lifeline}, {memory})"
            )
            printed = 2 if shows_output else self._output
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-c", program],
                    stdin=subprocess.DEVNULL,
                    stdout=printed,
                    stderr=printed,
                    env={**os.environ, **(environment or {})},
                    pass_fds=(theirs.fileno(), lifeline),
                    start_new_session=True,
                )
            except OSError as error:
                raise BrokenMachine(f"cannot start a process: {error}") from error
            finally:
                os.close(lifeline)
            theirs.close()
            self.channel = Channel(ours, longest)
            self._files = stack.pop_all()

    def send(self, kind: bytes, body: bytes, seconds: float | None = None) -> None:
        """Send a message.

        Raises:
            ChildLost: the process has ended, or did not take it in so many seconds.
        """
        with self._closed_when_lost():
            self.channel.send(kind, body, seconds)

    def receive(self, seconds: float | None = None) -> Message:
        """Return the kind and the body of the next message.

        Raises:
            ChildLost: the process has ended, or sent no message in so many seconds.
        """
        with self._closed_when_lost():
            return self.channel.receive(seconds)

    def take_output(self) -> str:
        """Return what it printed since the last call, and log it; -v shows the log."""
        if self._output < 0:
            return ""
        size = os.fstat(self._output).st_size
        printed = os.pread(self._output, _MOST_OUTPUT, max(0, size - _MOST_OUTPUT))
        os.ftruncate(self._output, 0)
        text = printed.decode("utf-8", errors="replace").strip()
        if text:
            _log.info("%s", text)
        return text

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End it, also while another thread waits for it."""
        self._process.kill()

    def close(self, seconds: float = 0.0) -> str:
        """End it and release what it used; return how it ended.

        Args:
            seconds: in which it may end by itself before it is killed.
        """
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        self._process.kill()
        how = _how_it_ended(self._process.wait())
        self._files.close()
        self._output = -1
        return how

    @contextlib.contextmanager
    def _closed_when_lost(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError:
            self._process.kill()
            self._last_output()
            self.close()
            raise ChildTimeout("it did not answer in time") from None
        except ValueError as error:
            self._process.kill()
            output = self._last_output()
            self.close()
            raise ChildCrashed(str(error), output) from None
        except (EOFError, OSError):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_END_SECONDS)
            output = self._last_output()
            raise ChildCrashed(self.close(), output) from None

    def _last_output(self) -> str:
        return self.take_output().partition(_FATAL)[0].strip()[-_SHOWN:]


def message(kind: bytes, body: bytes) -> bytes:
    """Return the bytes of a message."""
    return HEADER.pack(kind, len(body)) + body


def _append_only_file() -> int:
    """Return a temporary file without a name; its content can be cut at any time."""
    with tempfile.TemporaryFile() as file:
        descriptor = os.dup(file.fileno())
    fcntl.fcntl(descriptor, fcntl.F_SETFL, os.O_APPEND)
    return descriptor


def _how_it_ended(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


# --- in the child --------------------------------------------------------------------


def run(
    module: str, arguments: tuple[str, ...], channel: int, lifeline: int, memory: int
) -> None:
    """Run a module's ``main``; `ChildProcess` has this called in the new process.

    Args:
        module: dotted name of the module.
        arguments: for its ``main``, behind the channel.
        channel: descriptor of one end of a socket pair.
        lifeline: descriptor on which the parent's end shows.
        memory: bytes of address space; 0 for no limit.
    """
    end_with_the_parent(lifeline)
    faulthandler.enable()
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE)
    if memory:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    for descriptor in (channel, lifeline):
        os.set_inheritable(descriptor, False)
    end = Channel(socket.socket(fileno=channel))
    importlib.import_module(module).main(end, *arguments)


def end_with_the_parent(lifeline: int) -> None:
    """Have the kernel end this process when the other end of a pipe closes.

    That works also while native code hangs: nothing here has to run for it. And it
    follows the process, not the thread, that holds the other end.

    Args:
        lifeline: the reading end of a pipe into which nobody ever writes.
    """
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    flags = fcntl.fcntl(lifeline, fcntl.F_GETFL)
    fcntl.fcntl(lifeline, fcntl.F_SETFL, flags | os.O_ASYNC)
    if select.select([lifeline], [], [], 0)[0]:
        os._exit(1)  # it closed before we looked

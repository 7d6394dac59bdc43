"""One worker process, as its parent sees it: it can die, and it can be killed."""

from __future__ import annotations

import logging
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import IO, Any

from icf.codes import ImageReason
from icf.engine.step import Item, Outcome, Step
from icf.errors import BrokenMachine

#: Times that a process may die before it is ready until the machine is to blame.
STARTS = 3
#: Seconds in which it must be ready: it imports libraries and opens models.
START_SECONDS = 180.0

_SHOWN = 300
#: What `faulthandler` writes begins like this; before it stands what a library said.
_FATAL = "Fatal Python error"

_log = logging.getLogger(__name__)


class LostError(Exception):
    """The process died, or was killed because it did not answer.

    Attributes:
        reason: ``"crashed"`` or ``"hung"``.
        at: the item that it had before it, if it said so.
    """

    def __init__(self, reason: ImageReason, words: str, at: int | None) -> None:
        super().__init__(words)
        self.reason = reason
        self.at = at

    def outcome(self, item: Item) -> Outcome:
        """What becomes of the item that does this, when it is alone."""
        return Outcome(item.id, False, self.reason.value, message=str(self))


class WorkerProcess:
    """A process that judges one batch at a time, for one thread at a time.

    It is started when it is first needed, and again after it was lost. It is spawned,
    never forked, so it inherits no lock; it leads a session of its own, so the
    terminal's signals pass it by; and it ends with its parent.

    Args:
        deadline: seconds that one item may take.
    """

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: Connection | None = None
        self._said: IO[bytes] | None = None
        self._lifeline = -1
        self._step = b""

    def use(self, step: Step[Any]) -> None:
        """Make the process ready for a step; start it if need be.

        Raises:
            BrokenMachine: it died or was silent each time it was started.
            Exception: what opening the step's models raised.
        """
        pickled = pickle.dumps(("use", step))
        if self._process is not None and pickled == self._step:
            return
        # Whatever becomes of this, the process does not have the old step any more.
        self._step = b""
        for _ in range(STARTS):
            try:
                if self._process is None:
                    self._start()
                self._send(pickled)
                self._answer(START_SECONDS, START_SECONDS)
            except LostError as error:
                lost = error
            else:
                self._step = pickled
                return
        raise BrokenMachine(
            f"a worker process for the step {step.name!r} ended {STARTS} times before "
            f"it was ready: {lost}; see what it says with -v"
        )

    def judge(self, batch: Sequence[Item]) -> list[Outcome]:
        """Judge a batch by the step that is in use.

        A batch that the step goes through one by one may be silent for the deadline
        of one item at a time, and any other for that of all its items.

        Raises:
            LostError: the process died of it, or did not answer.
            Exception: what ends a run.
        """
        self._send(pickle.dumps(("judge", list(batch)), pickle.HIGHEST_PROTOCOL))
        outcomes: list[Outcome] = self._answer(
            self._deadline * len(batch), self._deadline
        )
        return outcomes

    def kill(self) -> None:
        """End the process, whatever it does; another thread may wait for it."""
        if (process := self._process) is not None:
            process.kill()

    def close(self) -> None:
        """End the process and give back what it was given."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        assert self._channel is not None
        assert self._said is not None
        self._channel.close()
        self._said.close()
        os.close(self._lifeline)
        self._step = b""

    def _start(self) -> None:
        self._channel, theirs = multiprocessing.Pipe()
        lifeline, self._lifeline = os.pipe()
        self._said = tempfile.TemporaryFile()  # noqa: SIM115, closed with the process
        # Steps may come from wherever this program found them.
        program = (
            f"import sys; sys.path[:] = {sys.path!r}; "
            "from icf.engine import worker; "
            f"worker.main({theirs.fileno()}, {lifeline})"
        )
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", program],
                stdin=subprocess.DEVNULL,
                stdout=self._said,
                stderr=self._said,
                pass_fds=(theirs.fileno(), lifeline),
                start_new_session=True,
            )
        except OSError as error:
            raise BrokenMachine(f"cannot start a worker process: {error}") from error
        finally:
            os.close(lifeline)
            theirs.close()

    def _send(self, request: bytes) -> None:
        assert self._channel is not None
        try:
            self._channel.send_bytes(request)
        except OSError:
            raise self._lost(None) from None

    def _answer(self, patience: float, patience_for_one: float) -> Any:
        assert self._channel is not None
        at: int | None = None
        while True:
            try:
                if not self._channel.poll(patience):
                    raise self._lost(at, silent=patience)
                kind, value = self._channel.recv()
            except (EOFError, OSError):
                raise self._lost(at) from None
            if kind == "at":
                at, patience = value, patience_for_one
                continue
            self._log_what_it_said()
            if kind == "raised":
                raise value
            return value

    def _lost(self, at: int | None, silent: float | None = None) -> LostError:
        """Clear up after a process that is gone, or has to go."""
        assert self._process is not None
        if silent is not None:
            self._process.kill()
        code = self._process.wait()
        said = self._log_what_it_said().partition(_FATAL)[0].strip()
        self.close()
        if silent is not None:
            words = f"the process did not answer for {silent:g} seconds"
            return LostError(ImageReason.HUNG, words, at)
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        words = f"the process died of it ({how})"
        if said:
            words += f": {said[:_SHOWN]}"
        return LostError(ImageReason.CRASHED, words, at)

    def _log_what_it_said(self) -> str:
        """What it printed since it was last asked; with -v, people see it."""
        assert self._said is not None
        # It shares our file position; it waits for us now, or is dead.
        size = self._said.seek(0, os.SEEK_END)
        self._said.seek(0)
        text = self._said.read(size).decode("utf-8", errors="replace").strip()
        self._said.seek(0)
        self._said.truncate()
        if text:
            _log.info("%s", text)
        return text

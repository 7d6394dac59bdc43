"""A worker process that judges batches: how its parent uses it, and what runs in it.

Messages are pickled, since they travel between processes of one program only. The
parent sends ``U`` (use a step) and ``J`` (judge a batch by it); back come ``T`` (the id
of the item that the step works on), ``A`` (the answer), and ``R`` (an error that is
raised in the parent and ends the run).
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Sequence
from typing import Any

from icf.codes import ImageReason
from icf.engine import attention
from icf.engine.child_process import (
    Channel,
    ChildCrashed,
    ChildLost,
    ChildProcess,
    ChildTimeout,
    Message,
)
from icf.engine.step import Item, Outcome, Step, judge_each
from icf.errors import BrokenMachine

#: Starts that may fail in a row before the machine is taken to be broken.
STARTS = 3
#: Seconds in which it must be ready: it imports libraries and opens models.
START_SECONDS = 180.0

#: Bytes of the longest batch and the longest answer.
_LONGEST = 1 << 31


class LostError(Exception):
    """The process died, or was killed because it did not answer.

    Attributes:
        reason: ``"crashed"`` or ``"hung"``.
        at: the id of the item that it was working on, if the step reported it.
    """

    def __init__(self, reason: ImageReason, text: str, at: int | None) -> None:
        super().__init__(text)
        self.reason = reason
        self.at = at

    def outcome(self, item: Item) -> Outcome:
        """The outcome of the item that causes this when it is alone."""
        return Outcome(item.id, False, self.reason.value, message=str(self))


class WorkerProcess:
    """A process that judges one batch at a time, for one thread at a time.

    It is started when it is first needed, and again after it was lost.

    Args:
        deadline: seconds that one item may take.
    """

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._process: ChildProcess | None = None
        self._step = b""

    def use(self, step: Step[Any]) -> None:
        """Make the process ready for a step; start it if necessary.

        Raises:
            BrokenMachine: it crashed or did not answer each time it was started.
            Exception: what opening the step's models raised.
        """
        pickled = pickle.dumps(step)
        if self._process is not None and pickled == self._step:
            return
        # Even if this fails, the process does not have the old step any more.
        self._step = b""
        for _ in range(STARTS):
            if self._process is None:
                self._process = ChildProcess(__name__, longest=_LONGEST)
            try:
                self._ask(b"U", pickled, START_SECONDS, START_SECONDS)
            except LostError as error:
                lost = error
            else:
                self._step = pickled
                return
        raise BrokenMachine(
            f"a worker process for the step {step.name!r} ended {STARTS} times before "
            f"it was ready: {lost}; -v shows its output"
        )

    def judge(self, batch: Sequence[Item]) -> list[Outcome]:
        """Judge a batch by the step that is in use.

        If the step reports each item, each may take the deadline of one item;
        otherwise all of them together may take the sum of their deadlines.

        Raises:
            LostError: the process died of it, or did not answer.
            Exception: what ends a run.
        """
        request = pickle.dumps(list(batch), pickle.HIGHEST_PROTOCOL)
        outcomes: list[Outcome] = self._ask(
            b"J", request, self._deadline * len(batch), self._deadline
        )
        return outcomes

    def kill(self) -> None:
        """End the process, whatever it does; another thread may wait for it."""
        if (process := self._process) is not None:
            process.kill()

    def close(self) -> None:
        """End the process and release what it used."""
        process, self._process = self._process, None
        self._step = b""
        if process is not None:
            process.close()

    def _ask(
        self, kind: bytes, request: bytes, seconds: float, seconds_for_one: float
    ) -> Any:
        process, at = self._process, None
        assert process is not None
        try:
            process.send(kind, request, seconds)
            while True:
                kind, body = process.receive(seconds)
                if kind != b"T":
                    break
                at, seconds = pickle.loads(body), seconds_for_one
        except ChildLost as lost:
            self.close()
            raise _lost_error(lost, at, seconds) from None
        process.take_output()
        if kind == b"R":
            raise pickle.loads(body)
        return pickle.loads(body)


def _lost_error(lost: ChildLost, at: int | None, seconds: float) -> LostError:
    if isinstance(lost, ChildTimeout):
        text = f"the process did not answer for {seconds:g} seconds"
        return LostError(ImageReason.HUNG, text, at)
    assert isinstance(lost, ChildCrashed)
    text = f"the process died of it ({lost.how})"
    if lost.output:
        text += f": {lost.output}"
    return LostError(ImageReason.CRASHED, text, at)


# --- in the worker -------------------------------------------------------------------


def main(channel: Channel) -> None:
    """Judge what comes through the channel, until the parent closes it."""
    attention.listen(lambda item_id: channel.send(b"T", pickle.dumps(item_id)))
    step: Step[Any] | None = None
    for kind, body in channel:
        try:
            value = _loaded(body)
            if kind == b"U":
                step = value
                step.open()
                answer: Message = (b"A", pickle.dumps(None))
            else:
                assert step is not None
                answer = (b"A", _dumped(judge_each(step, value)))
        except Exception as error:
            answer = (b"R", pickle.dumps(_sendable(error)))
        sys.stdout.flush()
        channel.send(*answer)


def _loaded(request: bytes) -> Any:
    try:
        return pickle.loads(request)
    except Exception as error:  # whatever importing a step's module may raise
        raise BrokenMachine(
            f"a worker process cannot load a step: {type(error).__name__}: {error}"
        ) from error


def _sendable(error: Exception) -> Exception:
    """The error itself, or its text where it cannot be pickled."""
    try:
        copy: Exception = pickle.loads(pickle.dumps(error))
    except Exception:
        return BrokenMachine(f"{type(error).__name__}: {error}")
    return copy


def _dumped(outcomes: list[Outcome]) -> bytes:
    try:
        return pickle.dumps(outcomes, pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        raise BrokenMachine(
            f"a step gives what cannot be sent between processes: {error}"
        ) from error

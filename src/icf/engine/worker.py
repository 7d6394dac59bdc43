"""What runs in a worker process: it judges batches until its parent is gone.

Messages are pickled tuples of a kind and a value; they travel between processes of one
program only. The parent sends ``use`` (a step) and ``judge`` (a batch for it); back
come ``ready``, ``at`` (the id of the item that is taken up), ``outcomes``, and
``raised`` (an error that ends the run).
"""

from __future__ import annotations

import contextlib
import faulthandler
import pickle
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from icf.engine import attention
from icf.engine.lifeline import end_with_the_parent
from icf.engine.step import Step, judge_each
from icf.errors import BrokenMachine

Message = tuple[str, Any]

#: How gladly the kernel ends this process when memory runs out: it can be replaced.
EXPENDABLE = "500"


def main(channel: int, lifeline: int) -> None:
    """Answer what comes through ``channel``.

    Args:
        channel: descriptor of one end of a socket pair.
        lifeline: descriptor on which the parent's end shows.
    """
    end_with_the_parent(lifeline)
    faulthandler.enable()
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(EXPENDABLE)
    connection = Connection(channel)
    attention.listen(lambda item_id: connection.send(("at", item_id)))
    step: Step[Any] | None = None
    while True:
        try:
            request = connection.recv_bytes()
        except EOFError:
            return
        try:
            kind, value = _loaded(request)
            if kind == "use":
                step = value
                step.open()
                answer: Message = ("ready", None)
            else:
                assert step is not None
                answer = ("outcomes", judge_each(step, value))
        except Exception as error:
            answer = ("raised", _sendable(error))
        sys.stdout.flush()
        connection.send_bytes(_dumped(answer))


def _loaded(request: bytes) -> Message:
    try:
        message: Message = pickle.loads(request)
    except Exception as error:  # whatever importing a step's module may raise
        raise BrokenMachine(
            f"a worker process cannot load a step: {type(error).__name__}: {error}"
        ) from error
    return message


def _sendable(error: Exception) -> Exception:
    """The error itself, or its words where it does not travel."""
    try:
        copy: Exception = pickle.loads(pickle.dumps(error))
    except Exception:
        return BrokenMachine(f"{type(error).__name__}: {error}")
    return copy


def _dumped(answer: Message) -> bytes:
    try:
        return pickle.dumps(answer, pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        words = f"a step gives what cannot be sent between processes: {error}"
        return pickle.dumps(("raised", BrokenMachine(words)))

"""A pool of worker processes for steps that decode hostile bytes.

A native decoder that crashes ends its process. Here that process is a worker: it is
replaced, and its batch is judged again in parts until the item that causes the crash
is alone. That item is ``crashed`` or ``hung``; all others get their own outcomes.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from icf.codes import ImageReason
from icf.engine.step import ItemT, Outcome, Step, by_group
from icf.engine.worker import LostError, WorkerProcess
from icf.errors import BrokenMachine

Unit = list[ItemT]


class Workers:
    """A number of processes; each judges for one thread at a time.

    They are started when they are needed, at first only one, and are kept until
    `close`, with the models that they opened.

    Args:
        most: processes at a time, once `spread` was called.
        deadline: seconds that one item may take.
    """

    def __init__(self, most: int, deadline: float) -> None:
        self._most = most
        self._deadline = deadline
        self._allowed = 1
        self._all: list[WorkerProcess] = []
        self._free: list[WorkerProcess] = []
        self._changed = threading.Condition()
        self._abandoned = threading.Event()

    def begin(self) -> None:
        """Allow judging again, after `abandon`."""
        self._abandoned.clear()

    def spread(self) -> None:
        """From now on use all processes: there are many items."""
        with self._changed:
            self._allowed = self._most
            self._changed.notify_all()

    def judge(self, step: Step[ItemT], batch: Sequence[ItemT]) -> list[Outcome]:
        """Judge a batch; items that crash or hang the process get such an outcome.

        Raises:
            BrokenMachine: no process can be started, or the run was abandoned.
            Exception: what ends a run.
        """
        units = by_group(batch) if step.grouped else [[item] for item in batch]
        with self._borrowed() as worker:
            return self._judge(worker, step, units) if units else []

    def _judge(
        self,
        worker: WorkerProcess,
        step: Step[ItemT],
        units: Sequence[Unit[ItemT]],
        deaths: int = 0,
    ) -> list[Outcome]:
        if self._abandoned.is_set():
            raise BrokenMachine("the run was abandoned")
        worker.use(step)
        try:
            return worker.judge([item for unit in units for item in unit])
        except LostError as lost:
            # A process may be killed for another reason: an item is ``crashed`` only
            # after two crashes.
            if len(units) == 1 and (deaths or lost.reason is ImageReason.HUNG):
                return [lost.outcome(item) for item in units[0] if item.fresh]
            parts = _parts(units, lost.at)
            return [
                outcome
                for part in parts
                for outcome in self._judge(worker, step, part, deaths + 1)
            ]

    def abandon(self) -> None:
        """Make every running `judge` end at once; `begin` allows new ones."""
        self._abandoned.set()
        for worker in list(self._all):
            worker.kill()

    def close(self) -> None:
        """End all processes; a later `judge` starts new ones."""
        for worker in self._all:
            worker.close()

    @contextmanager
    def _borrowed(self) -> Iterator[WorkerProcess]:
        with self._changed:
            while not self._free and len(self._all) >= self._allowed:
                self._changed.wait()
            if self._free:
                worker = self._free.pop()
            else:
                worker = WorkerProcess(self._deadline)
                self._all.append(worker)
        try:
            yield worker
        finally:
            with self._changed:
                self._free.append(worker)
                self._changed.notify()


def _parts(
    units: Sequence[Unit[ItemT]], at: int | None
) -> Iterator[Sequence[Unit[ItemT]]]:
    """The suspect alone, if there is one, and the others in halves."""
    suspect = [u for u in units if any(item.id == at for item in u)]
    others = [u for u in units if not any(item.id == at for item in u)]
    middle = (len(others) + 1) // 2
    yield from (part for part in (suspect, others[:middle], others[middle:]) if part)

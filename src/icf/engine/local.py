"""The local engine: threads of this process, and worker processes for hostile bytes.

Most steps judge in threads: they are quick, or spend their time in libraries that
release Python's lock. A step that decodes (`Step.decodes`) is judged in worker
processes instead, since a native decoder that crashes ends its process.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from icf.engine.step import ItemT, Outcome, Step, judge_each
from icf.engine.workers import Workers

#: Default deadline of one item, in seconds.
DEADLINE = 60.0
#: Rows for which one worker process is enough: another takes a second to start.
FEW = 64


class LocalEngine:
    """Judges batches at a time on this machine.

    Args:
        workers: batches judged at a time; 0 means one per processor.
        deadline: seconds that one item of a step that decodes may take.
    """

    def __init__(self, workers: int = 0, deadline: float = DEADLINE) -> None:
        self.workers = workers or len(os.sched_getaffinity(0))
        self._processes = Workers(self.workers, deadline)

    def judge(
        self, step: Step[ItemT], batches: Iterable[Sequence[ItemT]]
    ) -> Iterator[list[Outcome]]:
        """Yield the outcomes of each batch, in the order of the batches.

        Raises:
            BrokenMachine: worker processes end before they are ready.
        """
        judge: Callable[[Step[ItemT], Sequence[ItemT]], list[Outcome]]
        judge = self._processes.judge if step.decodes else judge_each
        self._processes.begin()
        waiting: deque[Future[list[Outcome]]] = deque()
        seen = 0
        with ThreadPoolExecutor(self.workers, thread_name_prefix="icf") as pool:
            try:
                for batch in batches:
                    seen += len(batch)
                    if step.decodes and seen > FEW:
                        self._processes.spread()
                    waiting.append(pool.submit(judge, step, batch))
                    if len(waiting) > self.workers:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            except BaseException:
                # The caller stops: do not make it wait for a batch.
                self._processes.abandon()
                raise
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def close(self) -> None:
        """End the worker processes."""
        self._processes.close()

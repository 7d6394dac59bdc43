"""The local engine: threads of this process.

Decoding, hashing and inference all happen in libraries that release Python's lock, so
threads fill the processors, share one copy of each model, and leave nothing behind when
the process is killed.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from icf.engine.step import ItemT, Outcome, Step, judge_each


class LocalEngine:
    """Judges ``workers`` batches at a time; 0 means one per processor."""

    def __init__(self, workers: int = 0) -> None:
        self.workers = workers or len(os.sched_getaffinity(0))

    def judge(
        self, step: Step[ItemT], batches: Iterable[Sequence[ItemT]]
    ) -> Iterator[list[Outcome]]:
        """Yield the outcomes of each batch, in the order of the batches."""
        waiting: deque[Future[list[Outcome]]] = deque()
        with ThreadPoolExecutor(self.workers, thread_name_prefix="icf") as pool:
            try:
                for batch in batches:
                    waiting.append(pool.submit(judge_each, step, batch))
                    if len(waiting) > self.workers:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def close(self) -> None:
        """Do nothing: threads end with the batches they were for."""

"""Make small pictures from large ones in several processes; each is decoded once.

A picture that crashes a native decoder, or keeps it busy, costs one process and is left
out; the process is replaced. Messages are pickled, as in `icf.engine.worker`, since
they travel between processes of one program only; nothing of them is stored.
"""

from __future__ import annotations

import os
import pickle
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from queue import SimpleQueue

from icf.engine.child_process import Channel, ChildLost, ChildProcess, ChildTimeout
from icf.errors import BadInput, BrokenMachine
from icf.images import Picture, Undecodable, decode
from icf.models.data.base import Box, Reader

#: Pictures that one process gets at a time.
_BATCH = 16
#: Fewer pictures than this for a process are not worth its start.
_WORTH_A_PROCESS = 200
#: Seconds in which a process must be ready, and that each picture may take.
_START_SECONDS, _DEADLINE = 180.0, 60.0
#: Bytes of the longest message.
_LONGEST = 1 << 31


@dataclass(frozen=True)
class Cutter(ABC):
    """Makes small pictures from a large one; a small picklable value."""

    @abstractmethod
    def cut(self, picture: Picture, box: Box | None) -> bytes | str:
        """Return a JPEG, or why there can be none.

        Args:
            picture: the large one.
            box: which part of it, in its pixels; None: all of it.
        """


@dataclass(frozen=True)
class Job:
    """What to cut out of one picture.

    Attributes:
        key: the picture.
        boxes: one for each small picture.
    """

    key: str
    boxes: tuple[Box | None, ...]


@dataclass(frozen=True)
class Cuts:
    """What was cut out of one picture.

    Attributes:
        width: of the large picture, upright; 0 if it could not be decoded.
        height: of the same.
        jpegs: for each box a JPEG, or why there is none.
        passing: the reason may be gone next time: a disk, a lack of memory.
    """

    width: int
    height: int
    jpegs: tuple[bytes | str, ...]
    passing: bool = False


def processes_for(pictures: int, stated: int | None) -> int:
    """Return in how many processes to cut; 0: in this one.

    Args:
        pictures: how many are to be decoded.
        stated: by the user; None: one per processor, as far as there is enough to do.
    """
    if stated is not None:
        return stated
    return min(os.cpu_count() or 1, pictures // _WORTH_A_PROCESS)


def cut_all(
    reader: Reader, cutter: Cutter, jobs: Iterable[Job], processes: int
) -> Iterator[Cuts]:
    """Cut small pictures; the results come in the order of the jobs.

    Args:
        reader: reads the large pictures.
        cutter: makes the small ones.
        jobs: each for a picture of its own.
        processes: how many; 0: this one does it.

    Raises:
        BrokenMachine: a process cannot be started, or what the reader raises for a
            broken machine.
    """
    if not processes:
        for job in jobs:
            yield cut(reader, cutter, job)
        return
    pool = _Pool(reader, cutter, processes)
    try:
        yield from pool.run(jobs)
    finally:
        pool.close()


def cut(reader: Reader, cutter: Cutter, job: Job) -> Cuts:
    """Decode one picture, and cut all its small pictures."""
    try:
        picture = decode(reader.read(job.key))
    except Undecodable as error:
        reason = f"it cannot be decoded: {error.reason.value}"
        return Cuts(0, 0, (reason,) * len(job.boxes))
    except BadInput:
        return Cuts(0, 0, ("it cannot be read",) * len(job.boxes), passing=True)
    jpegs = tuple(cutter.cut(picture, box) for box in job.boxes)
    return Cuts(picture.width, picture.height, jpegs)


class _Pool:
    """Processes, each with a thread here that waits for it."""

    def __init__(self, reader: Reader, cutter: Cutter, processes: int) -> None:
        self._task = pickle.dumps((reader, cutter))
        self._count = processes
        self._free: SimpleQueue[ChildProcess | None] = SimpleQueue()
        for _ in range(processes):
            self._free.put(None)
        self._started: list[ChildProcess] = []
        self._is_closed = False
        self._threads = ThreadPoolExecutor(processes)

    def run(self, jobs: Iterable[Job]) -> Iterator[Cuts]:
        remaining = iter(jobs)
        waiting: deque[Future[list[Cuts]]] = deque()
        while True:
            # A few batches ahead, so that no process waits and memory is bounded.
            while len(waiting) < 3 * self._count:
                if not (batch := list(islice(remaining, _BATCH))):
                    break
                waiting.append(self._threads.submit(self._cut, batch))
            if not waiting:
                return
            yield from waiting.popleft().result()

    def close(self) -> None:
        """End all processes, whatever they do."""
        self._is_closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        for process in self._started:
            process.kill()
        self._threads.shutdown()
        for process in self._started:
            process.close()

    def _cut(self, batch: Sequence[Job], losses: int = 0) -> list[Cuts]:
        """Cut a batch; when its process is lost, each of its pictures alone."""
        try:
            return self._asked(batch)
        except ChildLost as lost:
            if len(batch) > 1:
                return [cuts for job in batch for cuts in self._cut([job])]
            # The system may have ended the process for lack of memory: once more.
            if not losses:
                return self._cut(batch, losses + 1)
            hangs = isinstance(lost, ChildTimeout)
            reason = f"it {'hangs' if hangs else 'crashes'} the decoder"
            return [Cuts(0, 0, (reason,) * len(batch[0].boxes), passing=True)]

    def _asked(self, batch: Sequence[Job]) -> list[Cuts]:
        process = self._free.get()
        try:
            if process is None:
                process = self._start()
            process.send(b"J", pickle.dumps(batch), _DEADLINE * len(batch))
            kind, body = process.receive(_DEADLINE * len(batch))
        except ChildLost:
            process = None
            raise
        finally:
            self._free.put(process)
        answer = pickle.loads(body)
        if kind == b"R":
            raise answer
        cuts: list[Cuts] = answer
        return cuts

    def _start(self) -> ChildProcess:
        if self._is_closed:
            raise BrokenMachine("cutting pictures was given up")
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        process = ChildProcess(__name__, environment=threads, longest=_LONGEST)
        self._started.append(process)
        try:
            process.send(b"T", self._task, _START_SECONDS)
            process.receive(_START_SECONDS)
        except ChildLost as lost:
            raise BrokenMachine(
                f"a process that cuts pictures ended before it was ready: {lost}"
            ) from lost
        return process


def main(channel: Channel) -> None:
    """Answer until the other end is closed; this runs in the child process."""
    import cv2

    cv2.setNumThreads(1)
    messages = iter(channel)
    _, task = next(messages)
    reader, cutter = pickle.loads(task)
    channel.send(b"A", b"")
    for _, body in messages:
        try:
            answer: object = [cut(reader, cutter, job) for job in pickle.loads(body)]
            kind = b"A"
        except Exception as error:
            answer, kind = error, b"R"
        channel.send(kind, pickle.dumps(answer))

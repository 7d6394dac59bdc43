"""The Ray engine: the very same steps, as Ray Data batches."""

from __future__ import annotations

import functools
import itertools
import logging
import socket
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast
from urllib.parse import urlsplit

from icf.engine.local import DEADLINE
from icf.engine.step import Item, ItemT, Outcome, Step, judge_each
from icf.engine.workers import Workers
from icf.errors import BrokenMachine, WrongUse

#: Bytes of shared memory for batches on their way: rows and vectors, never pictures.
STORE_BYTES = 256 * 1024 * 1024
#: Bytes after which the output of a task begins another block.
BLOCK_BYTES = 4 * 1024 * 1024

#: Seconds in which the address of a cluster must accept a connection.
KNOCK_SECONDS = 10.0

#: Why Ray may not connect where something listens at the address.
_TOKEN = (
    "; something listens there: a cluster with a token, as `ray start` makes one where "
    "~/.ray/auth_token exists, needs RAY_AUTH_MODE=token and the same file here"
)

#: Batches handed to Ray at a time: enough to keep workers busy, few enough that the
#: driver's memory stays flat.
WAVE = 256


class RayEngine:
    """Judges batches on a Ray cluster.

    Batches are Ray tasks, not actors: a worker process is kept from step to step, with
    the models that it opened. For steps that decode, each keeps a worker process of its
    own (`icf.engine.workers`), so that a picture which crashes a decoder does not harm
    Ray and gets the same outcome as on one machine.

    Args:
        workers: batches judged at a time; 0 means one per processor of the cluster.
        address: of a running cluster; None starts Ray on this machine, and `close`
            stops it.
        deadline: seconds that one item of a step that decodes may take.

    Raises:
        WrongUse: Ray is not installed.
        BrokenMachine: no cluster answers at ``address``.
    """

    def __init__(
        self,
        workers: int = 0,
        address: str | None = None,
        deadline: float = DEADLINE,
    ) -> None:
        try:
            import ray
            import ray.data
        except ImportError as error:
            raise WrongUse(
                "--engine ray needs Ray, which is not installed; "
                "install it with `pip install 'icf-toolkit[ray]'`"
            ) from error
        self._ray = ray
        self._deadline = deadline
        self._connected = not ray.is_initialized()
        if self._connected:
            self._connect(workers, address)
        # Only messages for our user go to stderr.
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        # A task starts once there is room for its output, by default blocks of 128 MiB:
        # a small store never has that.
        context.target_max_block_size = BLOCK_BYTES
        # So that faces get the same ids as with the local engine.
        context.execution_options.preserve_order = True
        self.workers = workers or _processors(cast(Any, ray).cluster_resources())

    def _connect(self, workers: int, address: str | None) -> None:
        options: dict[str, Any] = {
            "logging_level": logging.ERROR,
            "log_to_driver": False,
        }
        advice = ""
        if address is None:
            failed = "Ray cannot be started on this machine; try `--engine local`"
            options["num_cpus"] = workers or None
            options["object_store_memory"] = STORE_BYTES
            options["include_dashboard"] = False
        else:
            failed = f"no Ray cluster answers at {address!r}"
        try:
            if address is not None:
                _knock(address)
                advice = _TOKEN
            cast(Any, self._ray).init(address or "local", **options)
        except Exception as error:  # Ray raises the bare class where a start fails
            raise BrokenMachine(f"{failed}: {error}{advice}") from error

    def judge(
        self, step: Step[ItemT], batches: Iterable[Sequence[ItemT]]
    ) -> Iterator[list[Outcome]]:
        """Yield the outcomes of each batch, in the order of the batches."""
        rows = ({"batch": list(batch)} for batch in batches)
        while wave := list(itertools.islice(rows, WAVE)):
            judged = self._ray.data.from_items(wave, override_num_blocks=len(wave)).map(
                cast(Any, _judge_row),
                fn_kwargs={"step": step, "deadline": self._deadline},
                compute=self._ray.data.TaskPoolStrategy(min(self.workers, len(wave))),
            )
            for row in judged.iter_rows():
                yield row["outcomes"]

    def close(self) -> None:
        """Stop the Ray that was started here, or leave the cluster."""
        if self._connected:
            self._ray.shutdown()


def _judge_row(
    row: dict[str, Any], step: Step[Item], deadline: float
) -> dict[str, Any]:
    """Turn ``{"batch": items}`` into ``{"outcomes": outcomes}``."""
    judge = _own_worker(deadline).judge if step.decodes else judge_each
    return {"outcomes": judge(step, row["batch"])}


@functools.cache
def _own_worker(deadline: float) -> Workers:
    """The one worker process of this process of Ray, which judges a row at a time."""
    return Workers(1, deadline)


def _knock(address: str) -> None:
    """Check that an address accepts connections: Ray itself tries for minutes.

    Raises:
        OSError: it does not.
    """
    parts = urlsplit(address if "://" in address else f"//{address}")
    if parts.hostname and parts.port:
        socket.create_connection((parts.hostname, parts.port), KNOCK_SECONDS).close()


def _processors(resources: dict[str, float]) -> int:
    return max(1, int(resources.get("CPU", 1)))

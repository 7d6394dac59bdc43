"""The Ray engine: the very same steps, as Ray Data batches."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

from icf.engine.step import Item, ItemT, Outcome, Step, judge_each
from icf.errors import BrokenMachine, WrongUse

#: Batches handed to Ray at a time: enough to keep workers busy, few enough that the
#: driver's memory stays flat.
WAVE = 256


class RayEngine:
    """Judges batches on a Ray cluster.

    Batches are Ray tasks, not actors: a worker process goes on living from step to
    step, and with it the models that it opened.

    Args:
        workers: batches judged at a time; 0 means one per processor of the cluster.
        address: of a running cluster; None starts Ray on this machine and stops it
            with the process.

    Raises:
        WrongUse: Ray is not installed.
        BrokenMachine: no cluster answers at ``address``.
    """

    def __init__(self, workers: int = 0, address: str | None = None) -> None:
        try:
            import ray
            import ray.data
        except ImportError as error:
            raise WrongUse(
                "--engine ray needs Ray, which is not installed; "
                "install it with `pip install 'icf-toolkit[ray]'`"
            ) from error
        if not ray.is_initialized():
            try:
                ray.init(
                    address=address or "local",
                    include_dashboard=False if address is None else None,
                    logging_level=logging.ERROR,
                    log_to_driver=False,
                )
            except ConnectionError as error:
                raise BrokenMachine(
                    f"no Ray cluster answers at {address!r}: {error}"
                ) from error
        # stderr is for what our user must know.
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        # So that faces get the same ids as with the local engine.
        context.execution_options.preserve_order = True
        self._ray = ray
        self.workers = workers or _processors(cast(Any, ray).cluster_resources())

    def judge(
        self, step: Step[ItemT], batches: Iterable[Sequence[ItemT]]
    ) -> Iterator[list[Outcome]]:
        """Yield the outcomes of each batch, in the order of the batches."""
        rows = ({"batch": list(batch)} for batch in batches)
        while wave := list(itertools.islice(rows, WAVE)):
            judged = self._ray.data.from_items(wave, override_num_blocks=len(wave)).map(
                cast(Any, _judge_row),
                fn_kwargs={"step": step},
                concurrency=min(self.workers, len(wave)),
            )
            for row in judged.iter_rows():
                yield row["outcomes"]

    def close(self) -> None:
        """Stop the Ray that was started here, or leave the cluster."""
        self._ray.shutdown()


def _judge_row(row: dict[str, Any], step: Step[Item]) -> dict[str, Any]:
    """Turn ``{"batch": items}`` into ``{"outcomes": outcomes}``."""
    return {"outcomes": judge_each(step, row["batch"])}


def _processors(resources: dict[str, float]) -> int:
    return max(1, int(resources.get("CPU", 1)))

"""What runs a step over batches: the local engine, or Ray."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from icf.engine.local import DEADLINE, LocalEngine
from icf.engine.step import ItemT, Outcome, Step
from icf.errors import WrongUse

NAMES = ("local", "ray")


class Engine(Protocol):
    """Runs the same step code wherever the processors are."""

    def judge(
        self, step: Step[ItemT], batches: Iterable[Sequence[ItemT]]
    ) -> Iterator[list[Outcome]]:
        """Yield the outcomes of each batch, in any order of batches.

        ``batches`` is drawn from only as fast as outcomes are taken, so memory stays
        flat however many there are.
        """
        ...

    def close(self) -> None:
        """Stop what the engine started."""
        ...


def open_engine(
    name: str,
    workers: int = 0,
    address: str | None = None,
    deadline: float = DEADLINE,
) -> Engine:
    """Open an engine by name.

    Args:
        name: ``"local"`` or ``"ray"``.
        workers: batches judged at a time; 0 means one per processor.
        address: of a running Ray cluster; None starts one on this machine.
        deadline: seconds that one item of a step that decodes may take.

    Raises:
        WrongUse: no engine has that name, or Ray is not installed.
    """
    if name == "local":
        return LocalEngine(workers, deadline)
    if name == "ray":
        from icf.engine.ray import RayEngine

        return RayEngine(workers, address, deadline)
    raise WrongUse(f"no engine is called {name!r}; there are {' and '.join(NAMES)}")

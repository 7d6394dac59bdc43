"""What a step is: a pure function from a batch of items to a batch of outcomes.

A step names what it reads of the catalogue (`Step.select`) and judges it
(`Step.judge`). It writes nothing, keeps no state between batches, and never raises for
one bad item: that item gets a reason. Everything else, paging, transactions, the
ledger, retries, counting and resuming, is written once, in `icf.engine.runner`.
"""

from __future__ import annotations

import errno
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Generic, Literal, TypeVar

from icf.codes import ImageReason
from icf.errors import BadModel, BrokenMachine, WrongUse

if TYPE_CHECKING:
    # A worker process imports this module: it needs no catalogue.
    import numpy as np
    import sqlalchemy as sa
    from numpy.typing import NDArray

Subject = Literal["image", "face"]


@dataclass(frozen=True)
class Item:
    """One row as a step sees it; subclasses add what the step reads.

    Attributes:
        id: the row's id.
        group: the character it is judged with, for a grouped step; otherwise 0.
        fresh: False for a row that passed this step before and is here as context only.
    """

    id: int
    group: int = field(default=0, kw_only=True)
    fresh: bool = field(default=True, kw_only=True)


@dataclass(frozen=True)
class NewFace:
    """A face found in an image, measured in the same decode.

    ``box`` is x1, y1, x2, y2 in pixels of the upright image; the measures are those of
    `icf.images.measures` and `icf.images.edges`.
    """

    box: tuple[float, float, float, float]
    kind: str
    score: float
    sharpness: float
    sharpness_paper: float
    brightness: float
    contrast: float
    pixel_hash: str
    phash: int
    dhash: int
    edge_sharpness: float | None = None
    resolution: float | None = None


@dataclass(frozen=True)
class Outcome:
    """What a step makes of one item.

    Attributes:
        id: the item's id.
        passed: whether it goes on to the next step.
        waits: it cannot be judged, because the machine has lost what that takes; its
            row keeps waiting for this step, and ``reason`` says why.
        reason: a code of `icf.codes`; ``"ok"`` when it passed.
        value: what was measured.
        threshold: what it was held against.
        model: SHA-256 of the model that measured it.
        message: an error's own words.
        columns: columns of the item's own row to set.
        faces: faces found in an image.
        vector: the face's embedding, float32 of shape (d,), from ``model``.
        reference_of: the character this face becomes the reference of.
        reference_by: how it was chosen: ``"lead"`` or ``"medoid"``.
    """

    id: int
    passed: bool
    reason: str = "ok"
    value: float | None = None
    threshold: float | None = None
    model: str | None = None
    message: str | None = None
    columns: Mapping[str, object] = field(default_factory=dict)
    faces: tuple[NewFace, ...] = ()
    vector: NDArray[np.float32] | None = None
    reference_of: int | None = None
    reference_by: str | None = None
    waits: bool = False


#: Faults that no item can be to blame for: a disk that fails, is full or is read-only,
#: too many open files, no memory, a server of files that is gone.
_OF_THE_MACHINE = {
    errno.EIO,
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOMEM,
    errno.ESTALE,
    errno.ENODEV,
    errno.ENXIO,
}

ItemT = TypeVar("ItemT", bound=Item)


class Step(ABC, Generic[ItemT]):
    """Base of every step; subclasses are frozen dataclasses, so that they pickle."""

    #: Its name: in the ledger, in ``awaits`` and on the command line.
    name: ClassVar[str]
    #: What it judges.
    subject: ClassVar[Subject]
    #: Whether a character's faces must be judged together.
    grouped: ClassVar[bool] = False
    #: Whether it judges by stored columns alone: a moved threshold costs nothing then.
    stored: ClassVar[bool] = False
    #: Whether it decodes bytes from outside, which may crash or hang native code: then
    #: it is judged in a process that can be lost, and goes through its batch with
    #: `icf.engine.attention.one_by_one`.
    decodes: ClassVar[bool] = False

    def open(self) -> None:
        """Open models and stores, once in each process, before the first batch.

        What it raises ends the run: no item is to blame.
        """
        return None

    @abstractmethod
    def select(self, connection: sa.Connection, ids: Sequence[int]) -> list[ItemT]:
        """Read the items with these ids from the catalogue, in any order."""

    @abstractmethod
    def judge(self, batch: Sequence[ItemT]) -> list[Outcome]:
        """Judge a batch: one outcome for each fresh item, in any order.

        A grouped step gets whole groups. Raising `BrokenMachine`, `BadModel` or
        `WrongUse` stops the run; any other exception is charged to the item that
        caused it.
        """


def judge_each(step: Step[ItemT], batch: Sequence[ItemT]) -> list[Outcome]:
    """Judge ``batch`` so that one item that breaks the step stops nothing.

    A batch that raises is judged again in its smallest parts (items, or groups of a
    grouped step); what raises alone gets ``step_failed`` with the error's words.
    """
    try:
        return step.judge(batch)
    except (BrokenMachine, BadModel, WrongUse, MemoryError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _OF_THE_MACHINE:
            raise BrokenMachine(
                f"the step {step.name!r} stopped: {error}; no item was dropped for it. "
                "Mend the machine, and run the same command again"
            ) from error
        parts = by_group(batch) if step.grouped else [[item] for item in batch]
        if len(parts) == 1:
            return [_failed(item, error) for item in batch if item.fresh]
        return [outcome for part in parts for outcome in judge_each(step, part)]


def by_group(batch: Sequence[ItemT]) -> list[list[ItemT]]:
    """Sort a grouped step's batch into its groups."""
    groups: dict[int, list[ItemT]] = {}
    for item in batch:
        groups.setdefault(item.group, []).append(item)
    return list(groups.values())


def _failed(item: Item, error: Exception) -> Outcome:
    words = f"{type(error).__name__}: {error}"
    return Outcome(item.id, False, ImageReason.STEP_FAILED.value, message=words)

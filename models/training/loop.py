"""The training loop: one for every task.

It takes steps, keeps the moving average of the weights, writes checkpoints and hands
figures to the trackers. It waits for the device only when it reads the losses, once in
`LoopSettings.log_every` steps.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from icf.errors import BadInput, WrongUse
from icf.models.training.batch_loader import load_batches
from icf.models.training.distributed import Ranks
from icf.models.training.divided import Parts, clip_gradients
from icf.models.training.optimiser import Average, Rates, make_optimiser
from icf.models.training.run_files import CHECKPOINT
from icf.models.training.run_state import RunState, check_same
from icf.models.training.schedule import rate_share, steps_of
from icf.models.training.task import Moment, Task
from icf.models.training.trackers import open_trackers
from icf.models.training.trackers.base import Tracker

_DTYPES = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}
#: Pictures that the message about a loss that is no number names.
_NAMED = 8


@dataclass(frozen=True)
class Report:
    """What a line of the log has.

    Attributes:
        step: steps taken.
        steps: of the whole run.
        values: the mean of each term of the loss since the last line, the rate, and
            examples per second.
    """

    step: int
    steps: int
    values: Mapping[str, float]


class Watcher(Protocol):
    """Follows a run, for people."""

    def begin(self, step: int, steps: int) -> None:
        """The run begins, or goes on, after some of its steps."""

    def advance(self) -> None:
        """A step was taken."""

    def report(self, report: Report) -> None:
        """A line was logged."""


@dataclass(frozen=True)
class Finished:
    """A run that took all its steps.

    Attributes:
        network: the kept part with averaged weights, in evaluation mode, on the CPU.
        parts: the final weights of all parts, as `Facts.parts`.
        steps: that were taken.
        seconds: that it took, over all processes that it was resumed in.
    """

    network: nn.Module
    parts: Mapping[str, Tensor]
    steps: int
    seconds: float


class _Forward(nn.Module):
    """A task's losses as a module, so that `DistributedDataParallel` can wrap it."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.parts = nn.ModuleDict(dict(task.parts))
        self._losses = task.losses

    def forward(self, batch: Any, moment: Moment) -> Mapping[str, Tensor]:
        return self._losses(batch, moment)


def dtype_on(device: torch.device, precision: str) -> torch.dtype:
    """Return what networks compute in, on a device.

    Args:
        device: of the run.
        precision: of its settings.

    Returns:
        float32 for bfloat16 where that is emulated, and many times slower.
    """
    dtype = _DTYPES[precision]
    if dtype is not torch.bfloat16 or _has_bfloat16(device):
        return dtype
    return torch.float32


def _has_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


class Loop:
    """One run of a task, from its first step or its last checkpoint.

    Args:
        task: what is trained.
        identity: what makes the run, beside the code; a checkpoint of another one is
            refused.
        folder: of checkpoint and log; it exists.
        ranks: this process.
        watcher: follows the run.

    Raises:
        WrongUse: the folder holds another run, or the batch cannot be divided.
    """

    def __init__(
        self,
        task: Task,
        identity: Mapping[str, Any],
        folder: Path,
        ranks: Ranks,
        watcher: Watcher,
    ) -> None:
        self._task, self._identity, self._folder = task, dict(identity), folder
        self._ranks, self._watcher = ranks, watcher
        self._settings = settings = task.config.loop
        if settings.batch % ranks.rank.world:
            raise WrongUse(
                f"loop.batch = {settings.batch} cannot be divided among "
                f"{ranks.rank.world} processes; take a multiple"
            )
        self._batches = task.batches()
        self._steps = steps_of(settings, self._batches.examples)
        self._step, self._seconds = 0, 0.0
        found = self._stored()
        self._place()
        self._parts = Parts(task.parts)
        self._optimiser = make_optimiser(task.groups(), settings)
        groups = self._optimiser.param_groups
        self._learning = [each for group in groups for each in group["params"]]
        self._rates = Rates(self._optimiser)
        self._dtype = dtype_on(ranks.device, settings.precision)
        self._average = Average(
            task.parts[task.kept], settings.average, self._steps, settings.mean_of
        )
        self._scaler = torch.amp.GradScaler(
            ranks.device.type, enabled=settings.precision == "float16"
        )
        if found is not None:
            self._resume(found)
        task.train_mode()
        self._forward = ranks.averaging_gradients(_Forward(task), self._parts.divided())
        self._unread: list[Tensor] = []
        self._terms: tuple[str, ...] = ()

    def run(self) -> Finished:
        """Take the steps that are left."""
        trackers: list[Tracker] = []
        if self._ranks.is_first:
            trackers = open_trackers(
                self._settings.trackers,
                self._folder,
                self._task.config.model_dump(mode="json"),
                self._step,
            )
        try:
            self._take_steps(trackers)
        finally:
            for each in trackers:
                each.close()
        return Finished(
            self._with(self._average.result)
            .to("cpu")
            .to(memory_format=torch.contiguous_format),
            self._final_weights(),
            self._step,
            self._seconds,
        )

    def _take_steps(self, trackers: list[Tracker]) -> None:
        settings = self._settings
        self._watcher.begin(self._step, self._steps)
        before, began = self._seconds, time.monotonic()
        read_at, read_step = began, self._step
        loaded = load_batches(
            self._batches, self._ranks, settings, self._step, self._steps
        )
        for batch in loaded:
            self._take(batch)
            self._watcher.advance()
            is_last = self._step == self._steps
            saves = is_last or self._step % settings.save_every == 0
            if saves or self._step % settings.log_every == 0:
                values = self._read_losses()
                now = time.monotonic()
                rate = (self._step - read_step) * settings.batch / (now - read_at)
                values |= {"rate": self._rates.now, "examples per second": rate}
                self._log(trackers, values)
                read_at, read_step = now, self._step
            self._seconds = before + time.monotonic() - began
            if saves:
                self._save()
            if settings.measure_every and self._step % settings.measure_every == 0:
                self._measure(trackers)
                self._task.train_mode()
                read_at = time.monotonic()

    def _take(self, batch: Any) -> None:
        """Take one step; nothing here waits for the device."""
        settings, step, dtype = self._settings, self._step, self._dtype
        # The random numbers of networks follow from seed, step and rank alone.
        torch.manual_seed(_mixed(settings.seed, step, self._ranks.rank.number))
        self._rates.set(rate_share(step, self._steps, settings))
        autocast = partial(
            torch.autocast,
            self._ranks.device.type,
            dtype,
            enabled=dtype is not torch.float32,
        )
        terms = self._forward(batch, Moment(step, self._steps, autocast))
        loss = torch.stack(list(terms.values())).sum()
        scaled: Tensor = self._scaler.scale(loss)
        torch.autograd.backward(scaled)
        if settings.clip:
            self._scaler.unscale_(self._optimiser)
            clip_gradients(
                self._learning, self._parts.divided(), settings.clip, self._ranks
            )
        self._scaler.step(self._optimiser)
        self._scaler.update()
        self._optimiser.zero_grad(set_to_none=True)
        self._step += 1
        self._average.update(self._step)
        self._terms = tuple(terms)
        self._unread.append(torch.stack([term.detach() for term in terms.values()]))

    def _read_losses(self) -> dict[str, float]:
        """Return the mean of each term since the last call.

        Raises:
            BadInput: a loss is no number; the message names the batch's pictures.
        """
        rows = self._ranks.mean(torch.stack(self._unread)).tolist()
        self._unread.clear()
        first = self._step - len(rows)
        for step, row in enumerate(rows, start=first):
            if not math.isfinite(sum(row)):
                self._blame(step, row)
        means = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
        named = dict(zip(self._terms, means, strict=True))
        return {"loss": sum(means), **named}

    def _blame(self, step: int, row: list[float]) -> None:
        terms = zip(self._terms, row, strict=True)
        shown = ", ".join(f"{name} {value:g}" for name, value in terms)
        pictures = list(self._batches.pictures(step))
        more = f" and {len(pictures) - _NAMED} more" if len(pictures) > _NAMED else ""
        raise BadInput(
            f"the loss of step {step} is not a number ({shown}); its batch: "
            f"{', '.join(pictures[:_NAMED])}{more}. Look at these pictures; if nothing "
            f"is wrong with them, lower loop.rate ({self._settings.rate:g}) or take "
            'loop.precision = "float32". The last checkpoint is from before'
        )

    def _log(self, trackers: list[Tracker], values: Mapping[str, float]) -> None:
        for each in trackers:
            each.log(self._step, values)
        self._watcher.report(Report(self._step, self._steps, values))

    def _measure(self, trackers: list[Tracker]) -> None:
        if self._ranks.is_first:
            measured = self._task.measure(self._with(self._average.weights))
            values = {
                f"{group}/{name}": value
                for group, figures in measured.figures.items()
                for name, value in figures.items()
            }
            self._log(trackers, values)
        self._ranks.wait()

    def _with(self, weights: Mapping[str, Tensor]) -> nn.Module:
        """Return a copy of the kept part with averaged weights."""
        network = copy.deepcopy(self._task.parts[self._task.kept])
        network.load_state_dict(weights)
        return network.eval()

    def _place(self) -> None:
        """Move the parts to the device, with norms over all ranks."""
        form = (
            torch.channels_last
            if self._settings.channels_last
            else torch.contiguous_format
        )
        for part in self._task.parts.values():
            part.to(self._ranks.device).to(memory_format=form)
            self._ranks.prepared(part)

    def _final_weights(self) -> dict[str, Tensor]:
        averaged = self._average.result.items()
        return {
            **self._parts.weights(),
            **{f"{self._task.kept}.{key}": value for key, value in averaged},
        }

    def _stored(self) -> RunState | None:
        path = self._folder / CHECKPOINT
        if not path.exists():
            return None
        found = RunState.load(path)
        check_same(self._identity, found.identity, self._folder)
        return found

    def _save(self) -> None:
        moments = {
            number: {
                name: self._parts.whole(self._learning[number], value)
                for name, value in state.items()
                if isinstance(value, Tensor)
            }
            for number, state in self._optimiser.state_dict()["state"].items()
        }
        state = RunState(
            self._step,
            self._steps,
            self._seconds,
            self._identity,
            self._parts.weights(),
            self._average.weights,
            self._average.mean,
            moments,
            self._scaler.state_dict(),
        )
        if self._ranks.is_first:
            state.save(self._folder / CHECKPOINT)
        self._ranks.wait()

    def _resume(self, found: RunState) -> None:
        try:
            self._parts.load(found.weights)
        except (KeyError, RuntimeError) as error:
            raise WrongUse(
                f"{self._folder} holds a run that another version of icf began, with "
                "other weights or identities: name another folder, or remove it, and "
                "train anew"
            ) from error
        self._average.load(found.average, found.mean)
        moments = {
            number: {
                name: _laid_out_as(
                    self._learning[number],
                    self._parts.part(self._learning[number], value),
                )
                for name, value in state.items()
            }
            for number, state in found.moments.items()
        }
        whole = self._optimiser.state_dict()
        self._optimiser.load_state_dict({**whole, "state": moments})
        if found.scaler:
            self._scaler.load_state_dict(dict(found.scaler))
        self._step, self._seconds = found.step, found.seconds


def _laid_out_as(weight: Tensor, moment: Tensor) -> Tensor:
    """Give a moment the strides of its weight: fused optimisers walk both as one."""
    if moment.shape != weight.shape:
        return moment
    return torch.empty_like(weight).copy_(moment)


def _mixed(seed: int, step: int, rank: int) -> int:
    """Return a seed of its own for each step and rank."""
    return hash((seed, step, rank)) & (2**63 - 1)

"""How a training is shown: a bar with rate and remaining time, or a line now and then.

Without a terminal there is no bar, and a line for each twentieth of the run.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from icf.command import Invocation
from icf.terminal import console, is_terminal

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from icf.models.training.loop import Report, Watcher

_LINES = 20


@contextmanager
def watching(invocation: Invocation) -> Iterator[Watcher]:
    """Yield what follows a run, as the shared options ask for it."""
    if invocation.quiet or not is_terminal(sys.stderr):
        yield _Lines(invocation)
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console(stderr=True),
        transient=True,
    )
    with bar:
        yield _Bar(bar)


def described(report: Report) -> str:
    """Return a line of the log for people."""
    values = dict(report.values)
    speed, rate = values.pop("examples per second", 0.0), values.pop("rate", 0.0)
    losses = ", ".join(f"{name} {value:.4g}" for name, value in values.items())
    if not speed:
        return losses
    return f"{losses}; rate {rate:.2g}; {speed:.3g} a second"


class _Lines:
    """Says a line now and then."""

    def __init__(self, invocation: Invocation) -> None:
        self._invocation, self._said = invocation, 0

    def begin(self, step: int, steps: int) -> None:
        self._said = step
        begins = "training" if step == 0 else "resuming the training"
        self._invocation.say(f"{begins} at step {step:,} of {steps:,}")

    def advance(self) -> None:
        """Say nothing."""

    def report(self, report: Report) -> None:
        if report.step - self._said >= report.steps / _LINES:
            self._said = report.step
            step = f"step {report.step:,} of {report.steps:,}"
            self._invocation.say(f"{step}: {described(report)}")


class _Bar:
    """Moves a bar."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task: TaskID | None = None

    def begin(self, step: int, steps: int) -> None:
        self._task = self._bar.add_task("training", total=steps, completed=step)

    def advance(self) -> None:
        assert self._task is not None
        self._bar.advance(self._task)

    def report(self, report: Report) -> None:
        assert self._task is not None
        self._bar.update(self._task, description=described(report))

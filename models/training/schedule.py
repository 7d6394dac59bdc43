"""How the learning rate changes over a run."""

from __future__ import annotations

import math

from icf.models.training.config import LoopSettings


def steps_of(settings: LoopSettings, examples: int) -> int:
    """Return the number of steps of a run.

    Args:
        settings: of the loop.
        examples: crops or pictures in an epoch.

    >>> steps_of(LoopSettings(epochs=1.5, batch=100), 1000)
    15
    """
    if settings.steps is not None:
        return settings.steps
    return max(1, math.ceil(settings.epochs * examples / settings.batch))


def rate_share(step: int, steps: int, settings: LoopSettings) -> float:
    """Return the share of the learning rate at a step: rising, then by the schedule.

    >>> cosine = LoopSettings(warm_up=0.05)
    >>> [round(rate_share(n, 1000, cosine), 2) for n in (0, 49, 525, 999)]
    [0.02, 1.0, 0.5, 0.0]
    >>> falling = LoopSettings(schedule="steps", milestones=(0.5, 0.75), warm_up=0)
    >>> [round(rate_share(n, 100, falling), 4) for n in (0, 49, 50, 75)]
    [1.0, 1.0, 0.1, 0.01]
    """
    warm = round(settings.warm_up * steps)
    if step < warm:
        return (step + 1) / warm
    if settings.schedule == "cosine":
        return (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm))) / 2
    if settings.schedule == "steps":
        passed = sum(step >= part * steps for part in settings.milestones)
        return settings.factor**passed
    if settings.schedule == "trapezoid":
        return min(1.0, (steps - step) / (0.2 * steps))
    return 1.0

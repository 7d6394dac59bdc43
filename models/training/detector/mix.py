"""Decide how much data with photographed faces is mixed in, by what each domain gains.

Photographed faces can help a detector of drawn ones, or cost it: mixing was seen to
cost up to eight points of AP50 in one domain and to gain as much in another. So short
trainings with stated shares are measured on the same held-out pictures.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from icf.errors import WrongUse
from icf.models.data.index import DataIndex, Source, build_index
from icf.models.training.config import digest_of
from icf.models.training.detector.config import DetectorConfig
from icf.models.training.detector.held_out import DOMAINS
from icf.models.training.detector.task import DetectorTask
from icf.models.training.distributed import Device, alone_in, joined
from icf.models.training.loop import Loop, Watcher
from icf.models.training.run_files import CHECKPOINT
from icf.models.training.start import read_start
from icf.models.training.task import Given
from icf.stores.files import replace_file

CARTOON, HUMAN = DOMAINS
_RESULT = "figures.json"

Say = Callable[[str], object]
Figures = Mapping[str, float]


@dataclass(frozen=True)
class Trial:
    """What one share gave.

    Attributes:
        human: share of the data with photographed faces.
        figures: of each domain: ``ap50``, ``ap50_low``, ``ap50_high``.
    """

    human: float
    figures: Mapping[str, Figures]

    def __str__(self) -> str:
        """Return a line for people."""
        shown = ", ".join(
            f"{domain} AP50 {each['ap50']:.3f} ({each.get('ap50_low', 0):.3f} to "
            f"{each.get('ap50_high', 1):.3f})"
            for domain, each in self.figures.items()
        )
        return f"{self.human:.0%} human: {shown}"


def choose(trials: Sequence[Trial], bound: float) -> Trial:
    """Choose the share that is best for drawn faces and costs no domain too much.

    A domain's cost is what its AP50 is below that of its best trial. Of trials that
    are equal for drawn faces, the one with the fewest photographed ones is taken.

    Args:
        trials: one or more.
        bound: the most that any other domain may cost. Where every trial costs one
            more than that, the one with the least cost is taken.

    >>> def trial(share, cartoon, human):
    ...     figures = {"cartoon": {"ap50": cartoon}, "human": {"ap50": human}}
    ...     return Trial(share, figures)
    >>> tried = [trial(0.0, 0.9, 0.4), trial(0.1, 0.88, 0.79), trial(0.5, 0.8, 0.8)]
    >>> choose(tried, bound=0.02).human
    0.1
    """
    others = {domain for trial in trials for domain in trial.figures} - {CARTOON}

    def ap50(trial: Trial, domain: str) -> float:
        return trial.figures.get(domain, {}).get("ap50", 0.0)

    best = {domain: max(ap50(t, domain) for t in trials) for domain in others}
    costs = [
        max((best[domain] - ap50(trial, domain) for domain in others), default=0.0)
        for trial in trials
    ]
    most = max(bound, min(costs))
    allowed = [t for t, cost in zip(trials, costs, strict=True) if cost <= most]
    return max(allowed, key=lambda trial: (ap50(trial, CARTOON), -trial.human))


def decided(
    data: Sequence[Source],
    config: DetectorConfig,
    out: Path,
    *,
    start: Path | None,
    cache: Path | None,
    device: Device,
    watcher: Watcher,
    say: Say,
) -> tuple[list[Source], DetectorConfig]:
    """Try the shares of the configuration, and return data and configuration with one.

    A trial that was finished is not made again.

    Args:
        data: none of it with a share.
        config: its ``mix`` says what to try; the trials have its other settings.
        out: folder of the run; the trials are below it.
        start: the model to start from; None: as the configuration says.
        cache: folder for reduced pictures; None: in ``out``.
        device: where to compute.
        watcher: follows the trials.
        say: receives lines for people.

    Raises:
        WrongUse: a source has a share.
        BadInput: the data cannot train a detector.
    """
    if any(source.share is not None for source in data):
        raise WrongUse(
            "--mix auto decides on the shares: leave out those behind --data, or --mix"
        )
    index = build_index(data)
    if _human_sources(index).all() or not _human_sources(index).any():
        say("--mix auto: all data is of one domain, so there is nothing to decide")
        return list(data), config
    trials = []
    trainings = _Trials(index, config, start, cache or out / "cache", device)
    for human in config.mix.human:
        folder = out / "mix" / f"human-{human:g}"
        trials.append(trainings.run(human, folder, watcher))
        say(str(trials[-1]))
    chosen = choose(trials, config.mix.bound)
    text = (
        f"{chosen.human:.0%} of the training pictures are of the data with "
        f"photographed faces: of {len(trials)} shares tried for {config.mix.steps} "
        "steps each, the best for drawn faces that costs photographed ones at most "
        f"{config.mix.bound:g} of AP50"
    )
    say(text)
    tried = {
        f"mix, {trial.human:.0%} human": {
            f"{domain} {name}": value
            for domain, figures in trial.figures.items()
            for name, value in figures.items()
        }
        for trial in trials
    }
    mix = config.mix.model_copy(update={"decided": text, "tried": tried})
    return (
        list(with_share(index, chosen.human).sources),
        config.model_copy(update={"mix": mix}),
    )


def with_share(index: DataIndex, human: float) -> DataIndex:
    """Give sources of photographed faces a share; within a domain by their sizes."""
    is_human = _human_sources(index)
    sizes = np.bincount(index.source, minlength=len(index.sources)).astype(float)
    shares = np.where(is_human, human, 1 - human)
    for domain in (is_human, ~is_human):
        shares[domain] *= sizes[domain] / sizes[domain].sum()
    sources = tuple(
        replace(source, share=float(share))
        for source, share in zip(index.sources, shares, strict=True)
    )
    return replace(index, sources=sources)


def _human_sources(index: DataIndex) -> NDArray[np.bool_]:
    """Which sources have mostly photographed faces."""
    source = index.source[index.picture]
    count = len(index.sources)
    faces = np.maximum(np.bincount(source, minlength=count), 1)
    return np.asarray(np.bincount(source, index.human, count) / faces > 0.5, np.bool_)


@dataclass(frozen=True)
class _Trials:
    index: DataIndex
    config: DetectorConfig
    start: Path | None
    cache: Path
    device: Device

    def run(self, human: float, folder: Path, watcher: Watcher) -> Trial:
        """Train a little with a share, and measure; or read what was measured."""
        loop = self.config.loop.model_copy(update={"steps": self.config.mix.steps})
        config = self.config.model_copy(update={"loop": loop})
        start = None if self.start is None else read_start(self.start, "detect")
        identity = {
            "trial": human,
            "config": digest_of(config),
            "data": self.index.digest(),
            "start": start.card.sha256 if start else "",
        }
        data = with_share(self.index, human)
        with joined(self.device) as ranks, alone_in(folder, ranks):
            found = _read(folder / _RESULT, identity)
            if found is not None:
                return Trial(human, found)
            task = DetectorTask.make(Given(data, config, start, self.cache, _silent))
            finished = Loop(task, identity, folder, ranks, watcher).run()
            if ranks.is_first:
                measured = task.measure(finished.network).figures
                figures = {
                    domain: {
                        name: value
                        for name, value in measured[domain].items()
                        if name.startswith("ap50")
                    }
                    for domain in DOMAINS
                    if "ap50" in measured.get(domain, {})
                }
                text = json.dumps({"identity": identity, "figures": figures}, indent=2)
                replace_file(folder / _RESULT, [text.encode(), b"\n"])
                (folder / CHECKPOINT).unlink(missing_ok=True)
            ranks.wait()
        found = _read(folder / _RESULT, identity)
        assert found is not None, "the first process has written it"
        return Trial(human, found)


def _read(path: Path, identity: Mapping[str, object]) -> dict[str, Figures] | None:
    """Return the figures of a trial that was finished, unless it was another one."""
    if not path.exists():
        return None
    found = json.loads(path.read_text(encoding="utf-8"))
    if found["identity"] != identity:
        return None
    figures: dict[str, Figures] = found["figures"]
    return figures


def _silent(line: str) -> None:
    """The training that follows says the same of the same data."""

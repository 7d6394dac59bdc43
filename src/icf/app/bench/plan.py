"""Which models are to be trained for some tables, and in which folders."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from icf.app.bench.data import BenchData
from icf.app.bench.paper import PRETRAINED, Method, Table
from icf.models.training.config import read_config, text_of
from icf.models.training.embedder.config import (
    AdaptationSettings,
    EmbedderConfig,
    LossSettings,
)

#: Folder of the trainings, in that of the tables.
RUNS = "runs"
#: Digits of a hash in a folder's name.
_DIGITS = 8


@dataclass(frozen=True)
class Run:
    """One training.

    Attributes:
        method: how.
        seed: of its random numbers.
        config: all its settings.
        start: the training whose model it starts from; None: none.
        digest: of all that its scores depend on, but the code.
    """

    method: Method
    seed: int
    config: EmbedderConfig
    start: Run | None
    digest: str

    @property
    def folder(self) -> str:
        """Its folder below that of all; other settings have another one."""
        return f"{self.method.name}-seed-{self.seed}-{self.digest[:_DIGITS]}"


@dataclass(frozen=True)
class Plan:
    """The trainings of some tables.

    Attributes:
        tables: which.
        config: what all trainings share; their losses and enlargements differ.
        seeds: of each cell, from 0.
        runs: by method, one for each seed; a model that others start from comes
            before them.
    """

    tables: Sequence[Table]
    config: EmbedderConfig
    seeds: int
    runs: Mapping[Method, Sequence[Run]]

    def in_order(self) -> list[Run]:
        """Return all trainings: first one seed of everything, then the next."""
        return [runs[seed] for seed in range(self.seeds) for runs in self.runs.values()]


def read_base(file: Path | None, steps: int | None) -> EmbedderConfig:
    """Read what all trainings share: the paper's recipe, with changes.

    Raises:
        WrongUse: the file cannot be read, or a setting does not fit.
    """
    changes = {"loop.steps": steps}
    return read_config(
        EmbedderConfig, "embedder", recipe="paper", file=file, changes=changes
    )


def make_plan(
    tables: Sequence[Table], config: EmbedderConfig, seeds: int, data: BenchData
) -> Plan:
    """Plan the trainings; a method that two tables have is trained once."""
    methods = dict.fromkeys(row.method for table in tables for row in table.rows)
    if any(method.terms is not None for method in methods):
        methods = {PRETRAINED: None, **methods}
    states = _states(data)
    runs: dict[Method, list[Run]] = {}
    for method in sorted(methods, key=lambda each: each.terms is not None):
        runs[method] = []
        for seed in range(seeds):
            start = runs[PRETRAINED][seed] if method.terms is not None else None
            runs[method].append(_run(method, seed, config, start, states))
    return Plan(tables, config, seeds, runs)


def config_of(method: Method, base: EmbedderConfig, seed: int) -> EmbedderConfig:
    """Return the settings of one training; a loss has its own defaults."""
    terms = AdaptationSettings()
    if method.terms is not None:
        terms = AdaptationSettings(
            on=True,
            unknown="mean" if method.terms.unknown else "off",
            domain="grl" if method.terms.domain else "off",
        )
    changes = {
        "loop": base.loop.model_copy(update={"seed": seed}),
        "crops": base.crops.model_copy(update={"rate": method.rate}),
        "loss": LossSettings(name=method.loss),
        "adaptation": terms,
    }
    return base.model_copy(update=changes)


def _run(
    method: Method,
    seed: int,
    base: EmbedderConfig,
    start: Run | None,
    states: Mapping[str, str],
) -> Run:
    config = config_of(method, base, seed)
    used = {k: v for k, v in states.items() if method.terms or k != "human"}
    what = {
        "config": text_of(config),
        "start": start.digest if start else "",
        "data": used,
    }
    text = json.dumps(what, sort_keys=True)
    return Run(method, seed, config, start, hashlib.sha256(text.encode()).hexdigest())


def _states(data: BenchData) -> dict[str, str]:
    states = {"release": data.release.reader.fingerprint(), "test": data.test.digest}
    if data.human is not None:
        states["human"] = data.human.reader.fingerprint()
    return states

"""Train and score the models of a plan; go on where it was killed."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from icf.app.bench.data import BenchData
from icf.app.bench.plan import RUNS, Plan, Run
from icf.app.bench.scoring import Scores, known_scores, save_score, score_model
from icf.models.training.distributed import Device
from icf.models.training.loop import Watcher
from icf.models.training.train import Trained, train
from icf.stores.lock import one_at_a_time

Say = Callable[[str], object]


@dataclass(frozen=True)
class Workplace:
    """Where and how trainings run.

    Attributes:
        out: folder of the tables.
        data: what models are trained and scored on.
        device: where to compute.
        watcher: follows a training.
        say: receives lines for people.
        finished: called after each training with all scores so far.
    """

    out: Path
    data: BenchData
    device: Device
    watcher: Callable[[], AbstractContextManager[Watcher]]
    say: Say
    finished: Callable[[Scores], object]

    @property
    def is_first(self) -> bool:
        """Whether this process scores and writes; under torchrun one of them does."""
        return os.environ.get("RANK", "0") == "0"


def work(plan: Plan, place: Workplace) -> Scores:
    """Do what is not done yet.

    Under torchrun every process calls this; they train together, and one scores.

    Raises:
        IcfError: as `train` and `score_model`.
    """
    (place.out / RUNS).mkdir(parents=True, exist_ok=True)
    lock = place.out / RUNS / ".lock"
    with one_at_a_time(lock, "icf bench tables") if place.is_first else nullcontext():
        return _work(plan, place)


def _work(plan: Plan, place: Workplace) -> Scores:
    scores = known_scores(plan, place.out)
    # Before the first training: all processes must take the same ones.
    left = [run for run in plan.in_order() if run.folder not in scores]
    done = len(scores)
    said: set[str] = set()

    def once(message: str) -> None:
        # What was left out of the data is the same for every training.
        if message not in said:
            said.add(message)
            place.say(message)

    for number, run in enumerate(left, start=done + 1):
        place.say(f"training {number} of {done + len(left)}: {run.folder}")
        trained = _train(run, place, once)
        if not place.is_first:
            continue
        score = score_model(trained, place.data.test, place.device)
        save_score(score, place.out / RUNS / run.folder)
        scores[run.folder] = score
        place.say(f"{run.folder}: rank-1 {score.rank1:.2f}%")
        place.finished(scores)
    return scores


def _train(run: Run, place: Workplace, say: Say) -> Trained:
    runs, data = place.out / RUNS, place.data
    start = runs / run.start.folder / "embedder.onnx" if run.start else None
    two_domains = run.method.terms is not None
    with place.watcher() as watcher:
        return train(
            "embedder",
            data.both if two_domains else [data.release],
            run.config,
            runs / run.folder,
            start=start,
            cache=place.out / "cache",
            recipe=f"icf bench tables: {run.method.name}",
            device=place.device,
            watcher=watcher,
            say=say,
        )

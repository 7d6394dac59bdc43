"""Train a model: read the data, run the loop, measure, export.

``icf-train``, ``icf round`` and ``icf bench tables`` all come through here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from icf.errors import BadInput
from icf.models.cards import ModelCard, load_card, sha256_of
from icf.models.data.index import Source, build_index
from icf.models.training.config import TrainingConfig, digest_of
from icf.models.training.distributed import Device, Ranks, alone_in, joined
from icf.models.training.loop import CHECKPOINT, Finished, Loop, Report, Watcher
from icf.models.training.run_state import check_same
from icf.models.training.start import Start, read_start
from icf.models.training.task import TASKS, Facts, Given, Task
from icf.stores.files import replace_file

#: What a finished run leaves beside the model.
RUN = "run.json"
#: Settings of the loop that change no number of the model.
_WITHOUT_EFFECT = frozenset(
    {"save_every", "log_every", "measure_every", "workers", "trackers"}
)
#: The task of a model's card, by the training task's name.
_TASK_OF_CARD = {
    "embedder": "embed",
    "detector": "detect",
    "drawn-embedder": "embed",
    "drawn-detector": "detect",
}

Say = Callable[[str], object]


@dataclass(frozen=True)
class Trained:
    """A trained model.

    Attributes:
        card: of the model.
        path: of its ONNX file.
        steps: that were taken.
        seconds: that the steps took.
        figures: measured on held-out pictures, as in the card.
    """

    card: ModelCard
    path: Path
    steps: int
    seconds: float
    figures: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Return what ``icf-train --json`` prints."""
        return {
            "model": self.card.sha256,
            "path": str(self.path),
            "steps": self.steps,
            "seconds": round(self.seconds, 3),
            "figures": dict(self.figures),
        }


class Silent:
    """Follows a run without a word."""

    def begin(self, step: int, steps: int) -> None:
        """Say nothing."""

    def advance(self) -> None:
        """Say nothing."""

    def report(self, report: Report) -> None:
        """Say nothing."""


def train(
    task: str,
    data: Sequence[Source],
    config: TrainingConfig,
    out: Path,
    *,
    start: Path | None = None,
    cache: Path | None = None,
    recipe: str = "",
    device: Device = "auto",
    watcher: Watcher | None = None,
    say: Say = lambda message: None,
) -> Trained:
    """Train a model, or resume a training that was interrupted.

    A training that another program runs in ``out`` is waited for.

    Under ``torchrun`` every process calls this with the same arguments; all get the
    same answer.

    Args:
        task: a name of `TASKS`: ``"embedder"`` or ``"detector"``.
        data: what to train on.
        config: of the task's class, from `read_config`.
        out: folder of the model, of its checkpoint and of its log.
        start: weights or card of the model to start from.
        cache: folder for what is cut or reduced once; None: in ``out``.
        recipe: the command that makes it again, for the card.
        device: where to compute.
        watcher: follows the run.
        say: receives lines for people.

    Raises:
        BadInput: the data cannot train a model, or the loss became no number.
        BadModel: the start model cannot be trained further, or the exported one gives
            other numbers than the network.
        WrongUse: ``out`` holds another run, or options do not fit one another.
    """
    with joined(device) as ranks:
        return _Training(task, data, config, out, start, cache, recipe, ranks).run(
            watcher or Silent(), say
        )


class _Training:
    def __init__(
        self,
        task: str,
        data: Sequence[Source],
        config: TrainingConfig,
        out: Path,
        start: Path | None,
        cache: Path | None,
        recipe: str,
        ranks: Ranks,
    ) -> None:
        self._name, self._sources, self._config = task, data, config
        self._out, self._cache, self._ranks = out, cache or out / "cache", ranks
        self._recipe = recipe
        self._start: Start | None = None
        if start is not None:
            self._start = read_start(start, _TASK_OF_CARD.get(task, task))

    def run(self, watcher: Watcher, say: Say) -> Trained:
        with alone_in(self._out, self._ranks):
            return self._run(watcher, say)

    def _run(self, watcher: Watcher, say: Say) -> Trained:
        index = build_index(self._sources)
        for each in index.skipped:
            say(str(each))
        identity = self._identity(index.digest())
        if (done := self._finished(identity)) is not None:
            return done
        kind = TASKS.load(self._name)
        task: Task = kind.make(
            Given(index, self._config, self._start, self._cache, say)
        )
        watched = watcher if self._ranks.is_first else Silent()
        loop = Loop(task, identity, self._out, self._ranks, watched)
        finished = loop.run()
        if self._ranks.is_first:
            self._publish(task, finished, identity)
        self._ranks.wait()
        trained = self._finished(identity)
        assert trained is not None
        return trained

    def _identity(self, data: str) -> dict[str, Any]:
        """Return what makes this run: a checkpoint of another one is not resumed."""
        config = self._config.model_dump(mode="json")
        loop = {k: v for k, v in config["loop"].items() if k not in _WITHOUT_EFFECT}
        return {
            "task": self._name,
            "config": {**config, "loop": loop},
            "data": data,
            "start": self._start.card.sha256 if self._start else "",
        }

    def _finished(self, identity: Mapping[str, Any]) -> Trained | None:
        """Return the model of a run that was finished before.

        Raises:
            WrongUse: another run was finished here.
            BadInput: the model that it made is not there as it was.
        """
        path = self._out / RUN
        if not path.exists():
            return None
        found = json.loads(path.read_text(encoding="utf-8"))
        check_same(identity, found["identity"], self._out)
        weights = self._out / found["file"]
        card = load_card(weights.with_suffix(".json"))
        if not weights.is_file() or sha256_of(weights) != card.sha256:
            raise BadInput(
                f"{weights} is not as the run left it; remove {self._out} and train "
                "again"
            )
        return Trained(card, weights, found["steps"], found["seconds"], card.figures)

    def _publish(
        self, task: Task, finished: Finished, identity: Mapping[str, Any]
    ) -> None:
        facts = Facts(
            parent=self._start.card.sha256 if self._start else "",
            data=tuple(
                {
                    "name": source.reader.name,
                    "source": f"fingerprint {source.reader.fingerprint()[:16]}",
                    "licence": source.reader.licence or "not stated",
                }
                for source in self._sources
            ),
            recipe=self._recipe or f"configuration {digest_of(self._config)}",
            seed=self._config.loop.seed,
            measured=task.measure(finished.network),
            parts=finished.parts,
        )
        card = task.export(finished.network, self._out, facts)
        done = {
            "identity": dict(identity),
            "file": card.file,
            "steps": finished.steps,
            "seconds": finished.seconds,
        }
        text = json.dumps(done, indent=2).encode()
        replace_file(self._out / RUN, [text, b"\n"])
        # All that it had is in the model's own files.
        (self._out / CHECKPOINT).unlink(missing_ok=True)

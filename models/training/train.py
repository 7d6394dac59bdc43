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
from icf.models.cards import ModelCard, load_card
from icf.models.data.index import DataIndex, Source, build_index
from icf.models.training.config import TrainingConfig, digest_of
from icf.models.training.distributed import Device, Ranks, alone_in, joined
from icf.models.training.loop import Finished, Loop, Report, Watcher
from icf.models.training.run_files import CHECKPOINT, RUN, read_head, read_run
from icf.models.training.run_state import check_same
from icf.models.training.start import Start, read_start
from icf.models.training.task import TASKS, Facts, Given, Task
from icf.stores.files import hash_file, replace_file

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
        first = None if start is None else _read_start(start, task)
        stored = cache or out / "cache"
        made = _Training(task, data, config, out, first, stored, recipe, ranks)
        with alone_in(out, ranks):
            return made.run(watcher or Silent(), say)


def check_run(
    task: str, index: DataIndex, config: TrainingConfig, out: Path, start: Path | None
) -> None:
    """Raise what `train` would of the start model, and of another run in its folder.

    Args:
        task: a name of `TASKS`.
        index: of the data.
        config: of the task's class.
        out: folder of the model; it need not be there.
        start: weights or card of the model to start from.

    Raises:
        IcfError: as `train`.
    """
    first = None if start is None else _read_start(start, task)
    identity = identity_of(task, config, index.digest(), first)
    if (out / RUN).exists():
        check_same(identity, read_run(out / RUN)["identity"], out)
    elif (out / CHECKPOINT).exists():
        check_same(identity, read_head(out / CHECKPOINT).identity, out)


def identity_of(
    task: str, config: TrainingConfig, data: str, start: Start | None
) -> dict[str, Any]:
    """Return what makes a run: a checkpoint of another one is not resumed.

    Args:
        task: a name of `TASKS`.
        config: its settings; those that change no number of the model do not count.
        data: digest of the index of the data.
        start: the model to start from.
    """
    settings = config.model_dump(mode="json")
    loop = {k: v for k, v in settings["loop"].items() if k not in _WITHOUT_EFFECT}
    return {
        "task": task,
        "config": {**settings, "loop": loop},
        "data": data,
        "start": start.card.sha256 if start else "",
    }


def _read_start(path: Path, task: str) -> Start:
    return read_start(path, _TASK_OF_CARD.get(task, task))


@dataclass(frozen=True)
class _Training:
    name: str
    sources: Sequence[Source]
    config: TrainingConfig
    out: Path
    start: Start | None
    cache: Path
    recipe: str
    ranks: Ranks

    def run(self, watcher: Watcher, say: Say) -> Trained:
        index = build_index(self.sources)
        for each in index.skipped:
            say(str(each))
        identity = identity_of(self.name, self.config, index.digest(), self.start)
        if (done := self._finished(identity)) is not None:
            return done
        kind = TASKS.load(self.name)
        task: Task = kind.make(Given(index, self.config, self.start, self.cache, say))
        watched = watcher if self.ranks.is_first else Silent()
        loop = Loop(task, identity, self.out, self.ranks, watched)
        finished = loop.run()
        if self.ranks.is_first:
            self._publish(task, finished, identity)
        self.ranks.wait()
        trained = self._finished(identity)
        assert trained is not None
        return trained

    def _finished(self, identity: Mapping[str, Any]) -> Trained | None:
        """Return the model of a run that was finished before.

        Raises:
            WrongUse: another run was finished here.
            BadInput: the model that it made is not there as it was.
        """
        path = self.out / RUN
        if not path.exists():
            return None
        found = read_run(path)
        check_same(identity, found["identity"], self.out)
        weights = self.out / found["file"]
        described = weights.with_suffix(".json")
        card = load_card(described) if described.is_file() else None
        if card is None or not weights.is_file() or hash_file(weights) != card.sha256:
            raise BadInput(
                f"{weights} is not as the run left it; remove {self.out} and train "
                "again"
            )
        # Those of earlier versions do not say that there was one.
        whole = found.get("whole", "")
        if whole and not (self.out / whole).is_file():
            raise BadInput(
                f"{self.out / whole}, which the run left with all weights, is not "
                f"there: put it back, or remove {self.out} and train again"
            )
        return Trained(card, weights, found["steps"], found["seconds"], card.figures)

    def _publish(
        self, task: Task, finished: Finished, identity: Mapping[str, Any]
    ) -> None:
        facts = Facts(
            parent=self.start.card.sha256 if self.start else "",
            data=tuple(
                {
                    "name": source.reader.name,
                    "source": f"fingerprint {source.reader.fingerprint()[:16]}",
                    "licence": source.reader.licence or "not stated",
                }
                for source in self.sources
            ),
            recipe=self.recipe or f"configuration {digest_of(self.config)}",
            seed=self.config.loop.seed,
            measured=task.measure(finished.network),
            parts=finished.parts,
        )
        card = task.export(finished.network, self.out, facts)
        whole = Path(card.file).with_suffix(".safetensors").name
        done = {
            "identity": dict(identity),
            "file": card.file,
            "whole": whole if (self.out / whole).is_file() else "",
            "steps": finished.steps,
            "seconds": finished.seconds,
        }
        text = json.dumps(done, indent=2).encode()
        replace_file(self.out / RUN, [text, b"\n"])
        # All that it had is in the model's own files.
        (self.out / CHECKPOINT).unlink(missing_ok=True)

"""What the training loop drives: a task, such as an embedder or a detector.

The loop knows optimisers, schedules, ranks, checkpoints, averages and progress. A task
knows networks, pictures, losses and figures. Neither knows the other's part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

from torch import Tensor, nn

from icf.models.by_name import Registry
from icf.models.cards import ModelCard
from icf.models.data.index import DataIndex
from icf.models.training.config import TrainingConfig
from icf.models.training.start import Start

#: Every task that comes with the program.
TASKS = Registry(
    kind="training task",
    group="icf.training_tasks",
    own={
        "detector": "icf.models.training.detector.task:DetectorTask",
        "drawn-detector": "icf.models.training.drawn.detector:DrawnDetectorTask",
        "drawn-embedder": "icf.models.training.drawn.embedder:DrawnEmbedderTask",
        "embedder": "icf.models.training.embedder.task:EmbedderTask",
    },
)

#: By group of held-out pictures, each figure by name, as in a card.
Figures = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Rank:
    """One of the processes that train together; each takes its part of every batch.

    Attributes:
        number: from 0.
        world: how many there are.
    """

    number: int = 0
    world: int = 1

    def part(self, total: int) -> slice:
        """Return this rank's rows of a batch of ``total``, which all ranks divide.

        >>> Rank(1, 4).part(32)
        slice(8, 16, None)
        """
        each = total // self.world
        return slice(self.number * each, (self.number + 1) * each)


@dataclass(frozen=True)
class Moment:
    """When a loss is computed, and how.

    Attributes:
        step: steps taken before.
        steps: steps of the whole run.
        autocast: makes the context in which networks run in the run's precision.
            Losses are computed outside of it, in float32.
    """

    step: int
    steps: int
    autocast: _Autocast

    @property
    def progress(self) -> float:
        """The part of the run that is done, from 0 to below 1."""
        return self.step / self.steps


class _Autocast(Protocol):
    def __call__(self) -> AbstractContextManager[object]: ...


@dataclass(frozen=True)
class Group:
    """Parameters with a learning rate of their own.

    Attributes:
        parameters: which.
        rate: times the rate of the configuration.
        weight_decay: in place of the configuration's; None: the same.
    """

    parameters: Sequence[nn.Parameter]
    rate: float = 1.0
    weight_decay: float | None = None


class Batches(Protocol):
    """Makes the batches of a run; worker processes get a copy.

    A batch depends on the data, the configuration, the step and the rank alone, and the
    batches of all ranks are together that of one process: so a killed run resumes
    exactly, on another number of ranks too.
    """

    @property
    def examples(self) -> int:
        """Return how many crops or pictures one epoch has."""

    def batch(self, step: int, rank: Rank) -> Any:
        """Return a rank's part of the batch of a step: tensors, or tuples of them.

        Named tuples too; the loop pins and moves them.
        """

    def pictures(self, step: int) -> Sequence[str]:
        """Return the names of the pictures in the batch of a step, for messages."""


@dataclass(frozen=True)
class Measured:
    """What was measured on held-out pictures.

    Attributes:
        figures: for the card.
        parameters: numbers that belong to the weights: a calibration, a threshold.
    """

    figures: Figures
    parameters: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Facts:
    """What a card says of the run that made the model.

    Attributes:
        parent: SHA-256 of the model that it started from, or a description of the
            weights; "" where it started from scratch.
        data: each source with its licence, as `ModelCard.data`.
        recipe: the command that makes it again.
        seed: of the run.
        measured: by `Task.measure`.
        parts: the final weights of every part, those of the kept one averaged; keys
            are ``part.weight``.
    """

    parent: str
    data: tuple[Mapping[str, str], ...]
    recipe: str
    seed: int
    measured: Measured
    parts: Mapping[str, Tensor]


@dataclass(frozen=True)
class Given:
    """What a task is made of.

    Attributes:
        data: what to train on; the task holds some of it out, for its figures.
        config: of the class that the task names.
        start: the model to start from; None: published weights, or random ones.
        cache: folder for what is cut or reduced once; it may be shared by runs.
        say: receives a line for people.
    """

    data: DataIndex
    config: TrainingConfig
    start: Start | None
    cache: Path
    say: Callable[[str], object]


class Task(Protocol):
    """One kind of network, its data and its losses, made for one run.

    Its networks have their first weights when it is made: from the start model, from
    published weights, or random ones from the run's seed. Whatever else would change
    from step to step must be in a part's state, or follow from the step.
    """

    #: The class of its configuration.
    config_class: ClassVar[type[TrainingConfig]]

    @classmethod
    def make(cls, given: Given) -> Task:
        """Make the task of one run.

        Raises:
            BadInput: the data cannot train it: one class, fewer pictures than ways.
            WrongUse: the configuration does not fit the data or the start model.
            BadModel: there is no such network or loss.
        """

    @property
    def name(self) -> str:
        """Return the file name of the model: ``"embedder"``."""

    @property
    def config(self) -> TrainingConfig:
        """Return the configuration of the run."""

    @property
    def parts(self) -> Mapping[str, nn.Module]:
        """Return all that is trained, by name: a network, a loss with class centres."""

    @property
    def kept(self) -> str:
        """Return the name of the part whose averaged weights are the result."""

    def groups(self) -> Iterable[Group]:
        """Return the parameters to train; what is in no group is frozen."""

    def train_mode(self) -> None:
        """Switch the parts to training, but for frozen norms."""

    def batches(self) -> Batches:
        """Return what makes the batches."""

    def losses(self, batch: Any, moment: Moment) -> Mapping[str, Tensor]:
        """Return the terms of the loss of a rank's batch; their sum is minimised.

        Each is a scalar in float32, the mean over this rank's batch, already weighted.
        Nothing here may wait for the device: no ``item()``, no shape that depends on
        values.
        """

    def measure(self, network: nn.Module) -> Measured:
        """Measure on held-out pictures, which are never trained on.

        Args:
            network: as the kept part, with averaged weights, in evaluation mode.
        """

    def export(self, network: nn.Module, folder: Path, facts: Facts) -> ModelCard:
        """Write ``NAME.onnx``, ``NAME.json`` and ``NAME.safetensors``, and check them.

        Args:
            network: as for `measure`, on the CPU.
            folder: exists.
            facts: for the card.

        Raises:
            BadModel: the exported file gives other numbers than the network.
        """

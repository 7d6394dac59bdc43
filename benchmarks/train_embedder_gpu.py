"""Training an embedder on a GPU: our loop, and one as insightface's arcface_torch.

IR-50 at 112 pixels, batches of 128, 93,431 classes, ArcFace, SGD with momentum: what
insightface publishes speeds of. The peer is written as its ``train_v2.py``: pictures
normalised in loading processes, the network in float16 with ``GradScaler``, the cosines
with all centres in float16, losses in float32, gradients clipped. Ours is what
``icf-train`` runs: bytes that are normalised on the GPU, channels_last, bfloat16, the
moving average of the weights. The network, its first weights and the pictures are the
same; both have loading processes, and every picture is noise, made beforehand.

Turns alternate, the first of each warms up, and the clock counts. Without a GPU a few
steps of a small batch are taken, ``measured`` is false, and nothing is claimed.

Run: python -m benchmarks.train_embedder_gpu [--json] [--batch N] [--steps N]
"""

import argparse
import gc
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from benchmarks.report import Result, report
from benchmarks.timed_loop import TimedLoop, now
from icf.models.networks.body_embedder import BodyEmbedder
from icf.models.networks.insightface_resnet import ir50
from icf.models.training import losses
from icf.models.training.config import TrainingConfig
from icf.models.training.embedder import network as networks
from icf.models.training.embedder.config import EmbedderConfig
from icf.models.training.embedder.crops import Batch
from icf.models.training.task import Group, Moment, Rank

SIDE, DIM, SCALE, MARGIN = 112, 512, 64.0, 0.5
RATE, DECAY, CLIP = 0.02, 5e-4, 5.0
GOAL, MEMORY_GOAL = 1.25, 1.0
#: Turns of each, of which the first warms up.
TURNS = 3
#: Different pictures.
POOL = 1_024


@dataclass(frozen=True)
class Setting:
    """What both train on.

    Attributes:
        batch: pictures a step.
        steps: of a turn.
        classes: how many there are.
        device: where both compute.
    """

    batch: int
    steps: int
    classes: int
    device: torch.device

    @property
    def on_gpu(self) -> bool:
        """Whether it is a GPU."""
        return self.device.type == "cuda"

    @property
    def workers(self) -> int:
        """Loading processes of each."""
        return 4 if self.on_gpu else 0

    def now(self) -> float:
        """Return the time, see `benchmarks.timed_loop.now`."""
        return now(self.device)

    def labels(self, step: int) -> Tensor:
        """Return the classes of a batch."""
        random = np.random.default_rng(step)
        return torch.from_numpy(random.integers(0, self.classes, self.batch))


def pool() -> Tensor:
    """Return the pictures: bytes, POOL x 3 x SIDE x SIDE."""
    random = np.random.default_rng(0)
    return torch.from_numpy(random.integers(0, 256, (POOL, 3, SIDE, SIDE), np.uint8))


def first_network() -> BodyEmbedder:
    """Return the network that both start from."""
    torch.manual_seed(0)
    return ir50(DIM, SIDE)


class PeerData(Dataset[Any]):
    """Pictures as arcface_torch's data set gives them: floats from -1 to 1."""

    def __init__(self, setting: Setting) -> None:
        self.setting, self.pictures = setting, pool()

    def __len__(self) -> int:
        """Return how many a turn needs."""
        return self.setting.batch * self.setting.steps

    def __getitem__(self, number: int) -> tuple[Tensor, int]:
        """Return a picture and its class."""
        picture = self.pictures[number % POOL].float().div_(255).sub_(0.5).div_(0.5)
        return picture, number * 7_919 % self.setting.classes


class Peer:
    """The loop of arcface_torch on one GPU."""

    def __init__(self, setting: Setting) -> None:
        self.setting, self.loss = setting, 0.0
        network = first_network()
        self.body, self.head = network.body, network.head
        self.body.to(setting.device)
        self.head.to(setting.device)
        self.centres = nn.Parameter(
            torch.normal(0, 0.01, (setting.classes, DIM), device=setting.device)
        )
        self.trained = [*self.body.parameters(), *self.head.parameters()]
        self.optimiser = torch.optim.SGD(
            [{"params": self.trained}, {"params": [self.centres]}],
            lr=RATE,
            momentum=0.9,
            weight_decay=DECAY,
        )
        self.scaler = torch.amp.GradScaler("cuda", enabled=setting.on_gpu)
        self.loader: DataLoader[Any] = DataLoader(
            PeerData(setting),
            setting.batch,
            num_workers=setting.workers,
            pin_memory=setting.on_gpu,
            drop_last=True,
        )

    def turn(self) -> float:
        """Take the steps of a turn; return the seconds of all but the first."""
        torch.backends.cudnn.benchmark = True
        self.body.train()
        self.head.train()
        begin = 0.0
        for pictures, labels in self.loader:
            self.step(pictures, labels)
            begin = begin or self.setting.now()
        seconds = self.setting.now() - begin
        torch.backends.cudnn.benchmark = False
        return seconds

    def step(self, pictures: Tensor, labels: Tensor) -> None:
        """Take one step."""
        setting = self.setting
        pictures = pictures.to(setting.device, non_blocking=True)
        labels = labels.to(setting.device, non_blocking=True)
        half = torch.autocast("cuda", torch.float16, enabled=setting.on_gpu)
        with half:
            maps = self.body(pictures)
        embeddings = self.head(maps.float())
        with half:
            cosines = functional.linear(
                functional.normalize(embeddings), functional.normalize(self.centres)
            )
        cosines = cosines.float().clamp(-1, 1)
        loss = functional.cross_entropy(self.with_margin(cosines, labels), labels)
        torch.autograd.backward(self.scaler.scale(loss))
        self.scaler.unscale_(self.optimiser)
        nn.utils.clip_grad_norm_(self.trained, CLIP)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        self.optimiser.zero_grad()
        # It averages the loss on the processor at every step.
        self.loss = loss.item()

    @staticmethod
    def with_margin(cosines: Tensor, labels: Tensor) -> Tensor:
        """Add the margin to the angle of each picture's own class."""
        rows = torch.arange(len(labels), device=labels.device)
        own = cosines[rows, labels]
        with torch.no_grad():
            cosines.arccos_()
            cosines[rows, labels] = own.arccos() + MARGIN
            cosines.cos_()
        return cosines * SCALE


@dataclass(frozen=True)
class Batches:
    """Batches of pictures from memory.

    Attributes:
        setting: of the run.
        noise: the pictures that batches are made of.
    """

    setting: Setting
    noise: Tensor

    @property
    def examples(self) -> int:
        """How many pictures an epoch has."""
        return self.setting.batch * self.setting.steps

    def batch(self, step: int, rank: Rank) -> Batch:
        """Return the batch of a step."""
        start = step * self.setting.batch % (POOL - self.setting.batch + 1)
        some = self.noise[start : start + self.setting.batch].clone()
        none = torch.empty(0, 2, dtype=torch.int64)
        return Batch(some, self.setting.labels(step), none)

    def pictures(self, step: int) -> list[str]:
        """Return a name for the batch."""
        return [f"noise of step {step}"]


class OursTask:
    """The embedder's task, on pictures from memory."""

    config_class: ClassVar[type[TrainingConfig]] = EmbedderConfig
    name = "embedder"
    kept = networks.PART

    def __init__(self, setting: Setting, config: EmbedderConfig) -> None:
        self.config, self._net = config, first_network()
        self._loss = losses.create(
            "arcface", DIM, setting.classes, scale=SCALE, margin=MARGIN
        )
        self._batches = Batches(setting, pool())

    @property
    def parts(self) -> Mapping[str, nn.Module]:
        """The network and the loss."""
        return {networks.PART: self._net, "loss": self._loss}

    def groups(self) -> Iterator[Group]:
        """Yield the network's parameters and the class centres."""
        yield from networks.groups_of(self._net, self.config.network)
        yield Group(list(self._loss.parameters()))

    def train_mode(self) -> None:
        """Switch to training."""
        networks.training_mode(self._net, self.config.network)
        self._loss.train()

    def batches(self) -> Batches:
        """Return what makes the batches."""
        return self._batches

    def losses(self, batch: Batch, moment: Moment) -> Mapping[str, Tensor]:
        """Return the loss."""
        with moment.autocast():
            embeddings = self._net(batch.pixels.float())
        return {"identity": self._loss(embeddings.float(), batch.labels)}


class Ours(TimedLoop):
    """The loop of `icf-train embedder`."""

    def __init__(self, setting: Setting) -> None:
        config = EmbedderConfig.model_validate(
            {
                "loop": {
                    "steps": setting.steps,
                    "batch": setting.batch,
                    "optimiser": "sgd",
                    "rate": RATE,
                    "weight_decay": DECAY,
                    "schedule": "constant",
                    "warm_up": 0,
                    "clip": CLIP,
                    "workers": setting.workers,
                    "save_every": 10**9,
                    "log_every": 10**9,
                },
                "network": {"name": "ir-50", "dim": DIM, "side": SIDE},
            }
        )
        super().__init__(OursTask(setting, config), setting.device)


def peak_mib(setting: Setting, contender: type[Ours] | type[Peer]) -> float:
    """The most memory of the GPU that a contender takes alone; 0 on a processor."""
    if not setting.on_gpu:
        return 0.0
    gc.collect()
    torch.cuda.empty_cache()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    contender(setting).turn()
    return (torch.cuda.max_memory_allocated() - before) / 2**20


def measure(setting: Setting) -> Result:
    """Measure both in turns that alternate."""
    peaks = {kind.__name__: peak_mib(setting, kind) for kind in (Ours, Peer)}
    runners: dict[str, Ours | Peer] = {"ours": Ours(setting), "peer": Peer(setting)}
    taken: dict[str, list[float]] = {name: [] for name in runners}
    for _ in range(TURNS):
        for name, runner in runners.items():
            gc.collect()
            taken[name].append(runner.turn())
    images = setting.batch * (setting.steps - 1)
    rates = {name: images / float(np.median(each[1:])) for name, each in taken.items()}
    ratio = rates["ours"] / rates["peer"]
    memory = peaks["Ours"] / peaks["Peer"] if setting.on_gpu else None
    return Result(
        "train_embedder_gpu",
        "images/s",
        rates["ours"],
        rates["peer"],
        "the loop of insightface's arcface_torch, float16",
        ratio,
        f">= {GOAL} times, memory <= {MEMORY_GOAL:g} times",
        memory is not None and ratio >= GOAL and memory <= MEMORY_GOAL,
        {
            "device": torch.cuda.get_device_name() if setting.on_gpu else "cpu",
            "measured": setting.on_gpu,
            "batch": setting.batch,
            "classes": setting.classes,
            "memory_ratio": memory,
            "peak_mib": peaks["Ours"],
            "loss": runners["ours"].loss,
            "peer_loss": runners["peer"].loss,
        },
    )


def main() -> None:
    """Measure and report."""
    gpu = torch.cuda.is_available()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--batch", type=int, default=128 if gpu else 4)
    parser.add_argument("--steps", type=int, default=200 if gpu else 3)
    parser.add_argument("--classes", type=int, default=93_431 if gpu else 1_000)
    asked = parser.parse_args()
    device = torch.device("cuda" if gpu else "cpu")
    report(measure(Setting(asked.batch, asked.steps, asked.classes, device)))


if __name__ == "__main__":
    main()

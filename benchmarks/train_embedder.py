"""Training an embedder on a CPU, beside a plain loop of ImageFolder and its losses.

ResNet-18 at 112 pixels, 1,000 classes of 4 made-up pictures in JPEG, batches of 64,
ArcFace, AdamW. The plain loop is what a user writes with torchvision's `ImageFolder`,
PyTorch's `DataLoader` and pytorch-metric-learning, in float32. Ours is `icf-train`'s
loop, with its crops cut beforehand, in its default precision (bfloat16) and in float32.
The network, its first weights and the settings are the same; each has its own order of
the pictures. Each runs in a process of its own, on one thread, without workers, so that
CPU seconds are those of everything. The first steps are not counted. The comparison on
a GPU is not made here.

Run: python -m benchmarks.train_embedder [--json]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

import icf.models
from benchmarks.report import Result, report
from icf.models.training.loop import Loop, Report

CLASSES, EACH, SIDE, BATCH = 1000, 4, 112, 64
#: Steps that are taken, and those of them that are not counted.
STEPS, FIRST = 40, 4
#: The last steps, whose mean loss is compared.
LAST = 10
SCALE, MARGIN, RATE, DECAY = 32.0, 0.3, 1e-3, 5e-4
CONTENDERS = ("plain", "float32", "bfloat16")
GOAL = ">= 1.15 times the images a CPU-second at equal losses; input <= 10%"


@dataclass(frozen=True)
class Run:
    """What one contender did.

    Attributes:
        seconds: CPU seconds of the steps that count.
        losses: of every step.
        input: the part of the seconds that making batches takes; 0: not measured.
    """

    seconds: float
    losses: list[float]
    input: float = 0.0


def make_pictures(folder: Path) -> None:
    """Draw 1,000 classes: blurred colours of each, changed a little."""
    random = np.random.default_rng(0)
    for number in range(CLASSES):
        own = random.integers(0, 256, (6, 6, 3))
        place = folder / f"{number:04}"
        place.mkdir(parents=True)
        for each in range(EACH):
            colours = np.clip(own + random.normal(0, 25, own.shape), 0, 255)
            picture = Image.fromarray(colours.astype(np.uint8)).resize(
                (SIDE, SIDE), Image.Resampling.BICUBIC
            )
            picture.save(place / f"{each}.jpg", quality=90)


def first_weights() -> tuple[nn.Module, Tensor]:
    """Return the network and the class centres that every contender starts from."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = icf.models.create("resnet18", dim=512, side=SIDE)
    return network, 0.01 * torch.randn(CLASSES, 512)


def plain(folder: Path) -> Run:
    """Train by the plain loop."""
    import torchvision
    from pytorch_metric_learning.losses import (  # type: ignore[import-untyped]
        ArcFaceLoss,
    )
    from torch.utils.data import DataLoader
    from torchvision import transforms

    network, centres = first_weights()
    changes = [
        transforms.Resize((SIDE, SIDE)),
        transforms.RandomHorizontalFlip(),
        transforms.PILToTensor(),
    ]
    data = torchvision.datasets.ImageFolder(folder, transforms.Compose(changes))
    generator = torch.Generator().manual_seed(0)
    loader = DataLoader(data, BATCH, True, drop_last=True, generator=generator)
    loss = ArcFaceLoss(CLASSES, 512, margin=float(np.degrees(MARGIN)), scale=SCALE)
    loss.W = nn.Parameter(centres.T.contiguous())
    parameters = [*network.parameters(), *loss.parameters()]
    optimiser = torch.optim.AdamW(parameters, RATE, weight_decay=DECAY)
    network.train()
    losses: list[float] = []
    began = 0.0
    while len(losses) < STEPS:
        for pictures, labels in loader:
            found = loss(network(pictures.float()), labels)
            optimiser.zero_grad()
            found.backward()
            optimiser.step()
            losses.append(found.item())
            if len(losses) == FIRST:
                began = time.process_time()
            if len(losses) == STEPS:
                break
    return Run(time.process_time() - began, losses)


def ours(folder: Path, precision: str) -> Run:
    """Train by the loop of `icf-train`, and time its batches once more alone."""
    from icf.models.data.index import Source, build_index
    from icf.models.data.spec import open_reader, parse
    from icf.models.training.config import read_config
    from icf.models.training.distributed import joined
    from icf.models.training.embedder.config import EmbedderConfig
    from icf.models.training.embedder.task import LOSS, EmbedderTask
    from icf.models.training.task import Given, Rank

    config = read_config(EmbedderConfig, "embedder", changes=settings(precision))
    index = build_index([Source(open_reader(parse(f"folders:{folder}")))])
    clock = Clock()
    with joined("cpu") as ranks, tempfile.TemporaryDirectory() as out:
        given = Given(index, config, None, Path(out) / "cache", lambda line: None)
        task = EmbedderTask.make(given)
        network, centres = first_weights()
        task.parts[task.kept].load_state_dict(network.state_dict())
        with torch.no_grad():
            dict(task.parts[LOSS].named_parameters())["weight"].copy_(centres)
        Loop(task, {}, Path(out), ranks, clock).run()
        batches = task.batches()
        start = time.process_time()
        for step in range(FIRST, STEPS):
            batches.batch(step, Rank())
        alone = time.process_time() - start
    seconds = clock.times[-1] - clock.times[FIRST - 1]
    return Run(seconds, clock.losses, alone / seconds)


def settings(precision: str) -> dict[str, object]:
    """Return what makes our training that of the plain loop."""
    still = ("shift", "scale", "turn", "colour", "grey", "blur", "jpeg", "hide")
    return {
        **{f"augment.{name}": 0.0 for name in still},
        **{"network.name": "resnet18", "network.dim": 512, "network.side": SIDE},
        **{"crops.rate": 0.0, "crops.per_identity": 1, "held_out.share": 0.0},
        "loss.options": {"scale": SCALE, "margin": MARGIN, "warm_up": 0.0},
        **{"loop.steps": STEPS, "loop.batch": BATCH, "loop.optimiser": "adamw"},
        **{"loop.rate": RATE, "loop.warm_up": 0.0, "loop.weight_decay": DECAY},
        **{"loop.schedule": "constant", "loop.clip": 0.0, "loop.workers": 0},
        **{"loop.log_every": 1, "loop.save_every": 10**6, "loop.precision": precision},
    }


class Clock:
    """Notes the loss and the CPU time of every step."""

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.times: list[float] = []

    def begin(self, step: int, steps: int) -> None:
        """Nothing has happened yet."""

    def advance(self) -> None:
        """The step's loss comes with its report."""

    def report(self, report: Report) -> None:
        """Note a step."""
        self.losses.append(report.values["loss"])
        self.times.append(time.process_time())


def contend(contender: str, folder: Path) -> Run:
    """Run one contender in a process of its own."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.train_embedder"]
    done = subprocess.run(
        [*command, "--contender", contender, "--folder", str(folder)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Run(**json.loads(done.stdout.splitlines()[-1]))


def compared(runs: Mapping[str, Run]) -> Result:
    """Return the result."""
    images = BATCH * (STEPS - FIRST)
    rates = {name: images / run.seconds for name, run in runs.items()}
    losses = {name: float(np.mean(run.losses[-LAST:])) for name, run in runs.items()}
    worst = max(abs(value / losses["plain"] - 1) for value in losses.values())
    ratio, share = rates["bfloat16"] / rates["plain"], runs["bfloat16"].input
    return Result(
        "train_embedder",
        "images per CPU-second",
        rates["bfloat16"],
        rates["plain"],
        "ImageFolder, DataLoader and pytorch-metric-learning, in float32",
        ratio,
        GOAL,
        ratio >= 1.15 and share <= 0.1 and worst <= 0.05,
        {
            "device": "cpu",
            "float32": rates["float32"],
            "float32_ratio": rates["float32"] / rates["plain"],
            "input_share": share,
            "first_loss": runs["plain"].losses[0],
            "losses": {name: round(value, 3) for name, value in losses.items()},
            "loss_difference": worst,
        },
    )


def main() -> None:
    """Run every contender and report, or run one."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--contender", choices=CONTENDERS)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    if given.contender:
        name = given.contender
        found = plain(given.folder) if name == "plain" else ours(given.folder, name)
        print(json.dumps(asdict(found)), flush=True)
        return
    with tempfile.TemporaryDirectory() as folder:
        pictures = Path(folder) / "pictures"
        make_pictures(pictures)
        report(compared({name: contend(name, pictures) for name in CONTENDERS}))


if __name__ == "__main__":
    main()

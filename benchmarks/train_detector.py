"""Training RetinaNet-R50: our loop, and one as torchvision's reference has it.

The same network (``retinanet_resnet50_fpn_v2``, all of it trained, from random
weights), the same pictures at the same size, SGD with momentum. The peer is written as
torchvision's ``references/detection``: a data set of pictures and targets, a collating
loader, ``model(images, targets)`` with torchvision's own transform, matching and
losses, the losses read at every step to stop at a bad one. Ours is what ``icf-train``
runs: reduced pictures from the cache, random parts and colours, the vectorised targets,
channels_last, bfloat16, the moving average of the weights.

On a processor both have one thread and no loading process, and CPU seconds are
counted, of turns that alternate, without the first step of each. On a GPU both have
four loading processes, the peer has its ``--amp``, and the clock counts.

Run: python -m benchmarks.train_detector [--json] [--side N] [--batch N] [--steps N]
"""

import argparse
import contextlib
import gc
import io
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
import torch
import torchvision
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision.models.detection import retinanet_resnet50_fpn_v2
from torchvision.transforms import v2

from benchmarks.report import Result, report
from benchmarks.timed_loop import TimedLoop, now
from icf.images import encode_jpeg
from icf.models.data.base import LabelledFace, LabelledPicture, Reader
from icf.models.data.index import Source, build_index
from icf.models.training.detector.config import DetectorConfig
from icf.models.training.detector.task import DetectorTask
from icf.models.training.task import Given

PICTURES, FACES = 64, 3
CPU_GOAL, GPU_GOAL = 1.1, 1.2
#: Turns of each, of which the first warms up.
TURNS = 3
RATE = 1e-3


@dataclass(frozen=True)
class Setting:
    """What both train on.

    Attributes:
        folder: of the pictures.
        side: of the pictures, in pixels.
        batch: pictures a step.
        steps: of a turn.
        device: where both compute.
    """

    folder: Path
    side: int
    batch: int
    steps: int
    device: torch.device

    @property
    def on_gpu(self) -> bool:
        """Whether it is a GPU."""
        return self.device.type == "cuda"

    def now(self) -> float:
        """Return the time, see `benchmarks.timed_loop.now`."""
        return now(self.device)

    @property
    def workers(self) -> int:
        """Loading processes of each."""
        return 4 if self.on_gpu else 0


def boxes_of(number: int, side: int) -> list[tuple[float, float, float, float]]:
    """The faces of a picture."""
    random = np.random.default_rng(number)
    found = []
    for _ in range(FACES):
        size = random.uniform(0.12, 0.4) * side
        x, y = random.uniform(0, side - size, 2)
        found.append((float(x), float(y), float(x + size), float(y + size)))
    return found


def draw(setting: Setting) -> None:
    """Draw pictures with discs as faces."""
    for number in range(PICTURES):
        random = np.random.default_rng((number, 1))
        small = random.integers(0, 256, (16, 16, 3), np.uint8)
        pixels = cv2.resize(small, (setting.side, setting.side))
        for x1, y1, x2, y2 in boxes_of(number, setting.side):
            middle = (int((x1 + x2) / 2), int((y1 + y2) / 2))
            cv2.circle(pixels, middle, int((x2 - x1) / 2), (250, 220, 190), -1)
        path = setting.folder / f"{number}.jpg"
        path.write_bytes(encode_jpeg(np.asarray(pixels, np.uint8), 92))


@dataclass(frozen=True)
class Drawn(Reader):
    """The pictures as our training data."""

    kind: ClassVar[str] = "drawn"

    side: int = 0

    def pictures(self) -> Iterator[LabelledPicture]:
        """Name the pictures."""
        for number in range(PICTURES):
            faces = tuple(LabelledFace(box) for box in boxes_of(number, self.side))
            yield LabelledPicture(f"{number}.jpg", faces, complete=True)

    def read(self, key: str) -> bytes:
        """Return the bytes of one."""
        return (self.path / key).read_bytes()

    def fingerprint(self) -> str:
        """Return what they depend on."""
        return str(self.side)


class ReferenceData(Dataset[Any]):
    """The pictures as a data set of torchvision's reference training."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        # Its `presets.py`, data augmentation "hflip".
        self.transform = v2.Compose(
            [
                v2.PILToTensor(),
                v2.RandomHorizontalFlip(),
                v2.ToDtype(torch.float, scale=True),
                v2.SanitizeBoundingBoxes(),
                v2.ToPureTensor(),
            ]
        )

    def __len__(self) -> int:
        """Return how many there are."""
        return PICTURES

    def __getitem__(self, number: int) -> Any:
        """Return a picture and its target."""
        data = (self.setting.folder / f"{number}.jpg").read_bytes()
        picture = Image.open(io.BytesIO(data)).convert("RGB")
        side = self.setting.side
        boxes = torchvision.tv_tensors.BoundingBoxes(
            boxes_of(number, side), format="XYXY", canvas_size=(side, side)
        )
        labels = torch.zeros(FACES, dtype=torch.int64)
        return self.transform(picture, {"boxes": boxes, "labels": labels})


class Reference:
    """The loop of ``references/detection/engine.py``."""

    def __init__(self, setting: Setting) -> None:
        torch.manual_seed(0)
        self.setting, self.loss = setting, 0.0
        side = setting.side
        self.model = retinanet_resnet50_fpn_v2(
            weights=None,
            weights_backbone=None,
            num_classes=2,
            min_size=side,
            max_size=side,
        ).to(setting.device)
        self.optimiser = torch.optim.SGD(
            self.model.parameters(), lr=RATE, momentum=0.9, weight_decay=1e-4
        )
        self.scaler = torch.amp.GradScaler("cuda") if setting.on_gpu else None
        self.loader: DataLoader[Any] = DataLoader(
            ReferenceData(setting),
            setting.batch,
            shuffle=True,
            drop_last=True,
            num_workers=setting.workers,
            collate_fn=lambda batch: tuple(zip(*batch, strict=True)),
        )

    def turn(self) -> float:
        """Take the steps of a turn; return the seconds of all but the first."""
        self.model.train()
        begin, done = 0.0, 0
        while done < self.setting.steps:
            for images, targets in self.loader:
                self.loss = self.step(images, targets)
                done += 1
                begin = begin or self.setting.now()
                if done == self.setting.steps:
                    break
        return self.setting.now() - begin

    def step(self, images: Any, targets: Any) -> float:
        """Take one step."""
        device = self.setting.device
        moved = [image.to(device) for image in images]
        wanted = [{k: v.to(device) for k, v in t.items()} for t in targets]
        amp = torch.autocast("cuda") if self.scaler else contextlib.nullcontext()
        with amp:
            losses: dict[str, Tensor] = self.model(moved, wanted)
            loss = sum(losses.values(), torch.zeros((), device=device))
        value = loss.item()
        if not np.isfinite(value):
            raise SystemExit(f"the reference's loss is {value}")
        self.optimiser.zero_grad()
        if self.scaler:
            self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
            self.scaler.step(self.optimiser)
            self.scaler.update()
        else:
            torch.autograd.backward(loss)
            self.optimiser.step()
        return value


class Ours(TimedLoop):
    """The loop of `icf-train detector`."""

    def __init__(self, setting: Setting, precision: str) -> None:
        self.setting = setting
        self.config = DetectorConfig.model_validate(
            {
                "loop": {
                    "steps": setting.steps,
                    "batch": setting.batch,
                    "optimiser": "sgd",
                    "rate": RATE,
                    "schedule": "constant",
                    "warm_up": 0,
                    "precision": precision,
                    "workers": setting.workers,
                    "save_every": 10**9,
                    "log_every": 10**9,
                },
                "network": {"name": "retinanet-resnet50-v2", "backbone_rate": 1.0},
                "pictures": {"sides": [setting.side], "longest": setting.side},
                "augment": {"zoom": 0.0, "jitter": 0.0, "stretch": 0.0},
                "loss": {"per_picture": True},
                "held_out": {"share": 0.01},
            }
        )
        self.index = build_index([Source(Drawn(setting.folder, setting.side))])
        super().__init__(self.made(), setting.device)

    def made(self) -> DetectorTask:
        """Make the task; the pictures are reduced the first time."""
        cache = self.setting.folder / "cache"
        given = Given(self.index, self.config, None, cache, lambda line: None)
        return DetectorTask.make(given)


def peak_mib(setting: Setting, runner: Reference | Ours) -> float:
    """The most memory of the GPU that a turn takes; 0 on a processor."""
    if not setting.on_gpu:
        return 0.0
    torch.cuda.reset_peak_memory_stats()
    runner.turn()
    return torch.cuda.max_memory_allocated() / 2**20


def measure(setting: Setting) -> Result:
    """Measure both in turns that alternate."""
    draw(setting)
    peer = Reference(setting)
    runners: dict[str, Reference | Ours] = {"ours": Ours(setting, "bfloat16")}
    if not setting.on_gpu:
        runners["float32"] = Ours(setting, "float32")
    runners["peer"] = peer
    taken: dict[str, list[float]] = {name: [] for name in runners}
    for _ in range(TURNS):
        for name, runner in runners.items():
            gc.collect()
            taken[name].append(runner.turn())
    pictures = setting.batch * (setting.steps - 1)
    rates = {
        name: pictures / float(np.median(each[1:])) for name, each in taken.items()
    }
    goal = GPU_GOAL if setting.on_gpu else CPU_GOAL
    ratio = rates["ours"] / rates["peer"]
    also: dict[str, object] = {
        "device": torch.cuda.get_device_name() if setting.on_gpu else "one processor",
        "side": setting.side,
        "batch": setting.batch,
        "loss": runners["ours"].loss,
        "peer_loss": peer.loss,
    }
    if setting.on_gpu:
        ours = peak_mib(setting, runners["ours"])
        also["peak_mib_ratio"] = ours / peak_mib(setting, peer)
    else:
        also["float32"] = rates["float32"]
        also["float32_ratio"] = rates["float32"] / rates["peer"]
        also["gpu"] = "not measured: PyTorch finds none here"
    return Result(
        "train_detector",
        "images/s" if setting.on_gpu else "images/CPU-s",
        rates["ours"],
        rates["peer"],
        f"torchvision {torchvision.__version__}'s reference loop",
        ratio,
        f">= {goal} times",
        ratio >= goal,
        also,
    )


def main() -> None:
    """Measure and report."""
    gpu = torch.cuda.is_available()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--side", type=int, default=640 if gpu else 256)
    parser.add_argument("--batch", type=int, default=16 if gpu else 4)
    parser.add_argument("--steps", type=int, default=50 if gpu else 4)
    asked = parser.parse_args()
    if not gpu:
        torch.set_num_threads(1)
        cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        setting = Setting(
            Path(folder),
            asked.side,
            asked.batch,
            asked.steps,
            torch.device("cuda" if gpu else "cpu"),
        )
        report(measure(setting))


if __name__ == "__main__":
    main()

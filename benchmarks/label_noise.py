"""What wrong labels cost an embedder, and what PartialFC with its filter brings back.

Characters are directions of a made-up space. A picture is its character's direction,
moved a little, beside as many numbers that have nothing to do with it (pose, light),
mixed by a random matrix and bent by tanh. A small network with ArcFace learns 500
characters of 20 pictures each, 40% of them under another character's name, and is
measured by rank-1 on 500 characters that it never saw, among themselves.

Compared are: clean labels; flipped labels; flipped labels with PartialFC's inter-class
filtering, where a negative whose centre is nearer to a face than a cosine of 0.4 does
not count; and the same with a tenth of the classes drawn for each batch. All with the
same network, steps and learning rates.

Run: python -m benchmarks.label_noise [--json]
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.report import Result, report
from icf.models.training.losses.partial_fc import PartialFC

SEEDS = range(1, 4)
FLIPPED = 0.4
MOST_SIMILAR = 0.4
GOAL = "rank-1 with the filter >= 0.85 of that with clean labels, mean of three seeds"


@dataclass(frozen=True)
class World:
    """The size of the experiment.

    Attributes:
        identities: to learn, and as many others to measure on.
        pictures: of each.
        passes: over the training pictures.
        batch: pictures in a batch.
        seed: of everything.
    """

    identities: int = 500
    pictures: int = 20
    passes: int = 15
    batch: int = 256
    seed: int = 0


#: Numbers of a character, of what has nothing to do with it, and of a picture.
_OWN, _OTHER, _PIXELS = 32, 32, 128
_DIM = 64


def pictures_of(
    identities: int, each: int, mixing: Tensor, generator: torch.Generator
) -> Tensor:
    """Draw the pictures of new characters, one character after the other."""
    directions = torch.randn(identities, _OWN, generator=generator)
    count = identities * each
    moved = 0.3 * torch.randn(count, _OWN, generator=generator)
    other = torch.randn(count, _OTHER, generator=generator)
    own = directions.repeat_interleave(each, 0) + moved
    return torch.tanh(torch.cat([own, other], 1) @ mixing)


def flipped(labels: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Give a share of the pictures the label of any character."""
    wrong = torch.rand(len(labels), generator=generator) < share
    drawn = torch.randint(0, int(labels.max()) + 1, labels.shape, generator=generator)
    return torch.where(wrong, drawn, labels)


def rank_1(world: World, share: float, **options: Any) -> float:
    """Train with a share of wrong labels, and measure on other characters.

    Args:
        world: the size of the experiment.
        share: of labels that are flipped.
        options: of `PartialFC`.
    """
    generator = torch.Generator().manual_seed(world.seed)
    mixing = torch.randn(_OWN + _OTHER, _PIXELS, generator=generator) / 8
    seen = pictures_of(world.identities, world.pictures, mixing, generator)
    held_out = pictures_of(world.identities, 5, mixing, generator)
    labels = torch.arange(world.identities).repeat_interleave(world.pictures)
    labels = flipped(labels, share, generator)
    network = trained(world, seen, labels, generator, **options)
    with torch.no_grad():
        embeddings = nn.functional.normalize(network.eval()(held_out))
    each = embeddings.view(world.identities, 5, _DIM)
    nearest = (each[:, 1:].flatten(0, 1) @ each[:, 0].T).argmax(1)
    right = nearest == torch.arange(world.identities).repeat_interleave(4)
    return right.float().mean().item()


def trained(
    world: World,
    pictures: Tensor,
    labels: Tensor,
    generator: torch.Generator,
    **options: Any,
) -> nn.Module:
    """Train a network of three layers with ArcFace, s = 64 and m = 0.5."""
    torch.manual_seed(world.seed)
    network = nn.Sequential(
        *(nn.Linear(_PIXELS, 256), nn.BatchNorm1d(256), nn.ReLU()),
        *(nn.Linear(256, 256), nn.BatchNorm1d(256), nn.ReLU()),
        *(nn.Linear(256, _DIM), nn.BatchNorm1d(_DIM)),
    )
    loss = PartialFC(_DIM, world.identities, seed=world.seed, **options)
    parameters = [*network.parameters(), *loss.parameters()]
    optimiser = torch.optim.SGD(parameters, 0.1, 0.9, weight_decay=5e-4)
    batches = len(pictures) // world.batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, 0.1, total_steps=world.passes * batches + 1
    )
    for _ in range(world.passes):
        order = torch.randperm(len(pictures), generator=generator)
        for rows in torch.split(order[: batches * world.batch], world.batch):
            optimiser.zero_grad()
            torch.autograd.backward(loss(network(pictures[rows]), labels[rows]))
            nn.utils.clip_grad_norm_(parameters, 5.0)
            optimiser.step()
            schedule.step()
    return network


def figures(world: World) -> dict[str, float]:
    """Rank-1 of each way, in one world."""
    return {
        "clean": rank_1(world, 0.0, rate=1.0),
        "flipped": rank_1(world, FLIPPED, rate=1.0),
        "filtered": rank_1(world, FLIPPED, rate=1.0, most_similar=MOST_SIMILAR),
        "a_tenth": rank_1(world, FLIPPED, rate=0.1),
        "filtered_a_tenth": rank_1(world, FLIPPED, rate=0.1, most_similar=MOST_SIMILAR),
    }


def main() -> None:
    """Run every seed and report."""
    torch.set_num_threads(1)
    runs = [figures(replace(World(), seed=seed)) for seed in SEEDS]
    means = {name: float(np.mean([run[name] for run in runs])) for name in runs[0]}
    spread = {
        f"{name}_range": [min(r[name] for r in runs), max(r[name] for r in runs)]
        for name in means
    }
    cost = means["clean"] - means["flipped"]
    report(
        Result(
            "label_noise",
            "rank-1 with 40% of labels flipped",
            means["filtered"],
            means["flipped"],
            "the same loss without the filter",
            means["filtered"] / means["flipped"],
            GOAL,
            means["filtered"] >= 0.85 * means["clean"],
            {
                **means,
                **spread,
                "recovered": (means["filtered"] - means["flipped"]) / cost,
                "seeds": len(SEEDS),
            },
        )
    )


if __name__ == "__main__":
    main()

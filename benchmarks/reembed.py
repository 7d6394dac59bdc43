"""Embed faces again after a promotion: how much of the time is outside the network.

5,000 faces on 2,500 pictures of 900 x 700 pixels (JPEG, two faces each), embedded by
one model, are embedded again by another, as `icf-filter run` does: rows read, pictures
fetched and decoded once, faces cut, vectors stored, faces changed. All of it runs in
this process, so that CPU seconds can be divided: the network's own are those inside of
`Embedder.embed`. Nothing of the rest depends on how many faces there are but linearly:
half as many faces say so.

The network is a ResNet-18 at 112 pixels, made here with weights by chance; the bundled
one, which is far smaller than what is trained for a data set, is reported as well.

Run: python -m benchmarks.reembed [--json]
"""

import dataclasses
import io
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import sqlalchemy as sa
import torch
from PIL import Image

from benchmarks.report import Result, report
from icf import workspace
from icf.catalogue.schema import album, candidate, character, face, image
from icf.engine.step import ItemT, Outcome, Step
from icf.filter import resources
from icf.filter.chain import filter_chain
from icf.filter.embed_again import embed_again
from icf.filter.steps.embed import Embed
from icf.models.cards import bundled_path, new_card, save_card
from icf.models.embedding import Embedder
from icf.models.networks import create
from icf.workspace import Workspace

FACES, FIRST = 5_000, "f" * 64
WIDTH, HEIGHT, DRAWN = 900, 700, 50
BOXES = ((120.0, 160.0, 300.0, 350.0), (500.0, 200.0, 740.0, 460.0))
#: The share of the time that may pass outside the network.
GOAL = 0.2


class Here:
    """Judges in this process, so that its CPU time can be divided."""

    def judge(
        self, step: Step[ItemT], batches: Iterable[Sequence[ItemT]]
    ) -> Iterator[list[Outcome]]:
        """Judge one batch after the other."""
        for batch in batches:
            yield step.judge(batch)

    def close(self) -> None:
        """Nothing was started."""


class Timed:
    """An embedder that notes the CPU seconds of its network."""

    def __init__(self, inside: Embedder) -> None:
        self.inside = inside
        self.model_hash, self.crop_rate = inside.model_hash, inside.crop_rate
        self.seconds = 0.0

    def embed(self, crops: Sequence[np.ndarray]) -> np.ndarray:
        """Embed crops."""
        begin = time.process_time()
        made = self.inside.embed(crops)
        self.seconds += time.process_time() - begin
        return made


def drawn_pictures() -> list[bytes]:
    """JPEGs that are as hard to decode as drawings of the web: flat parts and lines."""
    random = np.random.default_rng(0)
    made = []
    for _ in range(DRAWN):
        coarse = random.integers(0, 256, (14, 18, 3), np.uint8)
        flat = Image.fromarray(coarse).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
        pixels = np.asarray(flat).copy()
        for row, column in random.integers(0, HEIGHT, (60, 2)):
            pixels[row : row + 3, column : column + 200] = 20
        out = io.BytesIO()
        Image.fromarray(pixels).save(out, "JPEG", quality=90)
        made.append(out.getvalue())
    return made


def make_faces(folder: Path, faces: int) -> Workspace:
    """A workspace of kept faces whose vectors are by another model."""
    made = workspace.init(folder)
    drawings = drawn_pictures()
    with made.catalogue.write() as connection:
        first = connection.scalar(
            sa.insert(album)
            .values(name="a", source="b", found_at=0.0)
            .returning(album.c.id)
        )
        who = connection.scalar(
            sa.insert(character)
            .values(album_id=first, name="c", source="b", found_at=0.0)
            .returning(character.c.id)
        )
        images, rows = [], []
        for number in range(faces // len(BOXES)):
            data = drawings[number % DRAWN]
            # A comment makes it another file.
            note = b"\xff\xfe\x00\x0a" + f"{number:08}".encode()
            data = data[:2] + note + data[2:]
            images.append(
                {
                    "id": number + 1,
                    "sha256": made.blobs.put(data),
                    "bytes": len(data),
                    "verdict": "kept",
                    "reason": "ok",
                    "stored_at": 0.0,
                }
            )
            rows += [_face(number + 1, box, who) for box in BOXES]
        connection.execute(sa.insert(image), images)
        connection.execute(sa.insert(face), rows)
        connection.execute(
            sa.insert(candidate),
            [
                {"image_id": each["id"], "character_id": who, "is_lead": False}
                for each in images
            ],
        )
    return made


def _face(image_id: int, box: tuple[float, ...], who: int) -> dict[str, object]:
    return {
        "image_id": image_id,
        **dict(zip(("x1", "y1", "x2", "y2"), box, strict=True)),
        "kind": "cartoon",
        "score": 0.9,
        "detector": "d" * 64,
        "sharpness": 500.0,
        "pixel_hash": f"{image_id:032x}{int(box[0]):032x}",
        "phash": image_id,
        "dhash": image_id,
        "embedder": FIRST,
        "filed_under_id": who,
        "character_id": who,
        "probability": 0.5,
        "verdict": "kept",
        "reason": "ok",
        "found_at": 0.0,
    }


def resnet(folder: Path) -> Path:
    """Write a ResNet-18 embedder, by chance."""
    torch.manual_seed(0)
    network = create("resnet18", dim=512).eval()
    path = folder / "resnet18.onnx"
    torch.onnx.export(
        network,
        (torch.zeros(2, 3, 112, 112),),
        str(path),
        opset_version=18,
        dynamic_shapes=({0: torch.export.Dim("n")},),
        input_names=["pictures"],
        output_names=["embeddings"],
        dynamo=True,
        external_data=False,
        verbose=False,
    )
    parameters = {"crop_rate": 1.0, "slope": 10.0, "intercept": -5.0}
    card = new_card(path, "embed", "icf-embedder-onnx", parameters)
    save_card(card, path.with_suffix(".json"))
    return path


@contextmanager
def no_bar(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """No progress bar."""
    yield lambda advance: None


def run(folder: Path, model: Path, faces: int) -> tuple[float, float, float]:
    """CPU seconds of all, of the network, and wall seconds."""
    made = make_faces(folder, faces)
    chain = filter_chain(made)
    step = next(each for each in chain.steps if isinstance(each, Embed))
    step = dataclasses.replace(step, model=model)
    timed = Timed(Embedder.open(model))
    resources.embedder = lambda *_: timed  # type: ignore[assignment]
    run_id = made.begin_run("benchmark")
    begin, clock = time.process_time(), time.perf_counter()
    tally = embed_again(made, step, timed.model_hash, chain, Here(), run_id, no_bar)
    spent, passed = time.process_time() - begin, time.perf_counter() - clock
    assert tally is not None
    assert tally.passed == faces
    return spent, timed.seconds, passed


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        half = run(root / "half", resnet(root), FACES // 2)
        whole = run(root / "whole", resnet(root), FACES)
        small = run(root / "small", bundled_path("embedder"), FACES)
    outside = 1 - whole[1] / whole[0]
    report(
        Result(
            name="reembed",
            unit="share of the CPU time outside the network, ResNet-18 at 112 px",
            ours=outside,
            peer=None,
            peer_name=None,
            ratio=None,
            goal=f"at most {GOAL}",
            ok=outside <= GOAL,
            also={
                "faces": FACES,
                "faces_a_cpu_second": FACES / whole[0],
                "outside_seconds_per_100000": (whole[0] - whole[1]) * 100_000 / FACES,
                "seconds_per_100000_on_one_processor": whole[2] * 100_000 / FACES,
                "outside_growth": (whole[0] - whole[1]) / (half[0] - half[1]) / 2,
                "bundled_outside": 1 - small[1] / small[0],
                "bundled_faces_a_cpu_second": FACES / small[0],
            },
        )
    )


if __name__ == "__main__":
    main()

"""The detector and the embedder on a GPU, alone and behind the decoding of pictures.

- ``network``: views of 640 x 640 pixels through the detector's network, and crops of
  112 x 112 through the embedder, from bytes in memory to numbers in memory.
- ``detect``: pictures whose longer side is 640 through the filter's step `detect`, from
  JPEGs in the blob store to faces, with one worker process for each processor, and
  with decoding, measuring and everything else that is done for a picture.

Seconds here are those of the clock, for a GPU has no CPU seconds; the machine should
have nothing else to do. Without a GPU the same is done with few pictures on the
processor, ``device`` says so, and the goals are not measured.

Run: python -m benchmarks.filter_gpu [--json]
"""

import tempfile
import time
from contextlib import closing

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.report import Result, report
from icf.engine.local import LocalEngine
from icf.filter.steps.detect import Detect, StoredImage
from icf.models.cards import bundled_path, load_card
from icf.models.runtime.network import Device, Network, choose, open_network
from icf.stores.blobs import BlobStore

GOAL_PICTURES, GOAL_FACES = 1_000.0, 10_000.0
SIDE, CROP = 448, 112
BATCH = 64
NETWORKS = {
    name: load_card(bundled_path(name).with_suffix(".json")).network
    for name in ("detector", "embedder")
}


def rate(network: Network, pictures: NDArray[np.uint8], times: int) -> float:
    """Pictures per second, once the network is warm."""
    network.predict(pictures)
    begin = time.perf_counter()
    for _ in range(times):
        network.predict(pictures)
    return len(pictures) * times / (time.perf_counter() - begin)


def detected_per_second(pictures: int, device: str) -> float:
    """Pictures per second through the step `detect`, its workers being warm."""
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder, closing(LocalEngine()) as engine:
        store = BlobStore(folder)
        items = [StoredImage(n, store.put(_drawn(rng))) for n in range(pictures)]
        batches = [items[start : start + BATCH] for start in range(0, pictures, BATCH)]
        place: Device = "cuda" if device == "cuda" else "cpu"
        step = Detect(folder, 0.5, 64_000_000, runtime="torch", device=place)
        warm = batches[: 2 * engine.workers]
        list(engine.judge(step, warm))
        begin = time.perf_counter()
        found = sum(map(len, engine.judge(step, batches)))
        return found / (time.perf_counter() - begin)


def _drawn(rng: np.random.Generator) -> bytes:
    """A JPEG of discs, each another."""
    pixels = np.full((SIDE * 3 // 4, SIDE, 3), 255, np.uint8)
    for _ in range(30):
        centre = int(rng.integers(SIDE)), int(rng.integers(SIDE))
        colour = [int(value) for value in rng.integers(0, 255, 3)]
        cv2.circle(pixels, centre, int(rng.integers(10, 90)), colour, -1, cv2.LINE_AA)
    return bytes(cv2.imencode(".jpg", pixels)[1].tobytes())


def device_name(device: str) -> str:
    """The GPU's own name, or that there is none."""
    if device != "cuda":
        return "cpu"
    import torch

    return str(torch.cuda.get_device_name(0))


def main() -> None:
    """Measure and report."""
    _, device = choose("torch", "auto")
    gpu = device == "cuda"
    rng = np.random.default_rng(0)
    views = rng.integers(0, 256, (BATCH if gpu else 2, SIDE, SIDE, 3), np.uint8)
    crops = rng.integers(0, 256, (256 if gpu else 32, CROP, CROP, 3), np.uint8)
    networks = {
        name: open_network(bundled_path(name), runtime="torch", name=network)
        for name, network in NETWORKS.items()
    }
    looked = rate(networks["detector"], views, 50 if gpu else 2)
    faces = rate(networks["embedder"], crops, 50 if gpu else 2)
    pictures = detected_per_second(8_192 if gpu else 16, device)
    report(
        Result(
            name="filter_gpu",
            unit="pictures per second through the step detect",
            ours=pictures,
            peer=None,
            peer_name=None,
            ratio=None,
            goal=f"{GOAL_PICTURES:g} pictures and {GOAL_FACES:g} faces a second, GPU",
            ok=gpu and pictures >= GOAL_PICTURES and faces >= GOAL_FACES,
            also={
                "device": device_name(device),
                "measured": gpu,
                "views_per_second": looked,
                "faces_per_second": faces,
            },
        )
    )


if __name__ == "__main__":
    main()

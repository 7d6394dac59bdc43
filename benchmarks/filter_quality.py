"""Decode, measure sharpness and hash JPEGs of 26 kB: ours, imagehash's, imagededup's.

Ours is what the filter does with one decode: RGB pixels that the detector can use
again, the Laplacian variance at a fixed size, pHash and dHash. The peer decodes with
Pillow, takes the Laplacian variance with OpenCV, and both hashes with imagehash.
imagededup's `encode_image` decodes and gives its pHash alone; its parts that need
PyTorch, scikit-learn or matplotlib are left out.

The pictures are those of the demo's site, saved again as near to 26 kB as they come.
All get the same bytes on one processor.

Run: python -m benchmarks.filter_quality [--json]
"""

import io
import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import imagehash
import numpy as np
from PIL import Image

from benchmarks.report import Result, peak_rss_mib, peer_python, report
from icf.app.demo.site.archive import SiteArchive, shipped_tar
from icf.app.demo.site.truth import Noise, load_truth
from icf.images import decode, measures, reduced
from icf.images.grey import Grey
from icf.images.measures import Pixels

PICTURES, BYTES, ROUNDS = 300, 26_000, 5
#: Least side of a picture that is decoded for its hashes alone.
HASHED_SIDE = 128
GOAL, GOAL_RATIO, GOAL_IMAGEDEDUP = 900.0, 2.5, 3.0

PACKAGES = (
    "--no-deps",
    "imagededup==0.3.3.post2",
    "numpy==1.26.4",
    "scipy",
    "Pillow",
    "PyWavelets",
    "tqdm",
)

IMAGEDEDUP = """
import json, pathlib, sys, time
from unittest.mock import MagicMock
for name in ("imagededup.methods.cnn", "imagededup.utils.models",
             "imagededup.utils.plotter", "sklearn", "sklearn.metrics",
             "sklearn.metrics.pairwise"):
    sys.modules[name] = MagicMock()
from imagededup.methods.hashing import PHash
hasher = PHash(verbose=False)
files = sorted(map(str, pathlib.Path(sys.argv[1]).iterdir()))
begin = time.process_time()
for file in files:
    hasher.encode_image(image_file=file)
print(json.dumps(time.process_time() - begin))
"""


def make_pictures() -> list[bytes]:
    """JPEGs of the site, saved in the quality that makes them nearest to 26 kB."""
    site, made = SiteArchive(shipped_tar()), list[bytes]()
    for file in load_truth().files:
        if file.noise is not Noise.CLEAN:
            continue
        pixels = decode(site.read(f"images/{file.name}")).pixels
        if min(pixels.shape[:2]) >= 300:
            made.append(_near(pixels, BYTES))
        if len(made) == PICTURES:
            break
    return made


def _near(pixels: Pixels, size: int) -> bytes:
    tried = [_jpeg(pixels, quality) for quality in range(60, 97, 3)]
    return min(tried, key=lambda data: abs(len(data) - size))


def _jpeg(pixels: Pixels, quality: int) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def ours(data: bytes) -> None:
    """One decode, three measures."""
    grey = Grey.of(decode(data).pixels)
    measures.sharpness(grey)
    measures.hashes(grey)


def hash_alone(data: bytes) -> None:
    """What imagededup does, and dHash: a hash needs no more than a reduced picture."""
    measures.hashes(reduced(data, HASHED_SIDE).pixels)


def with_imagehash(data: bytes) -> None:
    """The same with Pillow, OpenCV's Laplacian and imagehash."""
    picture = Image.open(io.BytesIO(data))
    picture.load()
    cv2.Laplacian(np.asarray(picture.convert("L")), cv2.CV_64F).var()
    imagehash.phash(picture)
    imagehash.dhash(picture)


def seconds(work: Callable[[bytes], None], pictures: list[bytes]) -> float:
    """CPU seconds for all pictures once."""
    begin = time.process_time()
    for data in pictures:
        work(data)
    return time.process_time() - begin


def imagededup_seconds(folder: Path) -> float:
    """CPU seconds of imagededup for all pictures once, without its start."""
    python = peer_python("imagededup", PACKAGES)
    run = [str(python), "-c", IMAGEDEDUP, str(folder)]
    said = subprocess.run(run, check=True, capture_output=True).stdout
    return float(json.loads(said.splitlines()[-1]))


def best_of(pictures: list[bytes], folder: Path) -> list[float]:
    """Pictures a CPU-second in the best round: ours, imagehash's, imagededup's, hashes.

    In turn, so that an hour in which the machine is slow is slow for all.
    """
    for number, data in enumerate(pictures):
        (folder / f"{number}.jpg").write_bytes(data)
    rounds = [
        (
            seconds(ours, pictures),
            seconds(with_imagehash, pictures),
            imagededup_seconds(folder),
            seconds(hash_alone, pictures),
        )
        for _ in range(ROUNDS)
    ]
    return [len(pictures) / min(column) for column in zip(*rounds, strict=True)]


def main() -> None:
    """Measure and report."""
    cv2.setNumThreads(1)
    pictures = make_pictures()
    with tempfile.TemporaryDirectory() as folder:
        own, peer, imagededup, alone = best_of(pictures, Path(folder))
    goal = (
        f">= {GOAL:.0f} pictures/CPU-s, >= {GOAL_RATIO} x Pillow + imagehash, "
        f">= {GOAL_IMAGEDEDUP:.0f} x imagededup"
    )
    ok = (
        own >= GOAL and own >= GOAL_RATIO * peer and own >= GOAL_IMAGEDEDUP * imagededup
    )
    also = {
        "imagededup": imagededup,
        "imagededup_ratio": own / imagededup,
        "hash_alone": alone,
        "hash_alone_imagededup_ratio": alone / imagededup,
        "pictures": len(pictures),
        "bytes": float(np.mean([len(data) for data in pictures])),
        "peak_rss_mib": peak_rss_mib(),
    }
    report(
        Result(
            "filter_quality",
            "pictures/CPU-s",
            own,
            peer,
            f"Pillow + imagehash {imagehash.__version__}",
            own / peer,
            goal,
            ok,
            also,
        )
    )


if __name__ == "__main__":
    main()

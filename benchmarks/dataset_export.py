"""Write a release's pictures as WebDataset and as Parquet, against `tar`.

The pictures are JPEGs of about 50 kB in a blob store, as a harvest leaves them. Ours
reads each, checks it against its hash, looks whether EXIF turns it, and writes it with
its labels; for WebDataset with an index beside each shard. The peer is GNU tar, which
packs the same files without reading a list or checking anything. Figures are MB of
pictures a CPU second of the process; all files are in the page cache.

Run: python -m benchmarks.dataset_export [--json] [--pictures 100000]
"""

import argparse
import hashlib
import io
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.report import Result, peak_rss_mib, report
from icf.dataset.formats.base import ReleaseData
from icf.dataset.formats.registry import make_writers
from icf.dataset.licences import Source
from icf.dataset.near_duplicates import Hashes
from icf.dataset.plan import Plan
from icf.dataset.selection import Identity, Pictures, SelectedFaces, Selection
from icf.dataset.splits.parts import Splits
from icf.stores.blobs import BlobStore

PICTURES, GOAL = 100_000, 0.8
FORMATS = ("webdataset", "parquet")
#: Of one identity; and how many different pictures are drawn, all others end otherwise.
FACES, DRAWN = 78, 64
SIDE = 320
SOURCE = Source(
    url="https://example.org/wiki/File:Picture.jpg",
    page="https://example.org/wiki/Character",
    licence="CC BY-SA 4.0",
    licence_url="https://creativecommons.org/licenses/by-sa/4.0/",
    licence_from="extmetadata",
    author="A. Drawer",
)


def make_blobs(store: BlobStore, count: int) -> Iterator[str]:
    """Store so many different pictures; yield the hash of each."""
    rng = np.random.default_rng(0)
    drawn = [_jpeg(rng) for _ in range(DRAWN)]
    for number in range(count):
        # What follows the end of a JPEG is no part of the picture.
        data = drawn[number % DRAWN] + number.to_bytes(8, "big")
        sha256 = hashlib.sha256(data).hexdigest()
        path = store.path(sha256)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        yield sha256


def _jpeg(rng: np.random.Generator) -> bytes:
    stream = io.BytesIO()
    pixels = rng.integers(0, 256, (SIDE // 2, SIDE // 2, 3)).astype(np.uint8)
    picture = Image.fromarray(pixels).resize((SIDE, SIDE))
    picture.save(stream, "JPEG", quality=85)
    return stream.getvalue()


def plan_of(hashes: list[str]) -> Plan:
    """A release of one face a picture, a twentieth of them probes."""
    count = len(hashes)
    rows = np.arange(count)
    ids = rows + 1
    identity = rows // FACES + 1
    sha256 = np.array(hashes, "S64")
    none = Hashes(np.zeros(count, np.int64), np.zeros(count, np.int64))
    corners = np.tile([80.2, 60.4, 200.1, 220.7], (count, 1))
    faces = SelectedFaces(ids, identity, identity, rows, corners, sha256, none)
    pictures = Pictures(
        image=ids,
        sha256=sha256,
        pixel_hash=sha256,
        hashes=none,
        format=("jpeg",) * count,
        size=np.full((count, 2), SIDE),
        boxes=((),) * count,
        complete=np.zeros(count, np.bool_),
        detected=((),) * count,
    )
    known = {
        each: Identity(each, f"Character {each}", each, f"Album {each}")
        for each in np.unique(identity).tolist()
    }
    selection = Selection(faces, pictures, known, "e" * 64, (), {}, {})
    is_probe = rows % 20 == 0
    empty = np.zeros(0, np.int64)
    why = np.full(count, -1)
    train, probes = rows[~is_probe], rows[is_probe]
    return Plan(selection, Splits(train, probes, empty, empty, empty, why))


def ours(plan: Plan, store: BlobStore, name: str, folder: Path) -> float:
    """CPU seconds of writing one format."""
    sources = {int(each): (SOURCE,) for each in plan.selection.pictures.image}
    data = ReleaseData(plan, sources, store, lambda ids: np.zeros((len(ids), 1), "f4"))
    [writer] = make_writers([name]).values()
    folder.mkdir()
    _ = plan.train, plan.test  # every format needs them, once a release
    begin = time.process_time()
    written = sum(1 for _ in writer.write(data, folder))
    seconds = time.process_time() - begin
    assert written == len(plan.selection.pictures.image)
    shutil.rmtree(folder)
    return seconds


def checked(plan: Plan, store: BlobStore) -> float:
    """CPU seconds of reading and hashing alone, which every format does and tar not."""
    begin = time.process_time()
    for sha256 in plan.selection.pictures.sha256.tolist():
        store.get(sha256.decode())
    return time.process_time() - begin


def tar(blobs: Path, target: Path) -> float:
    """CPU seconds of GNU tar."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(["tar", "-cf", target, "-C", blobs, "."], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    target.unlink()
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def main() -> None:
    """Write each format twice and tar thrice, in turn; take the best of each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pictures", type=int, default=PICTURES)
    parser.add_argument("--json", action="store_true")
    count = parser.parse_args().pictures
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        store = BlobStore(root / "blobs")
        plan = plan_of(list(make_blobs(store, count)))
        size = sum(path.stat().st_size for path in (root / "blobs").rglob("*/*/*"))
        peer = [tar(root / "blobs", root / "peer.tar")]
        hashed = checked(plan, store)
        seconds: dict[str, list[float]] = {each: [] for each in FORMATS}
        for _ in range(2):
            for each in FORMATS:
                seconds[each].append(ours(plan, store, each, root / "out"))
            peer.append(tar(root / "blobs", root / "peer.tar"))
    speed = {each: size / 1e6 / min(taken) for each, taken in seconds.items()}
    slowest = min(speed.values())
    tars = size / 1e6 / min(peer)
    report(
        Result(
            name="dataset_export",
            unit="MB of pictures per CPU-second, the slower format",
            ours=slowest,
            peer=tars,
            peer_name="GNU tar",
            ratio=slowest / tars,
            goal=f">= {GOAL} of tar",
            ok=slowest >= GOAL * tars,
            also={
                **speed,
                "read_and_hashed": size / 1e6 / hashed,
                "pictures": count,
                "megabytes": size / 1e6,
                "peak_rss_mib": peak_rss_mib(),
            },
        ),
        sys.argv[1:],
    )


if __name__ == "__main__":
    main()

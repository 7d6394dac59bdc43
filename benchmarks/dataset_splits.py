"""Splits at the paper's size: 389,678 pictures for recognition, 60,000 for detection.

The catalogue's rows are made in memory; ours is the way from them to a finished plan:
divide identities and pictures, look for near-duplicates of the test in train, and have
train give them up. The leak check, which compares everything with everything, is
measured apart, as are its figures. Hashes are those of different pictures, of which one
in a hundred is a near-duplicate of another.

Run: python -m benchmarks.dataset_splits [--json]
"""

import time

import numpy as np
import numpy.typing as npt

from benchmarks.report import Result, peak_rss_mib, report
from icf.dataset.boxes import Box
from icf.dataset.near_duplicates import Hashes, Reach
from icf.dataset.plan import make_plan
from icf.dataset.release.searched import find_leaks
from icf.dataset.selection import Identity, Pictures, SelectedFaces, Selection
from icf.settings import DatasetSettings

PICTURES, CHARACTERS, ALBUMS, DETECTION = 389_678, 5_013, 1_302, 60_000
WIDTH = 128
GOAL_SECONDS, GOAL_MIB = 10.0, 1024.0
REACH = Reach(10, 10)

IntArray = npt.NDArray[np.int64]


def make_selection() -> Selection:
    """One confirmed face a picture, most for few characters; detection's are whole."""
    rng = np.random.default_rng(0)
    total = PICTURES + DETECTION
    identity = 1 + np.minimum(
        CHARACTERS - 1, np.floor(CHARACTERS * rng.random(total) ** 1.3)
    ).astype(np.int64)
    identities = {
        number: Identity(number, f"Character {number}", album, f"Album {album}")
        for number in range(1, CHARACTERS + 1)
        for album in [1 + number * ALBUMS // (CHARACTERS + 1)]
    }
    rows = np.arange(total)
    corners = np.tile([20.0, 20.0, 180.0, 190.0], (total, 1))
    box = (Box(0, (20.0, 20.0, 180.0, 190.0), 0.9),)
    names = np.array([f"{row:064x}" for row in rows], "S64")
    pictures = Pictures(
        image=rows,
        sha256=names,
        pixel_hash=names,
        hashes=make_hashes(total, rng),
        format=("jpeg",) * total,
        size=np.full((total, 2), 200),
        boxes=(box,) * total,
        complete=rows >= PICTURES,
        detected=((),) * total,
    )
    faces = SelectedFaces(
        face=rows,
        identity=identity,
        album=np.array([identities[i].album_id for i in identity.tolist()], np.int64),
        picture=rows,
        corners=corners,
        pixel_hash=names,
        hashes=make_hashes(total, rng),
    )
    return Selection(faces, pictures, identities, "e" * 64, ("d" * 64,), {}, {})


def make_hashes(count: int, rng: np.random.Generator) -> Hashes:
    """Random hashes; one in a hundred differs from another in some bits."""
    low, high = -(2**63), 2**63 - 1
    phash, dhash = rng.integers(low, high, (2, count), endpoint=True)
    copies, originals = rng.choice(count, (2, count // 100), replace=False)
    for hashes in (phash, dhash):
        bits = 1 << rng.integers(0, 63, (6, len(copies)))
        hashes[copies] = hashes[originals] ^ np.bitwise_xor.reduce(bits)
    return Hashes(phash, dhash)


def vectors(ids: IntArray) -> npt.NDArray[np.float32]:
    """A unit vector a face: some rows of one table, which are never alike."""
    table = np.random.default_rng(1).normal(size=(997, WIDTH)).astype(np.float32)
    made = table[ids % 997] + table[ids // 997 % 997]
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), np.float32)


def main() -> None:
    """Measure and report."""
    selection = make_selection()
    begin = time.process_time()
    plan = make_plan(selection, DatasetSettings(), REACH, seed=1)
    counts = plan.counts
    ours = time.process_time() - begin
    peak = peak_rss_mib()
    begin = time.process_time()
    leaks = find_leaks(plan, REACH, vectors)
    leak_seconds = time.process_time() - begin
    found = sum(check.count for check in leaks.leaks)
    report(
        Result(
            name="dataset_splits",
            unit="CPU seconds",
            ours=ours,
            peer=None,
            peer_name=None,
            ratio=None,
            goal="<= 10 CPU seconds and < 1 GiB, no leak",
            ok=ours <= GOAL_SECONDS and peak < GOAL_MIB and not found,
            also={
                "peak_rss_mib": peak,
                "leak_seconds": leak_seconds,
                "leak_peak_rss_mib": peak_rss_mib(),
                "leaks": found,
                "held_back": plan.held_back["faces"],
                **counts,
            },
        )
    )


if __name__ == "__main__":
    main()

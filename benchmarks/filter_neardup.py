"""All pairs within 7 bits among a million 64-bit hashes: ours against faiss's flat way.

The hashes are random, with 20,000 near-duplicates sown in (1 to 7 bits flipped). faiss
compares each with all; it is asked for a sample of the hashes and its time extrapolated
to all of them. Recall is measured against what faiss finds for that sample.

Run: python -m benchmarks.filter_neardup [--json]
"""

import time

import faiss
import numpy as np

from benchmarks.report import Result, peak_rss_mib, report
from icf.near_hashes import HashBands, IntArray

HASHES, SOWN, SAMPLE, RADIUS = 1_000_000, 20_000, 2_000, 7
MANY = 4


def make_hashes(count: int) -> IntArray:
    """Random hashes; the last of them are near copies of the first."""
    rng = np.random.default_rng(0)
    hashes = rng.integers(-(2**63), 2**63 - 1, count)
    for copy in range(SOWN):
        bits = rng.choice(64, rng.integers(1, RADIUS + 1), replace=False)
        flips = np.bitwise_or.reduce(np.uint64(1) << bits.astype(np.uint64))
        hashes[count - 1 - copy] = hashes[copy] ^ flips.astype(np.int64)
    return hashes


def ours(hashes: IntArray) -> tuple[float, tuple[IntArray, IntArray]]:
    """CPU seconds, sorting included, and the pairs."""
    begin = time.process_time()
    pairs = HashBands(hashes).pairs(RADIUS)
    return time.process_time() - begin, pairs


def flat(hashes: IntArray) -> tuple[float, set[tuple[int, int]]]:
    """CPU seconds of faiss for all hashes, extrapolated, and the sample's pairs."""
    codes = np.ascontiguousarray(hashes).view(np.uint8).reshape(-1, 8)
    index = faiss.IndexBinaryFlat(64)
    index.add(codes)
    begin = time.process_time()
    limits, _, found = index.range_search(codes[:SAMPLE], RADIUS + 1)
    seconds = (time.process_time() - begin) * len(hashes) / SAMPLE
    rows = np.repeat(np.arange(SAMPLE), np.diff(np.asarray(limits, np.int64)))
    pairs = zip(rows.tolist(), np.asarray(found).tolist(), strict=True)
    return seconds, {(a, b) for a, b in pairs if a < b}


def main() -> None:
    """Measure and report."""
    faiss.omp_set_num_threads(1)
    hashes = make_hashes(HASHES)
    seconds, (rows, others) = ours(hashes)
    peer, wanted = flat(hashes)
    sampled = rows < SAMPLE
    found = set(zip(rows[sampled].tolist(), others[sampled].tolist(), strict=True))
    recall = len(wanted & found) / len(wanted)
    many, _ = ours(make_hashes(MANY * HASHES))
    goal = "<= 6 CPU-s for a million, recall 1, >= 50x faiss flat; four million <= 60"
    ok = seconds <= 6 and recall == 1 and peer >= 50 * seconds and many <= 60
    also = {
        "recall": recall,
        "false": len(found - wanted),
        "pairs": len(rows),
        "four_million": many,
        "peak_rss_mib": peak_rss_mib(),
    }
    name = "faiss IndexBinaryFlat range_search, extrapolated from a sample"
    ratio = peer / seconds
    report(
        Result("filter_neardup", "CPU s", seconds, peer, name, ratio, goal, ok, also)
    )


if __name__ == "__main__":
    main()

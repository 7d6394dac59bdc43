"""The full identification test: ours against the official way.

20,000 probes of 2,000 identities, some 180,000 pairs, 2,500 distractors. The official
way sorts every picture's similarities to all 22,500 pictures and walks down each
ranking; it is done here by blocks of rows, which costs the same CPU and less memory.
Ours also gives the curve up to rank 50, the same for two roles and 300 albums, and the
intervals of all of them.

Run: python -m benchmarks.dataset_identification [--json]
"""

import tempfile
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.report import Result, peak_rss_mib, report
from icf.dataset.scores.recognition.groups import grouping
from icf.dataset.scores.recognition.identification import identify
from icf.icartoonface.features import read_features, write_features
from icf.icartoonface.recognition import RecognitionTest, pairs_to_score

IDENTITIES, PICTURES, DISTRACTORS, WIDTH = 2_000, 10, 2_500, 512
GOAL_SECONDS, GOAL_MIB = 5.0, 1024.0

Floats = npt.NDArray[np.float64]


def make_input(folder: Path) -> tuple[RecognitionTest, Path]:
    """Labels, and a feature file in which about half the pairs have rank 1."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(IDENTITIES), PICTURES)
    labels = np.concatenate([labels, np.full(DISTRACTORS, -1)])
    centres = rng.normal(size=(IDENTITIES, WIDTH))
    features = rng.normal(size=(len(labels), WIDTH))
    features[labels >= 0] += 0.42 * centres[labels[labels >= 0]]
    path = folder / "features.bin"
    write_features(path, features)
    files = tuple(
        f"personai_icartoonface_rectest_{i:07d}.jpg" for i in range(len(labels))
    )
    return RecognitionTest(files, np.zeros((len(labels), 4), np.int64), labels), path


def official_rank1(info: RecognitionTest, features: Floats) -> float:
    """Sort all pictures for each picture, then walk down for each of its pairs."""
    units = features / np.linalg.norm(features, axis=1, keepdims=True)
    distractor = (info.labels == -1).tolist()
    partners: dict[int, list[int]] = {}
    for a, b in pairs_to_score(info).tolist():
        partners.setdefault(a, []).append(b)
    right = 0
    for start in range(0, len(units), 500):
        ranking = np.argsort(1 - units[start : start + 500] @ units.T, axis=1)
        for a, row in enumerate(ranking, start):
            right += sum(walk(row, b, distractor) for b in partners.get(a, ()))
    return 100 * right / sum(map(len, partners.values()))


def walk(row: npt.NDArray[np.int64], b: int, distractor: list[bool]) -> bool:
    """Whether b comes before the first distractor."""
    for c in row:
        if c == b:
            return True
        if distractor[c]:
            return False
    return False


def main() -> None:
    """Measure and report."""
    with tempfile.TemporaryDirectory() as folder:
        info, path = make_input(Path(folder))
        role = ["seen" if 0 <= label < 1200 else "unseen" for label in info.labels]
        album = [f"album {label % 300}" for label in info.labels]
        groups = {"role": grouping(role), "album": grouping(album)}
        begin = time.process_time()
        found = identify(info, read_features(path, len(info.files)), groups)
        score = found.score
        ours = time.process_time() - begin
        peak = peak_rss_mib()
        begin = time.process_time()
        rank1 = official_rank1(info, np.fromfile(path).reshape(len(info.files), -1))
        peer = time.process_time() - begin
    agree = abs(rank1 - score.rank1) < 1e-9
    report(
        Result(
            name="dataset_identification",
            unit="CPU seconds",
            ours=ours,
            peer=peer,
            peer_name="official way: full sort, walk",
            ratio=peer / ours,
            goal="<= 5 CPU seconds and < 1 GiB, the same rank-1",
            ok=ours <= GOAL_SECONDS and peak < GOAL_MIB and agree,
            also={
                "peak_rss_mib": peak,
                "pairs": score.pairs,
                "distractors": score.distractors,
                "rank1": score.rank1,
                "official_rank1": rank1,
            },
        )
    )


if __name__ == "__main__":
    main()

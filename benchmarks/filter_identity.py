"""Judge who 100,000 faces are, and 1.6 million: CPU seconds, and how they grow.

Vectors of 512 numbers, of 1,000 characters in albums of four, eight confirmed faces
each, lie in a real vector store on disk. Judged as the step judges: vectors read, each
face compared with all known faces of its album, posterior, filing. What is not counted
is the catalogue: reading what is known of each face, and writing what became of it. The
whole step in its batches of 64, its items and outcomes made, is reported as well.

Run: python -m benchmarks.filter_identity [--json]
"""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.report import CACHE, Result, peak_rss_mib, report
from icf.catalogue.calibrations import Curve
from icf.filter.identify.assignment import assign
from icf.filter.identify.evidence import GalleryFace
from icf.filter.identify.face_evidence import Cast, FaceEvidence
from icf.filter.identify.posterior import Gallery, compare, prior_weights
from icf.filter.steps.identity import Identity
from icf.stores.vectors import VectorStore

DIM, CHARACTERS, ALBUM, KNOWN = 512, 1_000, 4, 9
FACES = 100_000
SIZES = (100_000, 200_000, 400_000, 800_000, 1_600_000)
BLOCK, BATCH = 16_384, 64
#: Even odds at a cosine of one half, as of the bundled embedder.
CURVE = Curve(14.0, -7.0)
MODEL = "b" * 64
ENOUGH = 0.1


@dataclass(frozen=True)
class World:
    """Faces in a store: the known ones first, then those to judge.

    Attributes:
        store: their vectors.
        character: shape (n,), the character each face to judge was found under.
        first: the id of the first of them.
    """

    store: VectorStore
    character: np.ndarray
    first: int


def make_world(folder: Path, faces: int) -> World:
    """Write the vectors, a block at a time; one face in ten is somebody else's."""
    draw = np.random.default_rng(0)
    centres = draw.normal(size=(CHARACTERS, DIM)).astype(np.float32)
    store = VectorStore(folder)
    known = np.repeat(np.arange(CHARACTERS), KNOWN)
    first = 1 + len(known)
    character = draw.integers(CHARACTERS, size=faces)
    shown = np.where(
        draw.random(faces) < 0.1, draw.integers(CHARACTERS, size=faces), character
    )
    for start_id, who in ((1, known), (first, shown)):
        for start in range(0, len(who), BLOCK):
            rows = centres[who[start : start + BLOCK]]
            rows = rows + draw.standard_normal(rows.shape, np.float32) * 0.6
            rows /= np.linalg.norm(rows, axis=1, keepdims=True)
            ids = np.arange(start_id + start, start_id + start + len(rows))
            store.append(MODEL, ids, rows)
    return World(store, character, first)


def judge(world: World, faces: int) -> tuple[float, int]:
    """CPU seconds for the first ``faces``, and how many are kept."""
    VectorStore(world.store.folder).ids(MODEL)
    begin = time.process_time()
    known = [known_of(world.store, album) for album in range(CHARACTERS // ALBUM)]
    kept = 0
    for start in range(0, faces, BLOCK):
        stop = min(start + BLOCK, faces)
        vectors = world.store.get(MODEL, np.arange(start, stop) + world.first)
        character = world.character[start:stop]
        order = np.argsort(character // ALBUM, kind="stable")
        bounds = np.searchsorted(character[order] // ALBUM, np.arange(len(known) + 1))
        for album, some in enumerate(known):
            rows = order[bounds[album] : bounds[album + 1]]
            if not len(rows):
                continue
            compared = compare(vectors[rows], some, CURVE)
            candidates = character[rows, None] == np.arange(ALBUM) + album * ALBUM
            joint = compared.ratios * prior_weights(candidates)
            kept += int(assign(joint, candidates, [], ENOUGH).kept.sum())
    return time.process_time() - begin, kept


def known_of(store: VectorStore, album: int) -> Gallery:
    """The known faces of an album's characters; each one's first is its reference."""
    places = np.arange(ALBUM * KNOWN)
    ids = 1 + album * ALBUM * KNOWN + places
    return Gallery(
        store.get(MODEL, ids), places // KNOWN, np.arange(ALBUM, dtype=np.int64) * KNOWN
    )


def judge_by_step(world: World, faces: int) -> tuple[float, int]:
    """CPU seconds of the step itself for ``faces`` in batches, and how many are kept.

    A batch holds faces of one album or two, as pictures come from a harvest.
    """
    step = Identity(world.store.folder, ENOUGH)
    casts = [cast_of(album) for album in range(CHARACTERS // ALBUM)]
    order = np.argsort(world.character[:faces] // ALBUM, kind="stable").tolist()
    begin = time.process_time()
    kept = 0
    for start in range(0, faces, BATCH):
        batch = [
            FaceEvidence(
                world.first + row,
                MODEL,
                (int(world.character[row]),),
                casts[world.character[row] // ALBUM],
                track=world.first + row,
            )
            for row in order[start : start + BATCH]
        ]
        kept += sum(outcome.passed for outcome in step.judge(batch))
    return time.process_time() - begin, kept


def cast_of(album: int) -> Cast:
    """An album's cast, as the step reads it."""
    people = range(album * ALBUM, (album + 1) * ALBUM)
    faces = [
        GalleryFace(who, 1 + who * KNOWN + at, at == 0)
        for who in people
        for at in range(KNOWN)
    ]
    return Cast((MODEL, album), tuple(people), tuple(faces), CURVE)


def anonymous_mib() -> float:
    """Memory of this process that is not pages of the store's files, in MiB."""
    status = Path("/proc/self/status").read_text()
    [line] = [each for each in status.splitlines() if each.startswith("RssAnon:")]
    return int(line.split()[1]) / 1024


def main() -> None:
    """Measure and report."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        world = make_world(Path(folder), max(SIZES))
        runs = [judge(world, faces) for faces in SIZES]
        anonymous = anonymous_mib()
        by_step, kept_by_step = judge_by_step(world, FACES)
    seconds, kept = runs[0]
    exponent, _ = np.polyfit(np.log(SIZES), np.log([each for each, _ in runs]), 1)
    ok = seconds <= 1 and exponent <= 1.05 and kept == kept_by_step
    also = {
        "exponent": float(exponent),
        "largest": runs[-1][0],
        "by_step": by_step,
        "kept": kept,
        "kept_by_step": kept_by_step,
        "anonymous_mib": anonymous,
        "peak_rss_mib": peak_rss_mib(),
    }
    goal = "<= 1 CPU-s for 100,000; growth exponent <= 1.05 to 1.6 million"
    report(
        Result("filter_identity", "CPU s", seconds, None, None, None, goal, ok, also)
    )


if __name__ == "__main__":
    main()

"""Score a model on the recognition test, by the published protocol."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from icf.app.bench.data import TestPart
from icf.app.bench.plan import RUNS, Plan
from icf.dataset.scores.recognition.embedded import embed_test
from icf.dataset.scores.recognition.identification import rank_k, rank_pairs
from icf.errors import BadInput
from icf.models.embedding import Embedder
from icf.models.runtime.network import Device
from icf.stores.files import replace_file

if TYPE_CHECKING:
    from icf.models.training.train import Trained

#: A finished training's scores, in its folder.
SCORE = "score.json"
#: Largest rank of a curve, as in figure 6.
RANKS = 50


@dataclass(frozen=True)
class Score:
    """What one trained model reaches, and what it cost.

    Attributes:
        model: SHA-256 of the weights.
        rank1, rank5, rank10: percent of pairs within these ranks.
        curve: percent of pairs within rank 1, 2, ..., up to `RANKS` or to where every
            pair is.
        steps: of the training.
        seconds: of the training's steps.
        scoring_seconds: to embed and rank the test.
    """

    model: str
    rank1: float
    rank5: float
    rank10: float
    curve: tuple[float, ...]
    steps: int
    seconds: float
    scoring_seconds: float


#: By the folder of a training.
Scores = Mapping[str, Score]


def score_model(trained: Trained, test: TestPart, device: Device) -> Score:
    """Embed the test's faces by its own boxes, and rank every pair.

    Raises:
        BadInput: a picture of the test cannot be read.
    """
    began = time.monotonic()
    # On a GPU through PyTorch, else in ONNX Runtime.
    embedder = Embedder.open(
        trained.path, os.cpu_count() or 1, runtime="auto", device=device
    )
    ranks = rank_pairs(test.info, embed_test(embedder, test.info, test.folder))
    last = min(RANKS, int((test.info.labels < 0).sum()) + 1)
    curve = tuple(rank_k(ranks, rank) for rank in range(1, last + 1))
    return Score(
        trained.card.sha256,
        rank_k(ranks, 1),
        rank_k(ranks, 5),
        rank_k(ranks, 10),
        curve,
        trained.steps,
        trained.seconds,
        time.monotonic() - began,
    )


def save_score(score: Score, folder: Path) -> None:
    """Write a score into the folder of its training."""
    text = json.dumps(asdict(score), indent=2)
    replace_file(folder / SCORE, [text.encode(), b"\n"])


def load_score(folder: Path) -> Score | None:
    """Read the score of a training; None: it has none yet.

    Raises:
        BadInput: it is not as it was written.
    """
    path = folder / SCORE
    if not path.exists():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return Score(**{**found, "curve": tuple(found["curve"])})
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(
            f"{path} is not as it was written: {error}; remove it, and the model will "
            "be scored again"
        ) from error


def known_scores(plan: Plan, out: Path) -> dict[str, Score]:
    """Return the scores of the trainings that are done."""
    found = {run.folder: load_score(out / RUNS / run.folder) for run in plan.in_order()}
    return {folder: score for folder, score in found.items() if score is not None}

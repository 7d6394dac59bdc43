"""Hold pictures out of a detector's training, and measure it on them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from icf.models.data.index import DataIndex
from icf.models.data.picture_cache import ReducedPictures
from icf.models.detection import Detection, Detector
from icf.models.training.detector.average_precision import (
    Matches,
    Truth,
    ap50,
    best_threshold,
    interval,
    matched,
)
from icf.models.training.detector.config import HeldOutSettings
from icf.models.training.detector.sample import read_sample
from icf.models.training.task import Measured

#: The two domains, in the order of `icf.models.detection.KINDS`.
DOMAINS = ("cartoon", "human")
#: Lowest score of boxes that count for the average precision.
MIN_SCORE = 0.02
#: Between these the score from which on the detector shows a face is chosen.
_THRESHOLDS = (0.05, 0.9)
#: Pictures that are measured at a time: this bounds the memory.
_AT_ONCE = 32
_DIGITS = 4


def held_out(
    index: DataIndex, settings: HeldOutSettings, seed: int
) -> NDArray[np.int8]:
    """Choose the pictures that are held out, whole groups, of each source apart.

    Where a source has complete pictures, only those are measured on: in others it is
    not known what is false. Groups with held-out pictures are not trained on at all.

    Args:
        index: of all pictures.
        settings: how many.
        seed: of the choice.

    Returns:
        Shape (pictures,), int8: 0 for training, 1 for measuring, 2 for neither.
    """
    use = np.zeros(len(index), np.int8)
    for number in range(len(index.sources)):
        own = np.flatnonzero(index.source == number)
        good = own[index.complete[own]] if index.complete[own].any() else own
        random = np.random.default_rng((seed, number))
        groups = random.permutation(np.unique(index.group[good]))
        counts = np.bincount(index.group[good], minlength=index.group.max() + 1)[groups]
        wanted = min(settings.most, settings.share * len(good))
        # The group that crosses the bound is taken too: a share is never nothing.
        taken = groups[: int(np.searchsorted(np.cumsum(counts), wanted)) + 1]
        if len(taken) == len(groups):
            taken = taken[:-1]  # something has to be trained on
        inside = own[np.isin(index.group[own], taken)]
        use[inside] = 2
        use[inside[np.isin(inside, good)]] = 1
    return use


def domains(index: DataIndex) -> NDArray[np.intp]:
    """Return each picture's place in `DOMAINS`.

    A picture is of the human domain if all its faces are photographed. One without a
    face is of the domain of most pictures of its source.
    """
    faces = np.diff(index.first)
    human = np.bincount(index.picture, index.human, len(index))
    found = np.where(faces > 0, human == faces, False)
    for number in range(len(index.sources)):
        own = index.source == number
        shown = own & (faces > 0)
        usual = bool(found[shown].mean() > 0.5) if shown.any() else False
        found[own & (faces == 0)] = usual
    return found.astype(np.intp)


def measure(
    detector: Detector, data: ReducedPictures, settings: HeldOutSettings
) -> Measured:
    """Measure a detector on held-out pictures, as the filter will run it.

    Args:
        detector: whatever its ``min_score``, the best one is chosen here.
        data: the held-out pictures.
        settings: how many resamples.

    Returns:
        By source and by domain: ``pictures``, ``faces``, ``ap50`` (COCO's rule, either
        kind) with its interval, and at ``min_score`` ``recall``, ``precision`` and the
        share of hits with the right ``kind``. Parameters: ``min_score``.
    """
    matches = _matches(detector, data)
    least = float(np.clip(round(best_threshold(matches), 2), *_THRESHOLDS))
    index = data.index
    domain = domains(index)
    parts = {
        source.reader.name: index.source == number
        for number, source in enumerate(index.sources)
    }
    parts |= {name: domain == number for number, name in enumerate(DOMAINS)}
    figures = {
        name: _figures(matches.of(some), some, index.group, least, settings.resamples)
        for name, some in parts.items()
        if some.any()
    }
    return Measured(figures, {"min_score": least})


def _matches(detector: Detector, data: ReducedPictures) -> Matches:
    truths: list[Truth] = []
    found: list[list[Detection]] = []
    for first in range(0, len(data), _AT_ONCE):
        samples = [
            read_sample(data, number)
            for number in range(first, min(first + _AT_ONCE, len(data)))
        ]
        truths += [Truth(s.boxes, s.kinds, s.ignored) for s in samples]
        found += detector.detect([s.pixels for s in samples], MIN_SCORE)
    return matched(truths, found)


def _figures(
    found: Matches,
    pictures: NDArray[np.bool_],
    group: NDArray[np.int32],
    least: float,
    resamples: int,
) -> dict[str, float]:
    faces = int(found.faces.sum())
    taken = found.scores >= least
    hits = int(found.hits[taken].sum())
    figures: dict[str, float] = {"pictures": int(pictures.sum()), "faces": faces}
    if faces:
        figures["ap50"] = ap50(found)
        if resamples:
            low, high = interval(_compact(found, pictures), group[pictures], resamples)
            figures |= {"ap50_low": low, "ap50_high": high}
        figures["recall"] = hits / faces
        figures["kind"] = int(found.right_kind[taken].sum()) / max(1, hits)
    figures["precision"] = hits / max(1, int(taken.sum()))
    return {name: round(value, _DIGITS) for name, value in figures.items()}


def _compact(found: Matches, pictures: NDArray[np.bool_]) -> Matches:
    """Number the pictures that are there from 0."""
    number = np.cumsum(pictures) - 1
    return Matches(
        found.scores,
        found.hits,
        found.right_kind,
        number[found.picture],
        found.faces[pictures],
    )

"""Measure an embedder on the ruler's identities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from icf.models.embedding import Embedder, crop_face
from icf.models.training.embedder.figures import auc
from icf.tools.ruler.loaded import Shown

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Names = NDArray[np.str_]

#: Intervals of probability that the calibration error is read in.
BINS = 10


@dataclass(frozen=True)
class IdentityFigures:
    """How well the characters of some faces are told apart.

    Pairs are of one source: characters drawn in one style. Pairs of one character and
    pairs of two have the same total weight in ``ece`` and ``log_loss``, so that always
    saying 0.5 has a log loss of 0.693.

    Attributes:
        identities: characters.
        faces: of them.
        same: pairs of one character.
        auc: probability that two faces of one character are more similar than two of
            two characters.
        rank1: share of the faces, of characters with several, whose nearest other face
            of the source shows the same character.
        ece: mean difference of the probability that two faces are one character and
            the share that is, over ten intervals.
        log_loss: of that probability, in nats.
    """

    identities: int
    faces: int
    same: int
    auc: float
    rank1: float
    ece: float
    log_loss: float


@dataclass(frozen=True)
class EmbedderFigures:
    """What an embedder does on the ruler: in all, by group and by source.

    Groups and sources without a pair of one character are left out.
    """

    everything: IdentityFigures
    groups: Mapping[str, IdentityFigures]
    sources: Mapping[str, IdentityFigures]

    def rounded(self) -> dict[str, dict[str, float]]:
        """All figures by what they are of, for cards and ``--json``."""
        parts = {"all": self.everything, **self.groups}
        parts |= {f"source {name}": each for name, each in self.sources.items()}
        return {
            name: {key: round(value, 4) for key, value in asdict(each).items()}
            for name, each in parts.items()
        }


@dataclass(frozen=True, eq=False)
class _Faces:
    """n faces; ``cosines`` and ``probabilities`` have the shape (n, n)."""

    identity: Names
    source: Names
    group: Names
    cosines: Floats
    probabilities: Floats


def measure(embedder: Embedder, shown: Sequence[Shown]) -> EmbedderFigures | None:
    """Measure an embedder.

    Args:
        embedder: its card says how far faces are cut and what a cosine means.
        shown: the pictures; faces without an identity are not used.

    Returns:
        The figures; None where no source has two faces of one character.
    """
    crops, identities, sources, groups = [], [], [], []
    for each in shown:
        for face in each.drawing.faces:
            if face.identity:
                crops.append(crop_face(each.pixels, face.box, embedder.crop_rate))
                identities.append(f"{each.drawing.source}/{face.identity}")
                sources.append(each.drawing.source)
                groups.append(each.drawing.group)
    vectors = embedder.embed(crops).astype(np.float64)
    cosines = vectors @ vectors.T
    probabilities = embedder.curve.probability(cosines)
    faces = _Faces(
        np.array(identities, np.str_),
        np.array(sources, np.str_),
        np.array(groups, np.str_),
        cosines,
        np.asarray(probabilities, np.float64),
    )
    everything = _of(faces, np.ones(len(crops), np.bool_))
    if everything is None:
        return None
    return EmbedderFigures(
        everything, _parts(faces, faces.group), _parts(faces, faces.source)
    )


def _parts(faces: _Faces, names: Names) -> dict[str, IdentityFigures]:
    made = {str(name): _of(faces, names == name) for name in np.unique(names)}
    return {name: each for name, each in made.items() if each is not None}


def _of(faces: _Faces, some: Flags) -> IdentityFigures | None:
    """The figures of some faces; None without pairs of both kinds."""
    places = np.flatnonzero(some)
    first, second = np.triu_indices(len(places), 1)
    first, second = places[first], places[second]
    together = faces.source[first] == faces.source[second]
    first, second = first[together], second[together]
    same = faces.identity[first] == faces.identity[second]
    if not same.any() or same.all():
        return None
    cosines = faces.cosines[first, second].astype(np.float32)
    probabilities = faces.probabilities[first, second]
    weights = np.where(same, 0.5 / same.sum(), 0.5 / (~same).sum())
    return IdentityFigures(
        len(np.unique(faces.identity[places])),
        len(places),
        int(same.sum()),
        auc(cosines[same], cosines[~same]),
        _rank1(faces, places),
        calibration_error(probabilities, same, weights),
        log_loss(probabilities, same, weights),
    )


def _rank1(faces: _Faces, places: NDArray[np.int64]) -> float:
    """The gallery is the rest of the source, whatever the group."""
    right = []
    for place in places:
        others = faces.source == faces.source[place]
        others[place] = False
        own = others & (faces.identity == faces.identity[place])
        if own.any():
            nearest = np.where(others, faces.cosines[place], -np.inf).argmax()
            right.append(bool(own[nearest]))
    return float(np.mean(right))


def calibration_error(probabilities: Floats, same: Flags, weights: Floats) -> float:
    """Return the expected calibration error (Guo et al. 2017, equation 3), weighted.

    Args:
        probabilities: shape (n,).
        same: shape (n,): what happened.
        weights: shape (n,), with a sum of 1.

    >>> both, weights = np.array([True, False]), np.array([0.5, 0.5])
    >>> calibration_error(np.array([0.5, 0.5]), both, weights)
    0.0
    """
    bins = np.minimum((probabilities * BINS).astype(np.int64), BINS - 1)
    gaps = np.bincount(bins, weights * (probabilities - same), BINS)
    return float(np.abs(gaps).sum())


def log_loss(probabilities: Floats, same: Flags, weights: Floats) -> float:
    """Return the weighted mean of the negative logarithm of what was right.

    >>> both, weights = np.array([True, False]), np.array([0.5, 0.5])
    >>> round(log_loss(np.array([0.5, 0.5]), both, weights), 3)
    0.693
    """
    right = np.where(same, probabilities, 1 - probabilities)
    return float(-(weights * np.log(np.clip(right, 1e-12, 1))).sum())

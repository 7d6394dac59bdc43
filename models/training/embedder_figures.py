"""Measure an embedder on held-out characters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from icf.models.training.face_crops import crop
from icf.tools.training_art.heads import Art

#: Crops of each identity.
VIEWS = 4
#: Share of the crops that are redrawn: most cartoons have one drawing style.
REDRAWN = 0.25
_SEED = 1

Vectors = NDArray[np.float32]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class LabelledCrops:
    """Crops of one style, n x 3 x 112 x 112 in 0..255, and their identities."""

    crops: Tensor
    labels: Labels


@dataclass(frozen=True)
class StyleFigures:
    """The figures of one style.

    Attributes:
        identities: number of characters.
        crops: number of crops.
        auc: probability that two crops of one character are more similar than two of
            two characters.
        rank1: share of crops whose nearest other crop shows the same character.
    """

    identities: int
    crops: int
    auc: float
    rank1: float


@dataclass(frozen=True)
class Figures:
    """The figures of an embedder's card.

    Attributes:
        styles: by style.
        slope: with ``intercept``, the calibration of a cosine: the probability that
            two faces are one character is 1 / (1 + exp(-(slope cosine + intercept))).
        intercept: see ``slope``.
    """

    styles: Mapping[str, StyleFigures]
    slope: float
    intercept: float

    def summary(self) -> dict[str, float]:
        """Return the mean over the styles, all with the same weight."""
        return {
            "auc": round(float(np.mean([s.auc for s in self.styles.values()])), 4),
            "rank1": round(float(np.mean([s.rank1 for s in self.styles.values()])), 4),
        }

    def by_style(self) -> dict[str, dict[str, float]]:
        """Return the card's figures, rounded."""
        return {
            style: {key: round(value, 4) for key, value in asdict(figures).items()}
            for style, figures in self.styles.items()
        }


def draw(art: Art) -> dict[str, LabelledCrops]:
    """Draw the crops to measure on: always the same ones.

    Args:
        art: the held-out art.

    Returns:
        By style; styles of a single character cannot be measured and are left out.
    """
    random = np.random.default_rng(_SEED)
    drawn = {}
    for style, heads in sorted(art.heads.items()):
        identities = sorted({head.identity for head in heads})
        if len(identities) < 2:
            continue
        crops, labels = [], []
        for label, identity in enumerate(identities):
            own = [head for head in heads if head.identity == identity]
            for view in range(VIEWS):
                crops.append(crop(own[view % len(own)], art, random, redrawn=REDRAWN))
                labels.append(label)
        pixels = np.ascontiguousarray(np.stack(crops).transpose(0, 3, 1, 2))
        drawn[style] = LabelledCrops(
            torch.from_numpy(pixels), np.array(labels, np.int64)
        )
    return drawn


def measure(
    embed: Callable[[Tensor], Tensor],
    faces: Mapping[str, LabelledCrops],
    batch: int = 64,
) -> Figures:
    """Measure an embedder.

    Args:
        embed: from n x 3 x 112 x 112 crops in 0..255 to n vectors of any length.
        faces: from `draw`.
        batch: crops at a time.
    """
    styles, same, different = {}, [], []
    for style, drawn in faces.items():
        starts = range(0, len(drawn.crops), batch)
        with torch.no_grad():
            pieces = [embed(drawn.crops[i : i + batch].float()) for i in starts]
        vectors = torch.nn.functional.normalize(torch.cat(pieces)).numpy()
        alike, unlike = pairs(vectors, drawn.labels)
        styles[style] = StyleFigures(
            len(set(drawn.labels.tolist())),
            len(drawn.labels),
            auc(alike, unlike),
            rank1(vectors, drawn.labels),
        )
        same.append(alike)
        different.append(unlike)
    slope, intercept = platt(np.concatenate(same), np.concatenate(different))
    return Figures(styles, slope, intercept)


def pairs(vectors: Vectors, labels: Labels) -> tuple[Vectors, Vectors]:
    """Return the cosines of all pairs of one character, and of two characters.

    Args:
        vectors: shape (n, dim), of unit length.
        labels: shape (n,).
    """
    first, second = np.triu_indices(len(labels), 1)
    cosines = (vectors @ vectors.T)[first, second]
    equal = labels[first] == labels[second]
    return cosines[equal], cosines[~equal]


def auc(same: Vectors, different: Vectors) -> float:
    """Area under the ROC curve; a tie counts half.

    >>> auc(np.array([0.9, 0.5]), np.array([0.1, 0.5]))
    0.875
    """
    ordered = np.sort(different)
    below = np.searchsorted(ordered, same, "left")
    not_above = np.searchsorted(ordered, same, "right")
    return float((below + not_above).mean() / (2 * len(different)))


def rank1(vectors: Vectors, labels: Labels) -> float:
    """Share of vectors whose nearest other vector has the same label.

    Args:
        vectors: shape (n, dim), of unit length.
        labels: shape (n,).
    """
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -np.inf)
    return float((labels[cosines.argmax(1)] == labels).mean())


def platt(same: Vectors, different: Vectors, rounds: int = 50) -> tuple[float, float]:
    """Fit slope and intercept of the probability that a pair is one character.

    A logistic curve with Platt's softened targets (Platt 1999, section 2.2), fitted by
    Newton's method. Both kinds of pairs have the same total weight, so the probability
    is 0.5 where both are equally likely.

    Args:
        same: cosines of pairs of one character.
        different: cosines of pairs of two characters.
        rounds: most iterations of Newton's method.
    """
    x = np.concatenate([same, different]).astype(np.float64)
    counts = len(same), len(different)
    wanted = np.repeat([(counts[0] + 1) / (counts[0] + 2), 1 / (counts[1] + 2)], counts)
    weight = np.repeat([0.5 / counts[0], 0.5 / counts[1]], counts)
    design = np.stack([x, np.ones_like(x)], 1)
    solution = np.zeros(2)
    for _ in range(rounds):
        found = (1 + np.tanh(design @ solution / 2)) / 2
        gradient = design.T @ (weight * (found - wanted))
        hessian = (design * (weight * found * (1 - found))[:, None]).T @ design
        step = np.linalg.solve(hessian + 1e-9 * np.eye(2), gradient)
        solution -= step * min(1.0, 10 / float(np.abs(step).max() + 1e-12))
        if np.abs(step).max() < 1e-9:
            break
    return float(solution[0]), float(solution[1])

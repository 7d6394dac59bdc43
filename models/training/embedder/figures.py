"""Measure an embedder on held-out identities."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Vectors = NDArray[np.float32]
Labels = NDArray[np.int64]
#: From n x 3 x side x side crops in 0..255 to n vectors of any length.
Embed = Callable[[Tensor], Tensor]

#: Crops that are embedded at a time.
_BATCH = 64


@dataclass(frozen=True)
class LabelledCrops:
    """Crops of one group, n x 3 x side x side in 0..255, and their identities."""

    crops: Tensor
    labels: Labels


@dataclass(frozen=True)
class GroupFigures:
    """The figures of one group of crops, such as a style.

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
class EmbedderFigures:
    """The figures of an embedder's card.

    Attributes:
        groups: by group of crops.
        slope: with ``intercept``, the calibration of a cosine: the probability that
            two faces are one character is 1 / (1 + exp(-(slope cosine + intercept))).
        intercept: see ``slope``.
    """

    groups: Mapping[str, GroupFigures]
    slope: float
    intercept: float

    def summary(self) -> dict[str, float]:
        """Return the mean over the groups, all with the same weight."""
        return {
            "auc": round(float(np.mean([g.auc for g in self.groups.values()])), 4),
            "rank1": round(float(np.mean([g.rank1 for g in self.groups.values()])), 4),
        }

    def by_group(self) -> dict[str, dict[str, float]]:
        """Return the card's figures, rounded."""
        return {
            group: {key: round(value, 4) for key, value in asdict(figures).items()}
            for group, figures in self.groups.items()
        }


def measure(
    embed: Embed,
    faces: Mapping[str, LabelledCrops],
    calibrated_on: Collection[str] | None = None,
) -> EmbedderFigures:
    """Measure an embedder.

    Args:
        embed: the embedder.
        faces: by group; each has identities with several crops.
        calibrated_on: groups that the probability is fitted on, each with the same
            weight; None: all, each pair with the same weight.
    """
    groups, fitted_on = {}, []
    for group, drawn in faces.items():
        vectors = embedded(embed, drawn.crops)
        alike, unlike = pairs(vectors, drawn.labels)
        groups[group] = GroupFigures(
            len(set(drawn.labels.tolist())),
            len(drawn.labels),
            auc(alike, unlike),
            rank1(vectors, drawn.labels),
        )
        if calibrated_on is None or group in calibrated_on:
            fitted_on.append((alike, unlike))
    if calibrated_on is None:
        alike, unlike = (np.concatenate(kind) for kind in zip(*fitted_on, strict=True))
        fitted_on = [(alike, unlike)]
    slope, intercept = platt(*fitted_on)
    return EmbedderFigures(groups, slope, intercept)


@torch.no_grad()
def embedded(embed: Embed, crops: Tensor) -> Vectors:
    """Return the embeddings of crops, at unit length, n x dim.

    Args:
        embed: the embedder; its device is that of its answers.
        crops: as `LabelledCrops.crops`.
    """
    if not len(crops):
        return np.empty((0, 0), np.float32)
    pieces = [embed(part.float()) for part in torch.split(crops, _BATCH)]
    found = torch.nn.functional.normalize(torch.cat(pieces).float())
    return np.asarray(found.cpu().numpy(), np.float32)


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


def platt(*groups: tuple[Vectors, Vectors], rounds: int = 50) -> tuple[float, float]:
    """Fit slope and intercept of the probability that a pair is one character.

    A logistic curve with Platt's softened targets (Platt 1999, section 2.2), fitted by
    Newton's method. Both kinds of pairs have the same total weight, so the probability
    is 0.5 where both are equally likely.

    Args:
        groups: of each, the cosines of pairs of one character, and of pairs of two.
            All groups have the same total weight.
        rounds: most iterations of Newton's method.
    """
    cosines, targets, weights = [], [], []
    for same, different in groups:
        counts = len(same), len(different)
        soft = (counts[0] + 1) / (counts[0] + 2), 1 / (counts[1] + 2)
        cosines += [same, different]
        targets.append(np.repeat(soft, counts))
        weights.append(np.repeat([1 / counts[0], 1 / counts[1]], counts))
    x, wanted = np.concatenate(cosines).astype(np.float64), np.concatenate(targets)
    weight = np.concatenate(weights) / (2 * len(groups))
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

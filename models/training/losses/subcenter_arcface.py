"""Sub-centre ArcFace: several centres a class, so that wrong labels gather apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from icf.errors import WrongUse
from icf.models.training.losses.base import MarginSoftmax, unit, wide
from icf.models.training.losses.margins import margin_cosine

#: Faces compared at once.
_BLOCK = 16384


@dataclass(frozen=True)
class Doubtful:
    """Faces that the drop-noise step would take out of the training.

    Attributes:
        rows: of the embeddings, the farthest face first.
        degrees: angle of each to the dominant centre of its class.
        centre: the centre of its class that it is nearest to.
        dominant: the centre of its class that most faces are nearest to.
    """

    rows: Tensor
    degrees: Tensor
    centre: Tensor
    dominant: Tensor


class SubcenterArcFace(MarginSoftmax):
    """z_y = s cos(theta + m), theta the least angle to the K centres of a class.

    Deng et al. 2020, ECCV, "Sub-center ArcFace: Boosting Face Recognition by
    Large-Scale Noisy Web Faces", section 3.2. Clean faces gather around one dominant
    centre of their class, wrongly labelled ones around the others; `to_drop` names
    these.

    Args:
        dim: numbers in an embedding.
        classes: number of identities.
        margin: m in radians.
        centres: K.
        others: as in `MarginSoftmax`; the scale is 64.

    Shapes: embeddings (n, dim), of any length; labels (n,); loss ().
    """

    def __init__(
        self,
        dim: int,
        classes: int,
        margin: float = 0.5,
        centres: int = 3,
        **others: Any,
    ) -> None:
        if centres < 2:
            raise WrongUse(
                f"subcenter-arcface needs 2 centres a class or more, not {centres}; "
                "arcface has one"
            )
        super().__init__(dim, classes, centres=centres, **others)
        self.margin = margin

    def target(self, own: Tensor, lengths: Tensor) -> Tensor:
        """Apply the margin, as far as it has grown."""
        return margin_cosine(own, m2=self.margin * self.grown)

    @torch.no_grad()
    def to_drop(
        self, embeddings: Tensor, labels: Tensor, degrees: float = 75.0
    ) -> Doubtful:
        """Return the faces that are far from the dominant centre of their class.

        Nothing is dropped: it is for the caller to look at them.

        Args:
            embeddings: of the whole training set, n x dim.
            labels: n, int64, in [0, classes); -1 is passed over.
            degrees: a face farther than this from the dominant centre is doubtful; the
                paper has 75 (section 3.4).
        """
        classes, centres, _ = self.weight.shape
        cosines = self._cosines(embeddings, labels)
        known = labels >= 0
        nearest = cosines.argmax(1)
        votes = torch.bincount(
            labels[known] * centres + nearest[known], minlength=classes * centres
        )
        dominant = votes.view(classes, centres).argmax(1)[labels.clamp(min=0)]
        rows = torch.arange(len(labels), device=labels.device)
        angles = torch.rad2deg(torch.arccos(cosines[rows, dominant].clamp(-1, 1)))
        found = rows[known & (angles > degrees)]
        found = found[angles[found].argsort(descending=True, stable=True)]
        return Doubtful(found, angles[found], nearest[found], dominant[found])

    def _cosines(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Return the cosine of each face and each centre of its class, n x K."""
        weight = wide(self.weight)
        parts = []
        for faces, own in zip(
            torch.split(embeddings, _BLOCK),
            torch.split(labels.clamp(min=0), _BLOCK),
            strict=True,
        ):
            of_class = weight[own]
            centres = unit(of_class.flatten(0, 1)).view_as(of_class)
            parts.append((centres @ unit(wide(faces)).to(weight)[..., None])[..., 0])
        return torch.cat(parts)

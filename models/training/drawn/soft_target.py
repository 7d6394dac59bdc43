"""CenterFace's own scores as a soft target of a network that grew out of it.

The network's features go through CenterFace's own last layer. Where a face is labelled,
that is to say what CenterFace said: which
of several drawn faces looks more like one is what labels do not tell. Elsewhere it is
to say nothing, whatever CenterFace said: a composed scene is known to have no other
face.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from icf.models.networks.centerface import STRIDE, CenterFaceScores
from icf.models.training.detector.targets import Faces

#: Score from which CenterFace is believed to see something; what it misses is not
#: taught.
_SEEN = 0.05
#: Of the focal weight of the cells without a face.
_GAMMA = 2.0


class SoftTarget(nn.Module):
    """A teacher that does not learn.

    Args:
        teacher: CenterFace with its published weights.
    """

    def __init__(self, teacher: CenterFaceScores) -> None:
        super().__init__()
        self.teacher = teacher.eval().requires_grad_(False)

    def loss(self, fine: Tensor, pictures: Tensor, faces: Faces) -> Tensor:
        """Return the loss of a network's features, a scalar.

        Args:
            fine: those that the teacher's last layer scores, n x 24 x h/4 x w/4.
            pictures: n x 3 x h x w, RGB in 0..255.
            faces: of the pictures.
        """
        with torch.no_grad():
            wanted = self.teacher(pictures).sigmoid()
        return soft_loss(self.teacher.score(fine), wanted, faces)

    def train(self, mode: bool = True) -> SoftTarget:
        """Stay in evaluation mode."""
        return self


def soft_loss(heat: Tensor, wanted: Tensor, faces: Faces) -> Tensor:
    """Return the cross entropy to the teacher's scores on faces, to none elsewhere.

    Args:
        heat: logits, n x 1 x h x w.
        wanted: the teacher's scores, likewise.
        faces: boxes in pixels, of which a cell has four a side.
    """
    inside = _covered(faces.boxes, heat)
    unknown = _covered(faces.ignored, heat) & ~inside
    taught = inside & (wanted >= _SEEN)
    target = torch.where(taught, wanted, torch.zeros_like(wanted))
    each = functional.binary_cross_entropy_with_logits(heat, target, reduction="none")
    focal = heat.detach().sigmoid() ** _GAMMA
    weight = torch.where(taught, torch.ones_like(focal), focal)
    weight = weight * (taught | ~(inside | unknown))
    return (weight * each).sum() / taught.sum().clamp(min=1)


def _covered(boxes: Tensor, maps: Tensor) -> Tensor:
    """Which cells have their middle in one of the boxes: n x 1 x h x w."""
    height, width = maps.shape[2:]
    y = (torch.arange(height, device=maps.device) + 0.5) * STRIDE
    x = (torch.arange(width, device=maps.device) + 0.5) * STRIDE
    if not boxes.shape[1]:
        return torch.zeros_like(maps, dtype=torch.bool)
    x1, y1, x2, y2 = boxes[..., None, None].unbind(2)
    across = (x >= x1) & (x < x2)
    down = (y[:, None] >= y1) & (y[:, None] < y2)
    return (across & down).any(1, keepdim=True)

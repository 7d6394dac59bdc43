"""The format of torchvision's RetinaNet with the classes cartoon and human face.

The file is one that `icf-train` exports: normalisation is inside. It takes n x 3 x h x
w, RGB in 0..255, h and w multiples of 64. It gives class logits n x anchors x 2 and box
offsets n x anchors x 4, as torchvision's heads do, of torchvision's anchors.
"""

from __future__ import annotations

from typing import ClassVar

from icf.models.anchors import TORCHVISION, Geometry
from icf.models.formats.icf_detector import IcfDetector


class IcfRetinaNet(IcfDetector):
    """An opened detector of this format."""

    geometry: ClassVar[Geometry] = TORCHVISION

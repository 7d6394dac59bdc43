"""Find faces in pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from icf.models import views
from icf.models.cards import ModelCard
from icf.models.formats.base import DetectorFormat, Found, check_pictures
from icf.models.opened import OpenedModel
from icf.models.overlap import suppress
from icf.models.views import View

Pixels = NDArray[np.uint8]
Kind = Literal["cartoon", "human"]

#: The detector's two classes.
KINDS: tuple[Kind, Kind] = ("cartoon", "human")
#: IoU above which two boxes are one face.
SAME_FACE = 0.5


@dataclass(frozen=True)
class Detection:
    """A face.

    Attributes:
        box: x1, y1, x2, y2 in pixels, inside of the picture.
        score: from 0 to 1.
        kind: ``"cartoon"``, or ``"human"`` for a photographed person.
    """

    box: tuple[float, float, float, float]
    score: float
    kind: Kind


class Detector(OpenedModel):
    """A detector of any format; threads may share it.

    Attributes:
        card: the model's card. Its parameters are ``min_score``, the lowest score
            of a face; ``side``, in pixels, to which a picture's longer side
            is resized; ``overview``, the same for a second view that finds large
            faces, or 0 for none; and ``tiles``, 1 if large pictures are also processed
            in tiles.
        model_hash: SHA-256 of its weights.
        runtime: what runs it.
        batch_size: views of one shape that it takes at a time.
    """

    _network: DetectorFormat
    task = "detect"
    bundled_name = "detector"
    kind = DetectorFormat
    parameters = frozenset({"min_score", "side", "overview", "tiles"})

    def __init__(self, network: DetectorFormat, card: ModelCard) -> None:
        super().__init__(network, card)
        self.runtime = network.runtime
        self.batch_size = network.batch_size

    def detect(
        self, pictures: Sequence[Pixels], min_score: float | None = None
    ) -> list[list[Detection]]:
        """Find the faces in pictures.

        Args:
            pictures: RGB, uint8, each of shape (h, w, 3) and of any size.
            min_score: lowest score of a face; None: the card's.

        Returns:
            For each picture its faces, best first; no two overlap by more than
            `SAME_FACE`, whatever their kinds.

        Raises:
            WrongUse: a picture is something else.
        """
        check_pictures(pictures)
        threshold = (
            self.card.parameters["min_score"] if min_score is None else min_score
        )
        found: list[list[Found]] = [[] for _ in pictures]
        waiting: dict[tuple[int, ...], list[_Rendered]] = {}
        for index, picture in enumerate(pictures):
            for view in self._views(*picture.shape[:2]):
                pixels = views.render(picture, view, self._network.padding)
                rendered = _Rendered(index, view, pixels)
                batch = waiting.setdefault(rendered.pixels.shape, [])
                batch.append(rendered)
                if len(batch) == self.batch_size:
                    self._detect(
                        waiting.pop(rendered.pixels.shape), pictures, found, threshold
                    )
        for batch in waiting.values():
            self._detect(batch, pictures, found, threshold)
        return [_detections(_without_overlaps(_concatenated(each))) for each in found]

    def _views(self, height: int, width: int) -> list[View]:
        side, overview = (int(self.card.parameters[n]) for n in ("side", "overview"))
        shown = views.whole_and_overview(height, width, side, overview)
        if self.card.parameters["tiles"]:
            shown += views.tiles(height, width, side)
        return shown

    def _detect(
        self,
        batch: Sequence[_Rendered],
        pictures: Sequence[Pixels],
        found: Sequence[list[Found]],
        threshold: float,
    ) -> None:
        """Run on views of one shape; add the faces of each to those of its picture."""
        seen = self._network.detect(
            np.stack([each.pixels for each in batch]), threshold
        )
        for rendered, faces in zip(batch, seen, strict=True):
            height, width = pictures[rendered.index].shape[:2]
            found[rendered.index].append(rendered.placed(faces, height, width))


@dataclass(frozen=True)
class _Rendered:
    """A view of a picture as the network sees it."""

    index: int
    view: View
    pixels: Pixels

    def placed(self, faces: Found, height: int, width: int) -> Found:
        """Keep the faces that the view shows whole, in pixels of the picture."""
        good = views.is_whole(faces.boxes, self.view, height, width)
        good &= views.in_size_range(faces.boxes, self.view)
        boxes = views.placed(faces.boxes, self.view, height, width)
        return _without_overlaps(Found(boxes, faces.scores, faces.kinds)[good])


def _concatenated(found: Sequence[Found]) -> Found:
    return Found(
        np.concatenate([each.boxes for each in found]),
        np.concatenate([each.scores for each in found]),
        np.concatenate([each.kinds for each in found]),
    )


def _without_overlaps(found: Found) -> Found:
    """Leave one box on each face: first among its kind, then between the kinds."""
    kept = []
    for kind in range(len(KINDS)):
        own = np.flatnonzero(found.kinds == kind)
        kept.append(own[suppress(found.boxes[own], found.scores[own], SAME_FACE)])
    some = found[np.concatenate(kept)]
    if sum(len(own) > 0 for own in kept) < 2:
        return some
    return some[suppress(some.boxes, some.scores, SAME_FACE)]


def _detections(found: Found) -> list[Detection]:
    return [
        Detection((x1, y1, x2, y2), score, KINDS[kind])
        for (x1, y1, x2, y2), score, kind in zip(
            found.boxes.tolist(),
            found.scores.tolist(),
            found.kinds.tolist(),
            strict=True,
        )
    ]

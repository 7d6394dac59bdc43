"""Find faces in pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from icf.models import views
from icf.models.cards import ModelCard, bundled_path, verified, weights_path
from icf.models.formats.base import DetectorFormat, Found, Opening, format_of
from icf.models.overlap import suppress
from icf.models.runtime.network import Device, Runtime
from icf.models.views import View

Pixels = NDArray[np.uint8]
Kind = Literal["cartoon", "human"]

#: What the network's two classes are.
KINDS: tuple[Kind, Kind] = ("cartoon", "human")
#: IoU over which two boxes are one face.
SAME_FACE = 0.5
#: Parameters that every detector's card gives.
_PARAMETERS = frozenset({"min_score", "side", "overview", "tiles"})


@dataclass(frozen=True)
class Detection:
    """A face.

    Attributes:
        box: x1, y1, x2, y2 in pixels, inside of the picture.
        score: from 0 to 1.
        kind: drawn, or a photographed person.
    """

    box: tuple[float, float, float, float]
    score: float
    kind: Kind


class Detector:
    """A detector of any format; threads may share it.

    Attributes:
        card: the model's card. Its parameters are ``min_score``, from which on
            something is a face; ``side``, in pixels, to which a picture's longer side
            is brought; ``overview``, the same for a second look that finds large
            faces, or 0 for none; and ``tiles``, 1 if large pictures are also looked at
            in parts.
        model_hash: SHA-256 of its weights.
        runtime: what runs it.
        together: views of one shape that are shown to it at a time.
    """

    def __init__(self, network: DetectorFormat, card: ModelCard) -> None:
        self._network = network
        self.runtime = network.runtime
        self.together = network.together
        self.card = card
        self.model_hash = card.sha256

    @classmethod
    def bundled(
        cls, runtime: Runtime = "onnxruntime", device: Device = "auto"
    ) -> Detector:
        """Open the detector that comes with the program."""
        return cls.open(bundled_path("detector"), runtime=runtime, device=device)

    @classmethod
    def open(
        cls,
        path: Path,
        threads: int = 1,
        runtime: Runtime = "onnxruntime",
        device: Device = "auto",
    ) -> Detector:
        """Open a model by the format that its card names.

        Args:
            path: the weights with ``NAME.json`` next to them, or that card.
            threads: processors one call may use.
            runtime: what runs it.
            device: where PyTorch computes.

        Raises:
            BadModel: the file is not what its card promises, or not a detector.
        """
        path = weights_path(path)
        card = verified(path, "detect", _PARAMETERS)
        opening = Opening(threads, runtime, device)
        form: type[DetectorFormat] = format_of(card, DetectorFormat)
        return cls(form.open(path, card, opening), card)

    def detect(
        self, pictures: Sequence[Pixels], min_score: float | None = None
    ) -> list[list[Detection]]:
        """Find the faces in pictures.

        Args:
            pictures: RGB, uint8, each of shape (h, w, 3) and of any size.
            min_score: from which on something is a face; None takes the card's.

        Returns:
            For each picture its faces, best first; no two overlap by more than
            `SAME_FACE`, of whatever kind.
        """
        least = self.card.parameters["min_score"] if min_score is None else min_score
        found: list[list[Found]] = [[] for _ in pictures]
        waiting: dict[tuple[int, ...], list[_Look]] = {}
        for index, picture in enumerate(pictures):
            for view in self._views(*picture.shape[:2]):
                look = _Look(index, view, views.render(picture, view))
                alike = waiting.setdefault(look.shown.shape, [])
                alike.append(look)
                if len(alike) == self.together:
                    self._look(waiting.pop(look.shown.shape), pictures, found, least)
        for alike in waiting.values():
            self._look(alike, pictures, found, least)
        return [_detections(_one_a_face(_joined(each))) for each in found]

    def _views(self, height: int, width: int) -> list[View]:
        side, overview = (int(self.card.parameters[n]) for n in ("side", "overview"))
        looks = views.whole_and_overview(height, width, side, overview)
        if self.card.parameters["tiles"]:
            looks += views.tiles(height, width, side)
        return looks

    def _look(
        self,
        alike: Sequence[_Look],
        pictures: Sequence[Pixels],
        found: Sequence[list[Found]],
        least: float,
    ) -> None:
        """Show views of one shape; add what each finds to that of its picture."""
        seen = self._network.look(np.stack([each.shown for each in alike]), least)
        for look, faces in zip(alike, seen, strict=True):
            height, width = pictures[look.index].shape[:2]
            found[look.index].append(look.placed(faces, height, width))


@dataclass(frozen=True)
class _Look:
    """A view of a picture as the network is shown it."""

    index: int
    view: View
    shown: Pixels

    def placed(self, faces: Found, height: int, width: int) -> Found:
        """Keep the faces that the view shows whole, in pixels of the picture."""
        good = views.is_whole(faces.boxes, self.view, height, width)
        good &= views.answers_for(faces.boxes, self.view)
        boxes = views.placed(faces.boxes, self.view, height, width)
        return _one_a_face(Found(boxes, faces.scores, faces.kinds)[good])


def _joined(found: Sequence[Found]) -> Found:
    return Found(
        np.concatenate([each.boxes for each in found]),
        np.concatenate([each.scores for each in found]),
        np.concatenate([each.kinds for each in found]),
    )


def _one_a_face(found: Found) -> Found:
    """Leave one box on each face: first among its kind, then between the kinds."""
    kept = []
    for kind in range(len(KINDS)):
        own = np.flatnonzero(found.kinds == kind)
        kept.append(own[suppress(found.boxes[own], found.scores[own], SAME_FACE)])
    some = found[np.concatenate(kept)]
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

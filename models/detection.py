"""Find faces in pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from icf.errors import BadModel
from icf.models import anchors, views
from icf.models.cards import ModelCard, bundled_path, verified
from icf.models.overlap import suppress
from icf.models.runtime.network import Device, Network, Runtime, open_network
from icf.models.views import View

Pixels = NDArray[np.uint8]
Boxes = NDArray[np.float32]
Kind = Literal["cartoon", "human"]

#: What the network's two classes are.
KINDS: tuple[Kind, Kind] = ("cartoon", "human")
#: IoU over which two boxes are one face.
SAME_FACE = 0.5
#: Most boxes of one view that are looked at, best first.
_MOST = 1000


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


@dataclass(frozen=True)
class _Found:
    """Faces before they become `Detection`: n x 4, n, n (an index into `KINDS`)."""

    boxes: Boxes
    scores: NDArray[np.float32]
    kinds: NDArray[np.intp]

    def __getitem__(self, some: NDArray[np.intp] | NDArray[np.bool_]) -> _Found:
        return _Found(self.boxes[some], self.scores[some], self.kinds[some])

    def detections(self) -> list[Detection]:
        return [
            Detection((x1, y1, x2, y2), score, KINDS[kind])
            for (x1, y1, x2, y2), score, kind in zip(
                self.boxes.tolist(),
                self.scores.tolist(),
                self.kinds.tolist(),
                strict=True,
            )
        ]


class Detector:
    """A detector that was exported to ONNX; threads may share it.

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

    def __init__(self, network: Network, card: ModelCard) -> None:
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
        """Open weights with their card beside them.

        Args:
            path: an ONNX file with ``NAME.json`` beside it.
            threads: processors one call may use.
            runtime: what runs it.
            device: where PyTorch computes.

        Raises:
            BadModel: the file is not what its card promises, or not a detector.
        """
        card = verified(path, "detect", {"min_score", "side", "overview", "tiles"})
        network = open_network(path, threads, runtime, device)
        shape = list(network.input)
        last = [output[-1] for output in network.outputs]
        if len(shape) != 4 or shape[1] != 3 or last != [len(KINDS), 4]:
            raise BadModel(
                f"{path} takes {shape} and gives rows of {last} numbers; expected "
                f"[n, 3, height, width] and [{len(KINDS)}, 4]"
            )
        return cls(network, card)

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
        found: list[list[_Found]] = [[] for _ in pictures]
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
        return [_one_a_face(_joined(each)).detections() for each in found]

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
        found: Sequence[list[_Found]],
        least: float,
    ) -> None:
        """Show views of one shape; add what each finds to that of its picture."""
        logits, offsets = self._network.look(np.stack([each.shown for each in alike]))
        for number, look in enumerate(alike):
            size = pictures[look.index].shape[:2]
            faces = look.faces(logits[number], offsets[number], size, least)
            found[look.index].append(faces)


@dataclass(frozen=True)
class _Look:
    """A view of a picture as the network is shown it."""

    index: int
    view: View
    shown: Pixels

    def faces(
        self, logits: Boxes, offsets: Boxes, size: tuple[int, ...], least: float
    ) -> _Found:
        """Read the faces that the view shows whole, in pixels of the picture."""
        kinds = logits.argmax(1)
        scores = _sigmoid(logits.max(1))
        some = np.flatnonzero(scores >= least)
        some = some[np.argsort(-scores[some], kind="stable")[:_MOST]]
        reference = anchors.anchors(*self.shown.shape[:2])
        boxes = anchors.decode(offsets[some], reference[some])
        placed = views.placed(boxes, self.view, *size)
        found = _Found(placed, scores[some], kinds[some])
        whole = views.is_whole(boxes, self.view, *size)
        return _one_a_face(found[whole & views.answers_for(boxes, self.view)])


def _joined(found: Sequence[_Found]) -> _Found:
    return _Found(
        np.concatenate([each.boxes for each in found]),
        np.concatenate([each.scores for each in found]),
        np.concatenate([each.kinds for each in found]),
    )


def _one_a_face(found: _Found) -> _Found:
    """Leave one box on each face: first among its kind, then between the kinds."""
    kept = []
    for kind in range(len(KINDS)):
        own = np.flatnonzero(found.kinds == kind)
        kept.append(own[suppress(found.boxes[own], found.scores[own], SAME_FACE)])
    some = found[np.concatenate(kept)]
    return some[suppress(some.boxes, some.scores, SAME_FACE)]


def _sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    # 1 / (1 + exp(-x)) overflows for x below -88; tanh does not.
    return np.asarray((1 + np.tanh(logits / 2)) / 2, np.float32)

"""The format of any other detector: its card says what goes in and what comes out.

Pictures go in as `icf.models.formats.own_input` says; the picture resized by its longer
side, the rest grey. The input is of several pictures or of one, n x 3 x h x w or
3 x h x w, or has the channels last. Boxes come out as one of

- boxes x 4, scores, and whole numbers of classes: torchvision;
- boxes x 5, with the score as the fifth, and whole numbers of classes: MMDetection;
- boxes x 4, and scores of each class, boxes x classes: DETR, RT-DETR, SSD;
- boxes x 4 or 5, of one class,

in any order, each with or without a dimension for the batch. Other outputs, such as
masks, are passed over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from icf.errors import BadModel
from icf.models.cards import ModelCard
from icf.models.formats import outside, own_input
from icf.models.formats.base import DetectorFormat, Found, Numbers, Opening, Pixels
from icf.models.formats.classes import (
    by_class,
    check_kinds,
    corners,
    faces,
    kinds_known,
)
from icf.models.formats.outside import OutsideFormat, Published
from icf.models.formats.own_input import UNCHANGED, OwnInput
from icf.models.runtime.network import Network, open_network
from icf.models.runtime.onnx_header import OnnxHeader

#: Side of pictures for files that take any, and the lowest score of a box.
_SIDE, _MIN_SCORE = 640, 0.5
#: Numbers of a box without and with its score.
_BOX, _SCORED = 4, 5
#: Boxes in shares of the picture may reach a bit out of it, and never as far as this.
_SHARES_END = 3.0
#: Numbers of a card that say which outputs are what, and what boxes and scores are.
_ROLES, _OUTPUT = ("boxes", "scores", "labels"), ("corners", "relative", "logits")
#: There is no such output.
_NONE = -1
#: What ``logits`` says of scores.
_AS_THEY_ARE, _SIGMOID, _SOFTMAX = 0, 1, 2
_EXPECTED = (
    "expected boxes of [n, boxes, 4] and either their scores and the whole numbers of "
    "their classes, or scores of [n, boxes, classes]; or boxes of [n, boxes, 5]"
)
_WHICH = "as in --parameter cartoon=1"
#: Limits on the card of a file of which nobody said how it is used.
_INPUT_NOT_SAID = (
    "It gets RGB in 0 to 1, as nobody said anything else: a network that was trained "
    "on other numbers finds less, and no error. --parameter scale=, mean= and std= say "
    "what its training did."
)
_OUTPUT_NOT_SAID = (
    "What its boxes are was seen from those of a picture of noise; if it found none "
    "there, they are taken for corners in pixels: look at what `icf detect --model` "
    "finds in a picture that you know."
)


class OwnDetector(DetectorFormat, OutsideFormat):
    """An opened detector of this format.

    Args:
        network: the opened network.
        card: ``scale``, ``mean_red`` ... and ``bgr`` describe the input. Of the boxes,
            ``corners`` is 1 for x1, y1, x2, y2 and 0 for middle, width and height;
            ``relative`` is 1 for shares of the input's sides and 0 for pixels;
            ``logits`` is 0 for scores as they are, 1 for those that need a sigmoid, 2
            for a softmax over the classes. ``boxes``, ``scores`` and ``labels`` are
            outputs, counted from 0; -1: none, so that scores are the boxes' fifth
            numbers. ``cartoon`` and ``human`` are the classes of faces; -1: none.
    """

    parameters: ClassVar[frozenset[str]] = frozenset(
        {*UNCHANGED, *_ROLES, *_OUTPUT, "cartoon", "human"}
    )

    def __init__(self, network: Network, card: ModelCard) -> None:
        self._network = network
        self.runtime = network.runtime
        self._sides = outside.sides(network.input)
        self._numbers = card.parameters
        self._roles = _Roles(*(int(card.parameters[name]) for name in _ROLES))
        self._input = OwnInput(network, card.parameters)
        shape = network.outputs[self._roles.boxes]
        self.leaves_out = len(shape) < 2 or not isinstance(shape[-2], int)

    @classmethod
    def published(
        cls, header: OnnxHeader, network: Network, given: Mapping[str, float]
    ) -> Published:
        """Return what the card of a file says."""
        if not own_input.takes_colours(network.input):
            raise BadModel(
                f"it {outside.described(network)}; expected [n, 3, height, width] or "
                f"[n, height, width, 3], and {_EXPECTED}"
            )
        sides = outside.sides(network.input)
        side = min(sides) if sides else int(given.get("side", _SIDE))
        outputs = _of_noise(network, *(sides or (side, side)))
        roles = _roles(outputs, given)
        seen = _read(outputs, roles)
        numbers = {**_guessed(seen), **given}
        if "cartoon" not in numbers:
            raise BadModel(f"it {_known(seen)}: say which is a face, {_WHICH}")
        low, high = seen.scores.min(initial=0), seen.scores.max(initial=1)
        if "logits" not in numbers or (
            numbers["logits"] == _AS_THEY_ARE and not 0 <= low <= high <= 1
        ):
            raise BadModel(
                f"its scores reach from {low:.3g} to {high:.3g}: say what makes them "
                "0 to 1, --parameter logits=1 for a sigmoid of each (RetinaNet, "
                "RT-DETR) or logits=2 for a softmax over the classes (SSD, DETR)"
            )
        said = own_input.said(given), any(name in given for name in _OUTPUT)
        return Published(
            "detect",
            {
                "min_score": _MIN_SCORE,
                "side": float(side),
                **outside.ONE_VIEW,
                **UNCHANGED,
                **{name: float(at) for name, at in roles._asdict().items()},
                **{name: numbers[name] for name in (*_OUTPUT, "cartoon")},
                "human": -1.0,
            },
            own_input.in_words(network, given, "height x width")
            + ", longer side resized, the rest grey",
            (
                *kinds_known(given.get("human", -1)),
                *(() if said[0] else (_INPUT_NOT_SAID,)),
                *(() if said[1] else (_OUTPUT_NOT_SAID,)),
            ),
        )

    @classmethod
    def open(cls, path: Path, card: ModelCard, opening: Opening) -> OwnDetector:
        """Open an ONNX file."""
        network = open_network(path, opening.threads, opening.runtime, opening.device)
        numbers = card.parameters
        own_input.check(numbers)
        outside.check_side(network, path, card)
        check_kinds(numbers, float("inf"))
        for name in _ROLES:
            if numbers[name] >= len(network.outputs):
                raise BadModel(
                    f"{name}={numbers[name]:g}, counted from 0: it has "
                    f"{len(network.outputs)} outputs"
                )
        return cls(network, card)

    def detect(self, pictures: Pixels, min_score: float) -> list[Found]:
        """Find faces."""
        shown = outside.on_canvas(pictures, self._sides, self.padding)
        return [self._detect(each, min_score) for each in shown]

    def _detect(self, picture: Pixels, min_score: float) -> Found:
        outputs = _run(self._network, self._input.batch(picture[None]))
        seen = _read(outputs, self._roles)
        kinds = [int(self._numbers[name]) for name in ("cartoon", "human")]
        scores = _probabilities(seen.scores, int(self._numbers["logits"]))
        if seen.labels is not None:
            none = max(kinds) + 1
            labels = np.where(seen.labels < 0, none, seen.labels)
            scores = by_class(scores[:, 0], labels, none + 1)
        if max(kinds) >= scores.shape[1]:
            raise BadModel(f"it {_known(seen)}, counted from 0; {_WHICH}")
        boxes = seen.boxes if self._numbers["corners"] else corners(seen.boxes)
        if self._numbers["relative"]:
            height, width = picture.shape[:2]
            boxes = boxes * np.array([width, height, width, height], np.float32)
        return faces(boxes, scores, kinds, min_score)


class _Roles(NamedTuple):
    """Which outputs are what, counted from 0; -1: there are none."""

    boxes: int
    scores: int
    labels: int


@dataclass(frozen=True)
class _Seen:
    """What a network gives for a picture.

    Attributes:
        boxes: shape (n, 4).
        scores: shape (n, classes); (n, 1) where boxes have a class or there is one.
        labels: the boxes' classes, whole numbers of shape (n,); None: none are given.
    """

    boxes: Numbers
    scores: Numbers
    labels: NDArray[Any] | None


def _run(network: Network, batch: Numbers) -> list[NDArray[Any]]:
    """Run a network on one picture, given as a batch.

    Returns:
        Its outputs, each with a dimension for the batch or without.
    """
    if len(network.input) == len("chw"):
        return list(network.run(batch[0]))
    size = network.input[0]
    filled = np.repeat(batch, size, 0) if isinstance(size, int) and size > 1 else batch
    return list(network.run(filled))


def _roles(outputs: Sequence[NDArray[Any]], given: Mapping[str, float]) -> _Roles:
    """Tell which outputs are boxes, scores and classes, by their shapes and kinds.

    Args:
        outputs: of one picture.
        given: what a user says of them.

    Raises:
        BadModel: they cannot be told, or are not there.
    """

    def chosen(name: str, found: Sequence[int]) -> int:
        if given.get(name, _NONE) >= len(outputs):
            raise BadModel(
                f"{name}={given[name]:g}, counted from 0: it gives {_shapes(outputs)}"
            )
        if name in given:
            return int(given[name])
        if len(found) > 1:
            several = " or ".join(f"{name}={each}" for each in found)
            raise BadModel(
                f"it gives {_shapes(outputs)}: say which are the {name}, counted from "
                f"0, by --parameter {several}"
            )
        return found[0] if found else _NONE

    at = chosen("boxes", [i for i, each in enumerate(outputs) if _are_boxes(each)])
    if not (0 <= at < len(outputs) and _are_boxes(outputs[at])):
        raise BadModel(f"it gives {_shapes(outputs)}; {_EXPECTED}")
    boxes = outputs[at]
    others = {
        i: each
        for i, each in enumerate(outputs)
        if i != at and each.ndim in (boxes.ndim - 1, boxes.ndim)
    }
    labels = chosen("labels", [i for i in others if others[i].dtype.kind in "iu"])
    floats = [i for i in others if i != labels and others[i].dtype.kind == "f"]
    return _Roles(
        at, chosen("scores", [] if boxes.shape[-1] == _SCORED else floats), labels
    )


def _read(outputs: Sequence[NDArray[Any]], roles: _Roles) -> _Seen:
    """Read what a network gives for a picture.

    Raises:
        BadModel: outputs are of other shapes than their roles have.
    """
    boxes = outputs[roles.boxes]
    batched = boxes.ndim == len(("batch", "boxes", "numbers"))

    def rows(at: int) -> NDArray[Any]:
        found = outputs[at][0] if batched else outputs[at]
        return found[:, None] if found.ndim == 1 else found

    corners = rows(roles.boxes)
    scores = corners[:, 4:] if roles.scores == _NONE else rows(roles.scores)
    labels = None if roles.labels == _NONE else rows(roles.labels)
    good = scores.ndim == corners.ndim and scores.shape[1] > 0
    good &= len(scores) == len(corners)
    if labels is not None:
        good &= labels.shape == scores.shape == (len(corners), 1)
    if not good or corners.shape[1] not in (_BOX, _SCORED):
        raise BadModel(f"it gives {_shapes(outputs)}; {_EXPECTED}")
    return _Seen(corners[:, :4], scores, None if labels is None else labels[:, 0])


def _are_boxes(output: NDArray[Any]) -> bool:
    """Whether an output can be boxes of one picture, with a score each or without."""
    batched = output.ndim == len(("batch", "boxes", "numbers")) and len(output) > 0
    plain = output.ndim == len(("boxes", "numbers"))
    return output.dtype.kind == "f" and (
        (batched or plain) and output.shape[-1] in (_BOX, _SCORED)
    )


def _shapes(outputs: Sequence[NDArray[Any]]) -> str:
    return " and ".join(f"{each.dtype.name}{list(each.shape)}" for each in outputs)


def _of_noise(network: Network, height: int, width: int) -> list[NDArray[Any]]:
    """What a network gives for a picture of noise.

    Raises:
        BadModel: nothing, but an error.
    """
    noise = np.random.default_rng(0).integers(0, 256, (1, height, width, 3), np.uint8)
    try:
        return _run(network, OwnInput(network, UNCHANGED).batch(noise))
    except BadModel:
        raise
    except Exception as error:  # ONNX Runtime's errors have no common base class
        raise BadModel(f"it fails on a picture of noise: {error}") from error


def _guessed(seen: _Seen) -> dict[str, float]:
    """What can be told of a network's boxes from those of one picture."""
    numbers: dict[str, float] = {}
    x1, y1, x2, y2 = seen.boxes.T
    numbers["corners"] = float(not ((x2 < x1) | (y2 < y1)).any())
    reach = np.abs(seen.boxes).max(initial=0)
    numbers["relative"] = float(0 < reach < _SHARES_END)
    one = seen.labels is None and seen.scores.shape[1] == 1
    if one:
        numbers["cartoon"] = 0.0
    if seen.scores.min(initial=0) >= 0 and seen.scores.max(initial=1) <= 1:
        numbers["logits"] = float(_AS_THEY_ARE)
    elif one:
        numbers["logits"] = float(_SIGMOID)
    return numbers


def _known(seen: _Seen) -> str:
    """How many classes a network knows, in words."""
    if seen.labels is not None:
        return "gives the number of a class with each box"
    classes = seen.scores.shape[1]
    return f"knows {classes} class{'es' if classes > 1 else ''}"


def _probabilities(scores: Numbers, logits: int) -> Numbers:
    if logits == _SOFTMAX:
        powers = np.exp(scores - scores.max(1, keepdims=True))
        made: Numbers = powers / powers.sum(1, keepdims=True)
        return made
    if logits == _SIGMOID:
        return np.asarray(0.5 * (1 + np.tanh(0.5 * scores)), np.float32)
    return scores

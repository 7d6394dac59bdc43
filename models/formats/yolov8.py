"""The format of YOLO detectors as Ultralytics exports them, and deepghs publishes them.

Input: n x 3 x side x side, or of free sides; RGB in 0..1; the picture resized by its
longer side, the rest filled with grey 114. What an output is, its shape says:

- YOLOv8, v9, 11: n x (4 + classes) x boxes: middle, width and height in pixels of the
  input, then a score of each class; behind them the points of a pose network;
- YOLOv5: n x boxes x (5 + classes), with the score of being anything before those of
  the classes, by which these are multiplied;
- YOLOv10 and others without suppression: n x boxes x 6: corners, score, class.

The exporter writes the names of the classes into the file. A ``face`` or ``head`` is a
cartoon face here, a ``human_face`` a human one; other classes (a hand, a whole person)
are left out. It also writes the side of its pictures, and the licence.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from icf.errors import BadModel
from icf.models.cards import ModelCard
from icf.models.formats import outside
from icf.models.formats.base import DetectorFormat, Found, Numbers, Opening, Pixels
from icf.models.formats.classes import (
    by_class,
    check_kinds,
    corners,
    faces,
    kinds_known,
)
from icf.models.formats.outside import OutsideFormat, Published
from icf.models.runtime.network import Network, open_network
from icf.models.runtime.onnx_header import OnnxHeader

#: Side for which the publishers export, if a file does not say it.
_SIDE = 640
#: The colour of what is filled up.
_GREY = 114
#: Score from which on Ultralytics shows a box.
_MIN_SCORE = 0.25
#: Words in the names of classes that are faces here, and of those of people.
_FACES = frozenset({"face", "faces", "head", "heads"})
_HUMAN = frozenset({"human", "humans", "real", "photo", "person", "people"})
_WORD = re.compile("[a-z]+")
#: What an exporter writes around the name of a licence.
_LICENCE = re.compile(r"\s+licen[cs]e\s*(\(.*\))?\s*$", re.IGNORECASE)
#: At each place of maps of these strides YOLOv5 has three boxes.
_V5_STRIDES, _V5_BOXES = (8, 16, 32), 3
#: Numbers of a box of a network that leaves no overlapping ones.
_ALONE = 6


class YoloV8(DetectorFormat, OutsideFormat):
    """An opened detector of this format.

    Args:
        network: the opened network.
        card: with the number of ``classes``, and which of them are ``cartoon`` and
            ``human`` faces; -1: none.
    """

    parameters: ClassVar[frozenset[str]] = frozenset({"classes", "cartoon", "human"})
    padding: ClassVar[tuple[int, int, int]] = (_GREY, _GREY, _GREY)

    def __init__(self, network: Network, card: ModelCard) -> None:
        self._network = network
        self.runtime = network.runtime
        self._sides = outside.sides(network.input)
        numbers = card.parameters
        self._classes = int(numbers["classes"])
        self._kinds = [int(numbers["cartoon"]), int(numbers["human"])]

    @classmethod
    def published(
        cls, header: OnnxHeader, network: Network, given: Mapping[str, float]
    ) -> Published:
        """Return what the card of a file says."""
        _check(network, "the file")
        names = _names(header)
        cartoon, human = (0, -1) if not names else _faces(names, given)
        sides = outside.sides(network.input)
        classes = given.get("classes") or max(names, default=-1) + 1
        return Published(
            "detect",
            {
                "min_score": _MIN_SCORE,
                "side": float(min(sides) if sides else _exported_side(header)),
                **outside.ONE_VIEW,
                "classes": float(classes or _classes(network)),
                "cartoon": float(cartoon),
                "human": float(human),
            },
            "RGB, 0 to 1, longer side resized, the rest filled with grey 114",
            kinds_known(given.get("human", human)),
            _LICENCE.sub("", header.metadata.get("license", "")).strip(),
        )

    @classmethod
    def open(cls, path: Path, card: ModelCard, opening: Opening) -> YoloV8:
        """Open an ONNX file."""
        network = open_network(path, opening.threads, opening.runtime, opening.device)
        _check(network, str(path))
        check_kinds(card.parameters, card.parameters["classes"])
        outside.check_side(network, path, card)
        return cls(network, card)

    def detect(self, pictures: Pixels, min_score: float) -> list[Found]:
        """Find faces."""
        shown = outside.on_canvas(pictures, self._sides, self.padding)
        [rows] = outside.run(self._network, outside.prepared(shown, 0.0, 255.0))
        sides = shown.shape[1], shown.shape[2]
        return [self._read(each, sides, min_score) for each in rows]

    def _read(self, rows: Numbers, sides: tuple[int, int], min_score: float) -> Found:
        boxes, scores = _decoded(rows, self._classes, sides)
        return faces(boxes, scores, self._kinds, min_score)


def _check(network: Network, what: str) -> None:
    """Refuse a network with other inputs or outputs.

    Raises:
        BadModel: it has.
    """
    shapes = network.outputs
    if not outside.takes_pictures(network) or len(shapes) != 1 or len(shapes[0]) != 3:
        raise BadModel(
            f"{what} {outside.described(network)}; expected [n, 3, height, width] and "
            "[n, 4 + classes, boxes] or [n, boxes, 5 + classes]"
        )


def _names(header: OnnxHeader) -> Mapping[int, str]:
    """The classes that the exporter wrote into the file; none if it did not."""
    try:
        found = ast.literal_eval(header.metadata.get("names", "{}"))
        pairs = found.items() if isinstance(found, dict) else enumerate(found)
        return {int(at): str(name) for at, name in pairs}
    except (ValueError, SyntaxError, TypeError):
        return {}


def _faces(names: Mapping[int, str], given: Mapping[str, float]) -> tuple[int, int]:
    """Tell by their names which classes are cartoon and human faces; -1: none is.

    Raises:
        BadModel: they do not tell, and nobody says it.

    >>> _faces({0: "hand", 1: "anime_face", 2: "human_face"}, {})
    (1, 2)
    """
    words = {at: set(_WORD.findall(name.lower())) for at, name in names.items()}
    people = [at for at in words if words[at] & _FACES and words[at] & _HUMAN]
    drawn = [at for at in words if words[at] & _FACES and at not in people]
    drawn = [at for at in drawn if names[at].lower() in _FACES][:1] or drawn
    human = people[0] if len(people) == 1 and people != [given.get("cartoon")] else -1
    if "cartoon" in given or len(drawn) == 1:
        return drawn[0] if drawn else -1, human
    shown = ", ".join(f"{at} {name}" for at, name in names.items())
    if not drawn:
        raise BadModel(
            "none of its classes is called face or head: it knows "
            f"{shown}. If one of them is a face, say which: --parameter cartoon=0"
        )
    raise BadModel(
        f"several of its classes are faces: it knows {shown}. Say which one is a "
        f"cartoon's: --parameter cartoon={drawn[0]}"
    )


def _exported_side(header: OnnxHeader) -> int:
    """The side of pictures that the exporter wrote into the file, or the usual one."""
    try:
        return min(map(int, ast.literal_eval(header.metadata.get("imgsz", "[]"))))
    except (ValueError, SyntaxError, TypeError):
        return _SIDE


def _classes(network: Network) -> int:
    """The number of classes of a file without their names, from its output's shape."""
    _, first, second = network.outputs[0]
    if isinstance(first, int) and (not isinstance(second, int) or first < second):
        return first - 4
    if isinstance(second, int) and second > 5:
        return second - 5
    raise BadModel(
        f"it {outside.described(network)} and does not name its classes, so their "
        "number is unknown: --parameter classes=1"
    )


def _decoded(
    rows: Numbers, classes: int, sides: tuple[int, int]
) -> tuple[Numbers, Numbers]:
    """Corners, shape (boxes, 4), and the scores of the classes, (boxes, classes)."""
    if rows.shape[0] >= 4 + classes and rows.shape[0] < rows.shape[1]:
        columns = rows.T
        return corners(columns[:, :4]), columns[:, 4 : 4 + classes]
    if rows.shape[1] == 5 + classes and len(rows) == _v5_boxes(sides):
        return corners(rows[:, :4]), rows[:, 4:5] * rows[:, 5:]
    if rows.shape[1] == _ALONE:
        return rows[:, :4], by_class(rows[:, 4], rows[:, 5], max(classes, 1))
    raise BadModel(
        f"it gives {list(rows.shape)} for a picture of {sides[1]} x {sides[0]}; with "
        f"{classes} classes expected [{4 + classes}, boxes], "
        f"[{_v5_boxes(sides)}, {5 + classes}] or [boxes, {_ALONE}]"
    )


def _v5_boxes(sides: tuple[int, int]) -> int:
    places = [math.prod(-(-side // stride) for side in sides) for stride in _V5_STRIDES]
    return _V5_BOXES * sum(places)

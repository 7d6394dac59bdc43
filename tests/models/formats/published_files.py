"""ONNX files with the inputs and outputs of published ones, made by hand.

A red cell of a picture is a face, and its score depends on how pixels were prepared, so
that a test sees the wrong order of channels, range, mean or place at once.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from icf.models.detection import Detector

Shape = Sequence[int | str]

#: Side of a cell that can be a face in the YOLO files, and of its box.
CELL, BOX = 32, 48
#: Distances of the boxes in insightface's files, in units of the stride.
DISTANCES = (1.0, 2.0, 3.0, 4.0)
#: Weights of red, green and blue in a score's logit, and what is added.
WEIGHTS, BIAS = (3.0, -2.0, -1.5), -1.5
#: insightface's names of outputs: scores, distances and points of three strides.
OUTPUTS = ("448", "471", "494", "451", "474", "497", "454", "477", "500")


def logistic(red: float, green: float, blue: float) -> float:
    """The score of a cell of one colour, after the pixels were prepared."""
    logit = float(np.dot(WEIGHTS, (red, green, blue))) + BIAS
    return 1 / (1 + float(np.exp(-logit)))


def yolo(
    path: Path,
    *,
    layout: str = "v8",
    names: str | None = "{0: 'face'}",
    classes: int = 1,
    side: int | str = 640,
    batch: int | str = 1,
    metadata: Mapping[str, str] | None = None,
) -> Path:
    """Write a YOLO detector for which each red cell of 32 x 32 pixels is a face.

    Args:
        path: the file.
        layout: ``v8``, ``v5`` or ``v10``, the version whose output it has.
        names: the classes, as Ultralytics writes them into the metadata.
        classes: their number; the last one is the face, the others have score 0.
        side: of the input; a name: any.
        batch: likewise.
        metadata: what else the exporter wrote into the file.
    """
    graph = _Graph("images")
    sides = [side, side] if isinstance(side, int) else ["height", "width"]
    if layout == "v5":
        rows = [_v5_rows(graph, stride, classes) for stride in (8, 16, 32)]
        parts = [part for three in rows for part in three]
        graph.add("Concat", parts, "output0", axis=1)
        shape = [batch, "boxes", 5 + classes]
    else:
        boxes = _v8_columns(graph, classes)
        shape = [batch, 4 + classes, "boxes"]
        if layout == "v10":
            boxes = _best(graph, boxes)
            shape = [batch, 300, 6]
        graph.add("Identity", [boxes], "output0")
    metadata = {"stride": "32", "task": "detect", **(metadata or {})}
    if names is not None:
        metadata["names"] = names
    return graph.save(path, [batch, 3, *sides], {"output0": shape}, metadata)


def insightface_detector(
    path: Path, *, points: bool = True, batched: bool = False, side: int | None = None
) -> Path:
    """Write a detector for which each red cell of 8 x 8 pixels is a face.

    Its box reaches `DISTANCES` times 8 from the cell's corner. Of the two boxes of a
    place only the second can be a face.

    Args:
        path: the file.
        points: it also gives five points of each face.
        batched: its outputs have a dimension for the batch.
        side: of the input; None: any.
    """
    graph = _Graph("input.1")
    names = iter(OUTPUTS if points else OUTPUTS[:6])
    outputs: dict[str, Shape] = {}
    for numbers in (1, 4, 10) if points else (1, 4):
        for stride in (8, 16, 32):
            name = next(names)
            pooled = graph.pooled(stride)
            weights = np.zeros((2 * numbers, 3), np.float32)
            bias = np.tile(np.resize(DISTANCES, numbers), 2).astype(np.float32)
            if numbers == 1:
                weights[1] = WEIGHTS if stride == 8 else 0
                bias = np.array([-20, BIAS if stride == 8 else -20], np.float32)
            maps = graph.conv(pooled, weights, bias)
            if numbers == 1:
                maps = graph.add("Sigmoid", [maps])
            last = graph.add("Transpose", [maps], perm=[0, 2, 3, 1])
            shape = [0, -1, numbers] if batched else [-1, numbers]
            graph.add("Reshape", [last, graph.integers(shape)], name)
            rows = 2 * (side // stride) ** 2 if side else "?"
            outputs[name] = [1, rows, numbers] if batched else [rows, numbers]
    taken = [1, 3, side or "?", side or "?"]
    return graph.save(path, taken, outputs)


#: Logarithms of height and width, and offsets down and right, in CenterFace's cells.
SIZES, OFFSETS = (1.5, 1.0), (0.25, -0.4)


def centerface(path: Path) -> Path:
    """Write a CenterFace for which each red cell of 4 x 4 pixels is a face.

    Like the published file it states ten pictures of 32 x 32 pixels, and lists its
    weights among its inputs.
    """
    graph = _Graph("input.1")
    pooled = graph.pooled(4)
    # Its pictures are not prepared: 0..255.
    heat = graph.conv(pooled, np.array([WEIGHTS]) / 255, np.full(1, BIAS))
    graph.add("Sigmoid", [heat], "537")
    for name, numbers in (("538", SIZES), ("539", OFFSETS), ("540", [0.5] * 10)):
        zeros = np.zeros((len(numbers), 3))
        graph.add("Identity", [graph.conv(pooled, zeros, np.array(numbers))], name)
    shapes = {"537": 1, "538": 2, "539": 2, "540": 10}
    given = {name: [10, channels, 8, 8] for name, channels in shapes.items()}
    return graph.save(path, [10, 3, 32, 32], given, version=(9, 4), listed=True)


def insightface_embedder(path: Path, *, prepares: bool = False) -> Path:
    """Write an embedder whose vector is the mean of each channel, as it sees them.

    Args:
        path: the file.
        prepares: it subtracts 127.5 and divides by 128 itself, like MXNet's.
    """
    graph = _Graph("data" if prepares else "input.1")
    pictures = graph.input
    if prepares:
        middle = graph.tensor(np.full((1,), 127.5, np.float32))
        scale = graph.tensor(np.full((1,), 1 / 128, np.float32))
        pictures = graph.add("Sub", [pictures, middle], "minus", name="_minusscalar0")
        pictures = graph.add("Mul", [pictures, scale], "mul", name="_mulscalar0")
    pooled = graph.add("GlobalAveragePool", [pictures])
    output = "fc1" if prepares else "683"
    graph.add("Flatten", [pooled], output)
    return graph.save(path, ["None", 3, 112, 112], {output: ["None", 3]})


def ccip_features(path: Path) -> Path:
    """Write CCIP features that are the mean of each channel, as it sees them."""
    graph = _Graph("input")
    graph.add("Flatten", [graph.add("GlobalAveragePool", [graph.input])], "output")
    return graph.save(path, ["batch", 3, 384, 384], {"output": ["batch", 3]})


def own_embedder(
    path: Path,
    *,
    side: int | str = 160,
    batch: int | str = "n",
    last: bool = False,
    places: int = 0,
    extra: bool = False,
    inside: int = TensorProto.FLOAT,
    factor: float = 1.0,
) -> Path:
    """Write an embedder whose vector is the mean of each channel, as it sees them.

    Args:
        path: the file.
        side: of its input; a word: any.
        batch: pictures that it takes; a word: any.
        last: its input has the channels last.
        places: dimensions of size 1 behind those of its output.
        extra: it also gives the number of the largest channel, a whole number.
        inside: kind of the numbers of its output, and of those that it computes with.
        factor: what its vector is multiplied by.
    """
    graph = _Graph("x")
    pictures = graph.input
    if last:
        pictures = graph.add("Transpose", [pictures], perm=[0, 3, 1, 2])
    pooled = graph.add("GlobalAveragePool", [pictures])
    kind = helper.tensor_dtype_to_np_dtype(inside)
    cast = graph.add("Cast", [pooled], to=inside)
    scaled = graph.add("Mul", [cast, graph.tensor(np.full(1, factor, kind))])
    graph.add("Reshape", [scaled, graph.integers([0, -1, *[1] * places])], "vector")
    given: dict[str, Shape] = {"vector": [batch, 3, *[1] * places]}
    kinds = {"vector": inside}
    if extra:
        flat = graph.add("Flatten", [pooled])
        graph.add("ArgMax", [flat], "best", axis=1, keepdims=0)
        given, kinds = {"best": [batch], **given}, {"best": TensorProto.INT64, **kinds}
    taken = [batch, side, side, 3] if last else [batch, 3, side, side]
    return graph.save(path, taken, given, kinds=kinds)


def own_detector(
    path: Path,
    layout: str,
    *,
    side: int | str = 640,
    batch: int | str = 1,
    last: bool = False,
) -> Path:
    """Write a detector for which each red cell of 32 x 32 pixels is a face.

    Args:
        path: the file.
        layout: whose outputs it has: ``torchvision``, ``sure``, the same of boxes
            above .5 alone, ``mmdetection``, ``detr``, ``ssd``, ``one`` for boxes of
            five numbers and no classes, ``points`` for other numbers of each box
            besides its score.
        side: of its input; a word: any.
        batch: pictures that it takes; a word: any. torchvision's take one.
        last: its input has the channels last.
    """
    graph = _Graph("pictures")
    alone = layout in ("torchvision", "sure")
    size: list[int | str] = [side, side, 3] if last else [3, side, side]
    if alone:
        graph.pictures = graph.add("Unsqueeze", [graph.pictures, graph.integers([0])])
    if last:
        graph.pictures = graph.add("Transpose", [graph.pictures], perm=[0, 3, 1, 2])
    rows = graph.add("Transpose", [_v8_columns(graph, 1)], perm=[0, 2, 1])
    middles, scores = graph.split(rows, 4, 1)
    boxes = graph.product(middles, _TO_CORNERS)
    if alone:
        given = _torchvision_outputs(graph, boxes, scores, all_boxes=layout != "sure")
    elif layout in ("detr", "ssd"):
        given = _outputs_by_class(graph, layout, middles, boxes, scores)
    else:
        given = _other_outputs(graph, layout, boxes, scores)
    if not alone:
        size, given = [batch, *size], {k: [batch, *v] for k, v in given.items()}
    kinds = {"labels": TensorProto.INT64} if "labels" in given else {}
    return graph.save(path, size, given, kinds=kinds)


def _torchvision_outputs(
    graph: _Graph, boxes: str, scores: str, *, all_boxes: bool
) -> dict[str, Shape]:
    """Boxes, classes that are all 1, and scores, of one picture."""
    flat = graph.integers([-1])
    boxes = graph.add("Reshape", [boxes, graph.integers([-1, 4])])
    scores = graph.add("Reshape", [scores, flat])
    ones = graph.add("Add", [graph.whole_zeros(scores), graph.integers(1)])
    least = graph.tensor(np.full(1, -1 if all_boxes else 0.5, np.float32))
    good = graph.add("Greater", [scores, least])
    for name, each in (("boxes", boxes), ("labels", ones), ("scores", scores)):
        graph.add("Compress", [each, good], name, axis=0)
    return {"boxes": ["k", 4], "labels": ["k"], "scores": ["k"]}


def _outputs_by_class(
    graph: _Graph, layout: str, middles: str, boxes: str, scores: str
) -> dict[str, Shape]:
    """A number for each of two classes, and boxes in shares of the picture."""
    share = graph.tensor(np.full(1, 1 / 640, np.float32))
    rest = graph.add("Sub", [graph.tensor(np.ones(1, np.float32)), scores])
    if layout == "ssd":
        graph.add("Concat", [rest, scores], "scores", axis=2)
        graph.add("Mul", [boxes, share], "boxes")
        return {"scores": ["k", 2], "boxes": ["k", 4]}
    # A softmax over the face and nothing gives the score back.
    logit = graph.add("Sub", [graph.add("Log", [each]) for each in (scores, rest)])
    nothing = graph.add("Sub", [scores, scores])
    graph.add("Concat", [logit, nothing], "logits", axis=2)
    graph.add("Mul", [middles, share], "pred_boxes")
    return {"logits": ["k", 2], "pred_boxes": ["k", 4]}


def _other_outputs(
    graph: _Graph, layout: str, boxes: str, scores: str
) -> dict[str, Shape]:
    """Boxes in pixels with their scores, as fifth numbers or apart."""
    if layout == "one":
        graph.add("Concat", [boxes, scores], "found", axis=2)
        return {"found": ["k", 5]}
    if layout == "mmdetection":
        graph.add("Concat", [boxes, scores], "dets", axis=2)
        numbers = graph.whole_zeros(scores)
        graph.add("Reshape", [numbers, graph.integers([0, -1])], "labels")
        return {"dets": ["k", 5], "labels": ["k"]}
    graph.add("Concat", [boxes, boxes, scores, scores], "points", axis=2)
    graph.add("Identity", [boxes], "boxes")
    graph.add("Identity", [scores], "scores")
    return {"points": ["k", 10], "boxes": ["k", 4], "scores": ["k", 1]}


#: From middle, width and height to corners.
_TO_CORNERS = np.array(
    [[1, 0, 1, 0], [0, 1, 0, 1], [-0.5, 0, 0.5, 0], [0, -0.5, 0, 0.5]]
)


def constant(path: Path, task: str) -> Path:
    """Write an embedder or a YOLO detector that gives the same for every picture."""
    graph = _Graph("images")
    pooled = graph.add("GlobalAveragePool", [graph.input])
    nothing = graph.tensor(np.zeros(1, np.float32))
    flat = graph.add("Mul", [graph.add("Flatten", [pooled]), nothing])
    one = graph.tensor(np.array([3, 1, 2], np.float32))
    if task == "embed":
        graph.add("Add", [flat, one], "output")
        return graph.save(path, ["n", 3, 112, 112], {"output": ["n", 3]})
    row = graph.add("Add", [flat, one])
    wide = graph.add("Concat", [row, row], axis=1)
    five = graph.add("Slice", [wide, *(graph.integers([v]) for v in (0, 5, 1))])
    shaped = graph.add("Reshape", [five, graph.integers([0, 5, 1])])
    many = graph.add("Expand", [shaped, graph.integers([1, 5, 40])], "output0")
    return graph.save(path, [1, 3, 640, 640], {many: [1, 5, 40]})


def with_nan(path: Path) -> Path:
    """Write an embedder whose numbers are the logarithms of negative ones."""
    graph = _Graph("input.1")
    pooled = graph.add("GlobalAveragePool", [graph.input])
    lower = graph.add("Sub", [pooled, graph.tensor(np.full(1, 9, np.float32))])
    graph.add("Flatten", [graph.add("Log", [lower])], "683")
    return graph.save(path, ["None", 3, 112, 112], {"683": ["None", 3]})


def shown_to(detector: Detector, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The batch that a detector's network gets for a picture of one view."""
    form: Any = detector._network
    seen: list[NDArray[np.float32]] = []
    run = form._network.run

    def watched(batch: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        seen.append(batch)
        found: list[NDArray[np.float32]] = run(batch)
        return found

    form._network = dataclasses.replace(form._network, run=watched)
    detector.detect([picture])
    [batch] = seen
    return batch


def _v8_columns(graph: _Graph, classes: int) -> str:
    """Middle, width, height and scores of each cell, n x (4 + classes) x cells."""
    parts = [*_places(graph, CELL, BOX), *_scores(graph, CELL, classes)]
    maps = graph.add("Concat", parts, axis=1)
    return graph.add("Reshape", [maps, graph.integers([0, 4 + classes, -1])])


def _v5_rows(graph: _Graph, stride: int, classes: int) -> list[str]:
    """Three boxes of each cell, n x cells x (5 + classes) each; one can be a face."""
    scores = _scores(graph, stride, classes)
    half = graph.conv(graph.pooled(stride), np.zeros((1, 3)), np.full(1, 0.5))
    found = []
    for number in range(3):
        sure = number == 1 and stride == CELL
        anything = half if sure else graph.zeros(stride)
        parts = [*_places(graph, stride, BOX), anything, *scores]
        maps = graph.add("Concat", parts, axis=1)
        last = graph.add("Transpose", [maps], perm=[0, 2, 3, 1])
        shape = graph.integers([0, -1, 5 + classes])
        found.append(graph.add("Reshape", [last, shape]))
    return found


def _best(graph: _Graph, columns: str) -> str:
    """From the columns of a v8 of one class to 300 rows: corners, score, class."""
    rows = graph.add("Transpose", [columns], perm=[0, 2, 1])
    weights = np.zeros((5, 6))
    weights[:4, :4] = _TO_CORNERS
    weights[4, 4] = 1
    made = graph.product(rows, weights)
    numbers = (graph.integers([value]) for value in (0, 300, 1))
    return graph.add("Slice", [made, *numbers])


def _places(graph: _Graph, stride: int, box: int) -> list[str]:
    """Four maps: the middle of each cell, and the sides of its box."""
    ones = graph.conv(graph.pooled(stride), np.zeros((1, 3)), np.ones(1))
    maps = []
    for axis in (3, 2):
        counted = graph.add("CumSum", [ones, graph.integers(axis)])
        shift = graph.tensor(np.full(1, 0.5, np.float32))
        scale = graph.tensor(np.full(1, stride, np.float32))
        maps.append(graph.add("Mul", [graph.add("Sub", [counted, shift]), scale]))
    size = graph.add("Mul", [ones, graph.tensor(np.full(1, box, np.float32))])
    return [*maps, size, size]


def _scores(graph: _Graph, stride: int, classes: int) -> list[str]:
    pooled = graph.pooled(stride)
    face = graph.conv(pooled, np.array([WEIGHTS]), np.full(1, BIAS))
    none = graph.zeros(stride)
    return [*([none] * (classes - 1)), graph.add("Sigmoid", [face])]


class _Graph:
    """A graph of nodes that is added to."""

    def __init__(self, pictures: str) -> None:
        self.input = self.pictures = pictures
        self._nodes: list[NodeProto] = []
        self._tensors: list[TensorProto] = []
        self._count = 0

    def add(
        self, operator: str, inputs: Sequence[str], output: str = "", **more: Any
    ) -> str:
        """Add a node; return the name of its output."""
        output = output or self._new()
        self._nodes.append(helper.make_node(operator, inputs, [output], **more))
        return output

    def tensor(self, values: NDArray[Any]) -> str:
        """Add a constant."""
        name = self._new()
        self._tensors.append(numpy_helper.from_array(values, name))
        return name

    def integers(self, values: int | Sequence[int]) -> str:
        """Add a constant of whole numbers."""
        return self.tensor(np.array(values, np.int64))

    def pooled(self, stride: int) -> str:
        """Add maps of the mean colour of each cell."""
        cell = [stride, stride]
        return self.add("AveragePool", [self.pictures], kernel_shape=cell, strides=cell)

    def whole_zeros(self, numbers: str) -> str:
        """Add whole zeros in the shape of other numbers."""
        nothing = self.add("Sub", [numbers, numbers])
        return self.add("Cast", [nothing], to=TensorProto.INT64)

    def split(self, rows: str, *widths: int) -> list[str]:
        """Add parts of the numbers of rows."""
        names = [self._new() for _ in widths]
        inputs = [rows, self.integers(widths)]
        self._nodes.append(helper.make_node("Split", inputs, names, axis=2))
        return names

    def product(self, rows: str, matrix: NDArray[Any]) -> str:
        """Add rows times a matrix."""
        return self.add("MatMul", [rows, self.tensor(matrix.astype(np.float32))])

    def conv(self, maps: str, weights: NDArray[Any], bias: NDArray[Any]) -> str:
        """Add a convolution of single cells."""
        kernel = self.tensor(weights.astype(np.float32)[:, :, None, None])
        return self.add("Conv", [maps, kernel, self.tensor(bias.astype(np.float32))])

    def zeros(self, stride: int) -> str:
        """Add a map of zeros."""
        return self.conv(self.pooled(stride), np.zeros((1, 3)), np.zeros(1))

    def save(
        self,
        path: Path,
        taken: Shape,
        given: Mapping[str, Shape],
        metadata: Mapping[str, str] | None = None,
        version: tuple[int, int] = (17, 8),
        listed: bool = False,
        kinds: Mapping[str, int] | None = None,
    ) -> Path:
        """Write the file: its version of the operators, and of the file's form.

        ``listed``: weights are among the inputs too, as PyTorch once wrote them.
        ``kinds``: of the numbers of outputs that are not float32.
        """
        graph = helper.make_graph(
            self._nodes,
            "made",
            [
                helper.make_tensor_value_info(self.input, TensorProto.FLOAT, taken),
                *(
                    helper.make_tensor_value_info(t.name, t.data_type, t.dims)
                    for t in self._tensors
                    if listed
                ),
            ],
            [
                helper.make_tensor_value_info(
                    name, (kinds or {}).get(name, TensorProto.FLOAT), shape
                )
                for name, shape in given.items()
            ],
            self._tensors,
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", version[0])],
            ir_version=version[1],
        )
        helper.set_model_props(model, dict(metadata or {}))
        onnx.checker.check_model(model)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(model.SerializeToString())
        return path

    def _new(self) -> str:
        self._count += 1
        return f"made{self._count}"

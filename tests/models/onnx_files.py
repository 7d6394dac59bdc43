"""Small networks, made by hand as ONNX files, whose answers a test can foretell."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from icf.models.cards import ModelCard, save_card
from icf.stores.files import hash_file

RED, BLUE = (255, 0, 0), (0, 0, 255)
#: A dimmer red, of score .731: sigmoid(.1 x 210 - 20).
DIM_RED = (210, 0, 0)


def card_for(path: Path, task: str, **changes: Any) -> ModelCard:
    """The card of a file, as `icf.models` would write it."""
    fields: dict[str, Any] = {
        "name": path.stem,
        "task": task,
        "format": {"detect": "icf-detector-onnx", "embed": "icf-embedder-onnx"}.get(
            task, "icf-photo-onnx"
        ),
        "network": "",
        "file": path.name,
        "sha256": hash_file(path),
        "bytes": path.stat().st_size,
        "created": "2026-01-02",
        "parent": "nothing",
        "architecture": "made by hand",
        "input": "pictures",
        "data": ({"name": "none", "source": "none", "licence": "CC0-1.0"},),
        "seed": 1,
        "recipe": "none",
        "figures": {},
        "limits": ("it knows colours only",),
        "parameters": {},
    }
    return ModelCard(**{**fields, **changes})


def colour_detector(path: Path, bias: float = -20, **parameters: float) -> Path:
    """Write a detector for which each red or blue cell of 8 x 8 pixels is a face.

    Its box is the cell's smallest anchor, 16 x 16 pixels with the cell in the middle;
    red is a cartoon and blue a human.
    """
    red, blue = [0.1, -0.1, -0.1], [-0.1, -0.1, 0.1]
    seen = np.zeros((8, 3, 1, 1), np.float32)
    seen[0, :, 0, 0], seen[1, :, 0, 0] = red, blue
    nodes, logits, offsets = [], [], []
    tensors = [_shaped("two", [0, -1, 2]), _shaped("four", [0, -1, 4])]
    for stride in (8, 16, 32, 64):
        classes = seen if stride == 8 else np.zeros_like(seen)
        tensors += [
            numpy_helper.from_array(classes, f"classes{stride}"),
            numpy_helper.from_array(np.full(8, bias, np.float32), f"bias{stride}"),
            numpy_helper.from_array(
                np.zeros((16, 3, 1, 1), np.float32), f"boxes{stride}"
            ),
        ]
        pooled = f"pooled{stride}"
        nodes.append(
            helper.make_node(
                "AveragePool",
                ["pictures"],
                [pooled],
                kernel_shape=[stride, stride],
                strides=[stride, stride],
            )
        )
        inputs = [pooled, f"classes{stride}", f"bias{stride}"]
        nodes += _head(inputs, f"logits{stride}", "two")
        nodes += _head([pooled, f"boxes{stride}"], f"offsets{stride}", "four")
        logits.append(f"logits{stride}")
        offsets.append(f"offsets{stride}")
    nodes.append(helper.make_node("Concat", logits, ["logits"], axis=1))
    nodes.append(helper.make_node("Concat", offsets, ["offsets"], axis=1))
    outputs: dict[str, list[str | int]] = {
        "logits": ["n", "a", 2],
        "offsets": ["n", "a", 4],
    }
    write_model(path, nodes, ["n", 3, "h", "w"], outputs, tensors)
    given = {
        "min_score": 0.5,
        "side": 320.0,
        "overview": 0.0,
        "tiles": 0.0,
        **parameters,
    }
    save_card(card_for(path, "detect", parameters=given), path.with_suffix(".json"))
    return path


def colour_embedder(path: Path, **parameters: float) -> Path:
    """Write an embedder whose vector is the crop's mean colour."""
    nodes = [
        helper.make_node("GlobalAveragePool", ["pictures"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["embeddings"]),
    ]
    write_model(path, nodes, ["n", 3, 112, 112], {"embeddings": ["n", 3]}, [])
    given = {"crop_rate": 0.5, "slope": 10.0, "intercept": -5.0, **parameters}
    save_card(card_for(path, "embed", parameters=given), path.with_suffix(".json"))
    return path


def colour_yolo(path: Path) -> Path:
    """Write a YOLOv8 of one class for which each red cell of 32 x 32 pixels is a face.

    Its input is 640 x 640 in 0..1; its box is 48 x 48 pixels, the cell in the middle.
    """
    cells = 640 // 32
    middle = (np.arange(cells, dtype=np.float32) + 0.5) * 32
    x, y = (each.ravel() for each in np.meshgrid(middle, middle))
    boxes = np.stack([x, y, *np.full((2, len(x)), 48, np.float32)])[None]
    red = np.array([20, -20, -20], np.float32).reshape(1, 3, 1, 1)
    tensors = [
        numpy_helper.from_array(red, "red"),
        numpy_helper.from_array(np.array([-10], np.float32), "bias"),
        numpy_helper.from_array(np.zeros(1, np.float32), "nothing"),
        numpy_helper.from_array(boxes, "boxes"),
        _shaped("cells", [0, 1, -1]),
    ]
    nodes = [
        helper.make_node(
            "AveragePool",
            ["images"],
            ["pooled"],
            kernel_shape=[32, 32],
            strides=[32, 32],
        ),
        helper.make_node("Conv", ["pooled", "red", "bias"], ["maps"]),
        helper.make_node("Sigmoid", ["maps"], ["shares"]),
        helper.make_node("Reshape", ["shares", "cells"], ["scores"]),
        helper.make_node("Mul", ["scores", "nothing"], ["none"]),
        helper.make_node("Add", ["none", "boxes"], ["placed"]),
        helper.make_node("Concat", ["placed", "scores"], ["output0"], axis=1),
    ]
    outputs: dict[str, list[str | int]] = {"output0": ["n", 5, cells * cells]}
    write_model(path, nodes, ["n", 3, 640, 640], outputs, tensors, "images")
    return path


def painted(
    height: int,
    width: int,
    patches: Mapping[tuple[int, int, int], tuple[int, int, int]],
) -> NDArray[np.uint8]:
    """Paint squares on grey: by x, y and side, their colours."""
    picture = np.full((height, width, 3), 120, np.uint8)
    for (x, y, side), colour in patches.items():
        picture[y : y + side, x : x + side] = colour
    return picture


def _head(inputs: list[str], name: str, shape: str) -> list[onnx.NodeProto]:
    return [
        helper.make_node("Conv", inputs, [f"{name}maps"]),
        helper.make_node(
            "Transpose", [f"{name}maps"], [f"{name}last"], perm=[0, 2, 3, 1]
        ),
        helper.make_node("Reshape", [f"{name}last", shape], [name]),
    ]


def _shaped(name: str, shape: list[int]) -> onnx.TensorProto:
    return numpy_helper.from_array(np.array(shape, np.int64), name)


def write_model(
    path: Path,
    nodes: list[onnx.NodeProto],
    taken: list[str | int],
    given: Mapping[str, list[str | int]],
    tensors: list[onnx.TensorProto],
    pictures: str = "pictures",
) -> None:
    """Write an ONNX file.

    Args:
        path: of the file.
        nodes: of the graph.
        taken: shape of its input.
        given: its outputs, with their shapes.
        tensors: its weights.
        pictures: name of its input.
    """
    graph = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info(pictures, TensorProto.FLOAT, taken)],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name, shape in given.items()
        ],
        tensors,
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9
    )
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())

"""A file with CenterFace's layers in the published order, with weights by chance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

#: MobileNetV2's blocks: expansion, channels, stride.
_BLOCKS = (
    (1, 16, 1),
    *((6, 24, s) for s in (2, 1)),
    *((6, 32, s) for s in (2, 1, 1)),
    *((6, 64, s) for s in (2, 1, 1, 1)),
    *((6, 96, s) for s in (1, 1, 1)),
    *((6, 160, s) for s in (2, 1, 1)),
    (6, 320, 1),
)
_NECK = 24


class _File:
    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.tensors: list[TensorProto] = []

    def node(
        self, operator: str, inputs: list[str], output: str = "", **more: Any
    ) -> str:
        output = output or f"made{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], **more))
        return output

    def tensor(self, *shape: int, middle: float = 0.0, spread: float = 0.1) -> str:
        values = middle + spread * self.random.standard_normal(shape)
        name = f"weight{len(self.tensors)}"
        self.tensors.append(numpy_helper.from_array(values.astype(np.float32), name))
        return name

    def conv(
        self,
        maps: str,
        before: int,
        after: int,
        side: int,
        stride: int = 1,
        groups: int = 1,
        output: str = "",
        scale: float = 1,
    ) -> str:
        inside = before // groups
        spread = scale * (2 / (inside * side * side)) ** 0.5
        weights = self.tensor(after, inside, side, side, spread=spread)
        edge = side // 2
        return self.node(
            "Conv",
            [maps, weights, self.tensor(after)],
            output,
            group=groups,
            kernel_shape=[side, side],
            strides=[stride, stride],
            pads=[edge] * 4,
        )

    def relu(self, maps: str) -> str:
        return self.node("Relu", [maps])

    def up(self, maps: str) -> str:
        weights = self.tensor(_NECK, _NECK, 2, 2, spread=0.2)
        made = self.node(
            "ConvTranspose", [maps, weights], kernel_shape=[2, 2], strides=[2, 2]
        )
        norm = [self.tensor(_NECK, middle=1), self.tensor(_NECK), self.tensor(_NECK)]
        variance = self.tensor(_NECK, middle=1, spread=0.05)
        return self.relu(
            self.node("BatchNormalization", [made, *norm, variance], epsilon=1e-3)
        )


def published(path: Path, seed: int) -> Path:
    """Write the file."""
    file = _File(seed)
    # Pictures are 0..255.
    maps = file.relu(file.conv("input.1", 3, 32, 3, 2, scale=0.01))
    before, taken = 32, {}
    for number, (growth, channels, stride) in enumerate(_BLOCKS, start=1):
        inside, made = before * growth, maps
        if growth > 1:
            made = file.relu(file.conv(made, before, inside, 1))
        made = file.relu(file.conv(made, inside, inside, 3, stride, inside))
        made = file.conv(made, inside, channels, 1)
        adds = stride == 1 and before == channels
        maps = file.node("Add", [maps, made]) if adds else made
        before, taken[number] = channels, maps
    neck = file.relu(file.conv(taken[17], 320, _NECK, 1))
    for number, channels in ((13, 96), (6, 32), (3, 24)):
        larger = file.up(neck)
        lateral = file.relu(file.conv(taken[number], channels, _NECK, 1))
        neck = file.node("Add", [larger, lateral])
    last = file.relu(file.conv(neck, _NECK, _NECK, 3))
    file.node("Sigmoid", [file.conv(last, _NECK, 1, 1, scale=0.01)], "537")
    for name, channels in (("538", 2), ("539", 2), ("540", 10)):
        file.conv(last, _NECK, channels, 1, output=name)
    outputs = {"537": 1, "538": 2, "539": 2, "540": 10}
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        file.nodes,
        "made",
        [value("input.1", TensorProto.FLOAT, [10, 3, 32, 32])],
        [value(n, TensorProto.FLOAT, [10, c, 8, 8]) for n, c in outputs.items()],
        file.tensors,
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 9)], ir_version=4
    )
    path.write_bytes(model.SerializeToString())
    return path

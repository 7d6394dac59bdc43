"""What an ONNX file says of itself, without the package `onnx` or a runtime.

Field numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from icf.errors import BadModel
from icf.models.runtime.protobuf import Value, as_bytes, as_text, fields

# ModelProto
_IR_VERSION, _PRODUCER, _GRAPH, _OPSET, _METADATA = 1, 2, 7, 8, 14
# GraphProto, NodeProto, TensorProto, OperatorSetIdProto, StringStringEntryProto
_NODE, _INITIALIZER, _INPUT = 1, 5, 11
_NODE_NAME, _NODE_OPERATOR = 3, 4
_DATA_TYPE, _EXTERNAL_DATA = 2, 13
# ValueInfoProto, TypeProto, and TypeProto.Tensor
_TYPE, _TENSOR_TYPE, _ELEMENT = 2, 1, 1
#: TensorProto.DataType
_DOUBLE = 11
_DOMAIN, _VERSION = 1, 2
_KEY, _VALUE = 1, 2
#: How many nodes are read; what tells files apart stands at the beginning.
_FIRST = 8


@dataclass(frozen=True)
class OnnxHeader:
    """The description of an ONNX file.

    Attributes:
        ir_version: of the file format.
        opsets: version of each set of operators, by domain; ``""`` is ONNX's own.
        producer: the program that wrote it.
        metadata: what the producer added.
        first_nodes: name and operator of the first nodes of the graph.
        external: names of other files that hold weights.
        float64: whether an input or a weight is of numbers of double precision.
    """

    ir_version: int = 0
    opsets: Mapping[str, int] = field(default_factory=dict)
    producer: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    first_nodes: tuple[tuple[str, str], ...] = ()
    external: tuple[str, ...] = ()
    float64: bool = False

    def versions(self) -> str:
        """Return the versions in words.

        >>> OnnxHeader(9, {"": 18, "com.microsoft": 1}).versions()
        'IR version 9, opset 18, com.microsoft 1'
        """
        named = [
            f"{domain or 'opset'} {version}"
            for domain, version in sorted(self.opsets.items())
        ]
        return ", ".join([f"IR version {self.ir_version}", *named])


def read_header(path: Path) -> OnnxHeader:
    """Read the description of an ONNX file; its weights are not read.

    Raises:
        BadModel: the file cannot be read, ends early, or is not an ONNX file.
    """
    try:
        with path.open("rb") as file:
            # Never closed by hand: an error's traceback still holds parts of it.
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return _header(memoryview(mapped))
    except (OSError, ValueError) as error:
        raise BadModel(f"{path} is not a whole ONNX file: {error}") from None


def _header(message: memoryview) -> OnnxHeader:
    ir_version, producer = 0, ""
    opsets: dict[str, int] = {}
    metadata: dict[str, str] = {}
    nodes: list[tuple[str, str]] = []
    external: dict[str, None] = {}
    graphs, float64 = 0, False
    for number, value in fields(message):
        if number == _IR_VERSION and isinstance(value, int):
            ir_version = value
        elif number == _PRODUCER:
            producer = as_text(value)
        elif number == _OPSET:
            domain, version = _opset(as_bytes(value))
            opsets[domain] = version
        elif number == _METADATA:
            metadata.update([_entry(value)])
        elif number == _GRAPH:
            graphs += 1
            for name, part in _parts(as_bytes(value)):
                if name == "node" and len(nodes) < _FIRST:
                    nodes.append(_node(part))
                elif name == "tensor":
                    external.update(dict.fromkeys(_external(part)))
                    float64 |= _DOUBLE in _numbers(part, _DATA_TYPE)
                elif name == "input":
                    float64 |= _DOUBLE in _numbers(part, _TYPE, _TENSOR_TYPE, _ELEMENT)
    if not graphs or not opsets:
        raise ValueError("it has no graph, or names no opset")
    return OnnxHeader(
        ir_version, opsets, producer, metadata, tuple(nodes), tuple(external), float64
    )


def _parts(graph: memoryview) -> Iterator[tuple[str, memoryview]]:
    names = {_NODE: "node", _INITIALIZER: "tensor", _INPUT: "input"}
    for number, value in fields(graph):
        if number in names:
            yield names[number], as_bytes(value)


def _opset(message: memoryview) -> tuple[str, int]:
    domain, version = "", 0
    for number, value in fields(message):
        if number == _DOMAIN:
            domain = as_text(value)
        elif number == _VERSION and isinstance(value, int):
            version = value
    return domain, version


def _node(message: memoryview) -> tuple[str, str]:
    texts = {
        number: as_text(value)
        for number, value in fields(message)
        if number in (_NODE_NAME, _NODE_OPERATOR)
    }
    return texts.get(_NODE_NAME, ""), texts.get(_NODE_OPERATOR, "")


def _external(tensor: memoryview) -> Iterator[str]:
    """Yield the names of the files that hold a tensor."""
    for number, value in fields(tensor):
        if number == _EXTERNAL_DATA:
            key, text = _entry(value)
            if key == "location":
                yield text


def _numbers(message: memoryview, number: int, *inside: int) -> list[Value]:
    """Return the values of a field; of more, those of fields of that one."""
    found = [value for key, value in fields(message) if key == number]
    if not inside:
        return found
    return [each for part in found for each in _numbers(as_bytes(part), *inside)]


def _entry(value: Value) -> tuple[str, str]:
    texts = {number: as_text(part) for number, part in fields(as_bytes(value))}
    return texts.get(_KEY, ""), texts.get(_VALUE, "")

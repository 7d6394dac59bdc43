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
_NODE, _INITIALIZER = 1, 5
_NODE_NAME, _NODE_OPERATOR = 3, 4
_EXTERNAL_DATA = 13
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
    """

    ir_version: int = 0
    opsets: Mapping[str, int] = field(default_factory=dict)
    producer: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    first_nodes: tuple[tuple[str, str], ...] = ()
    external: tuple[str, ...] = ()

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
    graphs = 0
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
    if not graphs or not opsets:
        raise ValueError("it has no graph, or names no opset")
    return OnnxHeader(
        ir_version, opsets, producer, metadata, tuple(nodes), tuple(external)
    )


def _parts(graph: memoryview) -> Iterator[tuple[str, memoryview]]:
    names = {_NODE: "node", _INITIALIZER: "tensor"}
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


def _entry(value: Value) -> tuple[str, str]:
    texts = {number: as_text(part) for number, part in fields(as_bytes(value))}
    return texts.get(_KEY, ""), texts.get(_VALUE, "")

"""Read the weights out of an ONNX file, without the package `onnx`.

An ONNX file is one protocol buffer message, of which the initialisers are a small part:
``ModelProto.graph`` (field 7), ``GraphProto.initializer`` (field 5), and of each
``TensorProto`` its ``dims`` (1), ``data_type`` (2), ``name`` (8) and ``raw_data`` (9);
see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from icf.errors import BadModel

_FLOAT = 1
_GRAPH, _INITIALIZER = 7, 5
_DIMS, _DATA_TYPE, _NAME, _RAW_DATA = 1, 2, 8, 9
_VARINT, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5


def read_weights(path: Path) -> dict[str, NDArray[np.float32]]:
    """Return the float32 initialisers of an ONNX file, by name.

    Raises:
        BadModel: the file cannot be read, or is not an ONNX file.
    """
    try:
        data = memoryview(path.read_bytes())
        graphs = [value for number, value in _fields(data) if number == _GRAPH]
        tensors = [
            _tensor(value)
            for graph in graphs
            for number, value in _fields(_as_bytes(graph))
            if number == _INITIALIZER
        ]
    except (OSError, ValueError, IndexError, UnicodeDecodeError) as error:
        raise BadModel(f"cannot read the weights in {path}: {error}") from error
    return dict(each for each in tensors if each is not None)


Value = int | memoryview


def _tensor(message: Value) -> tuple[str, NDArray[np.float32]] | None:
    """Name and values of a tensor; None where they are not float32."""
    dims: list[int] = []
    kind, name, raw = 0, "", memoryview(b"")
    for number, value in _fields(_as_bytes(message)):
        if number == _DIMS:
            dims += [value] if isinstance(value, int) else _varints(value)
        elif number == _DATA_TYPE and isinstance(value, int):
            kind = value
        elif number == _NAME:
            name = bytes(_as_bytes(value)).decode()
        elif number == _RAW_DATA:
            raw = _as_bytes(value)
    if kind != _FLOAT:
        return None
    return name, np.frombuffer(raw, "<f4").reshape(dims)


def _fields(message: memoryview) -> Iterator[tuple[int, Value]]:
    """Yield number and value of each field of a message."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, at = _varint(message, at)
            yield number, value
            continue
        if wire == _BYTES:
            length, at = _varint(message, at)
        elif wire in (_EIGHT_BYTES, _FOUR_BYTES):
            length = 8 if wire == _EIGHT_BYTES else 4
        else:
            raise ValueError(f"not a protocol buffer: wire type {wire}")
        if at + length > len(message):
            raise ValueError("the file ends early")
        yield number, message[at : at + length]
        at += length


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value, shift = 0, 0
    while True:
        byte = message[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def _varints(packed: memoryview) -> list[int]:
    values, at = [], 0
    while at < len(packed):
        value, at = _varint(packed, at)
        values.append(value)
    return values


def _as_bytes(value: Value) -> memoryview:
    if isinstance(value, int):
        raise ValueError("not an ONNX file: a number where a message is expected")
    return value

"""Read the weights out of an ONNX file, without the package `onnx`.

An ONNX file is one protocol buffer message, of which the initialisers are a small part:
``ModelProto.graph`` (field 7), ``GraphProto.initializer`` (field 5), and of each
``TensorProto`` its ``dims`` (1), ``data_type`` (2), ``name`` (8) and ``raw_data`` (9);
see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from icf.errors import BadModel
from icf.models.runtime.protobuf import Value, as_bytes, as_text, fields, varints

_FLOAT = 1
_GRAPH, _INITIALIZER = 7, 5
_DIMS, _DATA_TYPE, _NAME, _RAW_DATA = 1, 2, 8, 9


def read_weights(path: Path) -> dict[str, NDArray[np.float32]]:
    """Return the float32 initialisers of an ONNX file, by name.

    Raises:
        BadModel: the file cannot be read, or is not an ONNX file.
    """
    try:
        data = memoryview(path.read_bytes())
        graphs = [value for number, value in fields(data) if number == _GRAPH]
        tensors = [
            _tensor(value)
            for graph in graphs
            for number, value in fields(as_bytes(graph))
            if number == _INITIALIZER
        ]
    except (OSError, ValueError, IndexError, UnicodeDecodeError) as error:
        raise BadModel(f"cannot read the weights in {path}: {error}") from error
    return dict(each for each in tensors if each is not None)


def _tensor(message: Value) -> tuple[str, NDArray[np.float32]] | None:
    """Name and values of a tensor; None where they are not float32."""
    dims: list[int] = []
    kind, name, raw = 0, "", memoryview(b"")
    for number, value in fields(as_bytes(message)):
        if number == _DIMS:
            dims += [value] if isinstance(value, int) else varints(value)
        elif number == _DATA_TYPE and isinstance(value, int):
            kind = value
        elif number == _NAME:
            name = as_text(value)
        elif number == _RAW_DATA:
            raw = as_bytes(value)
    if kind != _FLOAT:
        return None
    return name, np.frombuffer(raw, "<f4").reshape(dims)

"""Let an ONNX file take pictures of any size, whatever size it states.

Some published files state the size that a picture happened to have when they were
exported, though their graph takes any. ONNX Runtime refuses other sizes as long as they
are stated.
"""

from __future__ import annotations

from pathlib import Path

import onnx

from icf.errors import BadModel

#: Names of the dimensions of a picture that may have any size, by their place.
_FREE = {0: "n", 2: "height", 3: "width"}


def with_free_sizes(path: Path) -> bytes:
    """Return an ONNX file whose input takes any number of pictures of any size.

    Args:
        path: of a file whose inputs and outputs are n x channels x height x width.

    Returns:
        The same graph and weights; what the outputs' sizes are, is left open.

    Raises:
        BadModel: it cannot be read as ONNX.
    """
    try:
        model = onnx.load(path)
    except Exception as error:  # protobuf has no common base class of errors
        raise BadModel(f"{path} is not a whole ONNX file: {error}") from error
    # Weights that are listed as inputs could be other ones at every run, so that no
    # runtime prepares them.
    weights = {each.name for each in model.graph.initializer}
    taken = [each for each in model.graph.input if each.name not in weights]
    for value in taken:
        for place, name in _FREE.items():
            value.type.tensor_type.shape.dim[place].dim_param = name
    kept = [each.SerializeToString() for each in taken]
    del model.graph.input[:]
    for each in kept:
        model.graph.input.add().ParseFromString(each)
    for value in model.graph.output:
        for place, name in _FREE.items():
            value.type.tensor_type.shape.dim[place].dim_param = f"{value.name}_{name}"
    del model.graph.value_info[:]
    return bytes(model.SerializeToString())

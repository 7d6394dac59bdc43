"""Write an ONNX file again with numbers of eight bits.

Weights have eight bits and a scale for each channel; what flows between the layers has
eight bits and one scale, for the range that was seen on examples (Jacob et al. 2018,
arXiv:1712.05877). The file says both in nodes of ONNX (QuantizeLinear and its
opposite), so that ONNX Runtime and OpenVINO read it.
"""

from __future__ import annotations

import contextlib
import logging
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from icf.errors import BadModel
from icf.models.runtime.network import cpu_session

Array = NDArray[np.float32]


def has_eight_bits(path: Path) -> bool:
    """Whether an ONNX file says of numbers that they have eight bits."""
    import onnx

    nodes = onnx.load(path, load_external_data=False).graph.node
    return any(node.op_type == "DequantizeLinear" for node in nodes)


def write_int8(source: Path, target: Path, batches: Sequence[Array]) -> None:
    """Write a model with numbers of eight bits.

    Args:
        source: an ONNX file.
        target: the file to write.
        batches: inputs as the network gets them, for the ranges between its layers.

    Raises:
        BadModel: the model cannot be written so.
    """
    from onnxruntime.quantization import (
        CalibrationDataReader,
        QuantFormat,
        QuantType,
        quantize_static,
    )
    from onnxruntime.quantization.shape_inference import quant_pre_process

    name = cpu_session(source).get_inputs()[0].name

    class Examples(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._left: Iterator[Array] = iter(batches)

        def get_next(self) -> Any:
            batch = next(self._left, None)
            return None if batch is None else {name: batch}

    with tempfile.TemporaryDirectory(prefix="icf-int8-") as folder, _quiet():
        prepared = Path(folder) / "prepared.onnx"
        try:
            # Norms are folded into convolutions first: they would keep 32 bits.
            quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
            quantize_static(
                str(prepared),
                str(target),
                Examples(),
                quant_format=QuantFormat.QDQ,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                per_channel=True,
                # Processors without VNNI add two products in 16 bits: of weights of
                # eight bits these overflow, of seven they do not.
                reduce_range=True,
            )
        except Exception as error:  # onnx and ONNX Runtime raise all kinds
            raise BadModel(
                f"{source.name} cannot be written with eight bits: {error}"
            ) from error
    try:
        cpu_session(target)
    except BadModel as error:
        raise BadModel(
            f"{source.name} cannot be written with eight bits: {error}"
        ) from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep advice for programmers from people."""
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(before)

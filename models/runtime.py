"""Open exported networks on the CPU: in ONNX Runtime, or in OpenVINO.

Where the processor multiplies bfloat16 by itself, OpenVINO (the extra ``openvino``)
takes about two thirds of the CPU time. Its results then differ in the third digit from
ONNX Runtime's: scores by a few thousandths, embeddings by a cosine of 0.999 or so. Its
Python binding can deadlock when two threads call it, so calls wait for each other: with
many processors ONNX Runtime, which threads share freely, is the faster of the two.
"""

from __future__ import annotations

import functools
import importlib.util
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from icf.errors import BadModel, WrongUse

Array = NDArray[np.float32]
Shape = tuple[int | str | None, ...]

Runtime = Literal["onnxruntime", "openvino"]

#: Held by the one thread that is in OpenVINO's binding.
_in_use = threading.Lock()


@dataclass(frozen=True)
class Network:
    """An opened network with one input; threads may share it.

    Attributes:
        runtime: "onnxruntime" or "openvino".
        input: shape of its input; what is not a number is free.
        outputs: shapes of its outputs.
        run: from a batch to the outputs, in order.
    """

    runtime: str
    input: Shape
    outputs: tuple[Shape, ...]
    run: Callable[[Array], list[Array]]


def open_network(
    path: Path, threads: int = 1, runtime: Runtime = "onnxruntime"
) -> Network:
    """Open an ONNX file.

    Args:
        path: the file.
        threads: processors one call may use.
        runtime: what opens it.

    Raises:
        BadModel: the runtime does not take the file, or it has several inputs.
        WrongUse: OpenVINO is asked for and not installed.
    """
    if runtime == "openvino" and not _has_openvino():
        raise WrongUse("OpenVINO is not installed: pip install 'icf-toolkit[openvino]'")
    # ONNX Runtime looks at the file first: what is wrong with it is said in one way.
    session = cpu_session(path, threads)
    if len(session.get_inputs()) != 1:
        raise BadModel(f"{path} has {len(session.get_inputs())} inputs; expected one")
    shapes = tuple(tuple(output.shape) for output in session.get_outputs())
    name = session.get_inputs()[0].name
    if runtime == "openvino":
        run = _in_openvino(path, threads)
    else:
        run = lambda batch: session.run(None, {name: batch})  # noqa: E731
    return Network(runtime, tuple(session.get_inputs()[0].shape), shapes, run)


def cpu_session(path: Path, threads: int = 1) -> onnxruntime.InferenceSession:
    """Open an ONNX file in ONNX Runtime.

    Args:
        path: the file.
        threads: processors one call may use.

    Raises:
        BadModel: ONNX Runtime does not take the file.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # ONNX Runtime's errors share no class of their own
        raise BadModel(f"{path} is not a model for ONNX Runtime: {error}") from error


def _has_openvino() -> bool:
    return importlib.util.find_spec("openvino") is not None


@functools.cache
def _core() -> Any:
    import openvino

    return openvino.Core()


def _in_openvino(path: Path, threads: int) -> Callable[[Array], list[Array]]:
    hints = {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
    }
    try:
        compiled = _core().compile_model(str(path), "CPU", hints)
    except RuntimeError as error:
        raise BadModel(f"{path} is not a model for OpenVINO: {error}") from error
    request = compiled.create_infer_request()

    def run(batch: Array) -> list[Array]:
        with _in_use:
            found = request.infer([np.ascontiguousarray(batch)], share_inputs=True)
            return [np.array(found[output]) for output in compiled.outputs]

    return run

"""Open exported networks in ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import onnxruntime

from icf.errors import BadModel


def cpu_session(path: Path, threads: int = 1) -> onnxruntime.InferenceSession:
    """Open an ONNX file on the CPU.

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

"""Open exported networks: in ONNX Runtime, in OpenVINO, or in PyTorch.

``auto`` means PyTorch where there is a GPU, and ONNX Runtime everywhere else: it starts
in a tenth of the time and memory, and is the faster of the two on processors.

PyTorch computes in float32 on processors and in float16 on a GPU, where it takes many
pictures of one shape at a time. A GPU is shared by all worker processes of the filter:
each decodes on its own processor, so that decoding keeps up, and has its own copy of
the model.

On processors with bfloat16 instructions, OpenVINO (the extra ``openvino``)
takes about two thirds of the CPU time of ONNX Runtime. Its results then differ in the
third digit: scores by a few thousandths, embeddings by a cosine of 0.999 or so. Its
Python binding can deadlock when two threads of one process call it, so calls take turns
under a lock. The filter's workers are processes with a model each, so none waits.
"""

from __future__ import annotations

import functools
import importlib.util
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from icf.errors import BadModel, WrongUse

if TYPE_CHECKING:
    import onnxruntime

Array = NDArray[np.float32]
Shape = tuple[int | str | None, ...]

Runtime = Literal["auto", "onnxruntime", "openvino", "torch"]
Device = Literal["auto", "cpu", "cuda"]

#: Pictures of one shape in a batch on a GPU.
BATCH_SIZE = 64
#: Exists where a GPU's driver is loaded. Importing PyTorch to ask takes seconds.
_DRIVER = Path("/proc/driver/nvidia/version")
#: ONNX Runtime's name of an input of float32.
_FLOAT32 = "tensor(float)"

#: Held by the one thread that calls OpenVINO's binding.
_in_use = threading.Lock()


@dataclass(frozen=True)
class Network:
    """An opened network with one input; threads may share it.

    Attributes:
        runtime: "onnxruntime", "openvino" or "torch".
        input: shape of its input; dimensions that are not numbers are free.
        outputs: shapes of its outputs.
        run: from a batch to the outputs, in order.
        batch_size: pictures of one shape to pass at a time.
    """

    runtime: str
    input: Shape
    outputs: tuple[Shape, ...]
    run: Callable[[Array], list[Array]]
    batch_size: int = 1

    def predict(self, pictures: NDArray[np.uint8]) -> list[Array]:
        """Run on pictures of one size.

        Args:
            pictures: RGB, shape (n, h, w, 3).

        Returns:
            The outputs, in order.
        """
        batch: NDArray[Any] = pictures.transpose(0, 3, 1, 2)
        # Bytes are copied to a GPU faster than floats.
        return self.run(batch if self.runtime == "torch" else batch.astype(np.float32))


#: Called with every batch of the networks that are opened meanwhile.
_watcher: ContextVar[Callable[[Array], object] | None] = ContextVar(
    "watcher", default=None
)


@contextmanager
def watching(watcher: Callable[[Array], object]) -> Iterator[None]:
    """Call ``watcher`` with each batch of the networks that are opened in the block.

    So the input of a model of any format can be seen, as its format prepares it.
    """
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)


def open_network(
    path: Path,
    threads: int = 1,
    runtime: Runtime = "onnxruntime",
    device: Device = "auto",
    name: str = "",
    options: Mapping[str, int] | None = None,
    content: bytes | None = None,
) -> Network:
    """Open an ONNX file.

    Args:
        path: the file.
        threads: processors one call may use.
        runtime: what opens it.
        device: where PyTorch computes.
        name: of its network in `icf.models.networks`; PyTorch runs no other.
        options: with which that network is made.
        content: opened in place of what is in the file, by processors; None: the same.

    Raises:
        BadModel: the runtime cannot open the file, or it has several inputs. The
            network's `run` raises it where it gets float32 and takes other numbers.
        WrongUse: OpenVINO is requested and not installed, or a GPU that is missing.
    """
    chosen, place = choose(runtime, device)
    if chosen == "torch" and runtime == "auto" and not name:
        chosen, place = "onnxruntime", "cpu"
    # ONNX Runtime opens the file first, so that a bad file has one error message.
    session = cpu_session(path, threads, content)
    if len(session.get_inputs()) != 1:
        raise BadModel(f"{path} has {len(session.get_inputs())} inputs; expected one")
    shapes = tuple(tuple(output.shape) for output in session.get_outputs())
    pictures = session.get_inputs()[0].name
    batch_size = 1
    if chosen == "openvino":
        run = _in_openvino(path, threads, content)
    elif chosen == "torch":
        from icf.models.runtime.torch_network import open_in_torch

        run = open_in_torch(path, threads, place, name, options or {})
        batch_size = BATCH_SIZE if place == "cuda" else 1
    else:
        run = lambda batch: session.run(None, {pictures: batch})  # noqa: E731
    if (numbers := session.get_inputs()[0].type) != _FLOAT32:
        run = _refusing_float32(run, path, numbers)
    run = _giving_float32(run)
    if (watcher := _watcher.get()) is not None:
        run = _watched(run, watcher)
    taken = tuple(session.get_inputs()[0].shape)
    return Network(chosen, taken, shapes, run, batch_size)


def _refusing_float32(
    run: Callable[[Array], list[Array]], path: Path, numbers: str
) -> Callable[[Array], list[Array]]:
    """Say what is wrong where a network of other numbers is given float32."""
    kind = numbers.removeprefix("tensor(").removesuffix(")")

    def refusing(batch: Array) -> list[Array]:
        if batch.dtype == np.float32:
            raise BadModel(
                f"{path.name} takes pictures as {kind} numbers, and gets them as "
                "float32: export it with float32 inputs (weights can stay float16; "
                "onnxconverter-common calls this keep_io_types=True)"
            )
        return run(batch)

    return refusing


def _giving_float32(
    run: Callable[[Array], list[Array]],
) -> Callable[[Array], list[Array]]:
    """Turn outputs of other precisions: squares and areas overflow a float16."""

    def giving(batch: Array) -> list[Array]:
        found: list[NDArray[Any]] = list(run(batch))
        return [
            each.astype(np.float32, copy=False) if each.dtype.kind == "f" else each
            for each in found
        ]

    return giving


def _watched(
    run: Callable[[Array], list[Array]], watcher: Callable[[Array], object]
) -> Callable[[Array], list[Array]]:
    def watched(batch: Array) -> list[Array]:
        watcher(batch)
        return run(batch)

    return watched


def choose(runtime: Runtime, device: Device) -> tuple[str, str]:
    """Choose what runs networks on this machine, and where.

    Args:
        runtime: the requested runtime.
        device: where PyTorch should compute.

    Returns:
        ``"onnxruntime"``, ``"openvino"`` or ``"torch"``; ``"cpu"`` or ``"cuda"``.

    Raises:
        WrongUse: OpenVINO is not installed, there is no GPU, or one is requested with
            a runtime that does not use GPUs.
    """
    if runtime == "openvino" and not _has_openvino():
        raise WrongUse("OpenVINO is not installed: pip install 'icf-toolkit[openvino]'")
    if device == "cuda" and runtime in ("onnxruntime", "openvino"):
        raise WrongUse(
            f"filter.device = cuda: {runtime} computes on processors here; set "
            "filter.runtime = torch, or auto"
        )
    if device == "cuda" and not _has_gpu():
        raise WrongUse(
            "filter.device = cuda: PyTorch finds no GPU on this machine; set it to "
            "auto, and see `icf doctor`"
        )
    gpu = device != "cpu" and runtime in ("auto", "torch") and _has_gpu()
    if runtime == "auto":
        return ("torch", "cuda") if gpu else ("onnxruntime", "cpu")
    return runtime, "cuda" if gpu else "cpu"


def cpu_session(
    path: Path, threads: int = 1, content: bytes | None = None
) -> onnxruntime.InferenceSession:
    """Open an ONNX file in ONNX Runtime.

    Args:
        path: the file.
        threads: processors one call may use.
        content: opened in place of what is in the file; None: the same.

    Raises:
        BadModel: ONNX Runtime cannot open the file.
    """
    # Imported here: many commands only name models.
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(
            content or str(path), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # ONNX Runtime's errors have no common base class
        raise BadModel(f"{path} is not a model for ONNX Runtime: {error}") from error


def _has_gpu() -> bool:
    if not _DRIVER.exists():
        return False
    from icf.models.runtime.torch_network import has_cuda

    return has_cuda()


def _has_openvino() -> bool:
    return importlib.util.find_spec("openvino") is not None


@functools.cache
def _core() -> Any:
    import openvino

    return openvino.Core()


def _in_openvino(
    path: Path, threads: int, content: bytes | None
) -> Callable[[Array], list[Array]]:
    hints = {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
    }
    try:
        model = _core().read_model(str(path) if content is None else content)
        compiled = _core().compile_model(model, "CPU", hints)
    except RuntimeError as error:
        raise BadModel(f"{path} is not a model for OpenVINO: {error}") from error
    request = compiled.create_infer_request()

    def run(batch: Array) -> list[Array]:
        with _in_use:
            found = request.infer([np.ascontiguousarray(batch)], share_inputs=True)
            return [np.array(found[output]) for output in compiled.outputs]

    return run

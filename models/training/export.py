"""Export networks to ONNX and check that the outputs are the same."""

from __future__ import annotations

import contextlib
import gc
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from icf.errors import BadModel
from icf.models.runtime.network import cpu_session
from icf.models.training.refill import write_like
from icf.stores.files import replace_file

OPSET = 18
#: Bundled weights are part of every copy of the program.
MAX_BYTES = 10_000_000


def export_checked(
    network: nn.Module,
    batches: Sequence[Tensor],
    dynamic: Mapping[int, Any],
    outputs: Sequence[str],
    path: Path,
    most: float,
    max_bytes: int | None = None,
    like: Path | None = None,
) -> None:
    """Write a network as one ONNX file that gives the same outputs.

    Args:
        network: takes one batch of pictures.
        batches: on which the file is compared; the first is an example.
        dynamic: the dynamic dimensions of a batch, and their names.
        outputs: names of the outputs.
        path: the file.
        most: the largest difference, relative to the largest number of that output.
        max_bytes: the most that the file may have; None: any number.
        like: an ONNX file whose graph is tried first: it saves most of the time.

    Raises:
        BadModel: the file is too large, or gives other numbers.
    """
    if like is not None and _written_like(
        like, network, batches, path, most, max_bytes
    ):
        return
    to_onnx(network, batches[0], dynamic, outputs, path, max_bytes)
    check_equal(network, path, batches, most)


def _written_like(
    like: Path,
    network: nn.Module,
    batches: Sequence[Tensor],
    path: Path,
    most: float,
    max_bytes: int | None,
) -> bool:
    """Put the weights into the graph of another file; whether they fit into it."""
    try:
        _check_size(path, like.stat().st_size, max_bytes)
        write_like(like, network.eval(), path)
        check_equal(network, path, batches, most)
    except (BadModel, OSError):
        return False
    return True


def to_onnx(
    network: nn.Module,
    example: Tensor,
    dynamic: Mapping[int, Any],
    outputs: Sequence[str],
    path: Path,
    max_bytes: int | None = MAX_BYTES,
) -> None:
    """Write ``network``, in evaluation mode, as one ONNX file.

    Args:
        network: takes one batch of pictures.
        example: such a batch.
        dynamic: the dynamic dimensions of the batch, and their names.
        outputs: names of the outputs.
        path: the file.
        max_bytes: the most that it may have; None: any number.

    Raises:
        BadModel: it has more.
    """
    network.eval()
    with (
        tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder,
        _quiet(),
        _clamping(),
        _uncollected(),
        torch.no_grad(),
    ):
        unfinished = Path(folder) / path.name
        torch.onnx.export(
            network,
            (example,),
            unfinished,
            input_names=["pictures"],
            output_names=list(outputs),
            opset_version=OPSET,
            dynamic_shapes=(dict(dynamic),),
            dynamo=True,
            external_data=False,
            verbose=False,
        )
        weights = _without_metadata(unfinished)
    _check_size(path, len(weights), max_bytes)
    replace_file(path, [weights])


def _check_size(path: Path, size: int, max_bytes: int | None) -> None:
    if max_bytes is not None and size > max_bytes:
        raise BadModel(
            f"{path.name} would have {size} bytes; bundled weights may have {max_bytes}"
        )


@contextlib.contextmanager
def _clamping() -> Iterator[None]:
    """Have ReLU6 call the operator that ONNX has; both give the same graph.

    Its own, hardtanh, PyTorch 2 first spells out in Python for every layer, which takes
    nearly half of the export of a MobileNet.
    """
    own = nn.ReLU6.forward
    nn.ReLU6.forward = lambda self, input: input.clamp(0.0, 6.0)  # type: ignore[method-assign]
    try:
        yield
    finally:
        nn.ReLU6.forward = own  # type: ignore[method-assign]


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Have no garbage searched for among what the exporter makes.

    It makes objects by the million and keeps most of them to its end; the searches take
    a sixth of the export.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _without_metadata(path: Path) -> bytes:
    """Remove the exporter's metadata: stack traces with paths of this machine."""
    import onnx

    model = onnx.load(path)
    model.doc_string = ""
    parts = [model, model.graph, *model.functions]
    parts += [*model.graph.node, *(n for f in model.functions for n in f.node)]
    graph = model.graph
    parts += [*graph.input, *graph.output, *graph.value_info, *graph.initializer]
    for part in parts:
        del part.metadata_props[:]
        part.doc_string = ""
    return bytes(model.SerializeToString())


def check_equal(
    network: nn.Module, path: Path, batches: Sequence[Tensor], most: float = 1e-3
) -> float:
    """Check that an exported file gives the same outputs as the network.

    Args:
        network: the exported network.
        path: the file.
        batches: inputs to try, of several shapes.
        most: the difference from which the file is refused.

    Returns:
        The largest difference, relative to the largest number of that output.

    Raises:
        BadModel: it is over ``most``.
    """
    network.eval()
    session = cpu_session(path)
    name = session.get_inputs()[0].name
    worst = 0.0
    for batch in batches:
        with torch.no_grad():
            wanted = network(batch)
        wanted = wanted if isinstance(wanted, tuple) else (wanted,)
        found = session.run(None, {name: batch.numpy()})
        for a, b in zip(wanted, found, strict=True):
            if a.shape != b.shape:
                raise BadModel(f"{path} gives {b.shape} where PyTorch gives {a.shape}")
            largest = max(float(a.abs().max()), 1e-6)
            worst = max(worst, float(np.abs(a.numpy() - b).max()) / largest)
    if not worst <= most:
        raise BadModel(f"{path} differs from PyTorch by {worst:.2g} of its outputs")
    return worst


@contextlib.contextmanager
def _quiet() -> Any:
    """Suppress the exporter's progress and its own warnings."""
    with warnings.catch_warnings(), Path(os.devnull).open("w") as nothing:
        warnings.simplefilter("ignore")
        with contextlib.redirect_stdout(nothing):
            yield

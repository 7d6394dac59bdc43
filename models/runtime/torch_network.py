"""Run the exported detector and embedder in PyTorch: on a GPU, or for comparison.

The weights are read from the same ONNX file, so the model's hash, and with it every
stored embedding, is the same for every runtime. The exporter folded most batch norms
into the convolutions before them; here those norms become the identity. A network whose
weights the exporter changed in other ways is read from the file next to the ONNX file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import safetensors
import torch
from numpy.typing import NDArray
from torch import nn

from icf.errors import BadModel
from icf.models.networks import create
from icf.models.runtime.onnx_weights import read_weights
from icf.stores.files import hash_file

Array = NDArray[np.float32]

_INSTEAD = "use filter.runtime = onnxruntime"
#: The exporter's name for the bias that it made from a batch norm.
FOLDED = ".weight_bias"


def open_in_torch(
    path: Path,
    threads: int,
    device: str,
    name: str,
    options: Mapping[str, int] | None = None,
) -> Callable[[NDArray[np.generic]], list[Array]]:
    """Open an ONNX file whose network is one of `icf.models.networks`.

    Args:
        path: the file.
        threads: processors one call may use; applies to the whole process.
        device: ``"cpu"`` or ``"cuda"``; on the latter it computes in float16.
        name: of the network.
        options: with which it is made.

    Returns:
        From a batch n x 3 x h x w in 0..255, of any type, to the network's outputs.

    Raises:
        BadModel: the file holds another network.
    """
    network = load_network(path, name, options).eval()
    half = device == "cuda"
    dtype = torch.float16 if half else torch.float32
    if not half:
        torch.set_num_threads(threads)
    network = network.to(device, dtype).to(memory_format=torch.channels_last)

    @torch.inference_mode()
    def run(batch: NDArray[np.generic]) -> list[Array]:
        # Bytes are copied to the GPU as bytes and converted to floats there.
        pictures = torch.from_numpy(batch)
        if half:
            pictures = pictures.pin_memory()
        pictures = pictures.to(device, non_blocking=True).to(
            dtype, memory_format=torch.channels_last
        )
        found = network(pictures)
        outputs = found if isinstance(found, tuple) else (found,)
        return [output.float().cpu().numpy() for output in outputs]

    return run


def load_network(
    path: Path, name: str, options: Mapping[str, int] | None = None
) -> nn.Module:
    """Make a network with the weights of an ONNX file, batch norms folded.

    Args:
        path: the file.
        name: of the network in `icf.models.networks`.
        options: with which it is made.

    Raises:
        BadModel: there is no such network, or the file has the weights of another.
    """
    weights = read_weights(path)
    if not name:
        raise BadModel(
            f"the card of {path} names no network, so PyTorch cannot run it; {_INSTEAD}"
        )
    network = create(name, **(options or {}))
    _fold(network, weights)
    state = {
        name.replace(FOLDED, ".bias"): torch.from_numpy(value.copy())
        for name, value in weights.items()
    }
    wanted = {n for n in network.state_dict() if not n.endswith("num_batches_tracked")}
    if missing := sorted(wanted - state.keys()):
        whole = create(name, **(options or {}))
        if _load_beside(whole, path):
            return whole
        raise BadModel(
            f"{path} has no {', '.join(missing[:3])}: it is not a {name}; {_INSTEAD}"
        )
    try:
        network.load_state_dict({name: state[name] for name in wanted}, strict=False)
    except RuntimeError as error:
        raise BadModel(f"{path} is not a {name}: {error}; {_INSTEAD}") from error
    return network


def _load_beside(network: nn.Module, path: Path) -> bool:
    """Load the weights next to an ONNX file, which the training wrote with it.

    The exporter gives some weights other names and shapes, such as those of PReLU.

    Returns:
        Whether they are there, and are this file's.
    """
    try:
        with safetensors.safe_open(path.with_suffix(".safetensors"), "pt") as file:
            about = json.loads((file.metadata() or {}).get("about", "{}"))
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (OSError, ValueError, RecursionError, safetensors.SafetensorError):
        return False
    if about.get("sha256") != hash_file(path):
        return False
    wanted = network.state_dict()
    for part in {key.partition(".")[0] for key in tensors}:
        own = {name: tensors.get(f"{part}.{name}") for name in wanted}
        if all(v is not None and v.shape == wanted[k].shape for k, v in own.items()):
            network.load_state_dict(own)
            return True
    return False


def _fold(network: nn.Module, weights: Mapping[str, NDArray[np.float32]]) -> None:
    """Give layers the biases that were folded into them, and remove the norms."""
    for name, module in list(network.named_modules()):
        folded = weights.get(name + FOLDED)
        if folded is not None:
            module.bias = nn.Parameter(torch.zeros(len(folded)))
            continue
        norm = isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d)
        if norm and f"{name}.running_mean" not in weights:
            parent, _, last = name.rpartition(".")
            setattr(network.get_submodule(parent), last, nn.Identity())


def has_cuda() -> bool:
    """Whether PyTorch finds a GPU on this machine."""
    return bool(torch.cuda.is_available())

"""Export a network by putting its weights into the ONNX file of an earlier one.

A model that was trained further has the graph of the model that it started from.
PyTorch's exporter takes half a minute to trace it again; copying the weights takes no
time. Whoever calls compares the outputs.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from icf.errors import BadModel
from icf.models.runtime.onnx_weights import read_weights
from icf.models.training.start import folded_norms
from icf.stores.files import replace_file


def write_like(template: Path, network: nn.Module, path: Path) -> None:
    """Write a network as ONNX, with the graph of a file of the same architecture.

    Args:
        template: the ONNX file, written by `icf.models.training.export.to_onnx`.
        network: with the weights that the new file gets.
        path: the new file.

    Raises:
        BadModel: the file cannot be read, or has not all weights of the network.
    """
    import onnx

    weights = _as_exported(network, read_weights(template))
    model = onnx.load(template)
    put = []
    for tensor in model.graph.initializer:
        value = weights.pop(tensor.name, None)
        if value is None:
            continue  # a constant of the graph
        if list(value.shape) != list(tensor.dims):
            raise BadModel(f"{template} has another {tensor.name} than the network")
        tensor.CopyFrom(onnx.numpy_helper.from_array(value, tensor.name))
        put.append(value)
    for name, value in weights.items():
        # The exporter stores weights that are alike once, such as a mean and a
        # standard deviation of 127.5.
        if not any(np.array_equal(value, each) for each in put):
            raise BadModel(f"{template} has no {name}")
    replace_file(path, [model.SerializeToString()])


def _as_exported(
    network: nn.Module, names: Collection[str]
) -> dict[str, NDArray[np.float32]]:
    """Return a network's weights as the exporter names them, with norms folded."""
    state = network.state_dict()
    found = {
        key: value
        for key, value in state.items()
        if not key.endswith(".num_batches_tracked")
    }
    for name, norm in folded_norms(network, names).items():
        own = {
            leaf: found.pop(f"{name}.{leaf}")
            for leaf in ("weight", "bias", "running_mean", "running_var")
        }
        by = own["weight"] / torch.sqrt(own["running_var"] + norm.eps)
        weight = found[f"{norm.layer}.weight"]
        layer = network.get_submodule(norm.layer)
        # A transposed convolution has its outputs on the second axis.
        axis = int(isinstance(layer, nn.ConvTranspose2d))
        shape = [-1 if each == axis else 1 for each in range(weight.ndim)]
        found[f"{norm.layer}.weight"] = weight * by.view(shape)
        found[norm.bias] = own["bias"] - own["running_mean"] * by
    return {
        key: np.ascontiguousarray(value.detach().cpu().float().numpy())
        for key, value in found.items()
    }

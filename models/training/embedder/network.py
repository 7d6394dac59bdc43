"""The network of an embedder's training: made, started, frozen, divided into groups."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from icf.errors import BadModel, WrongUse
from icf.models.cards import ModelCard
from icf.models.networks import create
from icf.models.networks.embedder import PooledEmbedder
from icf.models.networks.mobilenet import load_mobilenet
from icf.models.networks.published_weights import load_backbone
from icf.models.runtime.network import cpu_session
from icf.models.training.embedder.config import NetworkSettings
from icf.models.training.start import Start
from icf.models.training.task import Group

#: The part of an embedder's training that is the result.
PART = "net"
#: Lowest cosine of what the start model gives in PyTorch and in ONNX Runtime.
_EQUAL = 0.9999


def of_start(settings: NetworkSettings, card: ModelCard) -> NetworkSettings:
    """Return the settings with the network of a start model."""
    own = {key: card.parameters.get(key) for key in ("dim", "side")}
    options = {k: None if v is None else int(v) for k, v in own.items()}
    return settings.model_copy(update={"name": card.network, **options})


def options_of(settings: NetworkSettings) -> dict[str, int]:
    """Return what the network is made with; nothing where it is not given."""
    given = {"dim": settings.dim, "side": settings.side}
    return {key: value for key, value in given.items() if value is not None}


def make_network(
    settings: NetworkSettings, seed: int, start: Start | None
) -> nn.Module:
    """Make the network with its first weights.

    Args:
        settings: of the network.
        seed: of random weights.
        start: the model whose weights it takes.

    Raises:
        BadModel: there is no such network, or the weights are another one's.
        WrongUse: a package is missing, or the options do not fit the network.
    """
    torch.manual_seed(seed)
    options = options_of(settings)
    try:
        network = create(settings.name, **options)
    except TypeError as error:
        own = [
            f"network.{key} = {options[key]}" for key in options if key in str(error)
        ]
        if not own:
            raise BadModel(
                f"cannot make the network {settings.name}: {error}"
            ) from error
        raise WrongUse(
            f"{', '.join(own)}: the network {settings.name} has a fixed one; leave it "
            "out, or name another network with network.name"
        ) from error
    if start is not None:
        start.load_into(network, PART)
        _check_equal(network, start)
    elif settings.weights:
        path = Path(settings.weights).expanduser()
        if isinstance(network, PooledEmbedder):
            load_mobilenet(path, network.early, network.late)
        else:
            load_backbone(network, path)
    for layer in _frozen_layers(network, settings):
        layer.requires_grad_(False)
    return network


def training_mode(network: nn.Module, settings: NetworkSettings) -> None:
    """Switch to training, but for frozen modules and frozen norms."""
    network.train()
    for layer in _frozen_layers(network, settings):
        layer.eval()
    if settings.frozen_norms:
        for module in network.modules():
            if isinstance(module, _BatchNorm):
                module.eval()


def groups_of(network: nn.Module, settings: NetworkSettings) -> Iterator[Group]:
    """Yield the parameters of the body, and those of the rest."""
    body: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            (body if name.startswith(_below(settings)) else rest).append(parameter)
    if settings.body_rate:
        yield Group(body, settings.body_rate)
    yield Group(rest)


def _frozen_layers(network: nn.Module, settings: NetworkSettings) -> list[nn.Module]:
    """Return the first layers of the body, which find edges and colours."""
    layers = [
        module
        for name, module in network.named_modules()
        if name.startswith(_below(settings)) and module._parameters
    ]
    return layers[: round(settings.frozen * len(layers))]


def _below(settings: NetworkSettings) -> tuple[str, ...]:
    return tuple(f"{name}." for name in settings.body)


def _check_equal(network: nn.Module, start: Start) -> None:
    """Check that the network gives what the start model's ONNX file gives.

    Raises:
        BadModel: it does not: its norms were folded in a way that is not known.
    """
    session = cpu_session(start.path)
    [taken] = session.get_inputs()
    crops = torch.rand(2, *taken.shape[1:], generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        ours = network.eval()(255 * crops).numpy()
    theirs = session.run(None, {taken.name: 255 * crops.numpy()})[0]
    lengths = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    worst = float(((ours * theirs).sum(1) / np.maximum(lengths, 1e-12)).min())
    if not worst >= _EQUAL:
        raise BadModel(
            f"{start.path} cannot be trained further: as a {start.card.network} its "
            f"weights give other embeddings than the file (cosine {worst:.4f})"
        )

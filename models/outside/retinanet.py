"""torchvision's RetinaNet from a state dict, for cartoon and human faces."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from icf.errors import BadModel
from icf.models.formats.outside import ONE_VIEW, Published
from icf.models.networks import create
from icf.models.networks.detector_base import INPUT, DetectorNetwork
from icf.models.networks.published_weights import read_state
from icf.models.networks.retinanet import RetinaNet
from icf.models.outside.converted import Converted
from icf.models.training.detector.export import export

#: Side of the pictures: torchvision's 800 x 1333 is three times the work of this.
_SIDE = 800
_MIN_SCORE = 0.5
_CLASSES = "head.classification_head.cls_logits"
#: Anchors of a place: of three sizes in three shapes.
_ANCHORS = 9
#: Logit of a class that the weights do not know: its probability is 2e-9.
_NEVER = -20.0
#: torchvision's label 0 is the background, also where sigmoids need none.
_WITH_BACKGROUND = 2


def convert(path: Path, given: Mapping[str, float], folder: Path) -> Converted:
    """Write the detector as ONNX.

    Args:
        path: the state dict of ``retinanet_resnet50_fpn``, its second version, or the
            same on a ResNet-18 or -101.
        given: numbers for the card; of these ``cartoon`` and ``human`` are the labels
            of the faces, as the weights were trained on.
        folder: for the ONNX file.

    Raises:
        BadModel: the weights are of another network, or it is not known which of its
            classes are faces.
    """
    name, network, kinds = network_of(path, given)
    weights = folder / f"{path.stem}.onnx"
    export(cast(DetectorNetwork, network), weights)
    parameters = {
        "min_score": _MIN_SCORE,
        "side": float(_SIDE),
        **ONE_VIEW,
        "cartoon": float(kinds[0]),
        "human": float(kinds[1]),
    }
    return Converted(
        weights,
        network.format,
        name,
        network.architecture,
        Published(
            "detect",
            parameters,
            INPUT,
        ),
    )


def network_of(
    path: Path, given: Mapping[str, float]
) -> tuple[str, RetinaNet, tuple[int, int]]:
    """Return a network with the weights of a file.

    Args:
        path: the state dict.
        given: as for `convert`.

    Returns:
        Its name in `icf.models.networks`; the network, of cartoon and human faces; the
        labels of these in the file, -1 for none.

    Raises:
        BadModel: as `convert` does.
    """
    state = read_state(path)
    if f"{_CLASSES}.weight" not in state:
        raise BadModel(
            f"{path.name} has no {_CLASSES}.weight: it is no RetinaNet of torchvision"
        )
    classes = len(state[f"{_CLASSES}.weight"]) // _ANCHORS
    kinds = _kinds(path, classes, given)
    for name in (f"{_CLASSES}.weight", f"{_CLASSES}.bias"):
        if name not in state:
            raise BadModel(f"{path.name} has no {name}")
        fill = _NEVER if name.endswith("bias") else 0.0
        state[name] = _selected(state[name], classes, kinds, fill)
    name = _network(state)
    network = cast(RetinaNet, create(name))
    network.load_published(state)
    return name, network, kinds


def _kinds(path: Path, classes: int, given: Mapping[str, float]) -> tuple[int, int]:
    """The labels of cartoon and human faces; -1: it knows none."""
    if "cartoon" not in given and classes > _WITH_BACKGROUND:
        raise BadModel(
            f"{path.name} tells {classes} labels apart; say which are faces, as in "
            "--parameter cartoon=1 --parameter human=2"
        )
    cartoon = int(given.get("cartoon", classes - 1))
    human = int(given.get("human", -1))
    for label in (cartoon, human):
        if not -1 <= label < classes:
            raise BadModel(
                f"{path.name} tells the labels 0 to {classes - 1} apart; there is no "
                f"{label}"
            )
    if cartoon == human:
        raise BadModel(
            f"cartoon and human are both {cartoon}; expected two labels, or -1 for one "
            "that it does not know"
        )
    return cartoon, human


def _selected(
    values: Tensor, classes: int, labels: tuple[int, int], fill: float
) -> Tensor:
    """The rows of two labels, for each anchor; ``fill`` for a label of -1."""
    by_anchor = values.reshape(_ANCHORS, classes, *values.shape[1:])
    rows = [
        by_anchor[:, label] if label >= 0 else torch.full_like(by_anchor[:, 0], fill)
        for label in labels
    ]
    return torch.stack(rows, 1).flatten(0, 1)


def _network(state: Mapping[str, Tensor]) -> str:
    """The name of the network that has these weights."""
    body = "backbone.body."
    bottleneck = f"{body}layer1.0.conv3.weight" in state
    deep = f"{body}layer3.22.conv1.weight" in state
    depth = (101 if deep else 50) if bottleneck else 18
    second = f"{_CLASSES.rpartition('.')[0]}.conv.0.1.weight" in state
    name = f"retinanet-resnet{depth}{'-v2' if second else ''}"
    if name not in ("retinanet-resnet50", "retinanet-resnet50-v2") and not second:
        raise BadModel(
            f"a RetinaNet of the first recipe on a ResNet-{depth} is not known; known "
            "are ResNet-50, and of the second recipe also ResNet-18 and -101"
        )
    return name

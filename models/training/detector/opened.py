"""A network in training as the detector that the filter would run."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from icf.models.cards import ModelCard
from icf.models.detection import Detector
from icf.models.formats.base import FORMATS
from icf.models.networks.detector_base import DetectorNetwork
from icf.models.runtime.network import Array, Network

#: Pictures at a time on a GPU.
_ON_GPU = 16


def as_detector(network: DetectorNetwork, card: ModelCard) -> Detector:
    """Run a network as a detector; views, tiles and suppression are the filter's.

    Args:
        network: in evaluation mode, on its device.
        card: its parameters say how pictures are shown.
    """
    device = next(network.parameters()).device
    gpu = device.type == "cuda"

    @torch.inference_mode()
    def run(batch: NDArray[np.float32]) -> list[Array]:
        pictures = torch.from_numpy(batch).to(device)
        pictures = pictures.to(memory_format=torch.channels_last)
        return [output.float().cpu().numpy() for output in network(pictures)]

    shapes = (None, None, 2), (None, None, 4)
    opened = Network(
        "pytorch", (None, 3, None, None), shapes, run, _ON_GPU if gpu else 1
    )
    form = FORMATS.load(network.format)
    return Detector(form(opened), card)

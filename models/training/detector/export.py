"""Write a detector as ONNX, and check that it gives the same numbers."""

from __future__ import annotations

from pathlib import Path

import torch

from icf.models.networks.detector_base import DetectorNetwork
from icf.models.training.export import export_checked

#: The largest difference of an output, relative to the largest number of that output.
TOLERANCE = 1e-4
#: Batches on which the file is compared: pictures, height, width.
_SHAPES = ((2, 128, 192), (1, 64, 64), (3, 320, 128))
#: A side is at most this many times 64: without a bound, PyTorch cannot prove shapes.
_LONGEST = 200


def export(
    network: DetectorNetwork,
    path: Path,
    max_bytes: int | None = None,
    like: Path | None = None,
) -> None:
    """Write the network as ONNX and check the outputs.

    The file takes any batch of pictures whose sides are multiples of 64.

    Args:
        network: with its trained weights.
        path: the file.
        max_bytes: the most that it may have.
        like: an ONNX file whose graph is tried first: it saves most of the time.

    Raises:
        BadModel: the file is too large, or gives other numbers.
    """
    network.eval()
    generator = torch.Generator().manual_seed(0)
    batches = [
        torch.randint(0, 256, (n, 3, height, width), generator=generator).float()
        for n, height, width in _SHAPES
    ]
    height, width = (torch.export.Dim(name, max=_LONGEST) for name in ("h", "w"))
    dynamic = {0: torch.export.Dim("n"), 2: 64 * height, 3: 64 * width}
    outputs = ["logits", "offsets"]
    export_checked(network, batches, dynamic, outputs, path, TOLERANCE, max_bytes, like)

"""Group norm whose weights an ONNX file keeps under their names."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class NamedGroupNorm(nn.GroupNorm):
    """`torch.nn.GroupNorm`; weights, numbers and gradients are the same.

    ONNX before opset 21 has no group norm. The exporter writes it as several operations
    and stores weight and bias reshaped, without their names, so that they could not be
    read back out of the file. Here the affine part is exported as a batch norm with
    mean 0 and variance 1, which takes both as they are.
    """

    def forward(self, maps: Tensor) -> Tensor:
        """Normalise n x channels x h x w."""
        if not torch.compiler.is_exporting():
            return super().forward(maps)
        normal = functional.group_norm(maps, self.num_groups, eps=self.eps)
        zeros, ones = (torch.full_like(self.weight, value) for value in (0.0, 1.0))
        return functional.batch_norm(
            normal, zeros, ones, self.weight, self.bias, eps=0.0
        )

"""Class centres from one round to the next: identities come, merge, split and go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from icf.errors import BadInput

#: How far the centres of one new class start apart, as a share of their length.
_APART = 0.1


def carried_centres(
    before: Tensor,
    names_before: Sequence[str],
    names: Sequence[str],
    means: Tensor,
    merged: Mapping[str, Mapping[str, float]] | None = None,
) -> Tensor:
    """Return the centres with which the next training starts.

    - An identity that was there keeps its centre; of a split one that is the part which
      keeps the name.
    - A merged one starts from the mean of the unit centres of its parts, by their
      weights; parts that were not there do not count.
    - A new one starts from the mean of its faces' embeddings, as long as centres are
      in the mean. Of several centres of a class each starts a little apart, since equal
      ones would stay equal.

    Args:
        before: centres of the last training, classes x dim, or classes x K x dim.
        names_before: their identities.
        names: identities of the next training.
        means: mean embedding of each identity's faces, in the order of ``names``; read
            for new identities only, and brought to unit length.
        merged: by the name of an identity, its parts and their numbers of faces. Given
            for a name that was there before, it comes first.

    Raises:
        BadInput: a new identity has a mean without a direction.
    """
    row = {name: number for number, name in enumerate(names_before)}
    long = before.norm(dim=-1)
    mean_length = long.mean() if len(before) else before.new_ones(())
    result = before.new_empty(len(names), *before.shape[1:])
    for number, name in enumerate(names):
        parts = {p: w for p, w in (merged or {}).get(name, {}).items() if p in row}
        if parts:
            result[number] = _mean(before, [row[p] for p in parts], [*parts.values()])
        elif name in row:
            result[number] = before[row[name]]
        else:
            result[number] = mean_length * _direction(name, means[number]).to(before)
    new = [k for k, name in enumerate(names) if not _is_carried(name, row, merged)]
    if before.ndim == 3 and new:
        generator = torch.Generator().manual_seed(0)
        noise = torch.randn(len(new), *before.shape[1:], generator=generator)
        noise /= before.shape[-1] ** 0.5
        result[new] += _APART * mean_length * noise.to(before)
    return result


def _is_carried(
    name: str,
    row: Mapping[str, int],
    merged: Mapping[str, Mapping[str, float]] | None,
) -> bool:
    return name in row or any(part in row for part in (merged or {}).get(name, {}))


def _mean(before: Tensor, rows: list[int], weights: list[float]) -> Tensor:
    """Return the weighted mean of unit centres, with the weighted mean of lengths."""
    shares = before.new_tensor(weights)
    shares = (shares / shares.sum()).view(-1, *[1] * (before.ndim - 1))
    parts = before[rows]
    lengths = parts.norm(dim=-1, keepdim=True)
    middle = (shares * parts / lengths.clamp(min=1e-12)).sum(0)
    length = (shares * lengths).sum(0)
    mean: Tensor = length * middle / middle.norm(dim=-1, keepdim=True).clamp(min=1e-12)
    return mean


def _direction(name: str, mean: Tensor) -> Tensor:
    length = mean.norm()
    if not (torch.isfinite(length) and length > 0):
        raise BadInput(
            f"the mean embedding of {name!r} has no direction: it has no faces, or "
            "their embeddings are broken"
        )
    direction: Tensor = mean / length
    return direction

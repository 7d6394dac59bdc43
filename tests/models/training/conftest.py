"""Graphs that are traced once: it takes longer than a small training."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor, nn

from icf.errors import BadModel
from icf.models.training import export as exporting
from icf.models.training.export import MAX_BYTES, to_onnx
from icf.models.training.refill import write_like

Traced = Callable[..., None]


@pytest.fixture(scope="session")
def traced_once(tmp_path_factory: pytest.TempPathFactory) -> Traced:
    """`to_onnx`, which puts the weights of the same layers into their first graph."""
    folder = tmp_path_factory.mktemp("graphs")
    graphs: dict[str, Path] = {}

    def written(
        network: nn.Module,
        example: Tensor,
        dynamic: Mapping[int, Any],
        outputs: Sequence[str],
        path: Path,
        max_bytes: int | None = MAX_BYTES,
    ) -> None:
        layers = f"{network} {example.shape} {dynamic} {outputs} {max_bytes}"
        if layers in graphs:
            try:
                write_like(graphs[layers], network, path)
                return
            except BadModel:  # weights that were alike had been stored once
                pass
        to_onnx(network, example, dynamic, outputs, path, max_bytes)
        graphs[layers] = Path(shutil.copy(path, folder / f"{len(graphs)}.onnx"))

    return written


@pytest.fixture
def known_graphs(monkeypatch: pytest.MonkeyPatch, traced_once: Traced) -> None:
    """For tests of what is trained, and not of its export."""
    monkeypatch.setattr(exporting, "to_onnx", traced_once)

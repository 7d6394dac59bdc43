"""Models and stores of the steps, opened once per process and shared by its threads.

A step holds only paths and numbers, so that it can be sent to another machine; it gets
the models and stores from here.
"""

from __future__ import annotations

import functools
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from icf.models.cards import bundled_path
from icf.models.detection import Detector
from icf.models.photo import PhotoJudge
from icf.models.runtime.network import Device, Runtime
from icf.stores.blobs import BlobStore
from icf.stores.vectors import VectorStore

if TYPE_CHECKING:
    from icf.models.embedding import Embedder
    from icf.workspace import Workspace

DETECTOR, EMBEDDER = bundled_path("detector"), bundled_path("embedder")

# Without it, several threads would each load the model at the start.
_opening = threading.Lock()


def detector(
    runtime: Runtime = "onnxruntime", device: Device = "auto", model: Path = DETECTOR
) -> Detector:
    """The detector in ``model``."""
    with _opening:
        return _detector(runtime, device, model, _file(model))


def embedder(
    runtime: Runtime = "onnxruntime", device: Device = "auto", model: Path = EMBEDDER
) -> Embedder:
    """The embedder in ``model``."""
    with _opening:
        return _embedder(runtime, device, model, _file(model))


def _file(model: Path) -> tuple[int, int] | None:
    """Which file stands there: a training may write another one in its place."""
    try:
        status = model.stat()
    except OSError:
        return None  # Opening it says what is wrong.
    return status.st_ino, status.st_mtime_ns


def chosen_embedder(workspace: Workspace) -> Embedder:
    """The embedder that the settings of a workspace name."""
    # Not above: worker processes, which start more quickly so, have no workspace.
    from icf.models.registry.resolve import model_path

    wanted = workspace.settings.filter
    model = model_path(workspace, "embedder")
    return embedder(wanted.runtime, wanted.device, model)


def photo_judge() -> PhotoJudge:
    """The bundled judge of photographs."""
    with _opening:
        return _photo_judge()


@functools.cache
def blobs(url: str) -> BlobStore:
    """The blob store at ``url``."""
    return BlobStore(url)


@functools.cache
def vectors(folder: Path) -> VectorStore:
    """The vector store in ``folder``."""
    return VectorStore(folder)


@functools.cache
def _detector(
    runtime: Runtime, device: Device, model: Path, file: tuple[int, int] | None
) -> Detector:
    return Detector.open(model, runtime=runtime, device=device)


@functools.cache
def _photo_judge() -> PhotoJudge:
    return PhotoJudge.bundled()


@functools.cache
def _embedder(
    runtime: Runtime, device: Device, model: Path, file: tuple[int, int] | None
) -> Embedder:
    # Nor this: pictures are embedded in threads of the program.
    from icf.models.embedding import Embedder

    return Embedder.open(model, runtime=runtime, device=device)

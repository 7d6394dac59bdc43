"""What steps work with, opened once in each process and shared by its threads.

A step holds only paths and numbers, so that it can be sent to another machine; it asks
here for the models and stores behind them.
"""

from __future__ import annotations

import functools
import threading
from pathlib import Path

from icf.models.detection import Detector
from icf.models.embedding import Embedder
from icf.models.photo import PhotoJudge
from icf.models.runtime.network import Device, Runtime
from icf.stores.blobs import BlobStore
from icf.stores.vectors import VectorStore

# Threads that all ask first would each load a model of their own.
_opening = threading.Lock()


def detector(runtime: Runtime = "onnxruntime", device: Device = "auto") -> Detector:
    """The bundled detector."""
    with _opening:
        return _detector(runtime, device)


def embedder(runtime: Runtime = "onnxruntime", device: Device = "auto") -> Embedder:
    """The bundled embedder."""
    with _opening:
        return _embedder(runtime, device)


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
def _detector(runtime: Runtime, device: Device) -> Detector:
    return Detector.bundled(runtime, device)


@functools.cache
def _photo_judge() -> PhotoJudge:
    return PhotoJudge.bundled()


@functools.cache
def _embedder(runtime: Runtime, device: Device) -> Embedder:
    return Embedder.bundled(runtime, device)

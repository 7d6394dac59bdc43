"""Check this machine and the models.

Nothing heavy is imported and no model is opened: versions are read from what is
installed, and a model's file is compared with its card.
"""

from __future__ import annotations

import ctypes
import importlib.metadata
import importlib.util
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

from icf.app.doctor.check import Check, State, attempt
from icf.models.cards import bundled_path, chosen_path, verified, weights_path
from icf.settings import FilterSettings

#: Packages, and the distributions that they may come from.
_PACKAGES = {
    "onnxruntime": ("onnxruntime", "onnxruntime-gpu"),
    "faiss": ("faiss-cpu", "faiss-gpu", "faiss-gpu-cu12"),
    "torch": ("torch",),
    "ray": ("ray",),
}


def check_machine() -> Iterator[Check]:
    """Check Python, processors, packages and GPU."""
    python = platform.python_version()
    yield Check("python", "ok" if sys.version_info >= (3, 10) else "broken", python)
    yield Check("processors", "ok", str(len(os.sched_getaffinity(0))))
    for module, distributions in _PACKAGES.items():
        yield _package(module, distributions)
    yield Check("gpu", "ok", _gpu())


def check_models(settings: FilterSettings, root: Path) -> Iterator[Check]:
    """Compare the models that the settings name with their cards."""
    for name, chosen, task in (
        ("detector", settings.detector, "detect"),
        ("embedder", settings.embedder, "embed"),
    ):
        yield attempt(
            name,
            lambda name=name, chosen=chosen, task=task: (
                verified(  # type: ignore[misc]
                    weights_path(chosen_path(chosen, name, root)), task, frozenset()
                ).sha256
            ),
        )
    photo = bundled_path("photo")
    yield attempt("photo", lambda: verified(photo, "judge", frozenset()).sha256)


def _package(module: str, distributions: tuple[str, ...]) -> Check:
    if importlib.util.find_spec(module) is None:
        state: State = "warning" if module == "ray" else "broken"
        return Check(module, state, "not installed")
    for name in distributions:
        try:
            return Check(module, "ok", f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return Check(module, "ok", "installed")


def _gpu() -> str:
    """The name of the first GPU, as the driver gives it."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
        name = ctypes.create_string_buffer(128)
        # The order matters: the driver is initialised, then asked for its first GPU.
        if driver.cuInit(0) == driver.cuDeviceGetName(name, len(name), 0) == 0:
            return name.value.decode(errors="replace")
    except (OSError, AttributeError):
        pass
    return "none: models run on the CPU"

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
from functools import partial

from icf.app.doctor.check import Check, State, attempt
from icf.errors import BrokenMachine
from icf.models.cards import bundled_path, verified, weights_path
from icf.models.registry.resolve import model_path
from icf.models.registry.tasks import ON_CARDS, TASKS, Task
from icf.workspace import Workspace

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


def check_models(workspace: Workspace | None) -> Iterator[Check]:
    """Compare the models that a workspace uses with their cards.

    Args:
        workspace: whose settings name them; None: the bundled ones.
    """
    for task in TASKS:
        try:
            yield attempt(task, partial(_sha256, workspace, task))
        except _Unread:
            unread = "not known: the catalogue, which says which it is, cannot be read"
            yield Check(task, "warning", unread)
    photo = bundled_path("photo")
    yield attempt("photo", lambda: verified(photo, "judge", frozenset()).sha256)


class _Unread(Exception):
    """The catalogue does not answer; a check of its own says so."""


def _sha256(workspace: Workspace | None, task: Task) -> str:
    try:
        chosen = model_path(workspace, task) if workspace else bundled_path(task)
    except BrokenMachine as error:
        raise _Unread from error
    return verified(weights_path(chosen), ON_CARDS[task], frozenset()).sha256


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

"""`icf doctor`: check that everything that the commands need is available."""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import click

from icf.command import Invocation, example, pass_invocation, shared_options, table
from icf.errors import IcfError
from icf.settings import FilterSettings
from icf.workspace import Workspace, root_of

State = Literal["ok", "warning", "broken"]

#: Free bytes on the disk below which there is a warning.
LOW_DISK = 2_000_000_000


@dataclass(frozen=True)
class Check:
    """One check and its result."""

    name: str
    state: State
    found: str


@click.command()
@shared_options
@pass_invocation
@example("icf doctor")
def doctor(invocation: Invocation) -> None:
    """Check this machine, the models and the workspace.

    Exits with 1 if anything is broken; the commands work despite warnings.
    """
    checks = [*_machine(), *_models(invocation), *_workspace(invocation)]
    invocation.emit(
        {"checks": [asdict(check) for check in checks]},
        lambda: table(
            ("check", "state", "found"), [(c.name, c.state, c.found) for c in checks]
        ),
    )
    broken = [check.name for check in checks if check.state == "broken"]
    if broken:
        raise IcfError(f"broken: {', '.join(broken)}; see the table above")


def _attempt(name: str, check: Callable[[], str]) -> Check:
    try:
        return Check(name, "ok", check())
    except (IcfError, OSError, ImportError) as error:
        return Check(name, "broken", str(error))


def _machine() -> Iterator[Check]:
    python = platform.python_version()
    yield Check("python", "ok" if sys.version_info >= (3, 10) else "broken", python)
    yield Check("processors", "ok", str(len(os.sched_getaffinity(0))))
    for package in ("onnxruntime", "faiss", "torch", "ray"):
        yield _package(package)
    yield _attempt("gpu", _gpu)


def _package(module: str) -> Check:
    if importlib.util.find_spec(module) is None:
        state: State = "warning" if module == "ray" else "broken"
        return Check(module, state, "not installed")
    names = importlib.metadata.packages_distributions().get(module, [module])
    return Check(module, "ok", f"{names[0]} {importlib.metadata.version(names[0])}")


def _gpu() -> str:
    import torch

    if torch.cuda.is_available():
        return str(torch.cuda.get_device_name(0))
    return "none: models run on the CPU"


def _models(invocation: Invocation) -> Iterator[Check]:
    from icf.models.cards import chosen_path
    from icf.models.detection import Detector
    from icf.models.embedding import Embedder
    from icf.models.photo import PhotoJudge

    wanted, root = FilterSettings(), Path.cwd()
    with contextlib.suppress(IcfError):  # outside of a workspace; checked below
        wanted, root = invocation.workspace.settings.filter, invocation.workspace.root
    detector = chosen_path(wanted.detector, "detector", root)
    embedder = chosen_path(wanted.embedder, "embedder", root)
    yield _attempt("detector", lambda: Detector.open(detector).model_hash)
    yield _attempt("embedder", lambda: Embedder.open(embedder).model_hash)
    yield _attempt("photo", lambda: PhotoJudge.bundled().model_hash)


def _workspace(invocation: Invocation) -> Iterator[Check]:
    try:
        workspace = invocation.workspace
    except IcfError as error:
        nowhere = root_of(invocation.directory or Path.cwd()) is None
        yield Check("workspace", "warning" if nowhere else "broken", str(error))
        return
    yield Check("workspace", "ok", str(workspace.root))
    yield _attempt("catalogue", lambda: _catalogue(workspace))
    yield _attempt("writable", lambda: _writable(workspace.root))
    free = shutil.disk_usage(workspace.root).free
    state: State = "ok" if free > LOW_DISK else "warning"
    yield Check("free disk", state, f"{free / 1e9:.1f} GB")


def _catalogue(workspace: Workspace) -> str:
    revision, _ = workspace.catalogue.revisions()
    return f"{workspace.catalogue.dialect}, revision {revision}"


def _writable(root: Path) -> str:
    probe = root / ".icf-doctor"
    probe.write_bytes(b"")
    probe.unlink()
    return "yes"

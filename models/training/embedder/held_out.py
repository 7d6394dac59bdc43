"""Which identities are trained on, and which are held out for the card's figures.

Whether an identity is held out follows from its name and a seed: it does not depend on
the others, so a model that is trained further in a later round has never seen those
that it is measured on. Identities that share pictures go by the first of their names.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from icf.models.data.index import UNKNOWN, DataIndex
from icf.models.training.embedder.config import HeldOutSettings

Numbers = NDArray[np.intp]

#: Identities that figures need at least, and that training needs at least.
_LEAST = 2


@dataclass(frozen=True, eq=False)
class Division:
    """Faces with a known identity, divided.

    Attributes:
        trained: faces to train on, numbers of the index.
        held_out: faces to measure on: of identities that have two faces or more; empty
            where there are too few identities to hold any out.
    """

    trained: Numbers
    held_out: Numbers


def divide(index: DataIndex, settings: HeldOutSettings) -> Division:
    """Divide the faces of an index by identity.

    Identities that share a group of pictures, such as near-duplicates, stay on one
    side.

    Args:
        index: the data.
        settings: which share, and which seed.
    """
    faces = np.flatnonzero(~index.ignored & (index.identity != UNKNOWN))
    identity = index.identity[faces]
    family = _families(identity, index.group[index.picture[faces]])
    names = [stable_name(index, number) for number in range(len(index.identities))]
    known = np.unique(identity)
    first: dict[int, str] = {}
    for number in known:
        name = names[number]
        first[family[number]] = min(name, first.get(family[number], name))
    place = np.ones(len(names))
    for number, name in first.items():
        place[number] = _place(name, settings.seed)
    counts = np.bincount(identity, minlength=len(names))
    chosen = known[place[family[known]] < settings.share]
    out = np.isin(identity, chosen)
    measurable = out & (counts[identity] > 1)
    enough = len(np.unique(identity[measurable])) >= _LEAST
    if not enough or len(known) - len(chosen) < _LEAST:
        return Division(faces, faces[:0])
    return Division(faces[~out], faces[measurable])


def stable_name(index: DataIndex, identity: int) -> str:
    """Return an identity's name without the place of its source.

    A workspace or folder that was moved has the same identities.
    """
    name = index.identities[identity]
    for number, source in enumerate(index.sources):
        start = f"{source.reader.name}/"
        if name.startswith(start):
            alike = [s.reader.kind == source.reader.kind for s in index.sources]
            nth = sum(alike[:number])
            kind = source.reader.kind + (f"-{nth + 1}" if nth else "")
            return f"{kind}/{name.removeprefix(start)}"
    return name


def _place(name: str, seed: int) -> float:
    """Return a number from 0 to 1 that stands for a name."""
    digest = hashlib.sha256(f"{seed} {name}".encode()).digest()
    return int.from_bytes(digest[:8], "little") / 2**64


def _families(identity: NDArray[np.int32], group: NDArray[np.int32]) -> Numbers:
    """Return for each identity the first of those it shares groups with, in a chain."""
    parent = np.arange(int(identity.max(initial=-1)) + 1, dtype=np.intp)

    def root(number: int) -> int:
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = int(parent[number])
        return number

    pairs = np.unique(np.stack([group, identity], 1), axis=0)
    same = pairs[1:, 0] == pairs[:-1, 0]
    for (_, one), (_, other) in zip(pairs[:-1][same], pairs[1:][same], strict=True):
        a, b = root(int(one)), root(int(other))
        parent[max(a, b)] = min(a, b)
    return np.array([root(number) for number in range(len(parent))], np.intp)

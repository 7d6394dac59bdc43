"""The pairs of ``pairs.txt``, as Labeled Faces in the Wild has them, and the files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

#: As in LFW; fewer where there are not enough pictures.
FOLDS, PAIRS = 10, 300


@dataclass(frozen=True)
class Face:
    """A picture of one identity.

    Attributes:
        name: the identity's folder.
        number: of the picture there, from 1 on.
    """

    name: str
    number: int

    @property
    def file(self) -> Path:
        """Where the picture is."""
        return Path("lfw", self.name, f"{self.name}_{self.number:04d}.jpg")


def faces_of(labels: Iterable[int]) -> Iterator[Face]:
    """Name the picture of each test face, by its label; -1 is a distractor."""
    count: dict[str, int] = {}
    alone = 0
    for label in labels:
        name = f"identity_{label:05d}"
        if label < 0:
            name, alone = f"distractor_{alone:05d}", alone + 1
        count[name] = count.get(name, 0) + 1
        yield Face(name, count[name])


@dataclass(frozen=True)
class Fold:
    """The pairs of some identities.

    Attributes:
        same: two pictures of one identity each.
        different: pictures of two identities each.
    """

    same: Sequence[tuple[Face, Face]]
    different: Sequence[tuple[Face, Face]]


def make_folds(count: Mapping[str, int]) -> list[Fold]:
    """Choose pairs, equally many of both kinds in each fold.

    Args:
        count: pictures of each identity.

    Returns:
        `FOLDS` with `PAIRS` of each kind, or as many as there are pictures for; the
        same whatever the order of the identities.
    """
    names = sorted(count, key=_hash)
    several = [name for name in names if count[name] > 1]
    alone = [name for name in names if count[name] == 1]
    for folds in range(FOLDS, 0, -1):
        made = [
            _fold([*several[fold::folds], *alone[fold::folds]], count)
            for fold in range(folds)
        ]
        pairs = min(min(len(each.same), len(each.different)) for each in made)
        if pairs:
            return [Fold(each.same[:pairs], each.different[:pairs]) for each in made]
    return []


def pairs_file(count: Mapping[str, int]) -> Iterator[str]:
    """Yield the lines of ``pairs.txt``.

    Args:
        count: pictures of each identity.
    """
    folds = make_folds(count)
    yield f"{len(folds)}\t{len(folds[0].same) if folds else 0}\n"
    for fold in folds:
        for one, other in fold.same:
            yield f"{one.name}\t{one.number}\t{other.number}\n"
        for one, other in fold.different:
            yield f"{one.name}\t{one.number}\t{other.name}\t{other.number}\n"


def _fold(names: Sequence[str], count: Mapping[str, int]) -> Fold:
    faces = [Face(name, number + 1) for name in names for number in range(count[name])]
    faces.sort(key=lambda each: _hash(f"{each.name}/{each.number}"))
    by_name: dict[str, list[Face]] = {name: [] for name in names}
    for each in faces:
        by_name[each.name].append(each)
    same = _pairs(list(by_name.values()), alike=True)
    return Fold(same, _pairs([faces], alike=False))


def _pairs(groups: Sequence[list[Face]], *, alike: bool) -> list[tuple[Face, Face]]:
    """Pair neighbours, then those two apart, and so on: no picture more than others."""
    found: list[tuple[Face, Face]] = []
    for apart in range(1, max(map(len, groups), default=0)):
        for faces in groups:
            pairs = zip(faces, faces[apart:], strict=False)
            found += [(a, b) for a, b in pairs if (a.name == b.name) is alike]
        if len(found) >= PAIRS:
            break
    return found[:PAIRS]


def _hash(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()

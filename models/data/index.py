"""All pictures and faces of several sources, as arrays.

A stream of Python objects takes kilobytes a picture; arrays take a hundred bytes, so
millions of pictures fit, and processes share them.
"""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from icf.errors import BadInput, WrongUse
from icf.models.data.base import LabelledFace, LabelledPicture, Reader, Skipped
from icf.models.data.shares import resolved_shares
from icf.models.data.skipped import SkippedCounts, SkippedFor

Integers = NDArray[np.int32]
Booleans = NDArray[np.bool_]

#: The identity of a face whose identity is not known.
UNKNOWN = -1

#: Of a picture's side; what is longer is as wrong.
_LONGEST = 2**31 - 1

_NO_BOX = (float("nan"),) * 4


@dataclass(frozen=True)
class Source:
    """A reader, and how much of what is trained on comes from it.

    Attributes:
        reader: reads it.
        share: above 0 and at most 1; None: in proportion to its size.
    """

    reader: Reader
    share: float | None = None


@dataclass(frozen=True, eq=False)
class Texts:
    """Many texts in two arrays.

    Attributes:
        data: all of them in UTF-8, one behind the other.
        ends: shape (n,), int64: where each ends.
    """

    data: NDArray[np.uint8]
    ends: NDArray[np.int64]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.ends)

    def __getitem__(self, number: int) -> str:
        """Return one."""
        start = int(self.ends[number - 1]) if number else 0
        return bytes(self.data[start : int(self.ends[number])]).decode()

    def select(self, numbers: NDArray[np.intp]) -> Texts:
        """Return some of them, in the order given."""
        starts = np.concatenate([[0], self.ends[:-1]])[numbers]
        ends = self.ends[numbers]
        data = self.data.data
        slices = zip(starts.tolist(), ends.tolist(), strict=True)
        joined = b"".join(data[start:end] for start, end in slices)
        return Texts(np.frombuffer(joined, np.uint8), np.cumsum(ends - starts))


@dataclass(frozen=True, eq=False)
class DataIndex:
    """The pictures of all sources, and their faces, n and m of them.

    Attributes:
        sources: what was read, in the order given.
        keys: for each picture its key within its reader.
        source: shape (n,), int32: which source a picture is from.
        complete: shape (n,): all its faces are labelled.
        checked: shape (n,): people looked at its boxes.
        group: shape (n,), int32: pictures of one number stay together, on one side of
            training and held-out data. A picture without a group is one by itself.
        stated: shape (n, 2), int32: the width and height that its source says it has;
            0 where it does not.
        first: shape (n + 1,), int64: the faces of picture i are ``first[i]`` to
            ``first[i + 1] - 1``.
        boxes: shape (m, 4), float32: x1, y1, x2, y2 in pixels of the upright picture;
            NaN where the whole picture is a crop of the face.
        human: shape (m,): the face is photographed, not drawn.
        ignored: shape (m,): neither a face to find nor background.
        identity: shape (m,), int32: a number below ``len(identities)``, or `UNKNOWN`.
        negatives: shape (k, 2), int32: a face, and an identity that it is not.
        identities: each as ``KIND:PATH/identity``, in order of appearance.
        skipped: what was left out.
    """

    sources: tuple[Source, ...]
    keys: Texts
    source: Integers
    complete: Booleans
    checked: Booleans
    group: Integers
    stated: Integers
    first: NDArray[np.int64]
    boxes: NDArray[np.float32]
    human: Booleans
    ignored: Booleans
    identity: Integers
    negatives: Integers
    identities: tuple[str, ...]
    skipped: tuple[SkippedFor, ...]

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.source)

    @property
    def picture(self) -> Integers:
        """Shape (m,), int32: the picture of each face."""
        counts = np.diff(self.first)
        return np.repeat(np.arange(len(self), dtype=np.int32), counts)

    def faces_of(self, picture: int) -> slice:
        """Return which faces a picture has."""
        return slice(int(self.first[picture]), int(self.first[picture + 1]))

    def read(self, picture: int) -> bytes:
        """Return the bytes of a picture.

        Raises:
            BadInput: they cannot be read.
        """
        reader = self.sources[int(self.source[picture])].reader
        return reader.read(self.keys[picture])

    def sha256(self, picture: int) -> str:
        """Return the SHA-256 of the bytes of a picture.

        Raises:
            BadInput: they cannot be read.
        """
        reader = self.sources[int(self.source[picture])].reader
        return reader.sha256(self.keys[picture])

    def shares(self, pictures: NDArray[np.intp] | None = None) -> NDArray[np.float64]:
        """Return, for each source, how much of what is trained on comes from it.

        Args:
            pictures: those that are trained on, one for each example; None: all.

        Returns:
            Shape (sources,), with the sum 1.

        Raises:
            WrongUse: the stated shares do not fit together.
        """
        source = self.source if pictures is None else self.source[pictures]
        counts = np.bincount(source, minlength=len(self.sources))
        return resolved_shares([each.share for each in self.sources], counts)

    def select(self, pictures: NDArray[np.intp] | Booleans) -> DataIndex:
        """Return some of the pictures with their faces, as an index of its own.

        The numbers of identities, groups and sources stay what they are.

        Args:
            pictures: their numbers, in the order wanted, or a mask.
        """
        some = np.arange(len(self))[pictures]
        counts = np.diff(self.first)[some]
        first = np.concatenate([[0], np.cumsum(counts)])
        shift = np.repeat(self.first[some] - first[:-1], counts)
        faces = np.arange(first[-1]) + shift
        new_number = np.full(len(self.identity), -1, np.int32)
        new_number[faces] = np.arange(len(faces))
        kept = new_number[self.negatives[:, 0]] >= 0
        negatives = self.negatives[kept]
        negatives[:, 0] = new_number[negatives[:, 0]]
        return replace(
            self,
            keys=self.keys.select(some),
            source=self.source[some],
            complete=self.complete[some],
            checked=self.checked[some],
            group=self.group[some],
            stated=self.stated[some],
            first=first,
            boxes=self.boxes[faces],
            human=self.human[faces],
            ignored=self.ignored[faces],
            identity=self.identity[faces],
            negatives=negatives,
        )

    def digest(self) -> str:
        """Return the SHA-256 of everything that training sees but the pixels.

        It does not depend on the machine, on folders' places or on files' times.
        """
        digest = hashlib.sha256()
        for values in self._arrays():
            digest.update(f"{values.dtype.str} {values.shape}\n".encode())
            digest.update(np.ascontiguousarray(values).data)
        for number, name in enumerate(self.identities):
            digest.update(f"{number} {self._without_place(name)}\n".encode())
        return digest.hexdigest()

    def check_identities(self, least: int = 2) -> None:
        """Raise unless faces of several identities are there, for an embedder.

        Raises:
            BadInput: fewer than ``least`` identities have a face.
        """
        known = np.unique(self.identity[~self.ignored & (self.identity != UNKNOWN)])
        if len(known) >= least:
            return
        names = _names(self.sources)
        if not len(known):
            raise BadInput(
                f"{names}: no face has an identity, so an embedder cannot be trained "
                "on it; a detector can"
            )
        few = ", ".join(repr(self.identities[number]) for number in known)
        raise BadInput(
            f"{names}: only {len(known)} of at least {least} identities ({few}); add "
            "data with others"
        )

    def check_boxes(self) -> None:
        """Raise unless a face has a box, for a detector.

        Raises:
            BadInput: none has.
        """
        if np.isnan(self.boxes[~self.ignored]).all():
            raise BadInput(
                f"{_names(self.sources)}: no face has a box, so a detector cannot be "
                "trained on it; an embedder can, where faces have identities"
            )

    def _arrays(self) -> tuple[NDArray[Any], ...]:
        keys = self.keys.data, self.keys.ends
        pictures = self.source, self.complete, self.checked, self.group, self.first
        faces = self.boxes, self.human, self.ignored, self.identity, self.negatives
        return (*keys, *pictures, *faces)

    def _without_place(self, identity: str) -> str:
        """Return an identity's name with its source's number in place of its name."""
        for number, source in enumerate(self.sources):
            if identity.startswith(f"{source.reader.name}/"):
                return f"{number}{identity.removeprefix(source.reader.name)}"
        return identity


def build_index(sources: Sequence[Source]) -> DataIndex:
    """Read all sources once.

    Args:
        sources: what to read, in the order in which its pictures are numbered.

    Raises:
        BadInput: a source is not what its kind promises, or none has a picture.
        WrongUse: a source is named twice.
    """
    names = Counter(source.reader.name for source in sources)
    if twice := [name for name, count in names.items() if count > 1]:
        raise WrongUse(f"--data names {twice[0]} twice; give it a share instead")
    builder = _Builder()
    skipped = SkippedCounts()
    for number, source in enumerate(sources):
        name = source.reader.name
        for each in source.reader.pictures():
            if isinstance(each, Skipped):
                skipped.add(name, each)
            else:
                builder.add(number, name, each)
    if not builder.source:
        why = "; ".join(map(str, skipped)) or "nothing is in it"
        raise BadInput(f"{_names(sources)}: there is no picture to train on: {why}")
    return builder.built(tuple(sources), tuple(skipped))


class _Builder:
    """Grows the arrays of an index."""

    def __init__(self) -> None:
        self.source = array("i")
        self._keys, self._ends = bytearray(), array("q")
        self._complete, self._checked = bytearray(), bytearray()
        self._group, self._group_count = array("i"), 0
        self._groups: dict[tuple[int, str], int] = {}
        self._stated = array("i")
        self._first = array("q", [0])
        self._boxes = array("f")
        self._human, self._ignored = bytearray(), bytearray()
        self._identity, self._negatives = array("i"), array("i")
        self._identities: dict[str, int] = {}

    def add(self, source: int, name: str, picture: LabelledPicture) -> None:
        self.source.append(source)
        self._keys += picture.key.encode()
        self._ends.append(len(self._keys))
        self._complete.append(picture.complete)
        self._checked.append(picture.checked)
        self._group.append(self._group_number(source, picture.group))
        self._stated.extend(min(side, _LONGEST) for side in picture.size or (0, 0))
        for face in picture.faces:
            self._add_face(name, face)
        self._first.append(len(self._identity))

    def _add_face(self, name: str, face: LabelledFace) -> None:
        number = len(self._identity)
        self._boxes.extend(face.box or _NO_BOX)
        self._human.append(face.kind == "human")
        self._ignored.append(face.ignored)
        known = face.identity is not None
        self._identity.append(self._number(name, face.identity) if known else UNKNOWN)
        for other in face.not_identities:
            self._negatives.extend((number, self._number(name, other)))

    def _number(self, name: str, identity: str | None) -> int:
        return self._identities.setdefault(f"{name}/{identity}", len(self._identities))

    def _group_number(self, source: int, group: str) -> int:
        number = self._group_count
        if group:
            number = self._groups.setdefault((source, group), number)
        self._group_count += number == self._group_count
        return number

    def built(
        self, sources: tuple[Source, ...], skipped: tuple[SkippedFor, ...]
    ) -> DataIndex:
        return DataIndex(
            sources=sources,
            keys=Texts(
                np.frombuffer(bytes(self._keys), np.uint8), np.array(self._ends)
            ),
            source=np.array(self.source, np.int32),
            complete=np.frombuffer(bytes(self._complete), np.bool_),
            checked=np.frombuffer(bytes(self._checked), np.bool_),
            group=np.array(self._group, np.int32),
            stated=np.array(self._stated, np.int32).reshape(-1, 2),
            first=np.array(self._first, np.int64),
            boxes=np.array(self._boxes, np.float32).reshape(-1, 4),
            human=np.frombuffer(bytes(self._human), np.bool_),
            ignored=np.frombuffer(bytes(self._ignored), np.bool_),
            identity=np.array(self._identity, np.int32),
            negatives=np.array(self._negatives, np.int32).reshape(-1, 2),
            identities=tuple(self._identities),
            skipped=skipped,
        )


def _names(sources: Sequence[Source]) -> str:
    return ", ".join(source.reader.name for source in sources)

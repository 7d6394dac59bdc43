"""Which faces and pictures are in another part of one release than of the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from icf.dataset.contents import (
    DETECTION_TEST,
    DETECTION_TRAIN,
    DISTRACTOR,
    FACES,
    PROBE,
    TRAIN,
    Contents,
)

#: The name of what a release does not have.
ABSENT = "not in it"

_OF_TEST = (PROBE, DISTRACTOR, DETECTION_TEST)
_OF_TRAIN = (TRAIN, DETECTION_TRAIN)

#: What a face is known by in every release: its picture's bytes and its corners.
Key = tuple[bytes, bytes]


@dataclass(frozen=True)
class Moves:
    """How many things went from which part to which.

    Attributes:
        what: "faces" or "pictures".
        parts: of both releases, `ABSENT` last.
        counts: by the part in the first release and in the second.
        renamed: things in both that have another identity in the second.
    """

    what: str
    parts: Sequence[str]
    counts: Mapping[tuple[str, str], int]
    renamed: int = 0

    @property
    def shared(self) -> int:
        """How many are in both."""
        return sum(n for parts, n in self.counts.items() if ABSENT not in parts)

    @property
    def moved(self) -> int:
        """How many of them are in another part."""
        return sum(
            count
            for (before, after), count in self.counts.items()
            if before != after and ABSENT not in (before, after)
        )

    @property
    def trained_then_tested(self) -> int:
        """How many were trained on in the first and are tested in the second."""
        return self._from(_OF_TRAIN, _OF_TEST)

    @property
    def tested_then_trained(self) -> int:
        """How many were tested in the first and are trained on in the second."""
        return self._from(_OF_TEST, _OF_TRAIN)

    def _from(self, before: Sequence[str], after: Sequence[str]) -> int:
        return sum(
            count
            for (one, other), count in self.counts.items()
            if one in before and other in after
        )


def face_moves(first: Contents, second: Contents) -> Moves:
    """Follow the faces of the recognition parts, by picture and corners."""
    before, after = (_parts(each, FACES) for each in (first, second))
    names = [_identities(each) for each in (first, second)]
    renamed = sum(
        names[0][key] != names[1][key] for key in names[0].keys() & names[1].keys()
    )
    return Moves("faces", (*FACES, ABSENT), _counted(before, after), renamed)


def picture_moves(first: Contents, second: Contents) -> Moves:
    """Follow the pictures of the detection parts."""
    parts = (DETECTION_TRAIN, DETECTION_TEST)
    before, after = (_parts(each, parts) for each in (first, second))
    return Moves("pictures", (*parts, ABSENT), _counted(before, after))


def keys(contents: Contents) -> list[Key]:
    """What each row is known by."""
    corners = contents.corners
    return [
        (sha256, corners[row].tobytes())
        for row, sha256 in enumerate(contents.sha256.tolist())
    ]


def _parts(contents: Contents, parts: Sequence[str]) -> dict[Key, str]:
    some = contents.take(contents.rows(*parts))
    return dict(zip(keys(some), some.part.tolist(), strict=True))


def _identities(contents: Contents) -> dict[Key, tuple[str, str]]:
    some = contents.take(contents.rows(*FACES))
    named = zip(some.album.tolist(), some.character.tolist(), strict=True)
    pairs = zip(keys(some), named, strict=True)
    # Of an earlier version's distractors nobody says who they are.
    return {key: name for key, name in pairs if any(name)}


def _counted(
    before: Mapping[Key, str], after: Mapping[Key, str]
) -> dict[tuple[str, str], int]:
    found = Counter((part, after.get(key, ABSENT)) for key, part in before.items())
    found.update((ABSENT, part) for key, part in after.items() if key not in before)
    return dict(found)

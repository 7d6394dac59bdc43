"""Search what train and test share and must not share, in the contents of a release.

It knows nothing of how the splits were made: it takes the rows of ``contents.csv`` and
compares everything with everything. So it finds the same in a catalogue's plan and in a
release's files.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from icf.dataset.contents import (
    DETECTION_TEST,
    DETECTION_TRAIN,
    DISTRACTOR,
    PROBE,
    TRAIN,
    Contents,
)
from icf.dataset.leaks.near import find_close
from icf.dataset.leaks.report import LEAK, REVIEW, Check

IntArray = npt.NDArray[np.int64]
Identity = tuple[str, str]


@dataclass(frozen=True)
class Shown:
    """Confirmed faces that are in no part, though pictures of a part may show them.

    Attributes:
        sha256: of the picture of each.
        identity: album and character of each.
    """

    sha256: Sequence[str] = ()
    identity: Sequence[Identity] = ()


def search_leaks(
    contents: Contents,
    reach: tuple[int, int],
    shown: Shown | None = None,
    *,
    files_apart: bool = False,
) -> tuple[Check, ...]:
    """Run every check that needs no embeddings.

    Args:
        contents: everything that is in a part.
        reach: the hash distances of near-duplicates, of pHash and dHash.
        shown: the confirmed faces that are in no part.
        files_apart: whether a video or book may not be on both sides; else that is for
            people to look at.
    """
    lists = _Lists(contents)
    return (
        *_shared(lists),
        *_near(lists, reach),
        *_from_one(lists, LEAK if files_apart else REVIEW),
        *_identities(lists, shown or Shown()),
    )


class _Lists:
    """The rows of the parts, and who each face is."""

    def __init__(self, contents: Contents) -> None:
        self.contents = contents
        self.names: list[str] = contents.name.tolist()
        self.sha256: list[bytes] = contents.sha256.tolist()
        self.train = contents.rows(TRAIN)
        self.probes = contents.rows(PROBE)
        self.distractors = contents.rows(DISTRACTOR)
        self.test = contents.rows(PROBE, DISTRACTOR)
        self.in_train = contents.rows(TRAIN, DETECTION_TRAIN)
        self.in_test = contents.rows(PROBE, DISTRACTOR, DETECTION_TEST)

    def pair(self, one: int, other: int) -> str:
        return f"{self.names[one]} and {self.names[other]}"

    def identity(self, row: int) -> Identity:
        return self.contents.album[row], self.contents.character[row]

    def identities(self, rows: IntArray) -> set[Identity]:
        return {self.identity(row) for row in rows.tolist()}

    def each_once(self, rows: IntArray) -> IntArray:
        """Take each picture once: both tasks may contain it."""
        first: dict[bytes, int] = {}
        for row in rows.tolist():
            first.setdefault(self.sha256[row], row)
        return np.array(list(first.values()), np.int64)

    def common(
        self, keys: npt.NDArray[np.generic], train: IntArray, test: IntArray
    ) -> Iterator[str]:
        """Name the rows of test that share a key, which is not empty, with train."""
        known = {key: row for row in train.tolist() if (key := keys[row])}
        for row in test.tolist():
            if (key := keys[row]) in known:
                yield self.pair(known[key], row)

    def twice(self, keys: Sequence[object], rows: IntArray) -> Iterator[str]:
        """Name the rows whose key another row before has."""
        first: dict[object, int] = {}
        for key, row in zip(keys, rows.tolist(), strict=True):
            if first.setdefault(key, row) != row:
                yield self.pair(first[key], row)


def _shared(lists: _Lists) -> Iterator[Check]:
    contents = lists.contents
    train, test = lists.each_once(lists.in_train), lists.each_once(lists.in_test)
    for name, meaning, keys in (
        ("same_bytes", "equal files (SHA-256) in train and in test", contents.sha256),
        ("same_pixels", "equal pixels in train and in test", contents.pixel_hash),
    ):
        yield Check.of(name, meaning, lists.common(keys, train, test))
    yield Check.of(
        "same_face_pixels",
        "equal face crops in recognition train and test",
        lists.common(contents.face_pixel_hash, lists.train, lists.test),
    )
    pixels = contents.pixel_hash[lists.test].tolist()
    yield Check.of(
        "test_picture_twice",
        "one picture twice in the recognition test",
        lists.twice(pixels, lists.test),
    )


def _near(lists: _Lists, reach: tuple[int, int]) -> Iterator[Check]:
    contents = lists.contents
    pictures = np.stack([contents.phash, contents.dhash], axis=1)
    faces = np.stack([contents.face_phash, contents.face_dhash], axis=1)
    train, test = lists.each_once(lists.in_train), lists.each_once(lists.in_test)
    for name, meaning, hashes, these, those in (
        (
            "near_duplicate_pictures",
            f"pictures within {reach[0]} bits of pHash and {reach[1]} of dHash",
            *(pictures, train, test),
        ),
        (
            "near_duplicate_faces",
            "face crops of recognition train and test within the same distances",
            *(faces, lists.train, lists.test),
        ),
    ):
        near = find_close(hashes[these], hashes[those], reach)
        rows = np.flatnonzero(near >= 0)
        pairs = zip(these[rows].tolist(), those[near[rows]].tolist(), strict=True)
        yield Check.of(name, meaning, [lists.pair(*pair) for pair in pairs])
    yield Check.of(
        "near_duplicate_probes",
        "probes that are near-duplicates of another probe of their identity",
        _near_probes(lists, faces, reach),
        REVIEW,
    )


def _near_probes(
    lists: _Lists, hashes: IntArray, reach: tuple[int, int]
) -> Iterator[str]:
    of: defaultdict[Identity, list[int]] = defaultdict(list)
    for row in lists.probes.tolist():
        of[lists.identity(row)].append(row)
    for listed in of.values():
        rows = np.array(listed, np.int64)
        differing = hashes[rows, None] ^ hashes[rows]
        near = (np.bitwise_count(differing.view(np.uint64)) <= reach).all(axis=2)
        # Of each group the first one stays: the others are said to be like one before.
        before = np.tril(near, -1)
        for row in np.flatnonzero(before.any(axis=1)).tolist():
            yield lists.pair(listed[int(before[row].argmax())], listed[row])


def _from_one(lists: _Lists, of_files: str) -> Iterator[Check]:
    """Look for frames and pages of one track, shot or file on both sides."""
    contents = lists.contents
    for name, meaning, severity, keys, train, test in (
        (
            *("same_track", "faces of one track through a video in train and test"),
            *(LEAK, contents.track, lists.train, lists.test),
        ),
        (
            *("same_shot", "pictures of one shot of a video in train and test"),
            *(LEAK, contents.shot, lists.in_train, lists.in_test),
        ),
        (
            *("same_source_file", "pictures of one video or book in train and test"),
            *(of_files, contents.source_file, lists.in_train, lists.in_test),
        ),
    ):
        found = lists.common(keys, train, test)
        yield Check.of(name, meaning, found, severity)


def _identities(lists: _Lists, shown: Shown) -> Iterator[Check]:
    train, probes = lists.identities(lists.train), lists.identities(lists.probes)
    distractors = [lists.identity(row) for row in lists.distractors.tolist()]
    elsewhere = set(distractors) & (train | probes)
    yield Check.of(
        "distractor_elsewhere",
        "identities of distractors that are in train or have probes",
        sorted(character for _, character in elsewhere),
    )
    yield Check.of(
        "distractor_twice",
        "identities with more than one distractor",
        lists.twice(distractors, lists.distractors),
    )
    held_out = (probes | set(distractors)) - train
    yield Check.of(
        "held_out_identity_shown",
        "recognition train pictures that show a face of a held-out identity",
        _showing(lists, held_out, shown),
    )
    labels: defaultdict[Identity, set[int]] = defaultdict(set)
    owners: defaultdict[int, set[Identity]] = defaultdict(set)
    for row in np.concatenate([lists.train, lists.probes]).tolist():
        label = int(lists.contents.label[row])
        labels[lists.identity(row)].add(label)
        owners[label].add(lists.identity(row))
    yield Check.of(
        "label_differs",
        "identities with more than one label in train and probes",
        sorted("/".join(each) for each, some in labels.items() if len(some) > 1),
    )
    yield Check.of(
        "label_shared",
        "labels of more than one identity",
        (f"label {each}" for each, some in sorted(owners.items()) if len(some) > 1),
    )


def _showing(lists: _Lists, held_out: set[Identity], shown: Shown) -> Iterator[str]:
    pictures = {
        sha256.encode()
        for sha256, who in zip(shown.sha256, shown.identity, strict=True)
        if who in held_out
    }
    placed = [*lists.probes.tolist(), *lists.distractors.tolist()]
    pictures.update(
        lists.sha256[row] for row in placed if lists.identity(row) in held_out
    )
    for row in lists.train.tolist():
        if lists.sha256[row] in pictures:
            yield lists.names[row]

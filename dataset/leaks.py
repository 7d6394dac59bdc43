"""Find what train and test share and must not share, in the lists of a finished plan.

Independent of how the split was made; compares all pairs. A *leak* stops a release; a
*review* is for people to look at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from icf.dataset.near_duplicates import Reach, find_near_one_by_one
from icf.dataset.plan import Placed, Plan
from icf.dataset.selection import Selection

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float32]

EXAMPLES = 10

#: Cosine from which two embeddings are reported to people as a possible copy.
SIMILAR = 0.98

_AT_ONCE = 2048


@dataclass(frozen=True)
class Check:
    """One leak check and its result.

    Attributes:
        name: of the check.
        meaning: what it looks for.
        severity: ``"leak"`` stops the release, ``"review"`` does not.
        count: number of findings.
        examples: the first findings, as text.
    """

    name: str
    meaning: str
    severity: str
    count: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class LeakReport:
    """All checks, in a fixed order."""

    checks: tuple[Check, ...] = field(default=())

    @property
    def leaks(self) -> tuple[Check, ...]:
        """The checks that stop the release."""
        return tuple(c for c in self.checks if c.count and c.severity == "leak")


def find_leaks(
    plan: Plan, reach: Reach, vectors: Callable[[IntArray], FloatArray]
) -> LeakReport:
    """Run every check.

    Args:
        plan: the contents of the release.
        reach: the hash distances of near-duplicates.
        vectors: returns unit embeddings by face id, shape (n, d).
    """
    lists = _Lists(plan)
    return LeakReport(
        (
            *_shared(lists),
            *_near(lists, reach),
            *_identities(lists),
            _similar(lists, vectors),
        )
    )


class _Lists:
    """The four lists as rows of pictures and faces."""

    def __init__(self, plan: Plan) -> None:
        self.selection: Selection = plan.selection
        self.train = plan.train
        self.probes = tuple(each for each in plan.test if each.label >= 0)
        self.distractors = tuple(each for each in plan.test if each.label < 0)
        self.test = plan.test
        self.in_train = _each_once((*plan.train, *plan.detection_train))
        self.in_test = _each_once((*plan.test, *plan.detection_test))

    def identities(self, placed: Sequence[Placed]) -> IntArray:
        return self.selection.faces.identity[_faces(placed)]


def _each_once(placed: Sequence[Placed]) -> tuple[Placed, ...]:
    """List each picture once, by its first name: both tasks may contain it."""
    first: dict[int, Placed] = {}
    for each in placed:
        first.setdefault(each.picture, each)
    return tuple(first.values())


def _rows(placed: Sequence[Placed]) -> IntArray:
    return np.array([each.picture for each in placed], np.int64)


def _faces(placed: Sequence[Placed]) -> IntArray:
    return np.array([each.face for each in placed], np.int64)


def _check(name: str, meaning: str, found: Iterator[str] | Sequence[str]) -> Check:
    every = list(found)
    return Check(name, meaning, "leak", len(every), tuple(every[:EXAMPLES]))


def _shared(lists: _Lists) -> Iterator[Check]:
    pictures = lists.selection.pictures
    for name, meaning, keys in (
        ("same_picture", "one picture in train and in test", pictures.image),
        ("same_bytes", "equal files (SHA-256) in train and in test", pictures.sha256),
        ("same_pixels", "equal pixels in train and in test", pictures.pixel_hash),
    ):
        train = {keys[each.picture].item(): each.path for each in lists.in_train}
        pairs = (
            f"{train[key]} and {each.path}"
            for each in lists.in_test
            if (key := keys[each.picture].item()) in train
        )
        yield _check(name, meaning, pairs)
    crops = lists.selection.faces.pixel_hash
    train = {crops[each.face]: each.path for each in lists.train}
    yield _check(
        "same_face_pixels",
        "equal face crops in recognition train and test",
        (
            f"{train[crops[each.face]]} and {each.path}"
            for each in lists.test
            if crops[each.face] in train
        ),
    )
    yield _check(
        "test_picture_twice",
        "one picture twice in the recognition test",
        _twice(lists.test, pictures.pixel_hash[_rows(lists.test)].tolist()),
    )


def _twice(placed: Sequence[Placed], keys: Sequence[object]) -> Iterator[str]:
    first: dict[object, str] = {}
    for each, key in zip(placed, keys, strict=True):
        if first.setdefault(key, each.path) != each.path:
            yield f"{first[key]} and {each.path}"


def _near(lists: _Lists, reach: Reach) -> Iterator[Check]:
    hashes = lists.selection.pictures.hashes
    near = find_near_one_by_one(
        hashes[_rows(lists.in_train)], hashes[_rows(lists.in_test)], reach
    )
    yield _check(
        "near_duplicate_pictures",
        f"pictures within {reach.phash} bits of pHash and {reach.dhash} of dHash",
        _named(lists.in_train, lists.in_test, near),
    )
    crops = lists.selection.faces.hashes
    near = find_near_one_by_one(
        crops[_faces(lists.train)], crops[_faces(lists.test)], reach
    )
    yield _check(
        "near_duplicate_faces",
        "face crops of recognition train and test within the same distances",
        _named(lists.train, lists.test, near),
    )


def _named(
    train: Sequence[Placed], test: Sequence[Placed], near: IntArray
) -> Iterator[str]:
    for row in np.flatnonzero(near >= 0).tolist():
        yield f"{train[row].path} and {test[near[row]].path}"


def _identities(lists: _Lists) -> Iterator[Check]:
    train, probes = lists.identities(lists.train), lists.identities(lists.probes)
    distractors = lists.identities(lists.distractors)
    names = lists.selection.identities
    elsewhere = np.intersect1d(distractors, np.concatenate([train, probes]))
    yield _check(
        "distractor_elsewhere",
        "identities of distractors that are in train or have probes",
        [names[each].character for each in elsewhere.tolist()],
    )
    yield _check(
        "distractor_twice",
        "identities with more than one distractor",
        _twice(lists.distractors, distractors.tolist()),
    )
    held_out = np.setdiff1d(np.concatenate([probes, distractors]), train)
    yield _check(
        "held_out_identity_shown",
        "recognition train pictures that show a face of a held-out identity",
        _showing(lists, held_out),
    )
    label = {int(i): each.label for i, each in zip(train, lists.train, strict=True)}
    yield _check(
        "label_differs",
        "seen identities whose probes have another label than in train",
        [
            each.path
            for i, each in zip(probes.tolist(), lists.probes, strict=True)
            if label.get(i, each.label) != each.label
        ],
    )


def _showing(lists: _Lists, held_out: IntArray) -> Iterator[str]:
    faces = lists.selection.faces
    shown = set(faces.picture[np.isin(faces.identity, held_out)].tolist())
    return (each.path for each in lists.train if each.picture in shown)


def _similar(lists: _Lists, vectors: Callable[[IntArray], FloatArray]) -> Check:
    """Find pairs of recognition train and test with nearly equal embeddings."""
    ids = lists.selection.faces.face
    test = vectors(ids[_faces(lists.test)])
    found: list[tuple[float, str]] = []
    for start in range(0, len(lists.train), _AT_ONCE):
        block = lists.train[start : start + _AT_ONCE]
        cosine = vectors(ids[_faces(block)]) @ test.T
        best = cosine.argmax(axis=1)
        value = cosine[np.arange(len(block)), best]
        for row in np.flatnonzero(value >= SIMILAR):
            pair = f"{block[row].path} and {lists.test[best[row]].path}"
            found.append((float(value[row]), f"{pair}: cosine {value[row]:.3f}"))
    found.sort(key=lambda each: (-each[0], each[1]))
    return Check(
        "similar_embeddings",
        f"recognition train faces with a test face at a cosine of {SIMILAR} or more",
        "review",
        len(found),
        tuple(text for _, text in found[:EXAMPLES]),
    )

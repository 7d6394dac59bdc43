"""Lists over the recognition test that a protocol asks for: pairs, and an open set.

Both follow from hashes of what faces and identities are, as the splits do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from icf.dataset.plan import Plan
from icf.dataset.protocol_file import OpenSet, Pairs, ProtocolFile
from icf.dataset.splits.keys import (
    FloatArray,
    WordArray,
    chances,
    keys_of_digests,
    keys_of_faces,
    keys_of_texts,
)
from icf.dataset.splits.parts import BoolArray, IntArray
from icf.errors import WrongUse

PAIRS, OPEN_SET = "pairs.csv", "open_set.csv"
PAIR_COLUMNS = ("fold", "same", "one", "other")
Row = tuple[object, ...]
OPEN_SET_COLUMNS = ("picture", "label", "role")

#: Odd, so that multiplying by it loses nothing: a pair's key is no sum of its faces'.
_ODD = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, eq=False)
class _Test:
    """The test's faces: names, labels (-1: a distractor), keys of faces and owners."""

    names: list[str]
    label: IntArray
    key: WordArray
    owner: WordArray

    @classmethod
    def of(cls, plan: Plan) -> _Test:
        faces, pictures = plan.selection.faces, plan.selection.pictures
        rows = np.array([each.face for each in plan.test], np.int64)
        identities = [
            plan.selection.identities[each] for each in faces.identity[rows].tolist()
        ]
        return cls(
            [each.path for each in plan.test],
            np.array([each.label for each in plan.test], np.int64),
            keys_of_faces(
                keys_of_digests(pictures.sha256[faces.picture[rows]]),
                faces.corners[rows],
            ),
            keys_of_texts(f"{each.album}/{each.character}" for each in identities),
        )


def lists_of_test(
    plan: Plan, protocol: ProtocolFile | None, seed: int
) -> dict[str, list[Row]]:
    """Make the lists that a protocol asks for, by file; their heads come first.

    Raises:
        WrongUse: the test has too few pairs, or nobody for a role of the open set.
    """
    lists: dict[str, list[Row]] = {}
    if protocol is not None and protocol.pairs is not None:
        lists[PAIRS] = [PAIR_COLUMNS, *pair_rows(plan, protocol.pairs, seed)]
    if protocol is not None and protocol.open_set is not None:
        rows = open_set_rows(plan, protocol.open_set, seed)
        lists[OPEN_SET] = [OPEN_SET_COLUMNS, *rows]
    return lists


def pair_rows(
    plan: Plan, wanted: Pairs, seed: int
) -> Iterator[tuple[int, int, str, str]]:
    """Yield pairs of probes: fold, 1 for the same identity else 0, and two names.

    An identity is in one fold, so that a threshold chosen on some folds has seen nobody
    of another one, as in LFW's view 2. Each fold has as many same pairs as different
    ones.

    Raises:
        WrongUse: a fold has fewer pairs than are wanted.
    """
    test = _Test.of(plan)
    fold = np.floor(chances(test.owner, seed, "pairs") * wanted.folds)
    for number in range(wanted.folds):
        rows = np.flatnonzero((fold == number) & (test.label >= 0))
        rows = rows[np.argsort(test.key[rows], kind="stable")]
        one, other = (rows[each] for each in np.triu_indices(len(rows), 1))
        same = test.label[one] == test.label[other]
        chance = chances(test.key[one] * _ODD ^ test.key[other], seed, "pair")
        for is_same in (True, False):
            chosen = _smallest(chance, same == is_same, wanted.each)
            if len(chosen) < wanted.each:
                kind = "the same identity" if is_same else "different identities"
                raise WrongUse(
                    f"the protocol's [pairs] want {wanted.each} pairs of {kind} in "
                    f"each of {wanted.folds} folds, and fold {number + 1} has "
                    f"{len(chosen)}; lower pairs.each or pairs.folds, or ask more "
                    "questions"
                )
            for place in np.sort(chosen).tolist():
                names = test.names[one[place]], test.names[other[place]]
                yield number + 1, int(is_same), *names


def _smallest(chance: FloatArray, which: BoolArray, most: int) -> IntArray:
    rows = np.flatnonzero(which)
    return np.asarray(rows[np.argsort(chance[rows], kind="stable")[:most]], np.int64)


def open_set_rows(
    plan: Plan, wanted: OpenSet, seed: int
) -> Iterator[tuple[str, int, str]]:
    """Yield every picture of the test: name, label, and its role.

    A share of the identities with probes is known: their first faces are the gallery,
    and the others are known probes. Everybody else, distractors too, is unknown.

    Raises:
        WrongUse: no picture has one of the roles.
    """
    test = _Test.of(plan)
    is_known = (chances(test.owner, seed, "known") < wanted.known) & (test.label >= 0)
    chance = chances(test.key, seed, "gallery")
    order = np.lexsort((chance, test.label))
    labels = test.label[order]
    place = np.arange(len(order)) - np.searchsorted(labels, labels)
    in_gallery = np.zeros(len(order), np.bool_)
    in_gallery[order] = place < wanted.gallery
    roles = np.where(is_known, np.where(in_gallery, "gallery", "known"), "unknown")
    _check_roles(wanted, roles.tolist())
    yield from zip(test.names, test.label.tolist(), roles.tolist(), strict=True)


def _check_roles(wanted: OpenSet, roles: list[str]) -> None:
    """Raise WrongUse if nobody can be told from others by them."""
    for role, key, change in (
        ("gallery", "known", "raise it"),
        ("known", "gallery", "lower it"),
        ("unknown", "known", "lower it"),
    ):
        if role not in roles:
            raise WrongUse(
                f"the protocol's open_set.{key} = {getattr(wanted, key)} leaves no "
                f"picture of the test that is {role!r}; {change}, or ask more questions"
            )

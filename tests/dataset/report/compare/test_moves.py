from __future__ import annotations

from pathlib import Path

import numpy as np

from icf.dataset.contents import FACES, PROBE, TRAIN, read_contents
from icf.dataset.report.compare.moves import ABSENT, face_moves, picture_moves


def test_a_release_has_moved_nothing_from_itself(two_releases: Path) -> None:
    contents = read_contents(two_releases / "releases" / "seed-1" / "contents.csv")
    for moves in (face_moves(contents, contents), picture_moves(contents, contents)):
        assert moves.moved == moves.renamed == 0
        assert moves.shared == sum(moves.counts.values()) > 0


def test_every_face_of_both_is_counted_once_by_its_two_parts(
    two_releases: Path,
) -> None:
    first, second = (
        read_contents(two_releases / "releases" / f"seed-{seed}" / "contents.csv")
        for seed in (1, 2)
    )
    moves = face_moves(first, second)
    for side, contents in enumerate((first, second)):
        of_each = {part: 0 for part in (*FACES, ABSENT)}
        for parts, count in moves.counts.items():
            of_each[parts[side]] += count
        del of_each[ABSENT]
        assert of_each == {part: len(contents.rows(part)) for part in FACES}
    back = face_moves(second, first)
    assert back.trained_then_tested == moves.tested_then_trained
    assert (back.moved, back.shared) == (moves.moved, moves.shared)
    assert 0 < moves.moved <= moves.shared


def test_a_face_is_another_one_by_its_corners_and_may_get_another_name(
    two_releases: Path,
) -> None:
    first = read_contents(two_releases / "releases" / "seed-1" / "contents.csv")
    second = first.take(np.arange(len(first)))
    row, other, third = second.rows(TRAIN)[:3]
    second.corners[row] += 0.5
    second.character[other] = "Somebody else"
    second.part[third] = PROBE
    moves = face_moves(first, second)
    assert moves.counts[TRAIN, ABSENT] == moves.counts[ABSENT, TRAIN] == 1
    assert moves.renamed == 1
    assert moves.trained_then_tested == moves.moved == 1
    assert moves.tested_then_trained == 0

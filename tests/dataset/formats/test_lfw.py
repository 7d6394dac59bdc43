from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.dataset.formats.pairs import FOLDS, PAIRS, make_folds, pairs_file
from icf.images import decode
from tests.dataset.formats.conftest import Exported

Pair = tuple[str, int, str, int]


def read_pairs(path: Path) -> list[list[tuple[Pair, bool]]]:
    """Folds of pairs, as LFW's own README says, with whether they are one person."""
    head, *lines = path.read_text().splitlines()
    folds, pairs = map(int, head.split("\t"))
    assert len(lines) == 2 * folds * pairs
    read = []
    for number, line in enumerate(lines):
        parts = line.split("\t")
        same = number // pairs % 2 == 0
        assert len(parts) == (3 if same else 4)
        name, other = parts[0], parts[0] if same else parts[2]
        read.append(((name, int(parts[1]), other, int(parts[-1])), same))
    return [read[i * 2 * pairs : (i + 1) * 2 * pairs] for i in range(folds)]


def test_every_pair_names_two_pictures_of_the_test(whole: Exported) -> None:
    folder = whole.of("lfw")
    folds = read_pairs(folder / "pairs.txt")
    assert folds
    for fold in folds:
        for (name, one, other, two), same in fold:
            assert (name == other) is same
            assert (name, one) != (other, two)
            for person, number in ((name, one), (other, two)):
                path = folder / "lfw" / person / f"{person}_{number:04d}.jpg"
                assert decode(path.read_bytes()).width > 1


def test_an_identity_has_the_pictures_of_its_label(whole: Exported) -> None:
    folder = whole.of("lfw") / "lfw"
    found = Counter(path.parent.name for path in folder.glob("*/*.jpg"))
    labels = Counter(
        f"identity_{each.who.label:05d}"
        for each in whole.records["recognition", "test"]
        if each.who is not None and each.who.label >= 0
    )
    distractors = {name for name in found if name.startswith("distractor_")}
    assert {name: n for name, n in found.items() if name not in distractors} == labels
    assert len(distractors) == whole.plan.counts["distractors"]
    assert all(found[name] == 1 for name in distractors)


counts = st.dictionaries(st.text("abcdef", min_size=1, max_size=4), st.integers(1, 9))


@given(counts)
def test_folds_share_no_identity_and_no_pair_is_there_twice(
    count: dict[str, int],
) -> None:
    folds = make_folds(count)
    assert len(folds) <= FOLDS
    seen: set[str] = set()
    for fold in folds:
        assert 0 < len(fold.same) == len(fold.different) <= PAIRS
        pairs = [frozenset(pair) for pair in (*fold.same, *fold.different)]
        assert len(set(pairs)) == len(pairs)
        names = {face.name for pair in pairs for face in pair}
        assert names.isdisjoint(seen)
        seen |= names
        assert all(a.name == b.name for a, b in fold.same)
        assert all(a.name != b.name for a, b in fold.different)
        assert all(1 <= face.number <= count[face.name] for p in pairs for face in p)
    assert len({len(fold.same) for fold in folds}) <= 1
    shuffled = dict(sorted(count.items(), reverse=True))
    assert list(pairs_file(shuffled)) == list(pairs_file(count))


def test_of_a_large_test_it_has_the_size_of_lfw() -> None:
    folds = make_folds({f"n{number}": 10 for number in range(200)})
    assert [len(fold.same) for fold in folds] == [PAIRS] * FOLDS


@pytest.mark.parametrize("count", [{}, {"a": 9}, {"a": 1, "b": 1}])
def test_where_there_are_no_pairs_the_file_says_so(count: dict[str, int]) -> None:
    assert list(pairs_file(count)) == ["0\t0\n"]

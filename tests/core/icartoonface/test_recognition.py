import dataclasses
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.errors import BadInput
from icf.icartoonface.recognition import (
    make_pairs,
    pairs_to_score,
    read_rectest_info,
    read_rectrain_det,
    write_rectest_info,
    write_rectest_labels,
    write_rectrain_det,
)

FOLDER = "personai_icartoonface_rectrain_{0:05d}"
TRAIN = f"{FOLDER}/{FOLDER}_{{1:07d}}.jpg"
TEST = "personai_icartoonface_rectest_{:07d}.jpg"

boxes = st.tuples(*[st.integers(-5, 4000)] * 4)
newlines = st.sampled_from(["\n", "\r\n"])


def naive_pairs(labels: list[int]) -> list[list[int]]:
    rows = range(len(labels))
    return [
        [a, b]
        for a, b in itertools.product(rows, rows)
        if a != b and labels[a] == labels[b] != -1
    ]


def label_lines(rows: list[Any]) -> list[str]:
    return [
        f"{TEST.format(i)} {x1} {y1} {x2} {y2} {label}"
        for i, ((x1, y1, x2, y2), label) in enumerate(rows)
    ]


def written(
    path: Path, lines: list[str], newline: str = "\n", closed: bool = True
) -> Path:
    text = newline.join(lines) + (newline if closed and lines else "")
    path.write_bytes(text.encode())
    return path


def refused(path: Path, reader: Callable[[Path], Any], lines: list[str]) -> str:
    with pytest.raises(BadInput) as caught:
        reader(written(path, lines))
    return str(caught.value)


@given(st.lists(st.tuples(st.integers(0, 5012), boxes)), newlines, st.booleans())
def test_training_boxes_round_trip_to_the_byte(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[Any],
    newline: str,
    closed: bool,
) -> None:
    folder = tmp_path_factory.mktemp("train")
    lines = [
        "\t".join([TRAIN.format(identity, i), *map(str, box)])
        for i, (identity, box) in enumerate(rows)
    ]
    source = written(folder / "icartoonface_rectrain_det.txt", lines, newline, closed)
    train = read_rectrain_det(source)
    assert train.boxes.tolist() == [list(box) for _, box in rows]
    assert list(train.identities) == [
        f"personai_icartoonface_rectrain_{identity:05d}" for identity, _ in rows
    ]
    write_rectrain_det(folder / "copy.txt", train)
    assert (folder / "copy.txt").read_bytes() == source.read_bytes()


@pytest.mark.parametrize(
    ("bad", "found"),
    [
        ("a.jpg 1 2 3 4", "a.jpg 1 2 3 4"),
        ("a.jpg\t1\t2\t3", "TAB-separated"),
        ("\t1\t2\t3\t4", "TAB-separated"),
        ("a.jpg\t1\t2\t3\tfour", "'four'"),
        ("a.jpg\t1\t2\t3\t4.5", "'4.5'"),
        ("", "found ''"),
    ],
)
def test_a_bad_training_row_is_refused_by_line(
    tmp_path: Path, bad: str, found: str
) -> None:
    path = tmp_path / "det.txt"
    message = refused(path, read_rectrain_det, ["ok.jpg\t1\t2\t3\t4", bad])
    assert message.startswith(f"{path}, line 2: expected ")
    assert found in message


info_rows = st.lists(st.tuples(boxes, st.integers(-1, 6)), max_size=25)


@given(info_rows, newlines, st.booleans())
def test_both_copies_of_the_info_round_trip_to_the_byte(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[Any],
    newline: str,
    closed: bool,
) -> None:
    folder = tmp_path_factory.mktemp("test")
    lines = label_lines(rows)
    pairs = naive_pairs([label for _, label in rows])
    pair_lines = [f"{TEST.format(a)} {TEST.format(b)}" for a, b in pairs]
    short = written(folder / "short.txt", lines, newline, closed)
    full = written(folder / "full.txt", lines + pair_lines, newline, closed)

    info = read_rectest_info(full)
    assert info.pairs.tolist() == pairs
    write_rectest_info(folder / "copy.txt", info)
    assert (folder / "copy.txt").read_bytes() == full.read_bytes()

    info = read_rectest_info(short)
    assert info.pairs.shape == (0, 2)
    assert pairs_to_score(info).tolist() == pairs
    write_rectest_labels(folder / "copy.txt", info)
    assert (folder / "copy.txt").read_bytes() == short.read_bytes()
    if len(rows) > 1:  # a single line does not show which newline a longer file has
        write_rectest_info(folder / "copy.txt", info)
        assert (folder / "copy.txt").read_bytes() == full.read_bytes()


def test_the_order_of_listed_pairs_is_kept(tmp_path: Path) -> None:
    lines = ["a 0 0 1 1 4", "b 0 0 1 1 4", "b a", "a b"]
    path = written(tmp_path / "info.txt", lines)
    info = read_rectest_info(path)
    assert pairs_to_score(info).tolist() == [[1, 0], [0, 1]]
    write_rectest_info(tmp_path / "copy.txt", info)
    assert (tmp_path / "copy.txt").read_bytes() == path.read_bytes()


def test_tabs_and_runs_of_spaces_separate_fields_too(tmp_path: Path) -> None:
    path = written(tmp_path / "info.txt", ["a\t0 0   1 1\t-1 "])
    info = read_rectest_info(path)
    assert info.files == ("a",)
    assert info.labels.tolist() == [-1]


@pytest.mark.parametrize(
    ("bad", "found"),
    [
        ("c 0 0 1 1", "6 fields"),
        ("c 0 0 1 1 1 1", "6 fields"),
        ("c 0 0 1 one 1", "'one'"),
        ("c 0 0 1 1_0 1", "'1_0'"),
        ("c 0 0 1 \u0661 1", "integers"),
        ("c 0 0 1 1 " + "9" * 20, "integers of at most 18 digits"),
        ("c 0 0 1 1 -2", "label of -1 (distractor) or more, found -2"),
        ("a 0 0 1 1 1", "each picture once, found 'a' again"),
        ("a nobody", "a picture listed above, found 'nobody'"),
        ("a a", "two different pictures"),
        ("a x", "two pictures of one identity, found labels 1, -1"),
        ("x y", "two pictures of one identity, found labels -1, -1"),
        ("", "6 fields"),
    ],
)
def test_a_bad_info_row_is_refused_by_line(
    tmp_path: Path, bad: str, found: str
) -> None:
    path = tmp_path / "info.txt"
    lines = ["a 0 0 1 1 1", "b 0 0 1 1 1", "x 0 0 1 1 -1", "y 0 0 1 1 -1", bad]
    message = refused(path, read_rectest_info, lines)
    assert message.startswith(f"{path}, line 5: expected ")
    assert found in message


def test_a_name_is_one_in_every_form(tmp_path: Path) -> None:
    lines = ["\u00e9 0 0 1 1 1", "b 0 0 1 1 1", "e\u0301 b", "b e\u0301"]
    info = read_rectest_info(written(tmp_path / "info.txt", lines))
    assert info.pairs.tolist() == [[0, 1], [1, 0]]
    again = [lines[0], "e\u0301 0 0 1 1 2"]
    assert "each picture once" in refused(tmp_path / "i", read_rectest_info, again)
    paths = [f"{name}/1.jpg\t0\t0\t1\t1" for name in ("\u00e9", "e\u0301")]
    train = read_rectrain_det(written(tmp_path / "train.txt", paths))
    assert len(set(train.identities)) == 1


def test_a_pair_that_is_listed_twice_is_refused(tmp_path: Path) -> None:
    lines = ["a 0 0 1 1 1", "b 0 0 1 1 1", "a b", "b a", "a b"]
    message = refused(tmp_path / "info.txt", read_rectest_info, lines)
    assert "line 5: expected each pair once, found the pair of line 3 again" in message


def test_a_picture_after_the_first_pair_is_refused(tmp_path: Path) -> None:
    lines = ["a 0 0 1 1 1", "b 0 0 1 1 1", "a b", "c 0 0 1 1 1"]
    message = refused(tmp_path / "info.txt", read_rectest_info, lines)
    assert "line 4: expected 2 fields" in message


@pytest.mark.slow
@given(st.lists(st.integers(-1, 8), max_size=40))
def test_made_pairs_are_all_ordered_pairs_of_one_identity(labels: list[int]) -> None:
    assert make_pairs(np.array(labels, np.int64)).tolist() == naive_pairs(labels)


@pytest.mark.parametrize("name", ["", "a b", "a\tb", "a\n"])
def test_a_name_that_would_break_the_line_is_not_written(
    tmp_path: Path, name: str
) -> None:
    path = written(tmp_path / "info.txt", ["a 0 0 1 1 1"])
    info = dataclasses.replace(read_rectest_info(path), files=(name,))
    with pytest.raises(BadInput, match="cannot write the picture name"):
        write_rectest_info(path, info)
    assert path.read_text() == "a 0 0 1 1 1\n"

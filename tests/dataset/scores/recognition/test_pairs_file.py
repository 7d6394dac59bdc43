from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from icf.dataset.lists_of_test import PAIR_COLUMNS
from icf.dataset.scores.recognition.pairs_file import read_pairs
from icf.errors import BadInput
from icf.icartoonface.recognition import RecognitionTest

FILES = ("Ann_0001.jpg", "Ann_0002.jpg", "Bo_0001.jpg", "x_0001.jpg", "y_0001.jpg")
INFO = RecognitionTest(FILES, np.zeros((5, 4), int), np.array([3, 3, 7, -1, -1]))


def read(tmp_path: Path, text: str) -> list[list[int]]:
    (tmp_path / "pairs.txt").write_text(text)
    pairs: list[list[int]] = read_pairs(tmp_path / "pairs.txt", INFO).tolist()
    return pairs


def test_two_pictures_a_line_are_a_pair(tmp_path: Path) -> None:
    text = "Ann_0002.jpg Ann_0001.jpg\n\nAnn_0001.jpg\tBo_0001.jpg 0\r\n"
    assert read(tmp_path, text) == [[0, 1], [0, 2]]


def test_pairs_of_lfw_are_names_and_numbers(tmp_path: Path) -> None:
    text = "1\t1\nAnn\t1\t2\nBo\t1\tx\t1\n"
    assert read(tmp_path, text) == [[0, 1], [2, 3]]


def test_the_pairs_of_a_protocol_are_read(tmp_path: Path) -> None:
    head = ",".join(PAIR_COLUMNS)
    text = f"{head}\n1,1,Ann_0001.jpg,Ann_0002.jpg\r\n2,0,Bo_0001.jpg,x_0001.jpg\n"
    assert read(tmp_path, text) == [[0, 1], [2, 3]]
    with pytest.raises(BadInput, match=r"line 2: expected genuine, .* found impostor"):
        read(tmp_path, f"{head}\n1,0,Ann_0001.jpg,Ann_0002.jpg\n")
    with pytest.raises(BadInput, match="line 2: expected fold,same,one,other, found"):
        read(tmp_path, f"{head}\n1,1,Ann_0001.jpg\n")


def test_names_of_a_release_in_the_format_lfw_count_pictures(tmp_path: Path) -> None:
    text = "1 1\nidentity_00003 1 2\nidentity_00007 1 distractor_00001 1\n"
    assert read(tmp_path, text) == [[0, 1], [2, 4]]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Ann_0001.jpg\n", "line 1: expected 2 pictures"),
        ("Ann_0001.jpg Ann_0002.jpg 2\n", "line 1: expected 2 pictures"),
        ("Ann_0001.jpg no.jpg\n", "line 1: expected a picture of the list"),
        ("Ann_0001.jpg Ann_0001.jpg\n", "line 1: expected two different"),
        ("x_0001.jpg y_0001.jpg\n", "line 1: expected no pair of two distractors"),
        ("Ann_0001.jpg Ann_0002.jpg 0\n", "expected genuine, .* found impostor"),
        ("Ann_0001.jpg Bo_0001.jpg 1\n", "expected impostor, .* found genuine"),
        (
            "Ann_0001.jpg Bo_0001.jpg\nBo_0001.jpg Ann_0001.jpg\n",
            "line 2: expected each pair once, found the pair of line 1 again",
        ),
        ("9\nAnn 1 3\n", "line 2: expected a picture of the list, found Ann_0003"),
        ("9\nAnn 1\n", "line 2: expected NAME number number"),
        ("9\nAnn 1 Bo x\n", "line 2: expected NAME number number"),
        ("9\nidentity_00003 3 1\n", "found identity_00003_0003"),
        ("9\nAnn 1 distractor_00001 2\n", "found distractor_00001_0002"),
        ("9\n", "expected pairs, found none"),
        ("1 2\nAnn 1 2\nBo 1 x 1\n", "line 1: .* 2 in all, found '1 2', which is 4"),
        ("10\t300\nAnn 1 2\n", "line 1: .* 1 in all, found .*, which is 6,000"),
        ("1\nAnn 1 2\nBo 1 x 1\nAnn 1 Bo 1\n", "line 1: .* 3 in all"),
        ("", "expected pairs, found none"),
    ],
)
def test_a_line_that_is_no_pair_of_the_list_is_named(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(BadInput, match=said):
        read(tmp_path, text)


def test_a_name_of_several_pictures_is_none(tmp_path: Path) -> None:
    files = ("a/Ann_0001.jpg", "Ann_0002.jpg", "b/Ann_0001.jpg", "b/Ann_0001.png")
    info = RecognitionTest(files, np.zeros((4, 4), int), np.array([3, 3, 3, 3]))
    (tmp_path / "pairs.txt").write_text("1\nAnn 1 2\n")
    with pytest.raises(BadInput, match=r"line 2: .* found several called Ann_0001"):
        read_pairs(tmp_path / "pairs.txt", info)

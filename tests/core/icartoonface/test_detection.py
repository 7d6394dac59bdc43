from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.errors import BadInput
from icf.icartoonface.detection import (
    PUBLISHED_TEST,
    Detections,
    read_dettest_csv,
    read_dettrain_csv,
    read_submission_csv,
    write_dettest_csv,
    write_dettrain_csv,
    write_submission_csv,
)

TRAIN = "personai_icartoonface_dettrain_{:05d}.jpg"
TEST = "personai_icartoonface_detval_{:05d}.jpg"

pictures = st.integers(0, 14705)
boxes = st.tuples(*[st.integers(-5, 4000)] * 4)
finite = st.floats(allow_nan=False, allow_infinity=False)


def written(path: Path, lines: list[str], newline: str = "\n") -> Path:
    path.write_bytes("".join(line + newline for line in lines).encode())
    return path


@given(st.lists(st.tuples(pictures, boxes)))
def test_training_boxes_round_trip_to_the_byte(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Any]
) -> None:
    folder = tmp_path_factory.mktemp("train")
    lines = [",".join([TRAIN.format(i), *map(str, box)]) for i, box in rows]
    source = written(folder / "dettrain.csv", lines)
    found = read_dettrain_csv(source)
    assert found.corners.tolist() == [list(box) for _, box in rows]
    names = [found.pictures[i] for i in found.picture]
    assert names == [TRAIN.format(i) for i, _ in rows]
    write_dettrain_csv(folder / "copy.csv", found)
    assert (folder / "copy.csv").read_bytes() == source.read_bytes()


@given(st.lists(st.tuples(pictures, boxes), min_size=1))
def test_test_boxes_round_trip_to_the_byte_with_crlf(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Any]
) -> None:
    folder = tmp_path_factory.mktemp("test")
    lines = [",".join([TEST.format(i), *map(str, box), "face"]) for i, box in rows]
    source = written(folder / "detval.csv", lines, "\r\n")
    found = read_dettest_csv(source)
    assert found.style == PUBLISHED_TEST
    write_dettest_csv(folder / "copy.csv", found)
    assert (folder / "copy.csv").read_bytes() == source.read_bytes()


@given(st.lists(st.tuples(pictures, st.tuples(*[finite] * 4), finite)))
def test_a_submission_is_written_highest_score_first_and_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Any]
) -> None:
    path = tmp_path_factory.mktemp("submission") / "submission.csv"
    lines = [
        ",".join([TEST.format(i), *map(repr, box), "face", repr(score)])
        for i, box, score in rows
    ]
    found = read_submission_csv(written(path, lines))
    assert found.scores.tolist() == [score for *_, score in rows]
    write_submission_csv(path, found)
    ranked = read_submission_csv(path)
    expected = sorted(rows, key=lambda row: -row[2])  # stable, like the writer
    assert ranked.scores.tolist() == [score for *_, score in expected]
    assert ranked.corners.tolist() == [list(box) for _, box, _ in expected]
    names = [ranked.pictures[i] for i in ranked.picture]
    assert names == [TEST.format(i) for i, *_ in expected]


ranked_scores = st.lists(st.integers(0, 1000), max_size=20).map(
    lambda values: [value / 1000 for value in sorted(values, reverse=True)]
)


@given(ranked_scores, st.data(), st.sampled_from(["\n", "\r\n"]))
def test_a_sorted_submission_round_trips_to_the_byte(
    tmp_path_factory: pytest.TempPathFactory,
    scores: list[float],
    data: st.DataObject,
    newline: str,
) -> None:
    folder = tmp_path_factory.mktemp("sorted")
    lines = [
        ",".join([TEST.format(i), *map(str, box), "face", f"{score:g}"])
        for score in scores
        for i, box in [data.draw(st.tuples(pictures, boxes))]
    ]
    source = written(folder / "submission.csv", lines, newline)
    write_submission_csv(folder / "copy.csv", read_submission_csv(source))
    assert (folder / "copy.csv").read_bytes() == source.read_bytes()


def test_a_submission_has_the_published_columns(tmp_path: Path) -> None:
    path = tmp_path / "submission.csv"
    found = Detections(
        (TEST.format(0), TEST.format(7)),
        np.array([0, 1]),
        np.array([[180.0, 84, 219, 125], [1.5, 2, 3, 4]]),
        scores=np.array([0.25, 1.0]),
    )
    write_submission_csv(path, found)
    assert path.read_text().splitlines() == [
        "personai_icartoonface_detval_00007.jpg,1.5,2,3,4,face,1",
        "personai_icartoonface_detval_00000.jpg,180,84,219,125,face,0.25",
    ]


def test_degenerate_boxes_are_kept_and_flagged(tmp_path: Path) -> None:
    lines = ["a.jpg,1,1,9,9", "a.jpg,5,1,5,9", "b.jpg,1,9,9,1", "c.jpg,0,0,0,0"]
    found = read_dettrain_csv(written(tmp_path / "train.csv", lines))
    assert found.degenerate.tolist() == [False, True, True, True]
    assert len(found.corners) == 4


@pytest.mark.parametrize(
    ("reader", "good", "bad", "reason"),
    [
        (read_dettrain_csv, "a.jpg,1,2,3,4", "a.jpg,1,2,3", "5 comma-separated"),
        (read_dettrain_csv, "a.jpg,1,2,3,4", "a.jpg,1,2,3,4,face", "5 comma-separated"),
        (read_dettrain_csv, "a.jpg,1,2,3,4", ",1,2,3,4", "5 comma-separated"),
        (read_dettrain_csv, "a.jpg,1,2,3,4", "a.jpg,1,2,3,x", "numbers in"),
        (read_dettrain_csv, "a.jpg,1,2,3,4", "a.jpg,1,2,3,nan", "finite numbers"),
        (read_dettest_csv, "a.jpg,1,2,3,4,face", "a.jpg,1,2,3,4", "6 comma-separated"),
        (read_dettest_csv, "a.jpg,1,2,3,4,face", "a,1,2,3,4,cat", "class 'face'"),
        (read_dettrain_csv, "a.jpg,1,2,3,4", "a.jpg,1,2,3,1_0", "numbers in"),
        (read_dettrain_csv, "a.jpg,1,2,3,4", "a.jpg,1,2,3,\u0661", "numbers in"),
        (read_submission_csv, "a,1,2,3,4,face,.5", "a,1,2,3,4,face,inf", "finite"),
        (read_submission_csv, "a,1,2,3,4,face,.5", "a,1,2,3,4,face", "7 comma"),
        (read_submission_csv, "a,1,2,3,4,face,.5", "a,1,2,3,4,face,", "numbers in"),
    ],
)
def test_a_bad_row_is_refused_by_line(
    tmp_path: Path, reader: Callable[[Path], Any], good: str, bad: str, reason: str
) -> None:
    path = written(tmp_path / "boxes.csv", [good, bad, good])
    with pytest.raises(BadInput) as caught:
        reader(path)
    message = str(caught.value)
    assert message.startswith(f"{path}, line 2: expected ")
    assert reason in message
    assert repr(bad) in message or "'cat'" in message


def test_a_submission_is_read_as_a_spreadsheet_saves_it(tmp_path: Path) -> None:
    lines = [
        ";;;;;;",
        "Picture;Xmin;Ymin;Xmax;Ymax;Class;Score",
        '"a;1.jpg";1,5;2;3;4;FACE;0,25',
        "b.jpg;1;2;3;4;face;1",
        ";;;;;;",
    ]
    found = read_submission_csv(written(tmp_path / "s.csv", lines, "\r"))
    assert found.pictures == ("a;1.jpg", "b.jpg")
    assert found.corners.tolist() == [[1.5, 2, 3, 4], [1, 2, 3, 4]]
    assert found.scores.tolist() == [0.25, 1.0]


def test_repeated_boxes_are_kept_and_counted(tmp_path: Path) -> None:
    lines = ["a,1,1,9,9,face", "b,1,1,9,9,face", "a,1,1,9,9,face", "a,1,1,9,8,face"]
    assert read_dettest_csv(written(tmp_path / "t.csv", lines)).repeated == 1
    scored = [f"{line},{0.5 + n / 10}" for n, line in enumerate(lines)]
    assert read_submission_csv(written(tmp_path / "s.csv", scored)).repeated == 0


def test_an_empty_file_has_no_boxes(tmp_path: Path) -> None:
    found = read_submission_csv(written(tmp_path / "none.csv", []))
    assert found.pictures == ()
    assert found.corners.shape == (0, 4)
    assert found.scores.shape == (0,)


def one_detection(name: str = "a.jpg", score: float = 0.5) -> Detections:
    box = np.array([[0.0, 0.0, 1.0, 1.0]])
    return Detections((name,), np.array([0]), box, scores=np.array([score]))


@pytest.mark.parametrize("name", ["", "a,b.jpg", "a\r.jpg"])
def test_a_name_that_would_break_the_line_is_not_written(
    tmp_path: Path, name: str
) -> None:
    with pytest.raises(BadInput, match="cannot write the picture name"):
        write_submission_csv(tmp_path / "s.csv", one_detection(name))


def test_a_score_that_is_not_finite_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="found nan in detection 1"):
        write_submission_csv(tmp_path / "s.csv", one_detection(score=np.nan))

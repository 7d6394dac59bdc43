import json
from pathlib import Path

import numpy as np
import pytest

from icf.dataset.formats.icartoonface.detected import read_detections
from icf.errors import BadInput

SET = ("a.jpg", "b/c.jpg", "d.jpg")


def printed(path: Path, *lines: object) -> Path:
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), "utf-8")
    return path


def face(score: float, kind: str = "cartoon", x: float = 0.0) -> dict[str, object]:
    return {"box": [x, 0.0, 9.5, 9.0], "score": score, "kind": kind}


def test_printed_lines_are_detections_by_score_without_human_faces(
    tmp_path: Path,
) -> None:
    path = printed(
        tmp_path / "d.jsonl",
        {"path": "/data/test/a.jpg", "faces": [face(0.4), face(0.9, "human")]},
        {"path": "b/c.jpg", "faces": [face(0.7, x=1), face(0.2)]},
        {"path": "C:\\test\\d.jpg", "faces": []},
        {"path": "e.jpg", "faces": [], "reason": "not_image"},
    )
    found = read_detections(path, SET)
    assert [found.pictures[one] for one in found.picture] == [
        "b/c.jpg",
        "a.jpg",
        "b/c.jpg",
    ]
    assert found.scores.tolist() == [0.7, 0.4, 0.2]
    assert found.corners[0].tolist() == [1, 0, 9.5, 9]


def test_a_submission_is_read_as_before(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("a.jpg,0,0,9,9,face,0.1\nd.jpg,0,0,9,9,face,0.8\n")
    assert read_detections(path, SET).scores.tolist() == [0.1, 0.8]
    path.write_text("")
    assert read_detections(path, SET).scores.shape == (0,)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"path": "x/a.jpg", "faces": []}, "line 2: expected each picture once"),
        ({"faces": []}, "line 2: expected a line of `icf detect --json`"),
        ({"path": "d.jpg", "faces": [{"box": [1, 2, 3], "score": 1}]}, "line 2"),
        ({"path": "d.jpg", "faces": [face(np.nan)]}, "line 2"),
        (["d.jpg"], "line 2"),
    ],
)
def test_a_line_that_is_something_else_is_named(
    tmp_path: Path, line: object, said: str
) -> None:
    path = printed(tmp_path / "d.jsonl", {"path": "a.jpg", "faces": []}, line)
    with pytest.raises(BadInput, match=said):
        read_detections(path, SET)

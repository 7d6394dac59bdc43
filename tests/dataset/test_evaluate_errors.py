"""What `icf-evaluate` says of files that are not what they should be."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from icf.dataset.cli.evaluate import main

Run = Callable[..., tuple[int, str]]

INFO = "a.jpg 0 0 9 9 0\nb.jpg 0 0 9 9 0\nx.jpg 0 0 9 9 -1\n"
PAIRS = "a.jpg b.jpg\nb.jpg a.jpg\n"
GOOD = np.array([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0]])
NAN = np.array([[1.0, 0.0], [np.nan, 0.1], [0.0, 1.0]])
TRUTH = "a.jpg,0,0,9,9,face\r\nb.jpg,0,0,9,9,face\r\n"
FOUND = "a.jpg,0,0,9,9,face,0.9\nb.jpg,0,0,9,9,face,0.8\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def program(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["icf-evaluate", *words])
        with pytest.raises(SystemExit) as done:
            main.main()
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        assert done.value.code == 0 or not out
        return int(done.value.code or 0), " ".join(err.split())

    return program


@pytest.mark.parametrize(
    ("info", "features", "said"),
    [
        (INFO, GOOD.tobytes()[:-8], "found 40 bytes"),
        (INFO, GOOD.tobytes()[:-3], "found 45 bytes"),
        (INFO, GOOD[:2].tobytes(), "3 rows of float64"),
        (INFO, GOOD.astype("f4").tobytes()[:20], "as float64 and without a header"),
        (INFO, b"", "found 0 bytes"),
        (INFO, NAN.tobytes(), "row 2 (b.jpg): expected finite numbers"),
        (INFO, np.zeros((3, 2)).tobytes(), "row 1 (a.jpg)"),
        (INFO[:20], GOOD.tobytes(), "info.txt, line 2"),
        (INFO + "a.jpg b", GOOD.tobytes(), "line 4: expected a picture listed above"),
        (INFO + PAIRS + INFO[:16], GOOD.tobytes(), "line 6: expected 2 fields"),
        (INFO.replace(" ", ","), GOOD.tobytes(), "line 1: expected 6 fields"),
        (INFO.replace("-1", "1"), GOOD.tobytes(), "info.txt: no distractor (label -1)"),
        ("", GOOD.tobytes(), "f.bin"),
    ],
)
def test_identification_names_what_is_wrong_and_fails(
    run: Run, info: str, features: bytes, said: str
) -> None:
    Path("info.txt").write_text(info)
    Path("f.bin").write_bytes(features)
    code, words = run(
        "identification", "--info", "info.txt", "--features", "f.bin", "--json"
    )
    assert code == 1
    assert words.startswith("error: ")
    assert said in words


@pytest.mark.parametrize(
    ("info", "words", "said"),
    [
        (INFO, ("verification", "--pairs", "p.txt"), "p.txt: no impostor pair"),
        (INFO.replace("9 0\n", "9 1\n", 1), ("verification",), "info.txt: no genuine"),
        (INFO.replace("9 0\n", "9 1\n", 1), ("open-set",), "info.txt: no mated probe"),
    ],
)
def test_a_test_with_too_little_to_be_scored_is_named(
    run: Run, info: str, words: tuple[str, ...], said: str
) -> None:
    Path("info.txt").write_text(info)
    Path("p.txt").write_text("a.jpg b.jpg\n")
    Path("f.bin").write_bytes(GOOD.tobytes())
    code, told = run(*words, "--info", "info.txt", "--features", "f.bin")
    assert code == 1
    assert told.startswith(f"error: {said}")


@pytest.mark.parametrize(
    ("truth", "found", "said"),
    [
        (TRUTH, FOUND[:-9], "d.csv, line 2: expected 7 comma-separated fields"),
        (TRUTH, FOUND.replace(",face", ""), "d.csv, line 1: expected 7"),
        (TRUTH, FOUND.replace("0.8", "nan"), "d.csv, line 2: expected finite numbers"),
        (TRUTH, FOUND.replace("b.jpg", "c.jpg"), "outside the set of 2: c.jpg"),
        (TRUTH, "picture," + FOUND, "d.csv, line 1: expected 7"),
        (FOUND, FOUND, "t.csv, line 1: expected 6"),
        (TRUTH.replace(",face", ""), FOUND, "t.csv, line 1: expected 6"),
        (TRUTH[:-9], FOUND, "t.csv, line 2: expected 6"),
        ("", FOUND, "no true box"),
    ],
)
def test_detection_names_what_is_wrong_and_fails(
    run: Run, truth: str, found: str, said: str
) -> None:
    Path("t.csv").write_bytes(truth.encode())
    Path("d.csv").write_text(found)
    code, words = run(
        "detection", "--truth", "t.csv", "--detections", "d.csv", "--json"
    )
    assert code == 1
    assert words.startswith("error: ")
    assert said in words


def test_an_unsorted_submission_is_scored_as_the_official_script_does(
    run: Run,
) -> None:
    Path("t.csv").write_bytes(TRUTH.encode())
    Path("d.csv").write_text("\n".join(reversed(FOUND.splitlines())) + "\n")
    assert run("detection", "--truth", "t.csv", "--detections", "d.csv")[0] == 0


@pytest.mark.parametrize(
    "words", [("identification", "--info", "info.txt"), ("detection",), ("ranking",)]
)
def test_a_command_that_is_used_wrongly_is_wrong_use(
    run: Run, words: tuple[str, ...]
) -> None:
    assert run(*words)[0] == 2


def test_float32_is_scored_as_such_and_said(run: Run) -> None:
    rng = np.random.default_rng(3)
    faces = np.repeat(rng.normal(size=(10, 64)), 2, axis=0)
    faces = np.concatenate([faces + 0.1 * rng.normal(size=faces.shape), -faces])
    labels = [*np.repeat(range(10), 2), *[-1] * 20]
    Path("info.txt").write_text(
        "".join(f"{n}.jpg 0 0 9 9 {label}\n" for n, label in enumerate(labels))
    )
    faces.astype("<f4").tofile("f.bin")
    words = ("identification", "--info", "info.txt", "--features", "f.bin")
    code, said = run(*words)
    assert (code, said) == (0, "f.bin holds float32, by its numbers")

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from icf.icartoonface.features import write_features
from icf.workspace import Workspace

pytestmark = pytest.mark.slow

CAUTION = (
    "a test of 1 identity and 2 probes is too small to mean anything: with as few "
    "identities, even 100% only says that the true percent is above 21 (95% confidence)"
)

SCORES = {
    "pairs": 2,
    "probes": 2,
    "distractors": 1,
    "rank1": 100.0,
    "rank5": 100.0,
    "rank10": 100.0,
    "identities": 1,
    "caution": CAUTION,
}


def run(program: str, *words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    script = Path(sys.executable).parent / program
    return subprocess.run(
        [str(script), *words], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.fixture
def identification(tmp_path: Path) -> tuple[Path, Path]:
    """Two pictures of one identity and a distractor that is farther away."""
    info, features = tmp_path / "info.txt", tmp_path / "f.bin"
    info.write_text("a.jpg 0 0 9 9 0\nb.jpg 0 0 9 9 0\nx.jpg 0 0 9 9 -1\n")
    write_features(features, np.array([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0]]))
    return info, features


def test_identification_needs_no_workspace_and_prints_percents(
    identification: tuple[Path, Path], tmp_path: Path
) -> None:
    info, features = map(str, identification)
    words = ("identification", "--info", info, "--features", features)
    done = run("icf-evaluate", *words, "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {name: found[name] for name in SCORES} == SCORES
    assert (found["dim"], found["dtype"]) == (2, "float64")
    assert found["not_a_fair_test"] is None
    assert found["intervals"]["rank1"] is None
    shown = run("icf-evaluate", *words, folder=tmp_path)
    assert "100.00%" in shown.stdout
    assert shown.stderr == f"{CAUTION}\n"


def test_detection_prints_three_named_averages(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a.jpg,0,0,9,9,face\r\nb.jpg,0,0,9,9,face\r\n")
    (tmp_path / "d.csv").write_text("a.jpg,0,0,9,9,face,0.9\n")
    words = ("detection", "--truth", "t.csv", "--detections", "d.csv", "--json")
    done = run("icf-evaluate", *words, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["pictures"], found["boxes"], found["detections"]) == (2, 2, 1)
    assert found["official"] == found["voc_all_point"] == 0.5
    assert found["coco"] == pytest.approx(51 / 101)


def test_boxes_that_are_there_twice_are_counted_and_told(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a.jpg,0,0,9,9,face\n" * 2)
    (tmp_path / "d.csv").write_text(
        "Picture;Xmin;Ymin;Xmax;Ymax;Class;Score\r\n"
        + "a.jpg;0;0;9;9;face;0,9\r\n" * 3
        + ";;;;;;\r\n",
        encoding="utf-16",
    )
    words = ("detection", "--truth", "t.csv", "--detections", "d.csv", "--json")
    done = run("icf-evaluate", *words, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["repeated_boxes"], found["repeated_detections"]) == (1, 2)
    assert "t.csv repeats 1 boxes" in done.stderr


def test_a_bad_line_is_named_without_a_traceback(
    identification: tuple[Path, Path], tmp_path: Path
) -> None:
    info, features = identification
    info.write_text("a.jpg 0 0 9 9 0\nb.jpg 0 0 nine 9 0\n")
    words = ("--info", str(info), "--features", str(features))
    done = run("icf-evaluate", "identification", *words, folder=tmp_path)
    assert done.returncode == 1
    assert "info.txt, line 2" in done.stderr
    assert "Traceback" not in done.stderr
    gone = run(
        "icf-evaluate",
        "detection",
        "--truth",
        "none.csv",
        "--detections",
        "d",
        folder=tmp_path,
    )
    assert gone.returncode == 1
    assert "none.csv" in gone.stderr


def test_features_that_do_not_fit_are_refused(
    identification: tuple[Path, Path], tmp_path: Path
) -> None:
    info, features = identification
    features.write_bytes(b"\0" * 13)
    words = ("--info", str(info), "--features", str(features))
    done = run("icf-evaluate", "identification", *words, folder=tmp_path)
    assert done.returncode == 1
    assert "13 bytes" in done.stderr


def test_the_whole_way_from_catalogue_to_report(workspace: Workspace) -> None:
    root = workspace.root
    built = run("icf-build-splits", "releases/a", "--seed", "3", "--json", folder=root)
    assert built.returncode == 0, built.stderr
    first = json.loads(built.stdout)
    assert first["written"] is True
    again = run("icf-build-splits", "releases/a", "--seed", "3", "--json", folder=root)
    assert again.returncode == 0
    assert "this release already" in again.stderr
    assert json.loads(again.stdout) == {**first, "written": False}
    other = run("icf-build-splits", "releases/a", "--seed", "4", folder=root)
    assert other.returncode == 2
    assert "another release" in other.stderr
    words = ("reports/r.html", "--json", "--plots", "reports/plots")
    report = run("icf-report", *words, folder=root)
    assert report.returncode == 0, report.stderr
    path = root / "reports" / "r.html"
    assert json.loads(report.stdout)["bytes"] == path.stat().st_size
    assert (root / "reports" / "plots" / "cmc.svg").is_file()
    compared = run(
        "icf-report",
        *("-C", str(root), "compare", "releases/a", "releases/a", "reports/c.html"),
        folder=root,
    )
    assert compared.returncode == 0, compared.stderr
    assert (root / "reports" / "c.html").is_file()
    wrong = run("icf-report", "a.html", "b.html", folder=root)
    assert wrong.returncode == 2


def test_a_report_into_a_folder_that_is_not_there_is_wrong_use(
    workspace: Workspace,
) -> None:
    done = run("icf-report", "nowhere/r.html", folder=workspace.root)
    assert done.returncode == 2
    assert "no folder nowhere" in done.stderr

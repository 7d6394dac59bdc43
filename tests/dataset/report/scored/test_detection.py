from __future__ import annotations

from pathlib import Path

import pytest

from icf.dataset.own_models import OWN_DETECTOR
from icf.dataset.release.prepare import prepare
from icf.dataset.release.write import write
from icf.dataset.report.scored.detection import read_detection
from icf.icartoonface.release_files import DETTEST_FOUND
from icf.workspace import Workspace


@pytest.fixture
def files(workspace: Workspace) -> Path:
    """A release; of its test's detections every third is somewhere else."""
    target = workspace.root / "releases" / "one"
    write(workspace, prepare(workspace, 1), target, 1)
    found = target / DETTEST_FOUND
    lines = found.read_text().splitlines()
    moved = [_moved(line) if at % 3 == 2 else line for at, line in enumerate(lines)]
    found.write_text("\n".join(moved) + "\n")
    return target


def _moved(line: str) -> str:
    name, *numbers = line.split(",")
    corners = [float(each) / 4 for each in numbers[:4]]
    return ",".join([name, *map(str, corners), *numbers[4:]])


def test_the_curve_falls_within_its_interval_and_its_area_is_the_precision(
    files: Path,
) -> None:
    shown = read_detection(files)
    assert shown is not None
    assert shown.unfair == OWN_DETECTOR
    assert 0.4 < shown.score.voc_all_point < 0.95
    assert shown.area.low < shown.score.voc_all_point < shown.area.high
    assert len(shown.plot.rows) == 101
    for _, precision, low, high in shown.plot.rows:
        assert isinstance(precision, float)
        assert isinstance(low, float)
        assert isinstance(high, float)
        assert 0 <= low <= high <= 1
        assert low - 0.1 <= precision <= high + 0.1
    precisions = [float(row[1] or 0) for row in shown.plot.rows]
    assert precisions == sorted(precisions, reverse=True)


def test_pictures_in_which_nothing_was_found_are_counted(files: Path) -> None:
    before, found = read_detection(files), files / DETTEST_FOUND
    lines = found.read_text().splitlines(keepends=True)
    first = lines[0].partition(",")[0]
    found.write_text("".join(each for each in lines if not each.startswith(first)))
    after = read_detection(files)
    assert before is not None
    assert after is not None
    assert after.undetected == before.undetected + 1


def test_without_what_the_detector_found_nothing_is_scored(files: Path) -> None:
    (files / DETTEST_FOUND).unlink()
    assert read_detection(files) is None

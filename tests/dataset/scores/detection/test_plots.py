from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from icf.dataset.scores.detection.evaluation import Evaluation, evaluate
from icf.dataset.scores.detection.plots import write_plots
from icf.dataset.scores.detection.truth import Found, Truth
from icf.dataset.scores.detection.worst import write_worst
from icf.errors import BadInput
from tests.dataset.scores.detection.made import found_of, random_set, truth_of


def evaluated(seed: int) -> Evaluation:
    boxes, found = random_set(seed, 10)
    found = replace(found, scores=found.scores / 2)
    truth = Truth.of(boxes)
    return evaluate(truth, Found.of(truth, found), draws=20)


def test_each_plot_is_an_svg_and_a_table(tmp_path: Path) -> None:
    made = evaluated(4)
    names = write_plots(tmp_path / "plots", made)
    assert sorted(names) == sorted(path.name for path in (tmp_path / "plots").iterdir())
    for path in (tmp_path / "plots").glob("*.svg"):
        assert ElementTree.parse(path).getroot().tag.endswith("svg")
        assert path.with_suffix(".csv").is_file()
    with (tmp_path / "plots" / "precision_recall.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    precision = [float(row["coco"]) for row in rows]
    assert np.mean(precision) == pytest.approx(made.scored.score.coco)
    assert all(float(row["coco_low"]) <= float(row["coco_high"]) for row in rows)
    with (tmp_path / "plots" / "errors.csv").open(newline="") as file:
        counts = {row["error"]: int(row["count"]) for row in csv.DictReader(file)}
    assert counts["missed"] == made.errors.costs.missed.count
    with (tmp_path / "plots" / "suspects.csv").open(newline="") as file:
        suspects = list(csv.DictReader(file))
    assert [
        (each["reason"], float(each["score"]), each["picture"], float(each["x1"]))
        for each in suspects
    ] == [(s.reason, s.score, s.picture, s.corners[0]) for s in made.suspects]


def test_the_same_evaluation_gives_the_same_files(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_plots(tmp_path / name, evaluated(7))
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_the_worst_errors_are_shown_in_their_pictures(tmp_path: Path) -> None:
    boxes = truth_of([(0, [10, 10, 60, 60]), (1, [0, 0, 9, 9])], 2)
    rows = [(0, [100.0, 100, 150, 150], 0.9), (0, [12.0, 40, 60, 90], 0.8)]
    truth = Truth.of(boxes)
    made = evaluate(truth, Found.of(truth, found_of(rows, boxes)), draws=0)
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)
    cv2.imwrite(str(tmp_path / boxes.pictures[0]), noise)
    missing = write_worst(tmp_path / "worst.html", made, tmp_path)
    page = (tmp_path / "worst.html").read_text()
    # The missed face of the second picture, whose file is not there.
    assert missing == 1
    assert page.count("data:image/jpeg;base64,") == 2
    for title in ("Missed faces", "Boxes where no face is known", "Badly placed boxes"):
        assert title in page
    assert "Second boxes" not in page
    assert '<meta name="color-scheme" content="light dark">' in page
    assert page.count("<main>") == page.count("</main>") == 1


def test_a_picture_outside_of_the_folder_is_not_opened(tmp_path: Path) -> None:
    boxes = truth_of([(0, [10, 10, 60, 60])], 1)
    boxes = replace(boxes, pictures=("../secret.jpg",))
    truth = Truth.of(boxes)
    made = evaluate(truth, Found.of(truth, found_of([], boxes)), draws=0)
    with pytest.raises(BadInput, match="leads out of the folder"):
        write_worst(tmp_path / "worst.html", made, tmp_path / "pictures")

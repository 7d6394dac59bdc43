"""`icf bench tables` on a small set in the published shape."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from icf.app.bench.data import BenchData, open_release
from icf.app.bench.paper import rates_table, terms_table
from icf.app.bench.plan import make_plan, read_base
from icf.app.bench.scoring import SCORE, score_model
from icf.app.bench.summary import over_seeds
from icf.app.cli import cli
from icf.dataset.report.scored.tables import read_tables
from icf.models.data.formats.folders import FoldersReader
from icf.models.data.index import Source
from icf.models.training.config import read_config
from icf.models.training.embedder.config import EmbedderConfig
from icf.models.training.train import train
from tests.app.program import BIN, invoke, within
from tests.icartoonface_files import Published, write_published

TOY = """
[network]
name = "timm:test_resnet"
dim = 8
side = 32
[loop]
batch = 8
rate = 0.01
precision = "float32"
workers = 0
"""
SMALL = Published(
    identities=3, pictures=3, probes=2, detection_train=0, detection_test=0
)
SETTINGS = ("--table", "3", "--loss", "softmax", "--loss", "arcface", "--steps", "2")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("bench")
    write_published(root / "published", SMALL)
    (root / "toy.toml").write_text(TOY)
    return root


def words(root: Path, *more: str) -> tuple[str, ...]:
    given = ("--out", root / "tables", "--config", root / "toy.toml", "--device", "cpu")
    return ("bench", "tables", str(root / "published"), *map(str, given), *more)


def bench(root: Path, *more: str) -> Any:
    done = invoke(cli, *words(root, "--json", *more))
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def states(out: Path) -> dict[str, int]:
    return {p.parent.name: p.stat().st_mtime_ns for p in out.glob(f"runs/*/{SCORE}")}


@pytest.fixture(scope="module")
def resumed(root: Path) -> tuple[dict[str, int], Any]:
    """What was done when the command was killed, and the result of the next call."""
    line = [str(BIN / "icf"), *words(root, *SETTINGS, "--seeds", "1")]
    out = root / "tables"
    with subprocess.Popen(
        line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as running:
        while not states(out) and running.poll() is None:
            time.sleep(0.02)
        running.kill()
    return states(out), bench(root, *SETTINGS, "--seeds", "1")


def test_after_a_kill_the_same_command_repeats_no_finished_training(
    root: Path, resumed: tuple[dict[str, int], Any]
) -> None:
    before, result = resumed
    after = states(root / "tables")
    assert before
    assert before.items() <= after.items()
    assert len(after) == 2
    assert [row["seeds"] for row in result["tables"]["3"]] == [1, 1]


def test_the_tables_begin_by_saying_that_they_are_of_a_toy_run(
    root: Path, resumed: tuple[dict[str, int], Any]
) -> None:
    assert resumed[1]["toy"]
    text = (root / "tables" / "tables.md").read_text()
    assert text.startswith("a toy run: 2 steps")
    [row] = [line for line in text.splitlines() if line.startswith("| ArcFace")]
    assert re.fullmatch(r"\| ArcFace \| .*\| 83\.34 \| 93\.12 \| 95\.20 \| .*", row)


def test_the_report_of_the_workspace_shows_them(
    root: Path, resumed: tuple[dict[str, int], Any]
) -> None:
    shown = read_tables(root)
    assert shown is not None
    assert shown.about.startswith("a toy run: 2 steps")
    [table] = shown.tables
    percents = [row["percents"]["rank1"]["mean"] for row in resumed[1]["tables"]["3"]]
    assert [row.here[0] for row in table.rows] == [f"{each:.2f}" for each in percents]
    assert table.rows[1].paper == ["83.34", "93.12", "95.20"]


def test_the_csv_has_the_score_of_the_one_seed_without_an_interval(
    root: Path, resumed: tuple[dict[str, int], Any]
) -> None:
    with (root / "tables" / "table-3.csv").open() as file:
        rows = {row["loss"]: row for row in csv.DictReader(file)}
    [path] = (root / "tables").glob(f"runs/softmax-seed-*/{SCORE}")
    score = json.loads(path.read_text())
    assert float(rows["SoftMax"]["rank1"]) == score["rank1"]
    assert rows["SoftMax"]["rank1_low"] == ""


def test_the_interval_of_seeds_is_students() -> None:
    made = over_seeds([70.0, 72.0, 74.0])
    # t of 2 degrees of freedom is 4.303; the standard error is 2 / sqrt(3).
    assert made.value == pytest.approx(72)
    assert made.high - made.value == pytest.approx(4.303 * 2 / 3**0.5, rel=1e-3)


def test_the_figure_has_a_curve_for_each_loss(
    root: Path, resumed: tuple[dict[str, int], Any]
) -> None:
    drawn = ElementTree.parse(root / "tables" / "cmc.svg")
    curves = drawn.findall(".//{*}polyline")
    assert len(curves) == 2
    points = [point.split(",") for point in (curves[0].get("points") or "").split()]
    heights = [float(y) for _, y in points]
    assert heights == sorted(heights, reverse=True)


def test_a_training_is_scored_by_the_rate_it_was_trained_with(
    root: Path, tmp_path: Path
) -> None:
    reader, test = open_release(root / "published")
    config = read_config(
        EmbedderConfig,
        "embedder",
        recipe="paper",
        file=root / "toy.toml",
        changes={"loop.steps": 1, "crops.rate": 0.25, "loss.name": "arcface"},
    )
    trained = train("embedder", [Source(reader)], config, tmp_path, device="cpu")
    score = score_model(trained, test, "cpu")
    assert trained.card.parameters["crop_rate"] == 0.25
    assert score.curve[0] == score.rank1
    assert score.curve[-1] == 100


def test_what_two_tables_share_is_trained_once(root: Path) -> None:
    reader, test = open_release(root / "published")
    human = Source(FoldersReader(root / "published", "human"))
    base = read_base(None, 5)
    data = BenchData(Source(reader), human, test)
    plan = make_plan([terms_table(), rates_table()], base, 2, data)
    names = [run.method.name for run in plan.in_order()]
    assert names.count("softmax") == 2
    assert names.index("softmax") < names.index("softmax-cls-uir-da")
    assert len({run.folder for run in plan.in_order()}) == 2 * (4 + 5)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--table", "4"), "--human"),
        (("--loss", "arcfase"), "arcfase"),
        (("--human", "folders:nowhere", "--table", "3"), "--table 4"),
        (("--loss", "arcface", "--table", "5"), "--table 3"),
    ],
)
def test_wrong_use_is_said_before_anything_is_trained(
    root: Path, options: tuple[str, ...], said: str
) -> None:
    done = within("icf", *words(root, "--dry-run", *options), folder=root, code=2)
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_without_a_test_is_refused(tmp_path: Path) -> None:
    write_published(tmp_path, Published(seen=0, unseen=0, distractors=0))
    line = ("bench", "tables", tmp_path, "--out", tmp_path / "out")
    done = within("icf", *line, folder=tmp_path, code=1)
    assert "recognition test" in done.stderr
    assert not (tmp_path / "out").exists()

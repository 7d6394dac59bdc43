"""What `icf-train` refuses before it trains, also where it only says what it would."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from icf.catalogue.schema import answer, image
from icf.errors import IcfError, WrongUse
from icf.models.cards import bundled_path, load_card
from icf.models.cli.main import cli
from icf.models.data.index import Source, build_index
from icf.models.data.spec import open_reader, parse
from icf.models.training.config import read_config
from icf.models.training.detector.config import DetectorConfig
from icf.models.training.run_files import CHECKPOINT, RUN
from icf.models.training.run_state import RunState
from icf.models.training.train import Trained, identity_of
from icf.workspace import init
from tests.app.program import call, invoke
from tests.dataset.drawn import Drawing, Size
from tests.models.cli.test_detector import write_coco
from tests.models.onnx_files import colour_detector


@pytest.fixture
def data(tmp_path: Path) -> str:
    return f"coco:{write_coco(tmp_path / 'pictures', count=1)}"


@pytest.mark.parametrize(
    ("share", "text", "error", "named"),
    [
        ("=0", "", WrongUse, "a share is above 0 and at most 1"),
        ("=1.5", "", WrongUse, "a share is above 0 and at most 1"),
        ("=-1", "", WrongUse, "a share is above 0 and at most 1"),
        ("", "x = ", WrongUse, "mine.toml: Invalid value"),
        ("", "[loop]\nstepz = 3", WrongUse, "stepz"),
        ("", '[loop]\ntrackers = ["x"]', WrongUse, "loop.trackers.0 = 'x' (mine.toml)"),
        ("", '[network]\nname = "nope"', WrongUse, "unknown network 'nope'"),
    ],
)
def test_a_dry_run_refuses_what_a_training_refuses(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    data: str,
    share: str,
    text: str,
    error: type[IcfError],
    named: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text(text)
    words = ["detector", "--data", data + share, "--config", "mine.toml"]
    done = CliRunner().invoke(cli, [*words, "--out", "out", "--dry-run"])
    assert type(done.exception) is error
    assert named in str(done.exception)


@pytest.mark.parametrize(
    ("option", "name", "named"),
    [
        ("--loss", "nope", "unknown loss 'nope'; known are adaface"),
        ("--loss", "focal-nope", "unknown loss 'nope'; known are adaface"),
        ("--backbone", "nope", "unknown network 'nope'; known are densenet169"),
        ("--backbone", "timm:nope", "has no architecture 'nope'"),
    ],
)
def test_an_unknown_name_is_wrong_use_before_any_data_are_read(
    tmp_path: Path, data: str, option: str, name: str, named: str
) -> None:
    words = ["embedder", "--data", data, "--out", str(tmp_path / "out"), option, name]
    done = CliRunner().invoke(cli, words)
    assert isinstance(done.exception, WrongUse)
    assert named in str(done.exception)


def test_a_dry_run_says_what_it_would_do_and_does_nothing(
    tmp_path: Path, data: str
) -> None:
    words = ["detector", "--data", data, "--out", str(tmp_path / "out"), "--dry-run"]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, done.output
    assert "would train the detector" in done.output
    assert done.output.endswith(", pictures: 1, faces: 1\n")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "spec", "named"),
    [
        ("embedder", "{data}", "no face has an identity"),
        ("detector", "folders:.", "no face has a box"),
    ],
)
def test_a_dry_run_refuses_data_that_cannot_be_trained_on(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    data: str,
    name: str,
    spec: str,
    named: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    words = [name, "--data", spec.format(data=data), "--out", "out", "--dry-run"]
    done = CliRunner().invoke(cli, words)
    assert isinstance(done.exception, IcfError)
    assert named in str(done.exception)


def test_a_dry_run_refuses_a_model_that_cannot_be_trained_further(
    tmp_path: Path, data: str
) -> None:
    start = colour_detector(tmp_path / "foreign.onnx")
    words = ["detector", "--data", data, "--from", start, "--out", tmp_path / "out"]
    for more in ([], ["--dry-run"]):
        with pytest.raises(WrongUse, match="foreign cannot be trained further: its ca"):
            invoke(cli, *words, *more)


def test_a_model_is_found_from_the_folder_in_which_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: str
) -> None:
    """Like --out, --config and --data, and as the commands of `icf model` do."""
    init(tmp_path / "space")
    (tmp_path / "space" / "models" / "mine").mkdir(parents=True)
    words = ["detector", "--data", data, "--out", tmp_path / "out", "--dry-run"]
    for folder, name in (
        (tmp_path, "foreign.onnx"),
        (tmp_path / "space" / "models", "mine/foreign.onnx"),
    ):
        colour_detector(folder / name)
        monkeypatch.chdir(folder)
        with pytest.raises(WrongUse, match="foreign cannot be trained further"):
            invoke(cli, *words, "-C", tmp_path / "space", "--from", name)


def test_a_dry_run_refuses_a_folder_of_another_run(tmp_path: Path, data: str) -> None:
    out = tmp_path / "out"
    out.mkdir()
    words = ["detector", "--data", data, "--out", out]
    config = read_config(DetectorConfig, "detector")
    index = build_index([Source(open_reader(parse(data), None))])
    own = identity_of("detector", config, index.digest(), None)
    parts = ("weights", "average", "mean", "moments", "scaler")
    nothing: dict[str, Any] = {part: {} for part in parts}
    state = RunState(3, 9, 1.0, own, **nothing)
    state.save(out / CHECKPOINT)
    assert "would go on from step 3" in invoke(cli, *words, "--dry-run").output
    with pytest.raises(WrongUse, match=r"another config\.loop\.seed"):
        invoke(cli, *words, "--seed", 8, "--dry-run")
    state = dataclasses.replace(state, identity={**own, "data": "before"})
    state.save(out / CHECKPOINT)
    for more in ([], ["--dry-run"]):
        with pytest.raises(WrongUse, match="holds another run: it has another data"):
            invoke(cli, *words, *more)
    (out / CHECKPOINT).unlink()
    (out / RUN).write_text(json.dumps({"identity": {**own, "task": "x"}, "steps": 9}))
    with pytest.raises(WrongUse, match="holds another run: it has another task"):
        invoke(cli, *words, "--dry-run")


def test_a_dry_run_names_data_that_are_not_there_yet(tmp_path: Path, data: str) -> None:
    words = ["detector", "--data", data, "--data", "folders:nowhere", "--dry-run"]
    done = CliRunner().invoke(cli, [*words, "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert "--data folders:nowhere: it is not there yet" in done.stderr
    assert "pictures:" not in done.stdout


@pytest.mark.parametrize(
    ("words", "text", "named"),
    [
        (("--set", "nonsense.x=1"), "", "unknown setting 'nonsense.x'"),
        ((), "[filter]\nmin_face = 0", "filter.min_face"),
        ((), "bad = [", "icf.toml"),
    ],
)
def test_a_workspace_that_cannot_be_opened_is_not_called_missing(
    words: tuple[str, ...],
    text: str,
    named: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    init(tmp_path / "space").catalogue.close()
    if text:
        (tmp_path / "space" / "icf.toml").write_text(text)
    monkeypatch.chdir(tmp_path / "space")
    asked = ("detector", "--data", "workspace", "--out", "m", "--dry-run", *words)
    with pytest.raises(WrongUse, match=named):
        invoke(cli, *asked)


@pytest.mark.parametrize("words", [(), ("--set", "filter.min_face=60")])
def test_settings_that_no_workspace_has_are_said_to_change_nothing(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: str
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ["detector", "--data", data, "--out", "m", "--dry-run", *words]
    done = CliRunner().invoke(cli, asked)
    assert done.exit_code == 0
    assert ("--set changes nothing here" in done.stderr) is bool(words)


def test_answers_that_are_no_labels_yet_are_named(tmp_path: Path) -> None:
    """A page's server that was killed leaves answers whose labels do not follow."""
    size = Size(albums=1, characters=3, faces=2)
    place = Drawing(tmp_path / "toons", size).draw()
    words = ["detector", "--data", "workspace", "--out", "m", "--dry-run"]
    words += ["-C", str(place.root)]
    waits = (
        "did not become labels yet, and are not trained on: 2. `icf-annotate status`"
    )
    assert waits not in invoke(cli, *words).stderr
    with place.catalogue.write() as connection:
        some = sa.select(answer.c.id).order_by(answer.c.id).limit(2)
        update = sa.update(answer).where(answer.c.id.in_(some))
        connection.execute(update.values(waits=True))
    assert waits in invoke(cli, *words).stderr


@pytest.mark.parametrize("withdrawn", [False, True])
def test_what_is_withdrawn_while_it_trains_is_said(
    withdrawn: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Drawing(tmp_path / "toons", Size(albums=1, characters=3, faces=2)).draw()
    with place.catalogue.read() as connection:
        picture = connection.execute(sa.select(image.c.sha256)).scalars().first()

    def train(*_: Any, **__: Any) -> Trained:
        if withdrawn:
            words = ("-C", place.root, "takedown", picture, "--reason", "x", "--yes")
            call(*words)
        path = bundled_path("embedder")
        card = load_card(path.with_suffix(".json"))
        return Trained(card, path, 1, 0.0, {})

    monkeypatch.setattr("icf.models.cli.trained.train", train)
    done = invoke(
        cli,
        "embedder",
        "--data",
        "workspace",
        "--out",
        tmp_path / "m",
        "-C",
        place.root,
    )
    assert ("withdrawn from the workspace while" in done.stderr) is withdrawn

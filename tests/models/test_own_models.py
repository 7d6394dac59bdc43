"""Models of one's own: the page docs/add-a-model.md, the settings, what is refused."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
import torch
from PIL import Image

from icf.catalogue import calibrations
from icf.catalogue.calibrations import Curve
from icf.catalogue.schema import decision, face, model
from icf.errors import BadModel, IcfError
from icf.filter.resources import chosen_embedder
from icf.models.cards import load_card, new_card, save_card
from icf.models.detection import Detector
from icf.models.embedding import Embedder
from icf.models.networks import NETWORKS, create
from icf.models.training import losses
from icf.settings import load
from icf.stores.files import hash_file
from icf.workspace import Workspace
from tests.app.program import call, said
from tests.filter.plugin_package import add_picture
from tests.filter.workspaces import make_workspace, rows, site_files
from tests.models.onnx_files import (
    RED,
    colour_detector,
    colour_embedder,
    colour_yolo,
    painted,
)

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PAGE = Path(__file__).parent.parent.parent / "docs" / "add-a-model.md"
OWN = {"filter.detector": "models/eyes.onnx", "filter.embedder": "models/ears.json"}


def blocks(language: str) -> list[str]:
    """The page's blocks of one language."""
    text = PAGE.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The package of the page, installed as pip would; the working folder."""
    site, work = tmp_path / "site", tmp_path / "work"
    info = site / "toon_models-1.dist-info"
    info.mkdir(parents=True)
    about = "Metadata-Version: 2.1\nName: toon-models\nVersion: 1\n"
    (info / "METADATA").write_text(about)
    project = tomllib.loads(blocks("ini")[2])
    groups = project["project"]["entry-points"].items()
    points = "".join(
        f"[{group}]\n" + "".join(f"{name} = {where}\n" for name, where in each.items())
        for group, each in groups
    )
    (info / "entry_points.txt").write_text(points)
    _, yolo, tiny, _ = blocks("python")
    code = {"yolov8": yolo, "tiny": tiny}
    for name in project["tool"]["setuptools"]["py-modules"]:
        (site / f"{name}.py").write_text(code[name])
    (work / "models").mkdir(parents=True)
    monkeypatch.syspath_prepend(site)
    monkeypatch.chdir(work)
    yield work
    for name in ("yolov8", "tiny"):
        sys.modules.pop(name, None)


def test_the_format_of_the_page_opens_a_foreign_detector(package: Path) -> None:
    weights = colour_yolo(package / "models" / "faces.onnx")
    exec(blocks("python")[0], {})
    detector = Detector.open(weights)
    assert detector.card.format == "yolov8-onnx"
    assert detector.model_hash == hash_file(weights)
    # 1280 x 800 is shown at 640 x 400: a patch of 64 pixels fills one cell.
    picture = painted(800, 1280, {(128, 64, 64): RED, (640, 448, 64): RED})
    [faces] = detector.detect([picture])
    assert sorted(face.box for face in faces) == [
        (112, 48, 208, 144),
        (624, 432, 720, 528),
    ]
    assert {face.kind for face in faces} == {"cartoon"}


def test_the_network_of_the_page_runs_in_both_runtimes(package: Path) -> None:
    torch.manual_seed(0)
    exec(blocks("python")[3], {})
    path = package / "models" / "characters.onnx"
    random = np.random.default_rng(0)
    crops = [random.integers(0, 256, (50, 50, 3), np.uint8) for _ in range(3)]
    ours = Embedder.open(path, runtime="torch", device="cpu").embed(crops)
    theirs = Embedder.open(path.with_suffix(".json")).embed(crops)
    assert ours.shape == (3, 16)
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_without_its_package_a_format_is_unknown_and_the_known_ones_are_named(
    tmp_path: Path,
) -> None:
    weights = colour_yolo(tmp_path / "faces.onnx")
    numbers = {"min_score": 0.4, "side": 640, "overview": 0, "tiles": 1}
    card = new_card(weights, "detect", "yolov8-onnx", numbers)
    save_card(card, weights.with_suffix(".json"))
    known = (
        "known are arcface, ccip, centerface, detector, embedder, "
        "icf-centerface-onnx, icf-detector-onnx"
    )
    with pytest.raises(BadModel, match=f"unknown model format 'yolov8-onnx'; {known}"):
        Detector.open(weights)


def test_a_package_that_cannot_be_imported_is_named(package: Path) -> None:
    (package.parent / "site" / "yolov8.py").write_text("import nothing_like_it")
    weights = colour_yolo(package / "models" / "faces.onnx")
    exec(blocks("python")[0], {})
    with pytest.raises(
        BadModel, match=r"cannot import .*'yolov8-onnx' \(yolov8:YoloV8"
    ):
        Detector.open(weights)


def remade(path: Path, **changes: object) -> None:
    """Change fields of the card of a model."""
    card = path.with_suffix(".json")
    card.write_text(json.dumps({**json.loads(card.read_text()), **changes}))


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (
            lambda path: [each.unlink() for each in path.parent.glob("eyes.*")],
            r"there is no model .*eyes\.onnx: neither weights nor a card .*eyes\.json",
        ),
        (
            lambda path: remade(path, task="embed"),
            r"is for 'embed'; expected a model to 'detect'",
        ),
        (lambda path: remade(path, sha256="0" * 64), r"its card promises 0000"),
        (
            lambda path: remade(path, format="icf-embedder-onnx"),
            r"has the format 'icf-embedder-onnx', which cannot detect",
        ),
        (
            lambda path: remade(path, format="darknet"),
            r"unknown model format 'darknet'; known are arcface, ccip, centerface",
        ),
    ],
)
def test_a_model_that_cannot_be_opened_says_why(
    tmp_path: Path, harm: Callable[[Path], object], message: str
) -> None:
    path = colour_detector(tmp_path / "eyes.onnx")
    harm(path)
    with pytest.raises(BadModel, match=message):
        Detector.open(path)


def test_a_card_of_before_means_the_bundled_format_and_network(tmp_path: Path) -> None:
    path = colour_detector(tmp_path / "eyes.onnx")
    card = path.with_suffix(".json")
    fields = json.loads(card.read_text())
    del fields["format"], fields["network"]
    card.write_text(json.dumps(fields))
    found = load_card(card)
    assert found.format == "icf-detector-onnx"
    assert found.network == "retinanet-mobilenetv2"
    assert Detector.open(path).card == found


def test_networks_and_losses_are_made_by_name() -> None:
    for name in NETWORKS.own:
        assert isinstance(create(name), torch.nn.Module)
    with pytest.raises(BadModel, match="unknown network 'vit'; known are densenet"):
        create("vit")
    loss = losses.create("combined", dim=4, classes=3, m2=0.2)
    assert loss(torch.ones(2, 4), torch.tensor([0, 2])).shape == ()


@pytest.mark.parametrize("runtime", ["auto", "torch"])
def test_weights_without_a_known_network_run_in_onnx_runtime(
    tmp_path: Path, runtime: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("icf.models.runtime.network._has_gpu", lambda: True)
    path = colour_detector(tmp_path / "eyes.onnx")
    if runtime == "auto":
        assert Detector.open(path, runtime="auto").runtime == "onnxruntime"
        return
    with pytest.raises(BadModel, match=r"names no network.*filter\.runtime = onnx"):
        Detector.open(path, runtime="torch")


@pytest.fixture
def made(tmp_path: Path) -> Workspace:
    """A workspace with models of its own, and a painted picture among the others."""
    made = make_workspace(tmp_path / "work", site_files(1)[:3])
    colour_detector(made.root / "models" / "eyes.onnx")
    colour_embedder(made.root / "models" / "ears.onnx", slope=7.0, intercept=-3.0)
    lines = [f'{key.split(".")[1]} = "{value}"' for key, value in OWN.items()]
    (made.root / "icf.toml").write_text("\n".join(["[filter]", *lines, ""]))
    add_red_squares(made, 1)
    return made


def add_red_squares(made: Workspace, number: int) -> int:
    """Add a picture on which the colour detector finds a face of 160 pixels."""
    picture = painted(1920, 3200, {(640, 400, 80): RED, (0, 0, number): (0, 0, 9)})
    return add_picture(made, Image.fromarray(picture))


def run(made: Workspace, *words: str, code: int = 0) -> str:
    """Run the filter up to the embedding, whatever the faces look like."""
    lenient = {"min_contrast": 0, "min_sharpness": 0, "max_photo": 1, "workers": 1}
    done = subprocess.run(
        [
            *(Path(sys.executable).with_name("icf-filter"), "run", "-C", made.root),
            *("--to", "embed", *words),
            *(w for k, v in lenient.items() for w in ("--set", f"filter.{k}={v}")),
        ],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.slow
def test_the_filter_runs_the_models_that_the_settings_name(made: Workspace) -> None:
    run(made)
    eyes = load_card(made.root / "models" / "eyes.json")
    ears = load_card(made.root / "models" / "ears.json")
    query = sa.select(face.c.detector, face.c.embedder, face.c.x1, face.c.y1)
    found = [row for row in rows(made, query) if row[1]]
    assert found == [(eyes.sha256, ears.sha256, 600, 360)]
    used = sa.select(decision.c.model).where(decision.c.step == "detect").distinct()
    assert rows(made, used) == [(eyes.sha256,)]
    known = rows(made, sa.select(model.c.sha256, model.c.name))
    assert sorted(known) == sorted([(eyes.sha256, "eyes"), (ears.sha256, "ears")])
    with made.catalogue.read() as connection:
        curves = calibrations.curves(connection, [ears.sha256])
    assert curves == {ears.sha256: Curve(7.0, -3.0)}
    opened = Workspace(made.root, load(made.root / "icf.toml", {}))
    assert chosen_embedder(opened).model_hash == ears.sha256


@pytest.mark.slow
def test_another_embedder_embeds_what_comes_later_and_all_that_was_there(
    made: Workspace,
) -> None:
    run(made)
    ears = load_card(made.root / "models" / "ears.json").sha256
    noses = colour_embedder(made.root / "models" / "noses.onnx", crop_rate=0.25)
    noses.write_bytes(noses.read_bytes() + b"\x72\x00")  # an empty metadata property
    remade(noses, sha256=hash_file(noses), bytes=noses.stat().st_size)
    add_red_squares(made, 2)
    run(made, "--set", "filter.embedder=models/noses.onnx")
    query = sa.select(face.c.embedder).where(face.c.embedder.is_not(None))
    found = [row[0] for row in rows(made, query.order_by(face.c.id))]
    assert found == [hash_file(noses)] * 2
    assert len(made.vectors.ids(ears)) == 1


def test_a_model_that_is_not_there_ends_the_run_before_any_picture(
    made: Workspace,
) -> None:
    message = run(made, "--set", "filter.detector=models/none.onnx", code=1)
    path = made.root / "models" / "none.onnx"
    assert f"there is no model {path}" in message
    assert rows(made, sa.select(decision.c.id)) == []


def test_doctor_opens_the_models_that_the_settings_name(made: Workspace) -> None:
    found = {each["name"]: each for each in said("-C", made.root, "doctor")["checks"]}
    for name, file in (("detector", "eyes"), ("embedder", "ears")):
        card = load_card(made.root / "models" / f"{file}.json")
        assert (found[name]["state"], found[name]["found"]) == ("ok", card.sha256)
    (made.root / "models" / "ears.onnx").unlink()
    with pytest.raises(IcfError, match="broken: embedder"):
        call("-C", made.root, "doctor")


def test_detect_and_embed_take_a_model(tmp_path: Path) -> None:
    eyes = colour_detector(tmp_path / "eyes.onnx")
    ears = colour_embedder(tmp_path / "ears.onnx")
    picture = tmp_path / "red.png"
    Image.fromarray(painted(192, 320, {(64, 40, 8): RED})).save(picture)
    line = json.loads(call("detect", picture, "--model", eyes, "--json").stdout)
    assert [face["box"] for face in line["faces"]] == [[60, 36, 76, 52]]
    faces = tmp_path / "faces.jsonl"
    faces.write_text(json.dumps({"path": str(picture), "box": [60, 36, 76, 52]}) + "\n")
    words = ("--out", tmp_path / "out.npy", "--model", ears.with_suffix(".json"))
    assert said("embed", faces, *words)["dim"] == 3

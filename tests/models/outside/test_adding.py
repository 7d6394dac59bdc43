"""What `icf model add` takes, and what it refuses."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from click.testing import Result

from icf.errors import BadInput, BadModel, WrongUse
from icf.models.cards import bundled_path, load_card
from icf.models.detection import Detector
from icf.models.embedding import Embedder
from icf.models.outside import download
from icf.stores.files import hash_file
from tests.app.program import call
from tests.models.formats import published_files as files
from tests.models.onnx_files import RED, colour_embedder, painted


def add(space: Path, source: object, form: str, *words: object) -> Result:
    return call("-C", space, "model", "add", source, "--as", form, *words, "--json")


@pytest.fixture
def space(tmp_path: Path) -> Path:
    call("init", tmp_path / "space")
    return tmp_path / "space"


def pack(folder: Path) -> Path:
    """What insightface packs, by its names: detector, recogniser and others."""
    files.insightface_detector(folder / "det_10g.onnx")
    files.insightface_embedder(folder / "w600k_r50.onnx")
    files.ccip_features(folder / "1k3d68.onnx")
    return folder


def zipped(folder: Path) -> Path:
    return Path(shutil.make_archive(str(folder), "zip", pack(folder)))


def test_an_added_detector_has_a_card_and_finds_faces(
    tmp_path: Path, space: Path
) -> None:
    source = files.yolo(tmp_path / "face_detect_v1.4_s" / "model.onnx")
    found = json.loads(
        add(
            space, source, "yolov8", "--licence", "MIT", "--parameter", "tiles=0"
        ).stdout
    )
    assert (found["task"], found["name"]) == ("detector", "face_detect_v1.4_s")
    assert found["sha256"] == found["source_sha256"] == hash_file(source)
    path = space / "models" / found["file"]
    card = load_card(path.with_suffix(".json"))
    assert (card.licence, card.format) == ("MIT", "yolov8")
    assert card.data[0]["source"] == str(source)
    assert card.parameters["tiles"] == 0
    picture = painted(640, 640, {(64, 32, 32): RED})
    assert len(Detector.open(path).detect([picture])[0]) == 1


def test_a_card_keeps_no_login_of_an_address(
    tmp_path: Path, space: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = files.yolo(tmp_path / "face.onnx")
    fetched = download.Downloaded(path, hash_file(path), path.stat().st_size)
    monkeypatch.setattr(download, "download", lambda *_: fetched)
    url = "https://ann:moon@models.example/face.onnx?token=sun"
    found = json.loads(add(space, url, "yolov8").stdout)
    card = (space / "models" / found["file"]).with_suffix(".json").read_text()
    assert "https://models.example/face.onnx?token=***" in card
    assert "moon" not in card
    assert "sun" not in card


def wheel(folder: Path) -> Path:
    made = zipped(folder)
    return made.rename(made.with_suffix(".whl"))


@pytest.mark.parametrize("make", [pack, zipped, wheel])
def test_of_a_pack_the_file_that_fits_the_format_is_taken(
    tmp_path: Path, space: Path, make: Callable[[Path], Path]
) -> None:
    source = make(tmp_path / "buffalo_l")
    for form, name, task in (
        ("scrfd", "buffalo_l-det_10g", "detector"),
        ("arcface", "buffalo_l-w600k_r50", "embedder"),
    ):
        found = json.loads(add(space, source, form).stdout)
        assert (found["name"], found["task"]) == (name, task)
    named = json.loads(
        add(space, source, "ccip", "--member", "1k3d68.onnx", "--name", "other").stdout
    )
    assert named["name"] == "other"
    with pytest.raises(WrongUse, match=r"no files 'det\.onnx'; it has 1k3d68\.onnx"):
        add(space, source, "scrfd", "--member", "det.onnx")
    with pytest.raises(BadModel, match=r"no model of buffalo_l.* fits: 1k3d68\.onnx: "):
        add(space, source, "yolov8")


def test_an_added_embedder_is_not_calibrated_until_the_user_gives_a_curve(
    tmp_path: Path, space: Path
) -> None:
    source = files.insightface_embedder(tmp_path / "rec.onnx")
    first = add(space, source, "arcface")
    found = json.loads(first.stdout)
    assert found["calibrated"] is False
    assert any("not calibrated" in each for each in found["warnings"])
    assert "icf-filter calibrate" in first.stderr
    other = files.ccip_features(tmp_path / "feat.onnx")
    curve = ("--parameter", "slope=9", "--parameter", "intercept=-4")
    found = json.loads(add(space, other, "ccip", *curve).stdout)
    assert found["calibrated"] is True
    embedder = Embedder.open(space / "models" / found["file"])
    assert (embedder.curve.slope, embedder.curve.intercept) == (9, -4)


def test_the_same_weights_with_other_numbers_are_another_model(
    tmp_path: Path, space: Path
) -> None:
    """Vectors are kept under a model's hash, so the hash must mean its numbers too."""
    source = files.own_embedder(tmp_path / "mine.onnx")

    def made(*numbers: str) -> dict[str, str]:
        words = [word for each in numbers for word in ("--parameter", each)]
        found: dict[str, str] = json.loads(
            add(space, source, "embedder", *words).stdout
        )
        return found

    first, other = made(), made("mean=0.5")
    assert first["sha256"] == hash_file(source) == other["source_sha256"]
    assert other["sha256"] not in (first["sha256"], made("mean=0.4")["sha256"])
    assert made("mean=0.5")["sha256"] == other["sha256"]
    # What its cosines mean is no part of its vectors.
    assert made("slope=9", "intercept=-4")["sha256"] == first["sha256"]
    crop = np.full((50, 50, 3), (250, 100, 20), np.uint8)
    for card, middle in ((first, 0), (other, 0.5)):
        vector = Embedder.open(space / "models" / card["file"]).embed([crop])[0]
        expected = np.array([250, 100, 20]) / 255 - middle
        np.testing.assert_allclose(
            vector, expected / np.linalg.norm(expected), atol=1e-4
        )
    yolo = files.yolo(tmp_path / "faces.onnx", side="any")
    small = json.loads(add(space, yolo, "yolov8", "--parameter", "side=320").stdout)
    assert small["sha256"] != json.loads(add(space, yolo, "yolov8").stdout)["sha256"]


def test_a_model_with_a_card_is_not_added_as_something_else(
    tmp_path: Path, space: Path
) -> None:
    source = colour_embedder(tmp_path / "trained.onnx")
    with pytest.raises(WrongUse, match=r"card says icf-embedder-onnx: `icf model prom"):
        add(space, source, "embedder")
    # A card of an earlier file of that name says nothing of this one.
    files.own_embedder(source)
    first = json.loads(add(space, source, "embedder").stdout)
    kept = space / "models" / first["file"]
    again = json.loads(add(space, kept, "embedder", "--parameter", "bgr=1").stdout)
    assert again["parameters"]["bgr"] == 1


def test_weights_in_another_file_are_put_into_one(tmp_path: Path, space: Path) -> None:
    source = files.insightface_embedder(tmp_path / "rec.onnx", prepares=True)
    model = onnx.load(source)
    onnx.save(
        model,
        source,
        save_as_external_data=True,
        location="rec.data",
        size_threshold=0,
    )
    found = json.loads(add(space, source, "arcface").stdout)
    crop = np.full((50, 50, 3), (250, 100, 20), np.uint8)
    vector = Embedder.open(space / "models" / found["file"]).embed([crop])[0]
    expected = np.array([250, 100, 20]) - 127.5
    np.testing.assert_allclose(vector, expected / np.linalg.norm(expected), atol=1e-4)
    (tmp_path / "rec.data").unlink()
    with pytest.raises(BadModel, match=r"weights in other files, and rec\.data is not"):
        add(space, source, "arcface")


def old_or_new(path: Path, *, ir: int, opset: int) -> Path:
    model = onnx.load(files.insightface_embedder(path))
    model.ir_version = ir
    model.opset_import[0].version = opset
    path.write_bytes(model.SerializeToString())
    return path


def of_half_floats(path: Path) -> Path:
    model = onnx.load(files.insightface_embedder(path))
    for each in (*model.graph.input, *model.graph.output):
        each.type.tensor_type.elem_type = onnx.TensorProto.FLOAT16
    path.write_bytes(model.SerializeToString())
    return path


def of_doubles(path: Path, *, taken: int = onnx.TensorProto.DOUBLE) -> Path:
    """Export an embedder that computes in float64, as NumPy's defaults make it."""
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 8, 8), torch.nn.AvgPool2d(14), torch.nn.Flatten()
    )
    torch.onnx.export(
        network.double().eval(),
        (torch.zeros(1, 3, 112, 112, dtype=torch.float64),),
        path,
        opset_version=18,
        dynamo=True,
        external_data=False,
    )
    if taken == onnx.TensorProto.FLOAT:
        model = onnx.load(path)
        [pictures] = model.graph.input
        cast = onnx.helper.make_node("Cast", ["x"], [pictures.name], to=11)
        model.graph.node.insert(0, cast)
        pictures.name, pictures.type.tensor_type.elem_type = "x", taken
        path.write_bytes(model.SerializeToString())
    return path


def of_bytes(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


class _Runs:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (print, ("opened",))


@pytest.mark.parametrize(
    ("make", "form", "message"),
    [
        (files.ccip_features, "arcface", r"takes .* 384, 384\].*expected \[n, 3, 112"),
        (
            lambda p: old_or_new(p, ir=99, opset=17),
            "arcface",
            r"version 99, opset 17",
        ),
        (lambda p: old_or_new(p, ir=8, opset=99), "arcface", r"IR version 8, opset 99"),
        (of_half_floats, "arcface", r"as float16 .* export it with float32 inputs"),
        (
            of_doubles,
            "embedder",
            r"float64 numbers.*export it with float32.*\.float\(\)",
        ),
        (
            lambda p: of_doubles(p, taken=onnx.TensorProto.FLOAT),
            "embedder",
            r"float64 numbers.*export it with float32",
        ),
        (files.with_nan, "arcface", r"9 of 9 numbers of its embeddings are not finite"),
        (lambda p: files.constant(p, "embed"), "arcface", r"the same embedding"),
        (lambda p: files.constant(p, "detect"), "yolov8", r"the same boxes and scores"),
        (
            lambda p: of_bytes(p, bundled_path("embedder").read_bytes()[:-9]),
            "arcface",
            r"not a whole ONNX file: the file ends early",
        ),
        (lambda p: of_bytes(p, b""), "ccip", r"no ONNX file, but empty"),
        (lambda p: of_bytes(p, b"<!DOCTYPE html>"), "ccip", r"but a web page: give"),
        (
            lambda p: of_bytes(p, b"\x80\x04\x95."),
            "ccip",
            r"but a Python pickle",
        ),
        (
            lambda p: of_bytes(p, b"version https://git-lfs.github.com/spec/v1"),
            "ccip",
            r"but a pointer of Git LFS",
        ),
    ],
)
def test_what_is_of_no_use_is_refused_and_leaves_nothing(
    tmp_path: Path, space: Path, make: Callable[[Path], Path], form: str, message: str
) -> None:
    source = make(tmp_path / "model.onnx")
    with pytest.raises(BadModel, match=message):
        add(space, source, form)
    assert list((space / "models").iterdir()) == []


@pytest.mark.parametrize("form", ["dinov2", "torchvision-retinanet", "timm:resnet18"])
def test_a_pickle_with_code_is_not_opened(
    tmp_path: Path, space: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "weights.pth"
    torch.save({"weights": _Runs()}, source)
    wanted = r"weights\.pth cannot be read as weights \(it is damaged, or has code"
    with pytest.raises(BadModel, match=wanted) as caught:
        add(space, source, form)
    assert "weights_only" not in str(caught.value)
    assert "opened" not in capsys.readouterr().out


def test_wrong_use_is_said_before_anything_is_opened(
    tmp_path: Path, space: Path
) -> None:
    source = files.yolo(tmp_path / "faces.onnx")
    with pytest.raises(WrongUse, match=r"--as yolo: the formats are arcface, ccip, "):
        add(space, source, "yolo")
    with pytest.raises(WrongUse, match=r"--parameter sid: yolov8 has min_score, side"):
        add(space, source, "yolov8", "--parameter", "sid=3")
    for number in ("large", "nan", "inf"):
        with pytest.raises(WrongUse, match=r"expected NAME=NUMBER"):
            add(space, source, "yolov8", "--parameter", f"side={number}")
    with pytest.raises(WrongUse, match=r"name the one that the weights are of"):
        add(space, source, "timm")
    with pytest.raises(WrongUse, match=r"there is no .*none\.onnx"):
        add(space, tmp_path / "none.onnx", "yolov8")
    with pytest.raises(BadInput, match=r"has SHA-256 .*; expected 00: it is damaged"):
        add(space, source, "yolov8", "--sha256", "00")

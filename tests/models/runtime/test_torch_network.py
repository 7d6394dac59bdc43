"""The bundled networks in PyTorch, against ONNX Runtime, from the same files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from icf.errors import BadModel, WrongUse
from icf.images import decode
from icf.models.cards import bundled_path
from icf.models.detection import Detection, Detector
from icf.models.embedding import Embedder, crop_face
from icf.models.formats.icf_detector import IcfDetector
from icf.models.networks.insightface_resnet import improved_resnet
from icf.models.runtime import network as runtime
from icf.models.runtime.network import choose, open_network
from icf.models.runtime.onnx_weights import read_weights
from icf.models.runtime.torch_network import load_network
from icf.models.training.embedder.export import export_onnx
from icf.stores.files import hash_file
from tests.filter.workspaces import read_file, site_files
from tests.models.onnx_files import colour_detector

PICTURES = [decode(read_file(file)).pixels for file in site_files(2) if file.faces][:8]
GPU = torch.cuda.is_available()


@pytest.fixture(scope="module")
def found() -> dict[str, list[list[Detection]]]:
    """What the detector finds in each runtime, as asked for all pictures at once."""
    names: tuple[runtime.Runtime, ...] = ("onnxruntime", "torch")
    detectors = {name: Detector.bundled(name, "cpu") for name in names}
    return {name: each.detect(PICTURES) for name, each in detectors.items()}


def test_boxes_lie_within_a_pixel_of_onnx_runtimes(
    found: dict[str, list[list[Detection]]],
) -> None:
    assert sum(map(len, found["torch"])) >= len(PICTURES)
    for ours, theirs in zip(found["torch"], found["onnxruntime"], strict=True):
        assert [face.kind for face in ours] == [face.kind for face in theirs]
        for one, other in zip(ours, theirs, strict=True):
            assert one.box == pytest.approx(other.box, abs=1)
            assert one.score == pytest.approx(other.score, abs=1e-3)


def test_embeddings_point_where_onnx_runtimes_do(
    found: dict[str, list[list[Detection]]],
) -> None:
    ours, theirs = Embedder.bundled("torch", "cpu"), Embedder.bundled()
    crops = [
        crop_face(picture, face.box, ours.crop_rate)
        for picture, faces in zip(PICTURES, found["torch"], strict=True)
        for face in faces
    ]
    cosines = np.sum(ours.embed(crops) * theirs.embed(crops), axis=1)
    assert cosines.min() > 0.999
    assert ours.model_hash == theirs.model_hash


@pytest.mark.slow
def test_views_shown_together_give_what_each_gives_alone() -> None:
    card = Detector.bundled().card
    network = open_network(bundled_path("detector"), 1, "torch", "cpu", card.network)
    several_at_once = runtime.Network(
        "torch", network.input, network.outputs, network.run, 5
    )
    together = Detector(IcfDetector(several_at_once), card)
    several = [*PICTURES, PICTURES[0][:, ::-1].copy(), PICTURES[1][::2, ::2].copy()]
    alone = Detector(IcfDetector(network), card).detect(several)
    for ours, theirs in zip(together.detect(several), alone, strict=True):
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            assert one.box == pytest.approx(other.box, abs=0.1)


def test_every_weight_of_the_files_is_read() -> None:
    onnx = pytest.importorskip("onnx", reason="needs the extra `train`")
    for name in ("detector", "embedder"):
        graph = onnx.load(bundled_path(name)).graph
        wanted = {
            each.name: onnx.numpy_helper.to_array(each)
            for each in graph.initializer
            if each.data_type == onnx.TensorProto.FLOAT
        }
        weights = read_weights(bundled_path(name))
        assert weights.keys() == wanted.keys()
        assert all(np.array_equal(weights[key], wanted[key]) for key in wanted)


def test_a_file_that_ends_early_is_refused(tmp_path: Path) -> None:
    whole = bundled_path("embedder").read_bytes()
    path = tmp_path / "embedder.onnx"
    for length in (1, 1000, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(BadModel, match=r"embedder\.onnx"):
            load_network(path, "embedder-mobilenetv2")


def test_another_network_is_refused_with_what_to_use_instead(tmp_path: Path) -> None:
    path = colour_detector(tmp_path / "detector.onnx")
    with pytest.raises(BadModel, match=r"use filter\.runtime = onnxruntime"):
        Detector.open(path, runtime="torch")


@pytest.mark.skipif(GPU, reason="this machine has a GPU")
def test_without_a_gpu_auto_is_the_processor_and_cuda_is_wrong_use() -> None:
    assert choose("auto", "auto") == ("onnxruntime", "cpu")
    assert choose("torch", "auto") == ("torch", "cpu")
    for name in ("auto", "torch"):
        with pytest.raises(WrongUse, match="finds no GPU on this machine"):
            choose(name, "cuda")


@pytest.mark.skipif(not GPU, reason="this machine has no GPU")
def test_on_a_gpu_faces_and_vectors_are_those_of_the_processor(
    found: dict[str, list[list[Detection]]],
) -> None:
    assert choose("auto", "auto") == ("torch", "cuda")
    for ours, theirs in zip(
        Detector.bundled("torch", "cuda").detect(PICTURES),
        found["onnxruntime"],
        strict=True,
    ):
        sure = [face for face in theirs if face.score > 0.6]
        assert len(ours) >= len(sure)
        for face in sure:
            nearest = min(ours, key=lambda each: distance(each, face))
            assert distance(nearest, face) < 3
    crops = [picture[:200, :200] for picture in PICTURES]
    one, other = Embedder.bundled("torch", "cuda"), Embedder.bundled()
    assert np.sum(one.embed(crops) * other.embed(crops), axis=1).min() > 0.999


def distance(one: Detection, other: Detection) -> float:
    """The largest difference of two boxes' edges, in pixels."""
    return max(abs(a - b) for a, b in zip(one.box, other.box, strict=True))


@pytest.mark.parametrize("name", ["onnxruntime", "openvino"])
def test_a_gpu_for_a_runtime_that_uses_none_is_wrong_use(name: str) -> None:
    with pytest.raises(WrongUse, match=r"set filter\.runtime = torch"):
        choose(name, "cuda")  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_network_with_prelu_is_read_from_the_weights_beside_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exporter reshapes PReLU's weights, and they lose their names."""
    torch.manual_seed(0)
    network = improved_resnet((1, 1, 1, 1), 8, 32, excited=False).eval()
    path = tmp_path / "embedder.onnx"
    export_onnx(network, path, 32)
    monkeypatch.setattr(
        "icf.models.runtime.torch_network.create",
        lambda name: improved_resnet((1, 1, 1, 1), 8, 32, excited=False),
    )
    with pytest.raises(BadModel, match=r"prelu\.weight: it is not a ir-50"):
        load_network(path, "ir-50")
    weights = {f"net.{k}": v for k, v in network.state_dict().items()}
    for sha256, fits in (("0" * 64, False), (hash_file(path), True)):
        about = {"about": json.dumps({"sha256": sha256})}
        safetensors.torch.save_file(weights, path.with_suffix(".safetensors"), about)
        if not fits:
            with pytest.raises(BadModel, match="it is not a ir-50"):
                load_network(path, "ir-50")
            continue
        pictures = 255 * torch.rand(2, 3, 32, 32)
        with torch.no_grad():
            found = load_network(path, "ir-50").eval()(pictures)
            assert torch.allclose(found, network(pictures), atol=1e-5)

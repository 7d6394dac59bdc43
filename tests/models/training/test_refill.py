"""Weights that are put into the graph of an earlier file."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
import torch
from torch import Tensor, nn

from icf.errors import BadModel
from icf.models.training import export as exporting
from icf.models.training.embedder.export import export_onnx
from icf.models.training.export import check_equal
from icf.models.training.refill import write_like

pytestmark = pytest.mark.slow

SIDE = 8


class Toy(nn.Module):
    """Norms after convolutions of both kinds, after a linear layer, and alone.

    Its mean is its standard deviation: the exporter stores them once.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, width: int = 6, doubled: bool = False) -> None:
        super().__init__()
        for name in ("mean", "std"):
            self.register_buffer(name, torch.full((3, 1, 1), 127.5))
        self.conv = nn.Conv2d(3, width, 3, bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.up = nn.ConvTranspose2d(width, width, 2, 2, bias=False)
        self.above = nn.BatchNorm2d(width)
        self.alone = nn.BatchNorm1d(width)
        self.line = nn.Linear(width, 5, bias=False)
        self.centre = nn.BatchNorm1d(5)
        self.doubled = doubled

    def forward(self, pictures: Tensor) -> Tensor:
        fine = self.up(self.norm(self.conv((pictures - self.mean) / self.std)).relu())
        pooled = self.above(fine).relu().mean((2, 3))
        found: Tensor = self.centre(self.line(self.alone(pooled)))
        return 2 * found if self.doubled else found


def drawn(seed: int, **options: bool | int) -> Toy:
    """A network whose weights, and whose norms' statistics, are random."""
    torch.manual_seed(seed)
    network = Toy(**options).eval()  # type: ignore[arg-type]
    for name, value in network.state_dict().items():
        if value.is_floating_point() and name not in ("mean", "std"):
            value.copy_(torch.rand_like(value) + (0.5 if "var" in name else -0.5))
    return network


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "toy.onnx"
    assert export_onnx(drawn(0), path, SIDE) == 5
    return path


def crops() -> list[Tensor]:
    torch.manual_seed(9)
    return [255 * torch.rand(n, 3, SIDE, SIDE) for n in (1, 4)]


def test_the_file_gives_what_the_network_gives(template: Path, tmp_path: Path) -> None:
    network, path = drawn(1), tmp_path / "further.onnx"
    with pytest.raises(BadModel, match="differs from PyTorch"):
        check_equal(network, template, crops())
    write_like(template, network, path)
    assert check_equal(network, path, crops()) < 1e-5
    assert [each.name for each in tmp_path.iterdir()] == ["further.onnx"]


def test_the_graph_stays_as_it_was(template: Path, tmp_path: Path) -> None:
    write_like(template, drawn(0), tmp_path / "again.onnx")
    before, after = (onnx.load(path) for path in (template, tmp_path / "again.onnx"))
    assert list(after.graph.node) == list(before.graph.node)
    assert list(after.graph.input) == list(before.graph.input)
    assert list(after.graph.output) == list(before.graph.output)
    assert check_equal(drawn(0), tmp_path / "again.onnx", crops()) < 1e-5


class Traced(Exception):
    """The exporter was called."""


@pytest.fixture
def no_exporter(monkeypatch: pytest.MonkeyPatch) -> None:
    def traced(*_: object) -> None:
        raise Traced

    monkeypatch.setattr(exporting, "to_onnx", traced)


@pytest.mark.usefixtures("no_exporter")
def test_a_network_of_the_same_graph_is_not_traced_again(
    template: Path, tmp_path: Path
) -> None:
    assert export_onnx(drawn(2), tmp_path / "a.onnx", SIDE, like=template) == 5


@pytest.mark.usefixtures("no_exporter")
@pytest.mark.parametrize(
    "network", [drawn(3, width=7), drawn(3, doubled=True)], ids=["wider", "doubled"]
)
def test_a_network_of_another_graph_is_traced(
    network: Toy, template: Path, tmp_path: Path
) -> None:
    with pytest.raises(Traced):
        export_onnx(network, tmp_path / "a.onnx", SIDE, like=template)


@pytest.mark.usefixtures("no_exporter")
@pytest.mark.parametrize("name", ["mean", "std"])
def test_weights_that_were_stored_once_and_differ_now_are_traced(
    name: str, template: Path, tmp_path: Path
) -> None:
    network = drawn(3)
    network.get_buffer(name).mul_(2)
    with pytest.raises(Traced):
        export_onnx(network, tmp_path / "a.onnx", SIDE, like=template)


@pytest.mark.usefixtures("no_exporter")
@pytest.mark.parametrize("data", [b"", b"no model", None], ids=["empty", "not", "gone"])
def test_without_a_whole_template_it_is_traced(
    data: bytes | None, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.onnx"
    if data is not None:
        broken.write_bytes(data)
    with pytest.raises(Traced):
        export_onnx(drawn(4), tmp_path / "a.onnx", SIDE, like=broken)


@pytest.mark.usefixtures("no_exporter")
def test_a_template_over_the_most_bytes_is_not_used(
    template: Path, tmp_path: Path
) -> None:
    with pytest.raises(Traced):  # which says that the file is too large
        export_onnx(drawn(2), tmp_path / "a.onnx", SIDE, 100, template)


def test_what_is_missing_is_named(template: Path, tmp_path: Path) -> None:
    network = nn.Sequential(drawn(5), nn.Linear(5, 2))
    with pytest.raises(BadModel, match="has no "):
        write_like(template, network, tmp_path / "a.onnx")

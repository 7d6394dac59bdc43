from __future__ import annotations

import gc
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from icf.errors import BadModel
from icf.models.training.export import check_equal, to_onnx

pytestmark = pytest.mark.slow


class Toy(nn.Module):
    """A network that is exported in no time: 100,000 weights."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 100, 1)
        self.norm = nn.BatchNorm2d(100)
        self.line = nn.Linear(100, 1000)

    def forward(self, pictures: Tensor) -> Tensor:
        found: Tensor = self.line(self.norm(self.conv(pictures)).mean((2, 3)))
        return found


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> tuple[Toy, Path]:
    network, path = Toy(), tmp_path_factory.mktemp("toy") / "toy.onnx"
    side = torch.export.Dim("side", max=99)
    dynamic = {0: torch.export.Dim("n"), 2: side, 3: side}
    to_onnx(network, torch.rand(2, 3, 8, 8), dynamic, ["numbers"], path)
    return network, path


def test_the_file_takes_other_batches_and_sizes_and_gives_equal_numbers(
    toy: tuple[Toy, Path],
) -> None:
    batches = [torch.rand(n, 3, side, side) for n, side in ((1, 5), (7, 16))]
    assert check_equal(*toy, batches) < 1e-5


def test_a_network_that_was_changed_after_export_is_told_apart(
    toy: tuple[Toy, Path],
) -> None:
    network, path = toy
    changed = Toy()
    changed.load_state_dict(network.state_dict())
    with torch.no_grad():
        assert changed.norm.running_mean is not None
        changed.norm.running_mean += 0.1
    with pytest.raises(BadModel, match=r"differs from PyTorch by 0\.\d+ of its"):
        check_equal(changed, path, [torch.rand(2, 3, 8, 8)])


def test_nothing_but_the_one_file_is_written(toy: tuple[Toy, Path]) -> None:
    assert [each.name for each in toy[1].parent.iterdir()] == ["toy.onnx"]


def test_weights_that_are_too_large_to_bundle_are_refused(
    tmp_path: Path,
) -> None:
    path = tmp_path / "toy.onnx"
    with pytest.raises(BadModel, match=r"toy\.onnx would have \d+ bytes"):
        to_onnx(Toy(), torch.rand(2, 3, 8, 8), {}, ["numbers"], path, 100_000)
    assert list(tmp_path.iterdir()) == []


def test_no_garbage_is_searched_for_until_it_ends(tmp_path: Path) -> None:
    """Among so many objects that are needed, it takes long."""
    searched: list[str] = []

    def counted(phase: str, info: dict[str, int]) -> None:
        # Of other generations, it is asked for by PyTorch itself.
        if phase == "start" and info["generation"] == 0:
            searched.append(phase)

    network = nn.Conv2d(3, 1, 1)
    gc.callbacks.append(counted)
    try:
        with pytest.raises(BadModel, match="would have"):
            to_onnx(network, torch.rand(1, 3, 4, 4), {}, ["a"], tmp_path / "a.onnx", 9)
    finally:
        gc.callbacks.remove(counted)
    # Before and after the export itself some may be.
    assert len(searched) < 5
    assert gc.isenabled()


def test_the_file_tells_nothing_of_the_machine_it_was_made_on(
    toy: tuple[Toy, Path],
) -> None:
    _, path = toy
    written = path.read_bytes()
    assert b".py" not in written
    assert str(Path(torch.__file__).parent).encode() not in written

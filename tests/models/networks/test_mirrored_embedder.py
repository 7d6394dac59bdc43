"""The embedder that sees mirror images."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from icf.errors import WrongUse
from icf.models.networks import create
from icf.models.networks.mirrored_embedder import MirroredEmbedder

SIDE = 64


@pytest.fixture(scope="module")
def network() -> MirroredEmbedder:
    torch.manual_seed(2)
    made = create("embedder-mobilenetv2-mirrored", dim=8, side=SIDE).eval()
    assert isinstance(made, MirroredEmbedder)
    return made


@pytest.mark.parametrize("side", [64, 80, 112])
def test_crops_of_other_sides_have_as_many_features(
    network: MirroredEmbedder, side: int
) -> None:
    assert network.pooled(torch.zeros(1, 3, side, side)).shape == (1, 1664)


def test_a_mirror_image_has_the_same_embedding(network: MirroredEmbedder) -> None:
    crops = 255 * torch.rand(2, 3, SIDE, SIDE)
    with torch.no_grad():
        ahead, mirrored = network(crops), network(crops.flip(3))
    assert torch.allclose(ahead, mirrored, atol=1e-5)
    assert not torch.allclose(ahead[0], ahead[1], atol=1e-3)


def test_training_sees_each_crop_once(network: MirroredEmbedder) -> None:
    crops = 255 * torch.rand(2, 3, SIDE, SIDE)
    network.train()
    try:
        assert not torch.allclose(network(crops), network(crops.flip(3)), atol=1e-3)
    finally:
        network.eval()


def test_a_side_that_is_too_small_is_refused() -> None:
    with pytest.raises(WrongUse, match="needs 64"):
        create("embedder-mobilenetv2-mirrored", side=32)


def test_the_small_one_can_look_at_mirror_images_too_with_the_same_weights() -> None:
    torch.manual_seed(3)
    plain = create("embedder-mobilenetv2").eval()
    both = create("embedder-mobilenetv2-flipped").eval()
    both.load_state_dict(plain.state_dict())
    crops = 255 * torch.rand(3, 3, 112, 112)
    with torch.no_grad():
        found = both(crops)
        ahead, mirrored = (
            functional.normalize(plain(x)) for x in (crops, crops.flip(3))
        )
    assert torch.allclose(found, ahead + mirrored, atol=1e-4)
    both.train()
    plain.train()
    assert torch.allclose(both(crops), plain(crops))

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from icf.errors import BadInput
from icf.models.training.losses.centres import carried_centres

BEFORE = torch.tensor([[3.0, 0.0], [0.0, 1.0], [0.0, -2.0]])
OLD = ["ann", "bob", "cid"]
NO_MEANS = torch.full((3, 2), torch.nan)


def carry(names: list[str], means: Tensor = NO_MEANS, **options: object) -> Tensor:
    return carried_centres(BEFORE, OLD, names, means, **options)  # type: ignore[arg-type]


def test_known_identities_keep_their_centres_in_whatever_order() -> None:
    assert torch.equal(carry(["cid", "ann"]), BEFORE[[2, 0]])


def test_a_new_identity_starts_at_the_mean_of_its_faces_as_long_as_the_others() -> None:
    means = torch.tensor([[0.0, 0.0], [-0.3, 0.4]])
    found = carry(["bob", "dan"], means)
    assert torch.equal(found[0], BEFORE[1])
    assert found[1].tolist() == pytest.approx([-1.2, 1.6])


def test_a_merged_identity_starts_at_the_weighted_mean_of_its_parts() -> None:
    merged = {"ann": {"ann": 30.0, "bob": 10.0, "gone": 500.0}}
    [found] = carry(["ann"], merged=merged)
    length = (3 * 30 + 1 * 10) / 40
    assert found.norm().item() == pytest.approx(length)
    assert (found / found[0]).tolist() == pytest.approx([1.0, 10 / 30])


def test_of_a_split_identity_the_part_that_keeps_the_name_keeps_the_centre() -> None:
    means = torch.tensor([[9.0, 9.0], [1.0, 0.0]])
    found = carry(["cid", "cid's twin"], means)
    assert torch.equal(found[0], BEFORE[2])
    assert found[1].tolist() == pytest.approx([2.0, 0.0])


def test_parts_that_were_never_there_make_a_new_identity() -> None:
    means = torch.tensor([[0.0, 1.0]])
    [found] = carry(["eve"], means, merged={"eve": {"gone": 3.0}})
    assert found.tolist() == pytest.approx([0.0, 2.0])


def test_several_centres_of_a_new_class_start_apart_and_the_same_every_time() -> None:
    before = torch.eye(4)[:, None].expand(4, 3, 4).contiguous()
    means = torch.eye(4)[[0, 3]]
    found = carried_centres(before, [*"abcd"], ["a", "new"], means)
    assert torch.equal(found[0], before[0])
    cosines = torch.nn.functional.cosine_similarity(found[1], means[1:], dim=1)
    assert (cosines > 0.9).all()
    assert len({tuple(each) for each in found[1].tolist()}) == 3
    assert torch.equal(found, carried_centres(before, [*"abcd"], ["a", "new"], means))


@pytest.mark.parametrize("mean", [0.0, torch.nan])
def test_a_new_identity_without_faces_is_named(mean: float) -> None:
    with pytest.raises(BadInput, match="mean embedding of 'dan' has no direction"):
        carry(["dan"], torch.full((1, 2), mean))

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from icf.errors import BadModel
from icf.models.training import losses
from icf.models.training.losses.adaface import AdaFace
from icf.models.training.losses.base import MarginSoftmax
from icf.models.training.losses.curricularface import CurricularFace
from icf.models.training.losses.sphereface import SphereFace
from tests.models.training.losses import reference

DIM, CLASSES, FACES = 7, 4, 6

#: Name, options, and the same loss in the reference.
CASES: list[tuple[str, dict[str, Any], reference.Logits]] = [
    ("softmax", {}, reference.softmax),
    ("combined", {"m1": 1.0, "m2": 0.0, "m3": 0.0}, reference.Combined(64)),
    ("sphereface", {"annealing": False}, reference.SphereFace(4)),
    ("sphereface", {"margin": 1.5, "annealing": False}, reference.SphereFace(1.5)),
    ("sphereface", {}, reference.SphereFace(4, 1000)),
    ("sphereface-line", {"scale": 8.0}, reference.Combined(8, m1=1.35)),
    ("cosface", {"scale": 8.0}, reference.Combined(8, m3=0.35)),
    ("arcface", {}, reference.Combined(64, m2=0.5)),
    ("arcface", {"scale": 8.0, "margin": 0.4}, reference.Combined(8, m2=0.4)),
    (
        "combined",
        {"scale": 8.0, "m1": 1.2, "m2": 0.3, "m3": 0.2},
        reference.Combined(8, 1.2, 0.3, 0.2),
    ),
    ("subcenter-arcface", {"scale": 8.0}, reference.SubcenterArcFace(8, 0.5)),
    (
        "adaface",
        {"scale": 8.0},
        reference.AdaFace(8, 0.4, 0.333, 20.0, 100.0),
    ),
    ("magface", {"scale": 8.0, "penalty_weight": 0.0}, reference.MagFace(8)),
    ("curricularface", {"scale": 8.0}, reference.CurricularFace(8, 0.5, 0.0)),
]
IDS = [f"{name}-{number}" for number, (name, _, _) in enumerate(CASES)]
NAMES = losses.LOSSES.names()


def batch(seed: int = 3, length: float = 20.0) -> tuple[Tensor, Tensor]:
    random = np.random.default_rng(seed)
    embeddings = random.normal(size=(FACES, DIM)) * length / math.sqrt(DIM)
    labels = random.integers(0, CLASSES, FACES)
    tensor = torch.from_numpy(embeddings).requires_grad_()
    return tensor, torch.from_numpy(labels)


def make(name: str, **options: Any) -> MarginSoftmax:
    """A loss in float64 with centres of any length, not in training."""
    loss = losses.create(name, DIM, CLASSES, **options).double().eval()
    generator = torch.Generator().manual_seed(8)
    with torch.no_grad():
        loss.weight.normal_(generator=generator)
    return loss


def gradients(value: Tensor, *of: Tensor) -> list[Tensor]:
    return list(torch.autograd.grad(value, of))


@pytest.mark.parametrize("focal", [0.0, 2.0])
@pytest.mark.parametrize(("name", "options", "logits"), CASES, ids=IDS)
def test_value_and_gradients_are_those_of_the_reference(
    name: str, options: dict[str, Any], logits: reference.Logits, focal: float
) -> None:
    loss = make(name, focal=focal, **options)
    embeddings, labels = batch()
    found = loss(embeddings, labels)
    wanted = reference.mean_loss(
        logits, embeddings, loss.weight, labels.tolist(), focal
    )
    assert found.item() == pytest.approx(wanted.item(), rel=1e-10)
    for one, other in zip(
        gradients(found, embeddings, loss.weight),
        gradients(wanted, embeddings, loss.weight),
        strict=True,
    ):
        scale = max(1.0, other.abs().max().item())
        assert (one - other).abs().max().item() <= 1e-10 * scale


def peer(name: str, **options: Any) -> Any:
    module = pytest.importorskip("pytorch_metric_learning.losses")
    return getattr(module, name)(num_classes=CLASSES, embedding_size=DIM, **options)


# scipy, which it uses, warns with numpy 2.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("name", "options", "other"),
    [
        ("arcface", {}, lambda: peer("ArcFaceLoss", margin=math.degrees(0.5))),
        ("cosface", {}, lambda: peer("CosFaceLoss")),
        ("sphereface", {"annealing": False}, lambda: peer("SphereFaceLoss")),
        (
            "subcenter-arcface",
            {},
            lambda: peer("SubCenterArcFaceLoss", margin=math.degrees(0.5)),
        ),
        (
            "combined",
            {"m2": 0.0, "m3": 0.0, "scale": 20.0},
            lambda: peer("NormalizedSoftmaxLoss", temperature=0.05),
        ),
    ],
)
def test_the_losses_are_those_of_pytorch_metric_learning(
    name: str, options: dict[str, Any], other: Callable[[], Any]
) -> None:
    """Where angles with their margin stay below pi: beyond, it has another line."""
    loss, theirs = make(name, **options), other()
    embeddings, labels = batch()
    with torch.no_grad():
        # Near its class, so that no angle is large, and of unit length for softmax.
        centres = loss.weight if loss.weight.ndim == 2 else loss.weight[:, 0]
        embeddings += 20 * torch.nn.functional.normalize(centres[labels])
        if name == "combined":
            embeddings /= embeddings.norm(dim=1, keepdim=True)
    theirs.W = torch.nn.Parameter(loss.weight.detach().flatten(0, -2).T.clone())
    found, wanted = loss(embeddings, labels), theirs(embeddings, labels)
    assert found.item() == pytest.approx(wanted.item(), rel=1e-10, abs=1e-10)
    ours = gradients(found, embeddings, loss.weight)
    others = gradients(wanted, embeddings, theirs.W)
    assert torch.allclose(ours[0], others[0], rtol=1e-9, atol=1e-10)
    assert torch.allclose(ours[1].flatten(0, -2).T, others[1], rtol=1e-9, atol=1e-10)


def test_magfaces_penalty_is_added() -> None:
    embeddings, labels = batch(length=60.0)
    with_it, without = make("magface"), make("magface", penalty_weight=0.0)
    found = with_it(embeddings, labels) - without(embeddings, labels)
    wanted = reference.magface_penalty(embeddings)
    assert found.item() == pytest.approx(wanted.item(), rel=1e-10)


def test_adaface_keeps_the_running_mean_and_deviation_of_lengths() -> None:
    loss = AdaFace(DIM, CLASSES, momentum=0.25).train()
    embeddings, labels = batch()
    lengths = embeddings.detach().norm(dim=1).float()
    loss(embeddings.float(), labels)
    assert loss.mean.item() == pytest.approx(
        0.75 * 20 + 0.25 * lengths.mean().item(), rel=1e-5
    )
    assert loss.deviation.item() == pytest.approx(
        0.75 * 100 + 0.25 * lengths.std().item(), rel=1e-5
    )
    loss(embeddings[:1].float(), labels[:1])
    assert torch.isfinite(loss.deviation)
    assert {"mean", "deviation"} <= loss.state_dict().keys()


def test_curricularface_raises_hard_negatives_as_the_cosines_grow() -> None:
    loss = CurricularFace(DIM, CLASSES, momentum=1.0).train()
    loss.weight.data = torch.nn.functional.pad(torch.eye(CLASSES), (0, 3))
    embeddings = torch.zeros(2, DIM)
    embeddings[0, :2] = torch.tensor([0.6, 0.8])
    embeddings[1, 1] = 1.0
    found = loss(embeddings, torch.tensor([0, 1]))
    assert loss.t.item() == pytest.approx(0.8)
    logits = reference.CurricularFace(64, 0.5, 0.8)
    wanted = reference.mean_loss(logits, embeddings.double(), loss.weight, [0, 1])
    assert found.item() == pytest.approx(wanted.item(), rel=1e-5)


def test_spherefaces_annealing_falls_with_the_steps_and_is_resumed() -> None:
    loss = SphereFace(DIM, CLASSES).double().train()
    embeddings, labels = batch()
    with torch.no_grad():
        values = [loss(embeddings, labels).item() for _ in range(20)]
    assert values == sorted(values)
    resumed = SphereFace(DIM, CLASSES).double().train()
    resumed.load_state_dict(loss.state_dict())
    with torch.no_grad():
        assert resumed(embeddings, labels) == loss(embeddings, labels)


@pytest.mark.parametrize("name", NAMES)
def test_the_focal_factor_is_each_faces_own(name: str) -> None:
    loss = make("focal-" + name)
    assert loss.focal == 2.0
    embeddings, labels = batch()
    alone = [loss(embeddings[i : i + 1], labels[i : i + 1]) for i in range(FACES)]
    assert torch.allclose(loss(embeddings, labels), torch.stack(alone).mean())


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"softmax"}))
def test_straight_through_has_the_value_and_not_the_slope_of_the_margin(
    name: str,
) -> None:
    exact, straight = make(name), make(name, gradient="straight_through")
    embeddings, labels = batch()
    one, other = exact(embeddings, labels), straight(embeddings, labels)
    assert torch.allclose(one, other)
    [slope], [other_slope] = gradients(one, embeddings), gradients(other, embeddings)
    assert torch.allclose(slope, other_slope) == (name == "cosface")


def test_straight_through_differs_by_insightfaces_factor() -> None:
    """The true gradient is sin(theta + m) / sin(theta) times the cosine's."""
    centre = torch.tensor([[1.0, 0.0], [-1.0, 0.0]], dtype=torch.float64)
    x = torch.tensor([[0.6, 0.8]], dtype=torch.float64, requires_grad=True)
    slopes = []
    for gradient in ("exact", "straight_through"):
        loss = losses.create("arcface", 2, 2, scale=1.0, gradient=gradient).double()
        loss.weight.data = centre
        columns = torch.tensor([[0.6, -0.6]], dtype=torch.float64, requires_grad=True)
        target = loss.target(columns[:, 0], torch.ones(1))
        if gradient == "straight_through":
            target = columns[:, 0] + (target - columns[:, 0]).detach()
        slopes.append(gradients(target.sum(), columns)[0][0, 0].item())
        assert torch.isfinite(loss(x, torch.tensor([0])))
    theta = math.acos(0.6)
    assert slopes[0] / slopes[1] == pytest.approx(math.sin(theta + 0.5) / 0.8)


@pytest.mark.parametrize("name", losses.names())
@pytest.mark.parametrize("how", ["float32", "bfloat16", "float16", "autocast"])
@pytest.mark.parametrize("side", [1.0, -1.0])
def test_losses_and_gradients_are_finite_at_cosines_of_one_and_minus_one(
    name: str, how: str, side: float
) -> None:
    """At -1 the angle and the margin are beyond pi, too; one embedding is all zeros."""
    loss = losses.create(name, DIM, CLASSES).train()
    dtype = torch.float32 if how == "autocast" else getattr(torch, how)
    directions = torch.nn.functional.pad(torch.eye(CLASSES), (0, DIM - CLASSES))
    with torch.no_grad():
        centres = directions if loss.weight.ndim == 2 else directions[:, None]
        loss.weight.copy_(centres.expand_as(loss.weight))
    loss = loss.to(dtype)
    embeddings = side * 20 * directions[[0, 1, 2, 3, 0]]
    embeddings[4] = 0
    embeddings = embeddings.to(dtype).requires_grad_()
    with torch.autocast("cpu", torch.bfloat16, enabled=how == "autocast"):
        found = loss(embeddings, torch.tensor([0, 1, 2, 3, 1]))
    assert found.dtype == torch.float32
    assert torch.isfinite(found)
    for each in gradients(found, embeddings, loss.weight):
        assert torch.isfinite(each).all()


@pytest.mark.parametrize("name", losses.names())
def test_faces_without_a_label_add_nothing(name: str) -> None:
    loss = make(name).eval()
    if name.endswith("magface"):
        loss = make(name, penalty_weight=0.0)
    embeddings, labels = batch()
    labels[[1, 4]] = -1
    known = labels >= 0
    found, wanted = loss(embeddings, labels), loss(embeddings[known], labels[known])
    assert torch.allclose(found, wanted)
    [slope] = gradients(found, embeddings)
    assert (slope[~known] == 0).all()
    none = loss(embeddings, torch.full_like(labels, -1))
    assert none.item() == 0
    assert (gradients(none, embeddings)[0] == 0).all()


def test_a_forbidden_class_pushes_a_face_without_a_label_away_from_it_alone() -> None:
    loss = make("arcface", scale=8.0)
    embeddings, labels = batch()
    labels[:] = -1
    pairs = torch.tensor([[0, 2], [3, 1]])
    found = loss(embeddings, labels, pairs)
    cosines = torch.stack(
        [torch.stack([reference.cosine(x, w) for w in loss.weight]) for x in embeddings]
    )
    p = torch.softmax(8 * cosines, 1)
    wanted = -(torch.log(1 - p[0, 2]) + torch.log(1 - p[3, 1])) / 2
    assert found.item() == pytest.approx(wanted.item(), rel=1e-10)
    [slope] = gradients(found, embeddings)
    untouched = [1, 2, 4, 5]
    assert (slope[untouched] == 0).all()
    nearer = cosines[0, 2].item()
    moved = embeddings[0] - 1e-3 * slope[0]
    assert reference.cosine(moved, loss.weight[2]).item() < nearer


def test_a_forbidden_class_of_a_face_with_a_label_is_a_negative_already() -> None:
    loss = make("arcface")
    embeddings, labels = batch()
    pairs = torch.tensor([[0, (int(labels[0]) + 1) % CLASSES]])
    assert loss(embeddings, labels, pairs) == loss(embeddings, labels)


def test_a_face_that_is_sure_of_a_forbidden_class_gets_a_finite_push() -> None:
    loss = losses.create("arcface", DIM, CLASSES).train()
    loss.weight.data = torch.nn.functional.pad(torch.eye(CLASSES), (0, 3))
    embeddings = loss.weight[:1].detach().clone().requires_grad_()
    found = loss(embeddings, torch.tensor([-1]), torch.tensor([[0, 0]]))
    assert 60 < found.item() < 70
    assert all(torch.isfinite(g).all() for g in gradients(found, loss.weight))


@pytest.mark.parametrize("name", ["arcface", "cosface", "adaface", "sphereface-line"])
def test_the_margin_grows_over_its_share_of_the_training(name: str) -> None:
    loss = make(name, warm_up=0.1, scale=8.0)
    plain = make("combined", m2=0.0, m3=0.0, scale=8.0)
    embeddings, labels = batch()
    values = []
    for loss.progress in (0.0, 0.05, 0.1, 1.0):
        values.append(loss(embeddings, labels).item())
    assert values[0] == pytest.approx(plain(embeddings, labels).item())
    assert values[0] != values[1] != values[2]
    assert values[2] == values[3]


@given(seed=st.integers(0, 1000))
def test_a_margin_makes_the_loss_no_smaller(seed: int) -> None:
    embeddings, labels = batch(seed)
    plain = make("combined", m2=0.0, m3=0.0, scale=8.0)(embeddings, labels)
    for name in ("arcface", "cosface", "sphereface-line", "combined"):
        assert make(name, scale=8.0)(embeddings, labels) >= plain - 1e-9


@pytest.mark.parametrize("name", ["arcface", "cosface", "combined", "curricularface"])
def test_the_length_of_an_embedding_does_not_matter(name: str) -> None:
    embeddings, labels = batch()
    loss = make(name)
    assert torch.allclose(loss(embeddings, labels), loss(17 * embeddings, labels))


def test_an_unknown_loss_is_named_with_those_that_are_known() -> None:
    with pytest.raises(
        BadModel, match="unknown loss 'arc'; known are adaface, arcface"
    ):
        losses.create("focal-arc", DIM, CLASSES)
    assert "focal-arcface" in losses.names()

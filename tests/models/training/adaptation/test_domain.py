from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from icf.models.training.adaptation.domain import (
    DomainLoss,
    Form,
    confusion,
    cross_entropy,
    reciprocal,
    reversal,
)

FORMS: list[Form] = ["grl", "reciprocal", "confusion"]
DOMAINS = torch.tensor([0, 1, 1, 0, 1, 0])


def embeddings() -> Tensor:
    generator = torch.Generator().manual_seed(4)
    found = torch.randn(6, 5, generator=generator, dtype=torch.float64)
    return found.requires_grad_()


def make(form: Form, **options: float) -> DomainLoss:
    torch.manual_seed(1)
    return DomainLoss(5, form, **options).double()


def slopes(of: Tensor, loss: DomainLoss, x: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Gradients for the embeddings and for the domain network, where there are any."""
    parameters = list(loss.discriminator.parameters())
    found = torch.autograd.grad(of, [x, *parameters], allow_unused=True)
    zeros = [
        torch.zeros_like(p) if g is None else g
        for g, p in zip(found, [x, *parameters], strict=True)
    ]
    return zeros[0], zeros[1:]


def layer(loss: DomainLoss, number: int) -> nn.Linear:
    found = loss.discriminator[number]
    assert isinstance(found, nn.Linear)
    return found


def plain(loss: DomainLoss, x: Tensor) -> Tensor:
    """The mean cross-entropy of the domain network."""
    drawn = torch.sigmoid(loss.discriminator(x)[:, 0])
    z = DOMAINS.double()
    return -(z * torch.log(drawn) + (1 - z) * torch.log(1 - drawn)).mean()


def test_lambda_grows_from_0_to_1() -> None:
    assert reversal(0.0) == 0.0
    assert reversal(0.1) == pytest.approx(2 / (1 + math.exp(-1)) - 1)
    assert reversal(1.0) == pytest.approx(0.9999, abs=1e-4)


@pytest.mark.parametrize("share", [0.0, 0.05, 1.0])
def test_reversal_turns_the_embedders_gradient_and_not_the_networks(
    share: float,
) -> None:
    loss, x = make("grl"), embeddings()
    found = loss(x, DOMAINS, share)
    assert found.embedder.item() == pytest.approx(plain(loss, x).item())
    assert found.discriminator.item() == 0
    of_x, of_network = slopes(found.embedder, loss, x)
    plain_x, plain_network = slopes(plain(loss, x), loss, x)
    assert torch.allclose(of_x, -reversal(share) * plain_x)
    assert all(map(torch.allclose, of_network, plain_network))


@pytest.mark.parametrize("form", ["reciprocal", "confusion"])
def test_the_domain_network_learns_from_a_loss_of_its_own_alone(form: Form) -> None:
    loss, x = make(form), embeddings()
    found = loss(x, DOMAINS, 0.5)
    _, of_network = slopes(found.embedder, loss, x)
    assert all((each == 0).all() for each in of_network)
    of_x, of_network = slopes(found.discriminator, loss, x)
    assert (of_x == 0).all()
    _, expected = slopes(plain(loss, x), loss, x)
    assert all(map(torch.allclose, of_network, expected))


def test_the_reciprocal_is_of_each_domains_mean_and_its_gradient_is_clipped() -> None:
    loss, x = make("reciprocal", clip=100.0), embeddings()
    drawn = torch.sigmoid(loss.discriminator(x)[:, 0])
    humans = -torch.log(1 - drawn[DOMAINS == 0]).mean()
    cartoons = -torch.log(drawn[DOMAINS == 1]).mean()
    wanted = 1 / (humans + 0.1) + 1 / (cartoons + 0.1)
    found = loss(x, DOMAINS, 0.5).embedder
    assert found.item() == pytest.approx(wanted.item(), rel=1e-12)
    slope, expected = slopes(found, loss, x)[0], slopes(wanted, loss, x)[0]
    assert torch.allclose(slope, expected)
    length = expected.norm().item()
    clipped = make("reciprocal", clip=length / 4)
    slope = slopes(clipped(x, DOMAINS, 0.5).embedder, clipped, x)[0]
    assert torch.allclose(slope, expected / 4)


def test_the_reciprocal_of_one_domain_is_one_term() -> None:
    logits = torch.tensor([0.0, 0.0])
    found = reciprocal(logits, torch.ones(2, dtype=torch.int64), 0.1)
    assert found.item() == pytest.approx(1 / (math.log(2) + 0.1))


def test_confusion_is_least_where_both_domains_are_as_likely() -> None:
    logits = torch.linspace(-5, 5, 101, dtype=torch.float64).requires_grad_()
    values = torch.stack([confusion(each[None]) for each in logits])
    assert values.argmin().item() == 50
    assert values.min().item() == pytest.approx(math.log(2))
    drawn = torch.sigmoid(logits)
    wanted = -(torch.log(drawn) + torch.log(1 - drawn)) / 2
    assert torch.allclose(values, wanted)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_logits_of_64_either_way_give_finite_values_and_slopes(
    dtype: torch.dtype,
) -> None:
    logits = torch.tensor([64.0, -64.0, 64.0, -64.0], dtype=dtype, requires_grad=True)
    domains = torch.tensor([0, 0, 1, 1])
    for each in (
        cross_entropy(logits, domains).mean(),
        reciprocal(logits, domains),
        reciprocal(logits[2:3], domains[2:3]),  # a network that is sure and right
        confusion(logits),
    ):
        assert torch.isfinite(each)
        [slope] = torch.autograd.grad(each, logits, retain_graph=True)
        assert torch.isfinite(slope).all()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("right", [True, False])
def test_a_network_that_is_sure_by_64_gives_finite_gradients(
    form: Form, dtype: torch.dtype, right: bool
) -> None:
    loss = DomainLoss(1, form)
    with torch.no_grad():
        # The logit is 64 times the embedding.
        for each in loss.discriminator.parameters():
            each.zero_()
        layer(loss, 0).weight[:2] = torch.tensor([[1.0], [-1.0]])
        layer(loss, 2).weight[0, :2] = torch.tensor([64.0, -64.0])
    loss = loss.to(dtype)
    x = (2.0 * DOMAINS - 1)[:, None] * (1 if right else -1)
    x = x.to(dtype).requires_grad_()
    found = loss(x, DOMAINS, 0.9)
    assert (ce(loss, x, DOMAINS).item() < 1) == right
    total = 10 * found.embedder + found.discriminator
    of_x, of_network = slopes(total, loss, x)
    assert torch.isfinite(total)
    assert all(torch.isfinite(each).all() for each in (of_x, *of_network))


@pytest.mark.parametrize("form", FORMS)
def test_embeddings_that_follow_the_term_are_no_longer_told_apart(form: Form) -> None:
    """The domain network learns to tell them, and then stays as it is."""
    loss = make(form)
    generator = torch.Generator().manual_seed(7)
    domains = torch.arange(40) % 2
    x = torch.randn(40, 5, generator=generator, dtype=torch.float64)
    x[:, 0] += 4 * domains
    network = torch.optim.Adam(loss.discriminator.parameters(), 0.02)
    for _ in range(100):
        network.zero_grad()
        torch.autograd.backward(ce(loss, x, domains))
        network.step()
    assert ce(loss, x, domains).item() < 0.1
    x.requires_grad_()
    embedder = torch.optim.SGD([x], 5.0)
    for _ in range(200):
        embedder.zero_grad()
        torch.autograd.backward(loss(x, domains, 1.0).embedder)
        embedder.step()
    # Guessing has log 2.
    assert ce(loss, x, domains).item() > 0.65


def ce(loss: DomainLoss, x: Tensor, domains: Tensor) -> Tensor:
    found = loss(x, domains, 1.0)
    own: Tensor = found.embedder if loss.form == "grl" else found.discriminator
    return own

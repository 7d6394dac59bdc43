from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from icf.models.training import losses
from icf.models.training.adaptation.composition import CARTOON, HUMAN, compose
from icf.models.training.adaptation.multi_task import MultiTask
from icf.models.training.adaptation.unknown_identity import unknown_identity_losses

DIM, HUMANS, CARTOONS = 6, 5, 7


def batch(n: int = 16) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    embeddings = torch.randn(n, DIM, generator=generator).requires_grad_()
    composed = compose(0, 1, 50, 50, n)
    domains = torch.from_numpy(composed.domains)
    labelled = torch.from_numpy(composed.labelled)
    labels = torch.randint(0, HUMANS, (n,), generator=generator)
    return embeddings, labels, domains, labelled


def make(**options: Any) -> MultiTask:
    torch.manual_seed(2)
    return MultiTask(DIM, HUMANS, CARTOONS, **options)


def total(found: dict[str, Tensor]) -> Tensor:
    return torch.stack(list(found.values())).sum()


def test_the_total_is_the_papers_weighted_sum() -> None:
    values = batch()
    found = make()(*values, 0.5)
    plain = make(alpha=1.0, beta=1.0, gamma=1.0)(*values, 0.5)
    wanted = plain["identity"] + 0.1 * plain["unknown identity"] + 10 * plain["domain"]
    assert total(found).item() == pytest.approx(wanted.item(), rel=1e-6)
    assert min(found[name] for name in ("identity", "unknown identity", "domain")) > 0


def test_each_classifier_learns_from_the_labelled_faces_of_its_domain() -> None:
    loss = make(unknown="off", domain_term="off")
    embeddings, labels, domains, labelled = batch()
    found = loss(embeddings, labels, domains, labelled, 0.5)
    wanted = torch.zeros(())
    for domain, classifier in ((HUMAN, loss.human), (CARTOON, loss.cartoon)):
        own = (domains == domain) & labelled
        plain = losses.create("softmax", DIM, len(classifier.weight))
        plain.load_state_dict(classifier.state_dict())
        wanted = wanted + plain(embeddings[own], labels[own])
    assert total(found).item() == pytest.approx(wanted.item(), rel=1e-6)
    [slope] = torch.autograd.grad(total(found), embeddings)
    assert (slope[~labelled] == 0).all()


@pytest.mark.parametrize("over", ["unlabelled", "all"])
def test_unknown_identities_are_the_other_domains_unlabelled_faces(over: Any) -> None:
    loss = make(unknown_over=over, beta=1.0)
    embeddings, labels, domains, labelled = batch()
    found = loss(embeddings, labels, domains, labelled, 0.5)
    wanted = torch.zeros(())
    for domain, classifier in ((HUMAN, loss.human), (CARTOON, loss.cartoon)):
        taken = (domains != domain) & ~labelled
        if over == "all":
            taken |= (domains == domain) & labelled
        logits = embeddings[taken] @ classifier.weight.T
        wanted = wanted + unknown_identity_losses(logits).mean()
    assert found["unknown identity"].item() == pytest.approx(wanted.item(), rel=1e-5)


def test_the_labels_of_unlabelled_faces_are_not_looked_at() -> None:
    loss = make()
    embeddings, labels, domains, labelled = batch()
    other = torch.where(labelled, labels, 10**6)
    one = loss(embeddings, labels, domains, labelled, 0.5)
    two = loss(embeddings, other, domains, labelled, 0.5)
    assert total(one) == total(two)


@pytest.mark.parametrize(
    ("options", "off"),
    [
        ({"unknown": "off"}, {"unknown identity"}),
        ({"domain_term": "off"}, {"domain", "discriminator"}),
        ({"unknown": "off", "domain_term": "off"}, {"unknown identity", "domain"}),
    ],
)
def test_each_term_can_be_switched_off(options: dict[str, Any], off: set[str]) -> None:
    found, whole = make(**options)(*batch(), 0.5), make()(*batch(), 0.5)
    assert all(found[name] == 0 for name in off)
    for name in {*whole} - off:
        assert found[name].item() == pytest.approx(whole[name].item(), rel=1e-6)


@pytest.mark.parametrize("unknown", ["mean", "sum", "authors"])
@pytest.mark.parametrize("term", ["grl", "reciprocal", "confusion"])
@pytest.mark.parametrize("name", ["softmax", "focal-arcface"])
def test_joint_training_stays_finite_in_every_form(
    unknown: Any, term: Any, name: str
) -> None:
    """A toy network on two domains that differ plainly, at a high learning rate."""
    loss = make(loss=name, unknown=unknown, domain_term=term)
    network = nn.Linear(4, DIM)
    parameters = [*network.parameters(), *loss.parameters()]
    optimiser = torch.optim.SGD(parameters, 0.1, 0.9)
    generator = torch.Generator().manual_seed(5)
    _, labels, domains, labelled = batch()
    values = []
    for step in range(40):
        pictures = torch.randn(16, 4, generator=generator)
        pictures[:, 0] += 6 * domains
        found = loss(network(pictures), labels, domains, labelled, step / 40)
        optimiser.zero_grad()
        torch.autograd.backward(total(found))
        nn.utils.clip_grad_norm_(parameters, 5.0)
        optimiser.step()
        values.append(total(found).item())
    assert all(abs(value) < 1e6 for value in values)
    assert all(torch.isfinite(each).all() for each in parameters)


@pytest.mark.parametrize("how", ["bfloat16", "autocast"])
def test_half_precision_gives_finite_terms(how: str) -> None:
    dtype = torch.float32 if how == "autocast" else torch.bfloat16
    loss = make(loss="arcface").to(dtype)
    embeddings, labels, domains, labelled = batch()
    halves = embeddings.detach().to(dtype).requires_grad_()
    with torch.autocast("cpu", torch.bfloat16, enabled=how == "autocast"):
        found = loss(halves, labels, domains, labelled, 0.5)
    assert total(found).dtype == torch.float32
    [slope] = torch.autograd.grad(total(found), halves)
    assert torch.isfinite(total(found))
    assert torch.isfinite(slope).all()

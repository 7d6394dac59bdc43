"""The total loss of multi-task adaptation: alpha L_cls + beta L_uir + gamma L_da."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn

from icf.models.training import losses
from icf.models.training.adaptation import domain, unknown_identity
from icf.models.training.adaptation.composition import CARTOON, HUMAN
from icf.models.training.losses.base import UNKNOWN, MarginSoftmax

Off = Literal["off"]


class MultiTask(nn.Module):
    """Two classifiers, unknown identity rejection and the domain term.

    Section 4.2 and equation 4 of the paper, with its alpha = 1, beta = 0.1 and
    gamma = 10 (section 5.1). The rows of its table 4 are ``unknown="off",
    domain="off"``; ``domain="off"``; and neither off. The paper starts from a network
    that softmax trained on cartoons: give its centres to ``cartoon.weight``.

    Args:
        dim: numbers in an embedding.
        humans: human identities.
        cartoons: cartoon identities.
        loss: of both classifiers, a name of `icf.models.training.losses`.
        unknown: form of L_uir (`unknown_identity`), or ``"off"``.
        unknown_over: the faces that L_uir is taken of: ``"unlabelled"``, each
            classifier's quarter of the other domain; or ``"all"`` of its half, as
            equation 2 is printed.
        domain_term: form of L_da (`domain`), or ``"off"``.
        alpha: weight of L_cls.
        beta: weight of L_uir.
        gamma: weight of L_da.
        options: of the loss.

    Attributes:
        human: the classifier of human faces.
        cartoon: the classifier of cartoon faces.
    """

    def __init__(
        self,
        dim: int,
        humans: int,
        cartoons: int,
        loss: str = "softmax",
        unknown: unknown_identity.Form | Off = "mean",
        unknown_over: Literal["unlabelled", "all"] = "unlabelled",
        domain_term: domain.Form | Off = "grl",
        alpha: float = 1.0,
        beta: float = 0.1,
        gamma: float = 10.0,
        **options: Any,
    ) -> None:
        super().__init__()
        self.human = losses.create(loss, dim, humans, **options)
        self.cartoon = losses.create(loss, dim, cartoons, **options)
        self.unknown, self.unknown_over = unknown, unknown_over
        self.domain = None
        if domain_term != "off":
            self.domain = domain.DomainLoss(dim, domain_term)
        self.alpha, self.beta, self.gamma = alpha, beta, gamma

    def forward(
        self,
        embeddings: Tensor,
        labels: Tensor,
        domains: Tensor,
        labelled: Tensor,
        share: float,
    ) -> dict[str, Tensor]:
        """Return the weighted terms of the loss of a batch, each of shape ().

        Their sum is minimised. ``"identity"`` is alpha L_cls, ``"unknown identity"``
        beta L_uir, ``"domain"`` gamma L_da, and ``"discriminator"`` what the domain
        network alone learns from. A term that is off is 0.

        Args:
            embeddings: shape (n, dim).
            labels: shape (n,), int64, the identity of each face within its domain; -1,
                or anything where ``labelled`` is False: not known.
            domains: shape (n,), int64, `HUMAN` or `CARTOON`.
            labelled: shape (n,), bool; False: the face goes to the other domain's
                classifier as an unknown one (`composition.compose`).
            share: of the training that is done, 0 to 1.
        """
        classified = embeddings.new_zeros((), dtype=torch.float32)
        unknown = classified
        for number, classifier in ((HUMAN, self.human), (CARTOON, self.cartoon)):
            classifier.progress = share
            own = (domains == number) & labelled
            classified = classified + classifier(
                embeddings, torch.where(own, labels, UNKNOWN)
            )
            foreign = (domains != number) & ~labelled
            taken = foreign | own if self.unknown_over == "all" else foreign
            unknown = unknown + self._unknown(classifier, embeddings, taken)
        domain_term = discriminator = torch.zeros_like(classified)
        if self.domain is not None:
            found = self.domain(embeddings, domains, share)
            domain_term, discriminator = found.embedder, found.discriminator
        return {
            "identity": self.alpha * classified,
            "unknown identity": self.beta * unknown,
            "domain": self.gamma * domain_term,
            "discriminator": discriminator,
        }

    def _unknown(
        self, classifier: MarginSoftmax, embeddings: Tensor, taken: Tensor
    ) -> Tensor:
        """Return the mean of L_uir over the faces that are taken."""
        if self.unknown == "off":
            return embeddings.new_zeros((), dtype=torch.float32)
        logits = classifier.logits(embeddings)
        values = unknown_identity.unknown_identity_losses(logits, self.unknown)
        return torch.where(taken, values, 0.0).sum() / taken.sum().clamp(min=1)

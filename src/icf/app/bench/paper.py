"""What the paper's tables say, and which rows and methods they have.

Zheng et al. 2020, "Cartoon Face Recognition: A Benchmark Dataset", arXiv:1907.13394.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

TableName = Literal["3", "4", "5"]

#: Percent of pairs within rank 1, 5 and 10.
Published = tuple[float, float, float]

#: "The cartoon face regions in all experiments are enlarged as 2 times" (section 5.1).
ENLARGED = 1.0


@dataclass(frozen=True)
class Terms:
    """Which terms of the multi-task loss are on, beside L_cls."""

    unknown: bool = False
    domain: bool = False


@dataclass(frozen=True)
class Method:
    """How an embedder is trained.

    Attributes:
        loss: a name of `icf.models.training.losses`.
        rate: share of a face's box that is added to its sides.
        terms: of a training on two domains; None: cartoons alone.
    """

    loss: str
    rate: float = ENLARGED
    terms: Terms | None = None

    @property
    def name(self) -> str:
        """Return a name for a folder."""
        parts = [self.loss]
        if self.terms is not None:
            parts.append("cls")
            parts += ["uir"] * self.terms.unknown + ["da"] * self.terms.domain
        elif self.rate != ENLARGED:
            parts.append(f"enlarged-{self.rate:.2f}")
        return "-".join(parts)


#: What a two-domain training starts from, as the paper says (section 5.1).
PRETRAINED = Method("softmax")


@dataclass(frozen=True)
class Row:
    """A row of a table.

    Attributes:
        label: in its first column.
        method: how its models are trained.
        published: the paper's figures; None: the paper has no such row.
    """

    label: str
    method: Method
    published: Published | None = None


@dataclass(frozen=True)
class Table:
    """A table of the paper.

    Attributes:
        name: its number there.
        title: what it compares.
        column: over the rows' labels.
        rows: from first to last.
    """

    name: TableName
    title: str
    column: str
    rows: Sequence[Row]


#: By loss: the label and the figures of table 3.
_LOSSES: Mapping[str, tuple[str, Published]] = {
    "softmax": ("SoftMax", (78.97, 90.51, 93.24)),
    "sphereface": ("SphereFace", (79.77, 91.07, 93.74)),
    "cosface": ("CosFace", (83.24, 93.05, 95.19)),
    "arcface": ("ArcFace", (83.34, 93.12, 95.20)),
    "focal-arcface": ("F-ArcFace", (83.96, 93.43, 95.46)),
}
LOSSES = tuple(_LOSSES)

_TERMS: Sequence[tuple[str, Terms, Published | None]] = (
    ("L_cls", Terms(), (81.46, 91.94, 94.30)),
    ("L_cls + L_uir", Terms(unknown=True), (81.67, 92.15, 94.50)),
    ("L_cls + L_da", Terms(domain=True), None),
    (
        "L_cls + L_uir + L_da",
        Terms(unknown=True, domain=True),
        (84.34, 93.52, 96.14),
    ),
)

_RATES: Mapping[float, Published] = {
    0.0: (71.15, 85.26, 89.26),
    0.25: (75.73, 88.30, 91.58),
    0.5: (77.67, 89.72, 92.69),
    0.75: (78.29, 89.95, 92.86),
    1.0: (78.97, 90.51, 93.24),
}


def losses_table(losses: Sequence[str] = LOSSES) -> Table:
    """Return table 3, with these losses."""
    rows = []
    for name in losses:
        label, published = _LOSSES.get(name, (name, None))
        rows.append(Row(label, Method(name), published))
    return Table("3", "losses", "loss", rows)


def terms_table() -> Table:
    """Return table 4."""
    rows = [
        Row(label, Method("softmax", terms=terms), published)
        for label, terms, published in _TERMS
    ]
    return Table("4", "terms of the multi-task loss", "terms", rows)


def rates_table() -> Table:
    """Return table 5, which the paper made with softmax."""
    rows = [
        Row(f"{rate:.2f}", Method("softmax", rate), published)
        for rate, published in _RATES.items()
    ]
    return Table("5", "enlarged boxes", "enlarge rate", rows)

"""The result of an audit: what was found, what it proves, and its certificate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from icf.annotate.audit import audits
from icf.annotate.audit.audits import Audit
from icf.annotate.audit.bounds import finite_bound, upper_bound
from icf.annotate.audit.checks import Item, Verdict, read_items
from icf.annotate.audit.sample import ACCEPTS, PARTS, TEST, Goal, Part
from icf.annotate.people.pseudonyms import Pseudonyms
from icf.version import __version__

#: The parts that releases contain, and a certificate is about.
_RELEASED = (ACCEPTS, TEST)


@dataclass(frozen=True)
class PartResult:
    """What an audit found in a part of the labels.

    Attributes:
        labels: how many labels the part has.
        n: how many of them are in the sample, to be checked.
        allowed_errors: how many of these may be wrong.
        errors: wrong labels among those that are checked so far.
        withdrawn: those of them that were taken down before anybody looked.
        adjudications: labels that a reviewer decided on.
        bound: at most this share of the part is wrong; None until all are checked.
        method: "clopper-pearson", or "finite" for few labels.
        most_wrong: the same as a number of labels.
        certified: whether the bound is at most the error that was to be proved.
    """

    labels: int
    n: int
    allowed_errors: int
    errors: int
    withdrawn: int
    adjudications: int
    bound: float | None
    method: str
    most_wrong: int | None
    certified: bool


@dataclass(frozen=True)
class Result:
    """What an audit found so far.

    Attributes:
        audit: the audit.
        parts: the parts, by name.
        to_check: labels that nobody has checked yet.
        to_decide: labels on which a reviewer must decide.
        wrong: labels that are wrong.
        checkers: how many people checked.
        earlier: how many earlier audits people looked at without a certificate.
        checked_by: the pseudonyms of who checked.
    """

    audit: Audit
    parts: Mapping[str, PartResult]
    to_check: int
    to_decide: int
    wrong: Sequence[Item]
    checkers: int
    earlier: int
    checked_by: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every label of the sample is known to be right or wrong."""
        return not self.to_check and not self.to_decide

    @property
    def certified(self) -> bool:
        """Whether all parts that releases contain are proved to be good enough."""
        return self.complete and all(
            part.certified for name, part in self.parts.items() if name in _RELEASED
        )

    def as_json(self) -> dict[str, Any]:
        """For programs; the first figures are those of the part `ACCEPTS`."""
        first = self.parts[ACCEPTS]
        return {
            "audit": self.audit.id,
            "n": first.n,
            "errors": first.errors,
            "bound": first.bound,
            "confidence": self.audit.goal.confidence,
            "max_error": self.audit.goal.max_error,
            "allowed_errors": first.allowed_errors,
            "certified": self.certified,
            "complete": self.complete,
            "to_check": self.to_check,
            "to_decide": self.to_decide,
            "adjudications": first.adjudications,
            "labels": first.labels,
            "labels_sha256": self.audit.labels_sha256,
            "seed": self.audit.seed,
            "checkers": self.checkers,
            "checked_by": list(self.checked_by),
            "earlier_audits": self.earlier,
            "parts": {
                name: {"meaning": PARTS[name], **asdict(part)}
                for name, part in self.parts.items()
            },
        }

    def certificate(self) -> dict[str, Any]:
        """What is kept with the audit, and is its certificate if it got one."""
        left_out = {"complete", "to_check", "to_decide"}
        found = {k: v for k, v in self.as_json().items() if k not in left_out}
        return {**found, "planned_at": self.audit.planned_at, "version": __version__}


def read_result(
    connection: sa.Connection, audit: Audit, pseudonyms: Pseudonyms | None = None
) -> Result:
    """Read what was found so far.

    Args:
        connection: to the catalogue.
        audit: which.
        pseudonyms: what people are called; None: they are counted only.
    """
    items = read_items(connection, audit.id)
    verdicts = [each.verdict for each in items]
    people = {name for each in items for name in each.checks}
    return Result(
        audit,
        {
            name: tally([e for e in items if name in e.parts], part, audit.goal)
            for name, part in audit.parts.items()
        },
        verdicts.count(Verdict.TO_CHECK),
        verdicts.count(Verdict.TO_DECIDE),
        [each for each in items if each.verdict is Verdict.WRONG],
        len(people),
        audits.count_earlier(connection, audit.id),
        tuple(sorted(map(pseudonyms.of, people))) if pseudonyms else (),
    )


def conclude(
    connection: sa.Connection, audit: Audit, pseudonyms: Pseudonyms | None = None
) -> Result:
    """Read the result, and end an audit whose labels are all known.

    Args:
        connection: a transaction that writes.
        audit: open or not; one that ended is not changed.
        pseudonyms: as for `read_result`.
    """
    result = read_result(connection, audit, pseudonyms)
    if audit.ended_at is None and result.complete:
        found = result.certificate()
        audits.end(connection, audit.id, found, certified=result.certified)
    return result


def tally(items: Sequence[Item], part: Part, goal: Goal) -> PartResult:
    """Count what was found in a part, and compute what it proves.

    Args:
        items: the sample of the part.
        part: as it was planned.
        goal: what was to be proved.
    """
    verdicts = [each.verdict for each in items]
    errors = verdicts.count(Verdict.WRONG)
    known = errors + verdicts.count(Verdict.RIGHT)
    bound = None
    if known == part.checked:
        bound = (
            finite_bound(errors, known, part.labels, goal.confidence)
            if part.bound == "finite"
            else upper_bound(errors, known, goal.confidence)
        )
    return PartResult(
        labels=part.labels,
        n=part.checked,
        allowed_errors=part.allowed,
        errors=errors,
        withdrawn=sum(
            each.gone and each.decision is None and each.verdict is Verdict.WRONG
            for each in items
        ),
        adjudications=sum(each.decision is not None for each in items),
        bound=bound,
        method=part.bound,
        # A part has a whole number of wrong labels.
        most_wrong=None if bound is None else int(bound * part.labels + 1e-9),
        certified=bound is not None and bound <= goal.max_error + 1e-12,
    )

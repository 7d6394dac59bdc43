"""How many labels to check, and what the errors found among them prove.

All bounds are one-sided and upper: of many audits, at least ``confidence`` have a share
of wrong labels that is at most their bound. No approximation is involved.

- Clopper and Pearson (1934): the sample is small beside the labels, or drawn with
  replacement. Without replacement it is wider than it needs to be, never too narrow.
- The finite bound inverts the hypergeometric distribution, for few labels: whoever
  checks all of them knows the share.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

#: Halvings of the interval from 0 to 1: to the last bit of a float.
_HALVINGS = 60
#: What rounding can add to a sum of probabilities.
_ROUNDING = 1e-9


@cache
def upper_bound(errors: int, checked: int, confidence: float) -> float:
    """Return the Clopper-Pearson bound on a share of wrong labels.

    Args:
        errors: wrong labels found, from 0 to ``checked``.
        checked: labels checked; with none the bound is 1.
        confidence: e.g. 0.95.

    >>> round(upper_bound(0, 299, 0.95), 4), round(upper_bound(2, 124, 0.95), 4)
    (0.01, 0.0499)
    """
    if errors >= checked:
        return 1.0
    low, high = errors / checked, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _binomial(errors, checked, middle) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high


@cache
def finite_bound(errors: int, checked: int, labels: int, confidence: float) -> float:
    """Return the largest share of wrong labels that the sample does not rule out.

    Args:
        errors: wrong labels found, from 0 to ``checked``.
        checked: labels checked, drawn without replacement.
        labels: how many there are.
        confidence: e.g. 0.95.

    >>> finite_bound(3, 40, 40, 0.95)
    0.075
    >>> round(finite_bound(0, 150, 300, 0.95), 4)
    0.0133
    """
    low, high = errors, labels - checked + errors
    while low < high:
        middle = (low + high + 1) // 2
        if _hypergeometric(errors, checked, labels, middle) > 1 - confidence:
            low = middle
        else:
            high = middle - 1
    return low / labels if labels else 0.0


@cache
def sample_size(max_error: float, confidence: float, allowed: int) -> int:
    """Return the least sample of which ``allowed`` errors prove ``max_error``.

    >>> [sample_size(0.01, 0.95, errors) for errors in (0, 1, 2)]
    [299, 473, 628]
    """
    return _least(
        lambda checked: _binomial(allowed, checked, max_error) <= 1 - confidence,
        allowed + 1,
    )


@cache
def finite_size(
    max_error: float, confidence: float, allowed: int, labels: int
) -> tuple[int, int]:
    """Return the least sample of few labels that proves ``max_error``.

    Returns:
        Its size, and the errors allowed in it: fewer than asked for where all labels
        together may not have so many wrong ones.

    >>> finite_size(0.01, 0.95, 0, 300), finite_size(0.01, 0.95, 5, 300)
    ((158, 0), (297, 3))
    """
    # The fewest wrong labels that are too many.
    too_many = min(math.floor(max_error * labels + _ROUNDING) + 1, labels)
    allowed = max(0, min(allowed, too_many - 1))
    checked = _least(
        lambda size: (
            size >= labels
            or _hypergeometric(allowed, size, labels, too_many) <= 1 - confidence
        ),
        allowed + 1,
    )
    return min(checked, labels), allowed


def _least(holds: Callable[[int], bool], low: int) -> int:
    """Return the least number from ``low`` on that holds, as all larger ones do."""
    high = low
    while not holds(high):
        low, high = high + 1, 2 * high
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low


def _binomial(errors: int, checked: int, share: float) -> float:
    """The probability of at most so many errors in a sample with replacement."""
    if share in (0.0, 1.0):
        return float(share == 0.0 or errors >= checked)
    wrong, right = math.log(share), math.log1p(-share)
    return math.fsum(
        math.exp(_choose(checked, each) + each * wrong + (checked - each) * right)
        for each in range(min(errors, checked) + 1)
    )


def _hypergeometric(errors: int, checked: int, labels: int, wrong: int) -> float:
    """The probability of at most so many errors in a sample without replacement.

    Rounded up, so that no bound is too narrow by rounding.
    """
    first = max(0, checked - (labels - wrong))
    last = min(errors, checked, wrong)
    if last >= min(checked, wrong):
        return 1.0
    total = _choose(labels, checked)
    found = math.fsum(
        math.exp(_choose(wrong, each) + _choose(labels - wrong, checked - each) - total)
        for each in range(first, last + 1)
    )
    return found + _ROUNDING if found else 0.0


def _choose(of: int, some: int) -> float:
    """The logarithm of a binomial coefficient."""
    return math.lgamma(of + 1) - math.lgamma(some + 1) - math.lgamma(of - some + 1)

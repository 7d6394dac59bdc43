"""The answer to a pair, as the browser sends it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from icf.annotate.tasks.base import RefusedAnswer
from icf.codes import Choice

_CHOICES = {each.value: each for each in Choice}


def read_choice(value: Mapping[str, Any]) -> Choice:
    """Read the choice of an answer object.

    >>> read_choice({"choice": "true"}).meaning
    'the same character'

    Raises:
        RefusedAnswer: it is none.
    """
    found = value.get("choice")
    if not isinstance(found, str) or found not in _CHOICES:
        allowed = ", ".join(_CHOICES)
        raise RefusedAnswer(f"an answer to a pair is one of {allowed}")
    return _CHOICES[found]

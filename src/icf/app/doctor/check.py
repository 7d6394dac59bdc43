"""One check of `icf doctor`, and its result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from icf.errors import IcfError

State = Literal["ok", "warning", "broken"]


@dataclass(frozen=True)
class Check:
    """One check and its result."""

    name: str
    state: State
    found: str


def attempt(name: str, check: Callable[[], str]) -> Check:
    """Make a check that is broken where ``check`` raises."""
    try:
        return Check(name, "ok", check())
    except (IcfError, OSError, ImportError) as error:
        return Check(name, "broken", str(error))

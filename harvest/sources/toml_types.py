"""Whether a table's values were meant as the types that they were read as."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pydantic

_BOOL = "true or false, without quotation marks"
_NUMBER = "a number, without quotation marks"


def misread(
    table: Mapping[str, Any], read: pydantic.BaseModel, place: str = ""
) -> Iterator[str]:
    """Yield what pydantic took for something else, as ``true`` for 1 or "2" for 2.

    Args:
        table: as TOML has it.
        read: what it was read as.
        place: where the table stands, with a point behind it.
    """
    for key, written in table.items():
        if key in type(read).model_fields:
            yield from _compared(written, getattr(read, key), place + key)


def _compared(written: Any, read: Any, place: str) -> Iterator[str]:
    if isinstance(written, Mapping) and isinstance(read, pydantic.BaseModel):
        yield from misread(written, read, f"{place}.")
    elif isinstance(written, list) and isinstance(read, Sequence):
        for number, (one, other) in enumerate(zip(written, read, strict=False)):
            yield from _compared(one, other, f"{place}.{number}")
    elif isinstance(read, bool):
        if not isinstance(written, bool):
            yield f"{place} = {json.dumps(written)}: write {_BOOL}"
    elif isinstance(read, int | float):
        if isinstance(written, bool) or not isinstance(written, int | float):
            yield f"{place} = {json.dumps(written)}: write {_NUMBER}"
        elif not math.isfinite(read):
            yield f"{place} = {read}: write a finite number"

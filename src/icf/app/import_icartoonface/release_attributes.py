"""``attributes.csv`` of a release that is imported."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import TypeVar

from icf.app.importing.described import Described
from icf.catalogue.labels.attributes import Description
from icf.codes import Gender, Occlusion, Region
from icf.errors import BadInput
from icf.spreadsheet import rows_of

FILE = "attributes.csv"
_COLUMNS = (
    *("part", "name", "region", "gender", "gender_by", "yaw", "pitch", "roll"),
    *("occlusion", "people"),
)

CodeT = TypeVar("CodeT", bound=Enum)


def read_attributes(root: Path) -> dict[tuple[str, str], Described]:
    """Read what is known of the faces of a release, by part and name.

    Raises:
        BadInput: a cell is not what it should be; the message names the picture.
    """
    path = root / FILE
    if not path.exists():
        return {}
    found: dict[tuple[str, str], Described] = {}
    for row in rows_of(path, *_COLUMNS, later=("style",)):
        try:
            found[row["part"], row["name"]] = _described(row)
        except ValueError as error:
            raise BadInput(f"{path}: {row['part']} {row['name']}: {error}") from error
    return found


def _described(row: Mapping[str, str]) -> Described:
    gender = _code(Gender, row["gender"])
    by_people = row["gender_by"] == "people"
    said = Description(
        gender if by_people else None,
        _angle(row["yaw"]),
        _angle(row["pitch"]),
        _angle(row["roll"]),
        _code(Occlusion, row["occlusion"]),
    )
    return Described(
        _code(Region, row["region"]),
        None if by_people else gender,
        None if said.cannot_tell else said,
        row["style"] or None,
    )


def _code(codes: type[CodeT], cell: str) -> CodeT | None:
    return codes(cell) if cell else None


def _angle(cell: str) -> float | None:
    if not cell:
        return None
    angle = float(cell)
    if not math.isfinite(angle) or abs(angle) > 180:
        raise ValueError(f"{cell} is no angle in degrees")
    return angle

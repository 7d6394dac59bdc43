"""`doubtful.csv`: labelled faces that a training found far from others of their name.

`icf-train embedder` writes it, and `icf-annotate labels --doubtful` reads it.
"""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from icf.errors import BadInput
from icf.spreadsheet import harmless, number_of, numbered_rows_of, write_csv
from icf.stores.files import replace_file

FILE = "doubtful.csv"
COLUMNS = ("identity", "picture", "x1", "y1", "x2", "y2", "degrees")
_CORNERS = COLUMNS[2:6]

Box = tuple[float, ...]


@dataclass(frozen=True)
class DoubtfulFace:
    """A face whose label is doubtful.

    Attributes:
        identity: whom the label says it shows; of a workspace ALBUM/CHARACTER.
        picture: its key in the source of the data; of a workspace its SHA-256.
        box: as `written_box` gives it; None: the whole picture.
        degrees: its angle to where most faces of the identity are.
    """

    identity: str
    picture: str
    box: Box | None
    degrees: float


def written_box(corners: Iterable[float]) -> Box:
    """Return a box as it is written: what trains knows it in single precision.

    >>> written_box([0.1, 2.005, 3.0, 4.0])
    (0.1, 2.01, 3.0, 4.0)
    """
    return tuple(round(each, 2) for each in array("f", corners))


def write_doubtful(path: Path, faces: Iterable[DoubtfulFace]) -> None:
    """Write faces in the order given; a killed program leaves no incomplete file."""
    rows = (
        (
            harmless(each.identity),
            harmless(each.picture),
            *(each.box or [""] * len(_CORNERS)),
            round(each.degrees, 2),
        )
        for each in faces
    )
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        unfinished = Path(folder) / path.name
        write_csv(unfinished, COLUMNS, rows)
        replace_file(path, [unfinished.read_bytes()])


def read_doubtful(path: Path) -> list[DoubtfulFace]:
    """Read the faces of a file, in its order.

    Raises:
        BadInput: it cannot be read, or lacks a column, or a line has no such face.
    """
    faces = []
    for line, cells in numbered_rows_of(path, *COLUMNS):
        try:
            faces.append(_face(cells))
        except ValueError as error:
            raise BadInput(f"{path}, line {line}: {error}") from error
    return faces


def _face(cells: Mapping[str, str]) -> DoubtfulFace:
    corners = [cells[each] for each in _CORNERS]
    box = written_box(map(number_of, corners)) if any(corners) else None
    degrees = number_of(cells["degrees"])
    if not 0 <= degrees <= 180:
        raise ValueError(f"{cells['degrees']!r} is no angle from 0 to 180 degrees")
    return DoubtfulFace(cells["identity"], cells["picture"], box, degrees)

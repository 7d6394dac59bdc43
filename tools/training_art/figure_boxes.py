"""The faces of icons and clip art: ``figures.csv``, in shares of the picture's sides.

Those of icons were proposed by an earlier bundled detector and looked at; those of clip
art were drawn by hand. A row without a box names clip art that shows a face and is not
trained on: it is no example of what is not a face either.
"""

from __future__ import annotations

import csv
from pathlib import Path

from icf.tools.training_art.styles import Box

#: The source of what is not a set of icons.
CLIP_ART = "openclipart"
#: The file of the boxes.
PATH = Path(__file__).with_name("figures.csv")


def faces() -> dict[tuple[str, str], Box | None]:
    """Return the boxes of ``figures.csv``, by source and figure; None: not boxed."""
    found: dict[tuple[str, str], Box | None] = {}
    with PATH.open(newline="") as file:
        for row in csv.DictReader(file):
            numbers = [float(row[k]) for k in ("x1", "y1", "x2", "y2") if row[k]]
            box = (numbers[0], numbers[1], numbers[2], numbers[3]) if numbers else None
            found[row["source"], row["figure"]] = box
    return found


def clips_with_faces() -> frozenset[str]:
    """Return the file names, without ending, of clip art that shows a face."""
    return frozenset(
        Path(figure).name for source, figure in faces() if source == CLIP_ART
    )

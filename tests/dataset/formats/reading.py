"""What our own readers of training data find in a folder."""

from __future__ import annotations

import hashlib
from collections import Counter

from icf.models.data.base import Reader, Skipped

#: SHA-256 of a picture and the corners of its faces, sorted.
Boxes = tuple[str, tuple[tuple[int, ...], ...]]


def read_all(reader: Reader) -> Counter[Boxes]:
    """Count pictures with their boxes; nothing may be left out, all be complete."""
    found: Counter[Boxes] = Counter()
    for each in reader.pictures():
        assert not isinstance(each, Skipped), each
        assert each.complete
        boxes = [face.box for face in each.faces if face.box is not None]
        assert len(boxes) == len(each.faces)
        corners = sorted(tuple(round(side) for side in box) for box in boxes)
        exact = max(abs(side - round(side)) for box in boxes for side in box)
        assert exact < 1e-5
        key = hashlib.sha256(reader.read(each.key)).hexdigest()
        found[key, tuple(corners)] += 1
    return found

"""insightface: the recognition set's training faces as ``train.rec``.

::

    train.rec, train.idx    MXNet's RecordIO of face crops, and where each record begins
    property                IDENTITIES,112,112
    identities.csv          the character of each label

Record 0 says which records are no pictures; each of these, behind the pictures, has the
range of one identity's records. Crops are squares of 112 pixels around the box, which
is enlarged by the rate of ``--crops``, or doubled as in the paper; nothing is aligned
by landmarks. Where the square leaves the picture, the picture's edge is repeated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, ClassVar

from icf.dataset.formats.base import ReleaseData, WrittenPicture
from icf.dataset.formats.crops import ENLARGED, QUALITY, Rectangle, decoded
from icf.dataset.formats.identities import write_identities
from icf.dataset.plan import Placed
from icf.images import encode_jpeg
from icf.models.data.formats.rec import IDX, PROPERTY, REC
from icf.models.data.formats.record_io import record_of
from icf.models.embedding import crop_face
from icf.models.formats.base import resized

SIDE = 112


class InsightFaceWriter:
    """The training faces, packed for insightface and what reads its files."""

    name: ClassVar[str] = "insightface"
    help: ClassVar[str] = "The training faces as insightface's train.rec, 112 pixels."

    def write(self, data: ReleaseData, folder: Path) -> Iterator[WrittenPicture]:
        """Write the crops of the training faces.

        Raises:
            BrokenMachine: a picture's bytes are missing, or cannot be decoded.
        """
        train = data.plan.train
        ranges = _ranges(train)
        with (folder / REC).open("xb") as records, (folder / IDX).open("xb") as index:
            out = _Records(records, index)
            end = len(train) + 1
            out.add(0, (end, end + len(ranges)))
            for number, each in enumerate(train, 1):
                part = _square(data, each)
                out.add(number, (each.label,), _cut(data, each, part))
                yield WrittenPicture(Path(REC), each, str(number), part)
            for number, of_one in enumerate(ranges, end):
                out.add(number, of_one)
        (folder / PROPERTY).write_text(f"{len(ranges)},{SIDE},{SIDE}\n", "ascii")
        write_identities(folder, data.plan)


@dataclass
class _Records:
    """The two files in the making."""

    records: BinaryIO
    index: BinaryIO
    place: int = 0

    def add(self, number: int, labels: Sequence[float], picture: bytes = b"") -> None:
        self.index.write(b"%d\t%d\n" % (number, self.place))
        self.place += self.records.write(record_of(labels, number, picture))


def _ranges(train: Sequence[Placed]) -> list[tuple[int, int]]:
    """Return the first record of each label, and the one after its last."""
    found: dict[int, tuple[int, int]] = {}
    for number, each in enumerate(train, 1):
        first, _ = found.get(each.label, (number, number))
        found[each.label] = first, number + 1
    return list(found.values())


def _square(data: ReleaseData, each: Placed) -> Rectangle:
    """Return the square around a face; it may leave the picture."""
    rate = ENLARGED if data.plan.crops is None else data.plan.crops
    x1, y1, x2, y2 = data.plan.selection.faces.corners[each.face].tolist()
    side = max(1, round(max(x2 - x1, y2 - y1) * (1 + rate)))
    left, top = round((x1 + x2 - side) / 2), round((y1 + y2 - side) / 2)
    return Rectangle(left, top, left + side, top + side)


def _cut(data: ReleaseData, each: Placed, part: Rectangle) -> bytes:
    pixels = decoded(data.blobs.get(data.sha256(each.picture)))
    square = crop_face(pixels, (part.x1, part.y1, part.x2, part.y2), 0.0)
    return encode_jpeg(resized(square, SIDE), QUALITY)

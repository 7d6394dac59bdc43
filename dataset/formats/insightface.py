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

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, ClassVar

from icf.dataset.formats.base import ReleaseData, WrittenPicture
from icf.dataset.formats.checked import Fault, ReleaseFiles
from icf.dataset.formats.checks.insightface import check_insightface
from icf.dataset.formats.crops import (
    ENLARGED,
    QUALITY,
    Rectangle,
    decoded,
    square_around,
)
from icf.dataset.formats.identities import write_identities
from icf.dataset.formats.layouts import SIDE, ranges_of
from icf.dataset.plan import Placed
from icf.images import encode_jpeg
from icf.models.data.formats.rec import IDX, PROPERTY, REC
from icf.models.data.formats.record_io import record_of
from icf.models.embedding import crop_face
from icf.models.formats.base import resized


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
        ranges = ranges_of(each.label for each in train)
        with (folder / REC).open("xb") as records, (folder / IDX).open("xb") as index:
            out = _Records(records, index)
            end = len(train) + 1
            out.add(0, (end, end + len(ranges)))
            for number, each in enumerate(train, 1):
                part = _square(data, each)
                crop = data.kept(each) or _cut(data, each, part)
                out.add(number, (each.label,), crop)
                sha256 = hashlib.sha256(crop).hexdigest()
                yield WrittenPicture(Path(REC), each, str(number), part, sha256)
            for number, of_one in enumerate(ranges, end):
                out.add(number, of_one)
        (folder / PROPERTY).write_text(f"{len(ranges)},{SIDE},{SIDE}\n", "ascii")
        write_identities(folder, data.plan)

    def verify(self, files: ReleaseFiles) -> Iterator[Fault]:
        """Check every crop and label against the contents."""
        return check_insightface(files)


@dataclass
class _Records:
    """The two files in the making."""

    records: BinaryIO
    index: BinaryIO
    place: int = 0

    def add(self, number: int, labels: Sequence[float], picture: bytes = b"") -> None:
        self.index.write(b"%d\t%d\n" % (number, self.place))
        self.place += self.records.write(record_of(labels, number, picture))


def _square(data: ReleaseData, each: Placed) -> Rectangle:
    """Return the square around a face; it may leave the picture."""
    rate = ENLARGED if data.plan.crops is None else data.plan.crops
    return square_around(data.plan.selection.faces.corners[each.face].tolist(), rate)


def _cut(data: ReleaseData, each: Placed, part: Rectangle) -> bytes:
    pixels = decoded(data.blobs.get(data.sha256(each.picture)))
    square = crop_face(pixels, (part.x1, part.y1, part.x2, part.y2), 0.0)
    return encode_jpeg(resized(square, SIDE), QUALITY)

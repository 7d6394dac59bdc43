from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.images import decode
from icf.models.data.base import LabelledPicture
from icf.models.data.formats.record_io import (
    MAGIC,
    read_header,
    read_picture,
    record_of,
)
from icf.models.data.spec import open_reader, parse
from icf.models.embedding import crop_face
from icf.models.formats.base import resized
from tests.dataset.formats.conftest import Exported

MARK = MAGIC.to_bytes(4, "little")


@pytest.mark.parametrize("kind", ["whole", "cropped"])
def test_our_reader_finds_every_training_face_with_its_identity(
    kind: str, request: pytest.FixtureRequest
) -> None:
    exported: Exported = request.getfixturevalue(kind)
    reader = open_reader(parse(f"rec+cartoon:{exported.of('insightface')}"))
    found = list(reader.pictures())
    expected = exported.records["recognition", "train"]
    assert len(found) == len(expected)
    rate = 1.0 if kind == "whole" else 0.5
    corners = exported.plan.selection.faces.corners
    for each, record in zip(found, expected, strict=True):
        assert isinstance(each, LabelledPicture)
        assert record.who is not None
        assert each.faces[0].identity == str(record.who.label)
        shown = decode(reader.read(each.key)).pixels
        whole = decode(exported.bytes[record.placed.picture]).pixels
        x1, y1, x2, y2 = corners[record.placed.face].tolist()
        face = resized(crop_face(whole, (x1, y1, x2, y2), rate), 112)
        assert shown.shape == (112, 112, 3)
        assert np.abs(shown.astype(int) - face).mean() < 3


def test_insightface_finds_the_records_of_each_identity(whole: Exported) -> None:
    """As its `MXFaceDataset` reads them, and the ranges as its trainers did."""
    folder = whole.of("insightface")
    lines = (folder / "train.idx").read_text().splitlines()
    places = {int(row[0]): int(row[1]) for row in map(str.split, lines)}
    records = [each.who for each in whole.records["recognition", "train"]]
    with (folder / "train.rec").open("rb") as file:
        header = read_header(file, places[0])
        first, last = map(int, header.labels)
        assert (first, last) == (len(records) + 1, len(places))
        for label, number in enumerate(range(first, last)):
            start, end = map(int, read_header(file, places[number]).labels)
            shown = [who.label for who in records[start - 1 : end - 1] if who]
            assert set(shown) == {label}
            assert len(shown) == sum(who.label == label for who in records if who)
    assert (folder / "property").read_text() == f"{last - first},112,112\n"


@given(
    parts=st.lists(st.sampled_from([MARK, b"\0", b"abcd", b"xyz"]), max_size=12),
    labels=st.lists(st.integers(0, 9), min_size=1, max_size=3),
)
def test_a_record_is_read_back_whatever_is_in_it(
    parts: list[bytes], labels: list[int]
) -> None:
    picture = b"".join(parts)
    first = record_of([1], 6, b"before")
    file = io.BytesIO(first + record_of(labels, 7, picture) + record_of([2], 8, b"x"))
    assert read_picture(file, len(first)) == picture
    header = read_header(file, len(first))
    assert header.labels == tuple(labels)
    assert header.id == 7
    # No record may seem to begin inside of another one.
    content = file.getvalue()
    marks = [
        place for place in range(0, len(content), 4) if content[place:][:4] == MARK
    ]
    assert len(marks) == 3 + sum(
        (28 + (4 * len(labels) if len(labels) > 1 else 0) - 4 + place) % 4 == 0
        for place in _marks_in(picture)
    )


def _marks_in(picture: bytes) -> list[int]:
    found, place = [], picture.find(MARK)
    while place >= 0:
        found.append(place)
        place = picture.find(MARK, place + 1)
    return found

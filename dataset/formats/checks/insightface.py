"""Read the records of the format insightface."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from os import SEEK_END
from typing import BinaryIO

from icf.dataset.contents import TRAIN
from icf.dataset.formats.checked import MISSING, Fault, ReleaseFiles
from icf.dataset.formats.checks.identities import check_identities
from icf.dataset.formats.checks.known import Known
from icf.dataset.formats.checks.listed import Layout, Listed, check_listed
from icf.dataset.formats.crops import ENLARGED
from icf.dataset.formats.layouts import SIDE, ranges_of
from icf.errors import BadInput
from icf.models.data.formats.rec import IDX, PROPERTY, REC
from icf.models.data.formats.record_io import read_header, read_picture, record_of


def check_insightface(files: ReleaseFiles) -> Iterator[Fault]:
    """Check every crop and label against the contents."""
    layout = Layout({("recognition", "train"): REC})
    known = Known(files, ENLARGED, squares=True)
    yield from check_listed(known, layout, _all(files, known))
    yield from check_identities(files)


def _all(files: ReleaseFiles, known: Known) -> Iterator[Listed | Fault]:
    missing = [name for name in (REC, IDX, PROPERTY) if name not in files.hashes]
    if missing:
        yield from (Fault(name, MISSING) for name in missing)
        return
    contents = files.contents
    ranges = ranges_of(contents.label[contents.rows(TRAIN)].tolist())
    if (files.folder / PROPERTY).read_bytes() != b"%d,%d,%d\n" % (
        *(len(ranges), SIDE, SIDE),
    ):
        what = f"says something else than {len(ranges)},{SIDE},{SIDE}"
        yield Fault(PROPERTY, what)
    try:
        rows = list(map(_row, (files.folder / IDX).read_text("ascii").splitlines()))
    except ValueError as error:
        yield Fault(IDX, f"is no list of records: {error}")
        return
    offsets = dict(rows)
    if len(rows) > len(offsets):
        yield Fault(IDX, f"has {len(rows):,} lines of {len(offsets):,} records")
    elif (files.folder / IDX).read_bytes() != _index(offsets):
        yield Fault(IDX, "is not a line for each record, in their order")
    with (files.folder / REC).open("rb") as records:
        yield from _as_written(records, offsets)
        yield from _records(records, dict(offsets), known, ranges)


def _row(line: str) -> tuple[int, int]:
    number, offset = line.split("\t")
    return int(number), int(offset)


def _whole(label: float) -> float:
    """Return a label, which is a float there, as the whole number that it is."""
    return int(label) if label.is_integer() else label


def _index(offsets: dict[int, int]) -> bytes:
    return b"".join(b"%d\t%d\n" % each for each in sorted(offsets.items()))


def _as_written(records: BinaryIO, offsets: dict[int, int]) -> Iterator[Fault]:
    """Yield the bytes that no reader looks at and that nobody wrote.

    Records follow each other from the first byte to the last, in the order of their
    numbers.
    """
    place = 0
    for number in sorted(offsets):
        try:
            header = read_header(records, place)
            written = record_of(header.labels, number, read_picture(records, place))
        except BadInput:
            return  # whoever reads it by the index says so
        records.seek(place)
        if records.read(len(written)) != written:
            yield Fault(REC, f"record {number}: has other bytes than are written")
        if offsets[number] != place:
            yield Fault(IDX, f"has the record {number} elsewhere than it is")
        place += len(written)
    end = records.seek(0, SEEK_END)
    if end > place:
        yield Fault(REC, f"has {end - place:,} bytes behind its last record")


def _records(
    records: BinaryIO,
    offsets: dict[int, int],
    known: Known,
    ranges: list[tuple[int, int]],
) -> Iterator[Listed | Fault]:
    names = known.names("recognition", "train")
    end = len(names) + 1
    heads = {0: (end, end + len(ranges)), **dict(enumerate(ranges, end))}
    for number, labels in heads.items():
        try:
            found = read_header(records, offsets.pop(number))
            if (found.labels, found.size) != (labels, 0):
                yield Fault(REC, f"record {number}: is not of the records {labels}")
        except (BadInput, KeyError) as error:
            yield Fault(REC, f"record {number}: cannot be read: {error}")
    for number, name in enumerate(names, 1):
        if number not in offsets:
            continue
        try:
            offset = offsets.pop(number)
            header = read_header(records, offset)
            content = read_picture(records, offset)
        except BadInput as error:
            yield Fault(REC, f"record {number}: cannot be read: {error}")
            yield Listed(REC, "recognition", "train", name)
            continue
        yield Listed(
            REC,
            "recognition",
            "train",
            name,
            place=f"record {number}",
            member=str(number),
            sha256=hashlib.sha256(content).hexdigest(),
            label=_whole(header.labels[0]),
        )
    for number in offsets:
        yield Fault(IDX, f"has a record {number}, which is of nothing in train")
